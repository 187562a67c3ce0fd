"""Event logs: what is read of them, once, though they grow and roll."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lakehouse.ops import event_logs
from lakehouse.ops.event_logs import delete_old, new_stages
from lakehouse.sections import Ops
from lakehouse.services import process
from lakehouse.settings import load_settings

T0 = 1_770_000_000_000


def _line(event: str, **told: Any) -> bytes:
    return json.dumps({"Event": f"SparkListener{event}", **told}, separators=(",", ":")).encode() + b"\n"


def _start() -> bytes:
    return _line("ApplicationStart", **{"App Name": "thrift", "App ID": "local-1", "Timestamp": T0})


def _task(stage: int, attempt: int = 0, reason: str = "Success", peak: int = 100) -> bytes:
    return _line(
        "TaskEnd",
        **{
            "Stage ID": stage,
            "Stage Attempt ID": attempt,
            "Task End Reason": {"Reason": reason},
            "Task Metrics": {"Peak Execution Memory": peak},
        },
    )


def _stage(stage: int, attempt: int = 0, failure: str | None = None, **sums: int) -> bytes:
    info: dict[str, Any] = {
        "Stage ID": stage,
        "Stage Attempt ID": attempt,
        "Stage Name": "save at Main.scala:1",
        "Number of Tasks": 2,
        "Submission Time": T0 + 1000,
        "Completion Time": T0 + 3500,
        **({"Failure Reason": failure} if failure else {}),
        "Accumulables": [
            {"ID": 1, "Name": "number of output rows", "Value": "7"},
            *({"ID": n, "Name": f"internal.metrics.{k}", "Value": v} for n, (k, v) in enumerate(sums.items())),
        ],
    }
    return _line("StageCompleted", **{"Stage Info": info})


def _write(home: Path, *lines: bytes, part: int = 1, application: str = "local-1") -> Path:
    """Append to a part; each call is a frame, as Spark's flushes are."""
    path = event_logs.folder(home) / f"eventlog_v2_{application}" / f"events_{part}_{application}.zstd"
    path.parent.mkdir(parents=True, exist_ok=True)
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(b"".join(lines))
    with path.open("ab") as file:
        file.write(sink.getvalue().to_pybytes())
    return path


def test_a_stage_is_a_row_of_what_its_tasks_did(tmp_path: Path) -> None:
    sums = {
        "executorRunTime": 4000,
        "executorCpuTime": 3_500_000_000,
        "jvmGCTime": 250,
        "input.recordsRead": 10,
        "input.bytesRead": 1000,
        "output.recordsWritten": 5,
        "output.bytesWritten": 500,
        "shuffle.read.remoteBytesRead": 1,
        "shuffle.read.localBytesRead": 20,
        "shuffle.write.bytesWritten": 30,
        "diskBytesSpilled": 40,
    }
    tasks = (_task(3, peak=100), _task(4), _task(3, reason="ExceptionFailure", peak=0), _task(3, peak=900))
    _write(tmp_path, _start(), *tasks, _stage(3, **sums))
    (row,) = new_stages(tmp_path).rows
    assert row == {
        "application_id": "local-1",
        "application_name": "thrift",
        "stage_id": 3,
        "attempt": 0,
        "name": "save at Main.scala:1",
        "status": "succeeded",
        "submitted_at": datetime.fromtimestamp(T0 / 1000 + 1, UTC),
        "completed_at": datetime.fromtimestamp(T0 / 1000 + 3.5, UTC),
        "seconds": 2.5,
        "tasks": 3,
        "failed_tasks": 1,
        "run_seconds": 4.0,
        "cpu_seconds": 3.5,
        "gc_seconds": 0.25,
        "input_rows": 10,
        "input_bytes": 1000,
        "output_rows": 5,
        "output_bytes": 500,
        "shuffle_read_bytes": 21,
        "shuffle_write_bytes": 30,
        "spilled_bytes": 40,
        "peak_memory_bytes": 900,
    }


def test_attempts_are_apart_and_a_failed_one_says_so(tmp_path: Path) -> None:
    _write(tmp_path, _start(), _task(1, 0, "FetchFailed"), _stage(1, 0, "lost"), _task(1, 1), _stage(1, 1))
    rows = new_stages(tmp_path).rows
    assert [(row["attempt"], row["status"], row["tasks"], row["failed_tasks"]) for row in rows] == [
        (0, "failed", 1, 1),
        (1, "succeeded", 1, 0),
    ]


def test_what_was_read_and_kept_is_not_read_again(tmp_path: Path) -> None:
    _write(tmp_path, _start(), _stage(1), _task(2))
    first = new_stages(tmp_path)
    assert [row["stage_id"] for row in first.rows] == [1]
    assert [row["stage_id"] for row in new_stages(tmp_path).rows] == [1]
    first.keep()
    assert new_stages(tmp_path).rows == []
    # The task of before the first reading counts; the application is known though its beginning is not read again.
    _write(tmp_path, _task(2), _stage(2))
    (row,) = new_stages(tmp_path).rows
    assert (row["application_name"], row["tasks"]) == ("thrift", 2)


def test_parts_are_read_one_after_the_other(tmp_path: Path) -> None:
    _write(tmp_path, _start(), _stage(1))
    new_stages(tmp_path).keep()
    _write(tmp_path, _stage(2))
    for part in range(2, 12):
        _write(tmp_path, _stage(part + 1), part=part)
    found = new_stages(tmp_path)
    assert [row["stage_id"] for row in found.rows] == list(range(2, 13))
    found.keep()
    _write(tmp_path, _stage(13), part=11)
    assert [row["stage_id"] for row in new_stages(tmp_path).rows] == [13]


@pytest.mark.parametrize("cut", [1, 40])
def test_a_line_and_a_frame_that_are_still_being_written_come_the_next_time(tmp_path: Path, cut: int) -> None:
    whole = _stage(2)
    _write(tmp_path, _start(), _stage(1), whole[:-cut])
    first = new_stages(tmp_path)
    assert [row["stage_id"] for row in first.rows] == [1]
    first.keep()
    path = _write(tmp_path, whole[-cut:], _stage(3))
    entire = path.read_bytes()
    path.write_bytes(entire[:-7])
    assert [row["stage_id"] for row in new_stages(tmp_path).rows] in ([], [2], [2, 3])
    path.write_bytes(entire)
    assert [row["stage_id"] for row in new_stages(tmp_path).rows] == [2, 3]


def test_a_state_that_is_torn_means_reading_anew(tmp_path: Path) -> None:
    _write(tmp_path, _start(), _stage(1))
    new_stages(tmp_path).keep()
    (tmp_path / "ops" / "event_logs.json").write_text("{")
    assert [row["stage_id"] for row in new_stages(tmp_path).rows] == [1]


def test_logs_of_an_instance_without_any_give_nothing(tmp_path: Path) -> None:
    assert new_stages(tmp_path).rows == []


def test_logs_that_rested_long_go(tmp_path: Path) -> None:
    now = datetime(2026, 2, 20, tzinfo=UTC)
    for application, days in (("local-old", 15), ("local-new", 13)):
        path = _write(tmp_path, _start(), application=application)
        at = (now - timedelta(days=days)).timestamp()
        os.utime(path, (at, at))
    assert delete_old(tmp_path, 14, now) == ["local-old"]
    assert [log.name for log in event_logs.folder(tmp_path).iterdir()] == ["eventlog_v2_local-new"]


def test_the_log_of_a_server_that_runs_stays_however_long_it_rests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 2, 20, tzinfo=UTC)
    began = (now - timedelta(days=30)).timestamp()
    for application, began_at in (("local-earlier", began - 60), ("local-server", began + 60)):
        log = _write(tmp_path, _start(), application=application).parent
        status = log / f"appstatus_{application}.inprogress"
        status.touch()
        for path in (status, *log.glob("events_*")):
            os.utime(path, (began_at, began_at))
    monkeypatch.setattr(process, "seen", lambda home, name: process.Running(1, began) if name == "thrift" else None)
    assert delete_old(tmp_path, 14, now, dry_run=True) == ["local-earlier"]
    assert delete_old(tmp_path, 14, now) == ["local-earlier"]
    monkeypatch.setattr(process, "seen", lambda home, name: None)
    assert delete_old(tmp_path, 14, now) == ["local-server"]


def test_a_log_is_written_unless_it_is_switched_off(tmp_path: Path) -> None:
    settings = load_settings(home=str(tmp_path))
    assert event_logs.conf(settings)["spark.eventLog.dir"] == (tmp_path / "ops" / "events").as_uri()
    assert (tmp_path / "ops" / "events").is_dir()
    off = settings.model_copy(update={"ops": Ops(event_logs=False)})
    assert event_logs.conf(off) == {}
