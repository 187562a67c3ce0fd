"""What follows the end of a recorded run happens whatever went wrong, and hides nothing."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations.result import GateFailed
from lakehouse.alerts.alert import Alert
from lakehouse.alerts.told import Raised, Told
from lakehouse.errors import LakehouseError
from lakehouse.ops import recording
from lakehouse.ops.journal import Journal, RunFacts, read_run, read_runs
from lakehouse.ops.metrics import metrics_file
from lakehouse.settings import Settings, load_settings
from tests.instance import free_ports
from tests.unit.ops.sample_run import stage_log

AT = datetime(2026, 2, 1, 8, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=str(tmp_path), hdfs={"namenode_http_port": free_ports(1)[0]})


def _facts(settings: Settings) -> RunFacts:
    (facts,) = read_runs(settings.home)
    return facts


def _fail(settings: Settings, error: LakehouseError) -> None:
    alert = Alert("critical", "gate", "silver.movies", "titles are missing", "lakehouse gate")
    with recording.recorded(settings, "run-1", "gate", {}, lambda: AT) as recorder:
        recorder.facts("alerts", [Told(Raised(alert, "run-1", AT), "sent", ("slack",)).row()])
        raise error


def _critical(settings: Settings) -> list[str]:
    return [row["kind"] for row in _facts(settings).rows("alerts") if row["severity"] == "critical"]


def test_a_failed_gate_has_told_why_and_is_not_told_again(settings: Settings) -> None:
    shut = GateFailed("The gate is shut.")
    shut.is_told = True
    with pytest.raises(GateFailed):
        _fail(settings, shut)
    assert _critical(settings) == ["gate"]


def test_a_run_that_failed_of_something_else_is_told_though_a_gate_has_told_too(settings: Settings) -> None:
    with pytest.raises(LakehouseError):
        _fail(settings, LakehouseError("dbt failed."))
    assert _critical(settings) == ["gate", "job"]


def test_what_fails_after_the_end_fails_nothing_and_stops_nothing_else(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*arguments: Any) -> None:
        raise ZeroDivisionError("by design")

    monkeypatch.setattr(recording, "_write_resources", breaks)
    with caplog.at_level(logging.WARNING), recording.recorded(settings, "run-1", "run", {}, lambda: AT):
        pass
    assert "what the run used failed: ZeroDivisionError: by design" in caplog.text
    assert metrics_file(settings.home).is_file()
    with pytest.raises(LakehouseError, match="the first"), recording.recorded(settings, "run-2", "run", {}, lambda: AT):
        raise LakehouseError("the first")


def _stages(settings: Settings, run_id: str, began_at: datetime, ended_at: datetime) -> list[int]:
    journal = Journal(settings.home, run_id)
    journal.write_process()
    recording.write_stages(settings, journal, began_at, ended_at)
    return [row["stage_id"] for row in read_run(journal.path).rows("stage_metrics")]


def test_of_runs_that_overlap_the_first_to_end_takes_the_stages_of_all(settings: Settings) -> None:
    minute = timedelta(minutes=1)
    Journal(settings.home, "other").write("runs", {"kind": "run", "status": "running", "started_at": AT})
    stage_log(settings.home, AT - minute, AT + minute, AT + 6 * minute, AT + 9 * minute)
    # The other one began earlier and goes on: what ended before this one began, and what ends after it, are its.
    assert _stages(settings, "run-1", AT + 5 * minute, AT + 7 * minute) == [1, 2, 3]
    assert _stages(settings, "other", AT, AT + 10 * minute) == [], "none is another's as well"


def test_a_run_that_has_ended_but_not_read_its_stages_yet_loses_none(settings: Settings) -> None:
    minute = timedelta(minutes=1)
    ended = {"status": "succeeded", "started_at": AT, "finished_at": AT + 6 * minute}
    Journal(settings.home, "other").write("runs", {"kind": "run", **ended})
    stage_log(settings.home, AT + minute, AT + 6 * minute)
    assert _stages(settings, "run-1", AT + 5 * minute, AT + 7 * minute) == [0, 1]


def test_two_that_read_stages_at_once_each_take_their_turn(settings: Settings) -> None:
    stage_log(settings.home, *(AT + timedelta(seconds=number) for number in range(200)))
    with ThreadPoolExecutor(4) as pool:
        ends = AT + timedelta(hours=1)
        found = list(pool.map(lambda number: _stages(settings, f"run-{number}", AT, ends), range(4)))
    assert sorted(stage for stages in found for stage in stages) == list(range(200))


def test_what_takes_too_long_after_the_end_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    ended = threading.Event()
    began = time.monotonic()
    with caplog.at_level(logging.WARNING):
        recording._bounded("a slow one", lambda: ended.wait(10), 0.1)
    assert time.monotonic() - began < 5
    ended.set()
    assert "a slow one took more than 0 s" in caplog.text


def test_without_a_session_the_journal_waits_for_the_next_run(settings: Settings) -> None:
    with recording.recorded(settings, "run-1", "build", {}, lambda: AT):
        pass
    assert [path.name for path in _facts(settings).path.parent.iterdir()] == ["run-1.jsonl"]
