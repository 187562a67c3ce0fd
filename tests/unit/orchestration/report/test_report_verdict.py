"""The first sentence of the report, for each way in which a run can end."""

from typing import Any

import pytest

from orchestration.report.facts import Facts, Found
from orchestration.report.gantt import gantt
from orchestration.report.runs import Verdict, _publications, verdict

_HOUR = 3_600_000
_NINE = 1_795_770_000_000  # 27 Nov 2026, 09:00 UTC


def told(status: str, versions: list[dict[str, Any]], step: str = "", ended: str = "failed") -> Verdict:
    run = {
        "run_id": "today", "kind": "run", "status": status, "started_ms": _NINE, "finished_ms": _NINE + _HOUR,
        "error": "It broke." if status == "failed" else None, "next_step": "Mend it." if status == "failed" else None,
    }  # fmt: skip
    steps = ({"step": step, "status": ended, "error": "It broke there."},) if step else ()
    return verdict(Facts(run, {"publications": Found(tuple(versions)), "steps": Found(steps)}))


def version(name: str, hours: int, action: str = "publish", content: str = "") -> dict[str, Any]:
    return {
        "publication_id": name, "action": action, "content_of": content or name, "as_of_ms": _NINE,
        "published_ms": _NINE + hours * _HOUR, "marts": 19,
    }  # fmt: skip


def test_a_run_that_published_is_good() -> None:
    found = told("succeeded", [version("today", 1), version("yesterday", -23)])
    assert (found.kind, found.headline) == ("good", "Gold was published on 27 Nov 2026, 10:00 UTC")
    assert found.sentences == ("19 marts, computed for 27 Nov 2026, 09:00 UTC.",)


def test_a_run_that_failed_after_publishing_says_both() -> None:
    found = told("failed", [version("today", 1)], "export")
    assert (found.kind, found.headline) == ("bad", "Gold was published on 27 Nov 2026, 10:00 UTC")
    assert found.sentences[-1] == "The run failed in export afterwards."
    assert (found.error, found.next_step) == ("It broke.", "Mend it.")


def test_a_run_that_was_killed_says_in_which_step() -> None:
    assert told("killed", [], "silver", "killed").headline == "Nothing was published: the run was killed in silver"
    afterwards = told("killed", [version("today", 1)], "export", "killed")
    assert afterwards.sentences[-1] == "The run was killed in export afterwards."


def test_a_run_published_long_ago_is_said_to_have_published_and_few_versions_are_listed() -> None:
    versions = [version(f"later {number}", 60 - number) for number in range(50)]
    assert (
        told("succeeded", [*versions, version("today", 1)]).headline == "Gold was published on 27 Nov 2026, 10:00 UTC"
    )
    listed = _publications(tuple(versions))[0]
    assert [row[2] for row in listed.rows] == [f"later {number}" for number in range(20)]


def test_a_failed_run_leaves_readers_the_version_before() -> None:
    found = told("failed", [version("yesterday", -23)], "gate")
    assert (found.kind, found.headline) == ("bad", "Nothing was published: the run failed in gate")
    assert found.sentences == (
        "Readers see the version of 26 Nov 2026, 10:00 UTC, computed for 27 Nov 2026, 09:00 UTC.",
    )


def test_readers_after_a_rollback_see_what_was_rolled_back_to() -> None:
    versions = [version("back", 3, "rollback", "yesterday"), version("today", 1), version("yesterday", -23)]
    rolled_back = told("succeeded", versions)
    assert rolled_back.sentences[-1] == (
        "It was rolled back on 27 Nov 2026, 12:00 UTC: readers see the version of yesterday."
    )
    assert (
        "Readers see the version of 26 Nov 2026, 10:00 UTC" in told("failed", versions[:1] + versions[2:]).sentences[0]
    )


@pytest.mark.parametrize(
    ("status", "kind", "headline"),
    [
        ("killed", "bad", "Nothing was published: the run was killed"),
        ("running", "warn", "The run still goes on: nothing is published yet"),
        ("succeeded", "good", "The run succeeded; publishing was no part of it (run)"),
    ],
)
def test_a_run_without_a_version(status: str, kind: str, headline: str) -> None:
    found = told(status, [])
    assert (found.kind, found.headline) == (kind, headline)
    assert found.sentences == ("Nothing was ever published: `gold.*` has no readers' version yet.",)


def test_no_run_at_all() -> None:
    found = verdict(Facts(None, {}, "ops.runs is empty."))
    assert (found.headline, found.sentences) == ("No run is known yet", ("ops.runs is empty.",))


def test_a_chart_of_time_needs_a_start() -> None:
    step = {"step": "ingest", "status": "running", "started_ms": None, "seconds": None}
    assert gantt([step], []) is None


def test_a_step_that_still_runs_is_drawn() -> None:
    steps = [
        {"step": "ingest", "status": "succeeded", "started_ms": _NINE, "seconds": 5.0},
        {"step": "silver", "status": "running", "started_ms": _NINE + 5000, "seconds": None},
    ]
    chart = gantt(steps, [])
    assert chart is not None
    assert ">silver</text>" in chart.wide
    assert [row[0] for row in chart.table.rows] == ["ingest", "silver"]
