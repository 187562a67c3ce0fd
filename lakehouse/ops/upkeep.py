"""Upkeep of what is kept of runs: the `ops` tables, the event logs, the journals and what is beside them."""

import contextlib
import shutil
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.ops import event_logs, store
from lakehouse.ops.journal import journals
from lakehouse.ops.lineage import lineage_folder
from lakehouse.ops.schema import TABLES
from lakehouse.settings import Settings
from lakehouse.storage import storage_failures
from lakehouse.upkeep import Maintained, maintain_table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def _quality_folder(home: Path) -> Path:
    """Where gates leave Great Expectations' validation results, a folder a run."""
    return home / "quality"


def maintain_ops(
    spark: "SparkSession",
    settings: Settings,
    as_of: datetime,
    dry_run: bool,
    on_detail: Callable[[str], None] = lambda text: None,
) -> tuple[list[Maintained], list[str]]:
    """Put the small files of the `ops` tables together, and delete what is older than `ops.event_log_days`.

    Journals that are not stored yet stay, whatever their age; so do those that `status` and the metrics tell of. What
    a run left beside its journal, lineage events and validation results, stays as long as it.

    Args:
        spark: a session that sees the `ops` tables.
        settings: what is in force.
        as_of: the instant from which age is counted.
        dry_run: only say what would be done.
        on_detail: told the name of each table.

    Returns:
        What became of each table, and a line for the files that went.

    Raises:
        StorageError: HDFS or the metastore does not answer, or takes no writes.
    """
    found = []
    with storage_failures():
        for table in TABLES:
            on_detail(table.full_name)
            found.append(maintain_table(spark, table.full_name, dry_run))
    return found, delete_rested(settings, as_of, dry_run)


def delete_rested(settings: Settings, as_of: datetime, dry_run: bool) -> list[str]:
    """Delete the files of runs that have rested for `ops.event_log_days`; a line that says what went, if anything.

    See `maintain_ops` for what stays.
    """
    days = settings.ops.event_log_days
    logs = event_logs.delete_old(settings.home, days, as_of, dry_run)
    runs = store.delete_old(settings.home, days, as_of, dry_run)
    beside = _delete_beside(settings.home, days, as_of, runs, dry_run)
    counted = ((logs, "event logs"), (runs, "journals"), *beside)
    gone = [f"{len(names)} {what}" for names, what in counted if names]
    return [f"{'would delete' if dry_run else 'deleted'} {', '.join(gone)}"] if gone else []


def _delete_beside(
    home: Path, days: int, as_of: datetime, gone: Collection[str], dry_run: bool
) -> tuple[tuple[list[str], str], ...]:
    """Delete the files of runs whose journals are gone, where nothing was written to them for so many days."""
    before = (as_of.astimezone(UTC) - timedelta(days=days)).timestamp()
    kept = {path.stem for path, _ in journals(home)} - set(gone)
    events = {path: path.stem for path in lineage_folder(home).glob("*.jsonl")}
    results = {path: path.name for path in _quality_folder(home).glob("*") if path.is_dir()}
    return (
        (_delete_rested(events, before, kept, dry_run), "files of lineage events"),
        (_delete_rested(results, before, kept, dry_run), "folders of validation results"),
    )


def _delete_rested(paths: Mapping[Path, str], before: float, kept: Collection[str], dry_run: bool) -> list[str]:
    deleted = []
    for path, run_id in sorted(paths.items()):
        with contextlib.suppress(FileNotFoundError):
            written = max(one.stat().st_mtime for one in (path, *path.glob("*")))
            if run_id in kept or written >= before:
                continue
            if path.is_dir() and not dry_run:
                shutil.rmtree(path)
            elif not dry_run:
                path.unlink()
            deleted.append(run_id)
    return deleted
