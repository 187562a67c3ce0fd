"""A run tells how it began, its steps and how it ended; its errors pass on."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.ops.journal import Journal, RunFacts, read_runs
from lakehouse.ops.recorder import Recorder
from lakehouse.settings import Settings, load_settings
from orchestration.dbt import Node

AT = datetime(2026, 2, 1, 8, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=str(tmp_path))


@contextmanager
def _recorded(settings: Settings, arguments: Mapping[str, Any], as_of: datetime | None = None) -> Iterator[Recorder]:
    recorder = Recorder(Journal(settings.home, "run-1"), AT)
    with recorder.run("run", arguments, as_of):
        yield recorder


def _facts(settings: Settings) -> RunFacts:
    (facts,) = read_runs(settings.home)
    return facts


def test_a_run_that_ends_well(settings: Settings) -> None:
    with _recorded(settings, {"source": "file", "path": Path("/x")}, AT) as recorder:
        assert _facts(settings).run["status"] == "running"
        with recorder.step("ingest") as findings:
            assert _facts(settings).rows("steps")[0]["status"] == "running"
            findings.append("3 records")
        with recorder.step("silver", ["told elsewhere"]):
            pass
    run = _facts(settings).run
    assert (run["status"], run["error"], run["as_of"], run["started_at"]) == ("succeeded", None, AT, AT)
    assert run["finished_at"] >= AT
    assert run["seconds"] >= 0
    assert json.loads(run["arguments"]) == {"source": "file", "path": "/x"}
    steps = _facts(settings).rows("steps")
    assert [(row["step_number"], row["step"], row["status"], row["findings"]) for row in steps] == [
        (1, "ingest", "succeeded", ["3 records"]),
        (2, "silver", "succeeded", ["told elsewhere"]),
    ]


def test_a_run_of_several_processes_tells_how_it_began_as_one_of_one_does(settings: Settings) -> None:
    Recorder(Journal(settings.home, "run-1"), AT).join("tmdb_transform", {"dry_run": False}, AT)
    run = _facts(settings).run
    assert (run["kind"], run["status"], run["started_at"]) == ("tmdb_transform", "running", AT)
    assert run["cores"] >= 1
    assert run["host"]


@pytest.mark.parametrize(
    ("error", "said", "next_step"),
    [
        (LakehouseError("Silver is too empty.", "Look at it."), "Silver is too empty.", "Look at it."),
        (KeyError("x"), "KeyError: 'x'", "See the logs."),
        (RuntimeError("first\nsecond"), "RuntimeError: first", "See the logs."),
        (KeyboardInterrupt(), "Interrupted.", "Run it again."),
    ],
)
def test_a_run_that_fails_keeps_its_error_and_passes_it_on(
    settings: Settings, error: BaseException, said: str, next_step: str
) -> None:
    with (
        pytest.raises(type(error)) as raised,
        _recorded(settings, {}) as recorder,
        recorder.step("gate"),
    ):
        raise error
    assert raised.value is error
    assert recorder.error is error
    facts = _facts(settings)
    assert (facts.run["status"], facts.run["error"], facts.run["next_step"]) == ("failed", said, next_step)
    assert [(row["status"], row["error"]) for row in facts.rows("steps")] == [("failed", said)]


def test_a_journal_that_cannot_be_written_fails_no_run_and_hides_no_error(settings: Settings) -> None:
    (settings.home / "ops").write_text("a file where the folder belongs")
    done = []
    with _recorded(settings, {}) as recorder, recorder.step("ingest"):
        done.append("ingest")
    assert done == ["ingest"]
    with pytest.raises(LakehouseError, match="the one"), _recorded(settings, {}):
        raise LakehouseError("the one")


def test_dbt_nodes_are_kept_whole(settings: Settings) -> None:
    node = Node(
        name="movies",
        kind="model",
        status="success",
        seconds=1.25,
        message="OK",
        unique_id="model.tmdb_lakehouse.movies",
        invocation_id="c0ffee",
        thread="Thread-1",
        started_at=AT,
        finished_at=AT.replace(second=1),
    )
    with _recorded(settings, {}) as recorder:
        recorder.dbt([node])
        recorder.facts("table_rows", [{"table_name": "silver.movies", "rows": 3}])
    (row,) = _facts(settings).rows("dbt_results")
    assert row == {
        "run_id": "run-1",
        "invocation_id": "c0ffee",
        "node_id": "model.tmdb_lakehouse.movies",
        "node_name": "movies",
        "kind": "model",
        "status": "success",
        "started_at": AT,
        "finished_at": AT.replace(second=1),
        "seconds": 1.25,
        "thread": "Thread-1",
        "failures": None,
        "message": "OK",
    }
    assert _facts(settings).rows("table_rows") == [{"table_name": "silver.movies", "rows": 3}]
