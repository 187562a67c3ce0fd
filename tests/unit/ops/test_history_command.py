"""What a person reads of runs in the terminal."""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from lakehouse.cli import build_app
from lakehouse.ops import history
from lakehouse.ops.journal import Journal, read_alerts, read_runs
from tests.instance import selected
from tests.unit.ops.sample_run import AT, failed_run, good_run


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    with selected({"LAKEHOUSE_HOME": str(tmp_path)}):
        yield tmp_path


def _said(*arguments: str) -> str:
    answer = CliRunner().invoke(build_app(), list(arguments), catch_exceptions=False)
    assert answer.exit_code == 0
    return answer.stdout


def _state(home: Path, width: int = 80) -> str:
    screen = Console(width=width, record=True, highlight=False)
    with screen.capture() as captured:
        for part in history.state(read_runs(home), read_alerts(home)):
            screen.print(part)
    return captured.get()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (0.04, "0.0 s"),
        (119.94, "119.9 s"),
        (200, "3 min 20 s"),
        (7199.7, "2 h 00 min"),
        (7322, "2 h 02 min"),
    ],
)
def test_time_spans_are_said_as_a_person_would(seconds: float | None, said: str) -> None:
    assert history.duration(seconds) == said


def test_runs_come_newest_first_with_outcome_and_worst_step(home: Path) -> None:
    good_run(home)
    failed_run(home)
    running = {"kind": "run", "status": "running", "started_at": AT + timedelta(days=2)}
    Journal(home, "run-3").write("runs", running)
    lines = [line.split() for line in _said("history").splitlines()]
    assert lines[1][:4] == ["run-3", "2026-02-03", "08:00", "running"]
    assert lines[2] == ["demo-2", "2026-02-02", "08:00", "failed", "30.0", "s", "failed", "in", "gate"]
    assert lines[3] == ["demo-1", "2026-02-01", "08:00", "succeeded", "3", "min", "20", "s", "gold", "110.5", "s"]
    assert "demo-1" not in _said("history", "2")


def test_one_run_is_told_whole(home: Path) -> None:
    good_run(home)
    said = _said("history", "--run", "demo-1")
    for words in (
        ("demo-1", "demo,", "succeeded"),
        ("from", "2026-02-01", "08:00", "to", "2026-02-01", "08:03", "UTC,", "3", "min", "20", "s"),
        ("gold", "succeeded", "110.5", "s", "gold", "is", "done"),
        ("trending_scores", "model", "success", "30.0", "s"),
        ("genres_are_known", "test", "warn", "Got", "1", "result"),
        ("gold.movies", "table_completeness", "0.9200", "0.9500", "fail", "the", "lowest", "of", "1"),
        ("silver.movies", "table_completeness", "0.9700", "0.9500", "pass", "the", "lowest", "of", "2"),
        ("thrift", "1", "save", "4.0", "s", "8", "0", "0"),
        ("thrift", "2,048", "MiB", "90.0", "s"),
        ("disk", "83.0%", "93.1", "GiB"),
        ("warning", "disk", "The", "disk", "is", "in", "use", "to", "83", "%.", "waiting"),
    ):
        assert any(line.split() == list(words) for line in said.splitlines()), words
    assert "title_is_known" not in said
    assert "silver.people" not in said, "of the layer another table has the lowest score"
    assert _said("history", "--run", "last") == said


def test_no_score_is_rounded_up_to_its_bound(home: Path) -> None:
    journal = good_run(home)
    low = {"table_name": "gold.movies", "rule": "table_validity", "score": 0.94999, "threshold": 0.95, "status": "fail"}
    journal.write("quality_metrics", low | {"layer": "gold", "severity": "critical"})
    assert "gold.movies table_validity 0.9499, at least 0.95" in _state(home)
    assert ["gold.movies", "table_validity", "0.9499", "0.9500", "fail"] in [
        line.split()[:5] for line in _said("history", "--run", "demo-1").splitlines()
    ]


def test_the_last_run_is_the_one_that_began_last(home: Path) -> None:
    later, earlier = failed_run(home), good_run(home)
    digest = Journal(home, "digest-1")
    digest.write("alerts", {"alert_id": "a1", "status": "sent", "channels": ["mail"]})
    for at, journal in enumerate((later, earlier, digest), start=1):
        os.utime(journal.path, (at, at))
    assert _said("history", "--run", "last") == _said("history", "--run", later.run_id)


def test_a_failed_run_says_why_and_what_to_do(home: Path) -> None:
    failed_run(home)
    said = _said("history", "--run", "demo-2")
    assert "Silver is [below] its thresholds.\nlakehouse gate shows the scores." in said
    assert "Column [x] cannot be resolved" in said


def test_programs_get_json(home: Path) -> None:
    good_run(home)
    failed_run(home)
    assert [run["run_id"] for run in json.loads(_said("history", "--json"))] == ["demo-2", "demo-1"]
    told = json.loads(_said("history", "--run", "demo-1", "--json"))
    assert (told["status"], told["started_at"]) == ("succeeded", "2026-02-01T08:00:00+00:00")
    assert [row["step"] for row in told["steps"]] == ["ingest", "gold", "export"]


def test_a_run_that_is_not_known_is_one_sentence(home: Path) -> None:
    from lakehouse.errors import LakehouseError

    with pytest.raises(LakehouseError, match="no journal of a run 'nothing'"):
        CliRunner().invoke(build_app(), ["history", "--run", "nothing"], catch_exceptions=False)


def test_where_nothing_ran_it_says_so(home: Path) -> None:
    assert "lakehouse demo" in _said("history")
    assert "lakehouse demo" in _state(home)
    assert _said("history", "--json") == "[]\n"


def test_the_state_names_the_last_run_what_is_published_quality_and_alerts(home: Path) -> None:
    good_run(home)
    assert [line.rstrip() for line in _state(home).splitlines()] == [
        "last run    succeeded after 3 min 20 s: demo-1, began 2026-02-01 08:00 UTC",
        "published   the version of demo-1, since 2026-02-01 08:03 UTC, Gold as of",
        "            2026-02-01 08:00",
        "quality     1 score is below the bound in 3 tables (demo-1)",
        "            gold.movies table_completeness 0.9200, at least 0.95",
        "alerts      1 waits for the digest",
        "            warning The disk is in use to 83 %.",
    ]


def test_the_state_after_a_failure_says_what_failed_and_what_to_do(home: Path) -> None:
    good_run(home)
    failed_run(home)
    said = _state(home, 140)
    assert "failed after 30.0 s: demo-2" in said
    assert "Silver is [below] its thresholds." in said
    assert "lakehouse gate shows the scores." in said
    assert "the version of demo-1" in said


def test_an_alert_that_the_digest_told_waits_no_more(home: Path) -> None:
    good_run(home)
    told = {"alert_id": "a1", "status": "sent", "channels": ["mail"], "raised_at": AT, "run_id": "demo-1"}
    Journal(home, "digest-1").write("alerts", told)
    assert "none waits" in _state(home)


def test_a_rollback_names_what_readers_see(home: Path) -> None:
    good_run(home)
    back = {"action": "rollback", "content_of": "demo-0", "published_at": AT + timedelta(hours=1)}
    Journal(home, "demo-1").write("publications", {**back, "publication_id": "rollback-1"})
    assert "the version of demo-0, given back by rollback-1" in _state(home, 140)


def test_metrics_are_printed_or_written(home: Path, tmp_path: Path) -> None:
    good_run(home)
    assert 'lakehouse_run_succeeded{kind="demo"} 1.0' in _said("metrics").splitlines()
    _said("metrics", "--to", str(tmp_path / "out" / "m.prom"))
    assert (tmp_path / "out" / "m.prom").read_text() == _said("metrics")
