from datetime import UTC, datetime, timedelta
from pathlib import Path

from expectations.telling import silver_built_before
from lakehouse.ops.journal import Journal

NOW = datetime(2026, 2, 10, 8, tzinfo=UTC)


def ran(home: Path, run_id: str, hours_ago: int, status: str = "succeeded", **steps: str) -> datetime:
    """A run in its journal, with its steps and how each ended; gives when the steps began."""
    began = NOW - timedelta(hours=hours_ago)
    at = began + timedelta(minutes=5)
    journal = Journal(home, run_id)
    journal.write("runs", {"kind": "run", "status": status, "started_at": began})
    for number, (step, ended) in enumerate(steps.items(), start=1):
        journal.write("steps", {"step_number": number, "step": step, "status": ended, "started_at": at})
    return at


def test_the_newest_run_that_built_silver_counts(tmp_path: Path) -> None:
    ran(tmp_path, "oldest", 72, ingest="succeeded", silver="succeeded")
    built = ran(tmp_path, "shut", 48, "failed", silver="succeeded", gate="failed")
    ran(tmp_path, "by-hand", 24)
    ran(tmp_path, "broken", 12, "failed", silver="failed")
    ran(tmp_path, "killed", 6, "killed", silver="succeeded", gate="killed")
    ran(tmp_path, "another", 1, "running", silver="succeeded")
    ran(tmp_path, "this", 0, "running", silver="succeeded")
    assert silver_built_before(tmp_path, "this", NOW) == built


def test_a_run_that_began_later_is_not_looked_at(tmp_path: Path) -> None:
    built = ran(tmp_path, "earlier", 2, silver="succeeded")
    ran(tmp_path, "later", -1, silver="succeeded")
    assert silver_built_before(tmp_path, "this", NOW) == built


def test_where_no_run_has_built_silver_there_is_no_instant(tmp_path: Path) -> None:
    assert silver_built_before(tmp_path, "this", NOW) is None
    ran(tmp_path, "by-hand", 24)
    assert silver_built_before(tmp_path, "this", NOW) is None
