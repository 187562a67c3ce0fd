"""What runs left behind goes when it is old, but for what is still told of them; and which row of two is stored."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lakehouse.ops.journal import Journal, folder, new_run_id
from lakehouse.ops.lineage import lineage_file
from lakehouse.ops.schema import ALERTS, RUNS
from lakehouse.ops.store import delete_old, newest_rows
from lakehouse.ops.upkeep import _delete_beside

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def _aged(path: Path, days: float) -> None:
    at = (NOW - timedelta(days=days)).timestamp()
    os.utime(path, (at, at))


def _stored(home: Path, run_id: str, days: float, status: str = "succeeded", kind: str = "run") -> Journal:
    journal = Journal(home, run_id)
    began = NOW - timedelta(days=days)
    journal.write("runs", {"kind": kind, "status": status, "started_at": began, "finished_at": began})
    journal.path.with_suffix(".stored").write_text(str(journal.path.stat().st_size))
    _aged(journal.path, days)
    return journal


def _names(home: Path) -> list[str]:
    return sorted(path.name for path in folder(home).iterdir())


def test_the_last_run_and_the_last_success_of_each_kind_stay(tmp_path: Path) -> None:
    for run_id, days, status, kind in (
        ("run-1", 50, "succeeded", "run"),
        ("run-2", 40, "succeeded", "run"),
        ("run-3", 30, "failed", "run"),
        ("run-4", 20, "failed", "run"),
        ("gate-1", 45, "succeeded", "gate"),
    ):
        _stored(tmp_path, run_id, days, status, kind)
    assert delete_old(tmp_path, 14, NOW, dry_run=True) == ["run-1", "run-3"]
    assert delete_old(tmp_path, 14, NOW) == ["run-1", "run-3"]
    assert _names(tmp_path) == sorted(
        f"{run}.{of}" for run in ("run-2", "run-4", "gate-1") for of in ("jsonl", "stored")
    )


def test_the_run_stays_that_measured_or_published_last(tmp_path: Path) -> None:
    for run_id, days in (("run-1", 50), ("run-2", 40), ("run-3", 30)):
        journal = _stored(tmp_path, run_id, days)
        if run_id != "run-3":
            journal.write("publications", {"publication_id": run_id, "published_at": NOW - timedelta(days=days)})
            journal.path.with_suffix(".stored").write_text(str(journal.path.stat().st_size))
            _aged(journal.path, days)
    assert delete_old(tmp_path, 14, NOW) == ["run-1"]


def test_a_name_that_no_run_came_to_use_goes_and_so_does_what_stands_beside_nothing(tmp_path: Path) -> None:
    _aged(folder(tmp_path) / f"{new_run_id(tmp_path, 'demo', NOW)}.jsonl", 15)
    for name in ("gone.stored", "gone.storing"):
        (folder(tmp_path) / name).touch()
    assert delete_old(tmp_path, 14, NOW, dry_run=True) == ["demo-20260301T000000Z"]
    assert len(_names(tmp_path)) == 3
    assert delete_old(tmp_path, 14, NOW) == ["demo-20260301T000000Z"]
    assert _names(tmp_path) == []


def test_events_and_results_go_when_they_are_old_and_their_journal_is_gone(tmp_path: Path) -> None:
    _stored(tmp_path, "kept", 20)
    for run_id, days in (("kept", 20), ("old", 20), ("going", 20), ("new", 13)):
        events = lineage_file(tmp_path, run_id)
        result = tmp_path / "quality" / run_id / "silver.movies.json"
        for path in (events, result):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            _aged(path, days)
        _aged(result.parent, days)
    _stored(tmp_path, "going", 20)
    both = (["going", "old"], "files of lineage events"), (["going", "old"], "folders of validation results")
    assert _delete_beside(tmp_path, 14, NOW, ["going"], dry_run=True) == both
    assert _delete_beside(tmp_path, 14, NOW, ["going"], dry_run=False) == both
    assert sorted(path.stem for path in (tmp_path / "ops" / "openlineage").iterdir()) == ["kept", "new"]
    assert sorted(path.name for path in (tmp_path / "quality").iterdir()) == ["kept", "new"]


def test_an_instance_that_left_nothing_has_nothing_to_delete(tmp_path: Path) -> None:
    assert delete_old(tmp_path, 14, NOW) == []
    assert [names for names, _ in _delete_beside(tmp_path, 14, NOW, [], dry_run=False)] == [[], []]


def test_of_two_rows_the_later_is_stored_unless_an_alert_was_delivered_before() -> None:
    sent = {"alert_id": "a", "status": "sent", "channels": ["mail"]}
    waiting = {"alert_id": "a", "status": "waiting", "channels": []}
    for rows in ([sent, waiting], [waiting, sent]):
        (row,) = newest_rows(ALERTS, rows).values()
        assert row["status"] == "sent"
    (run,) = newest_rows(RUNS, [{"run_id": "r", "status": "running"}, {"run_id": "r", "status": "failed"}]).values()
    assert run["status"] == "failed"
