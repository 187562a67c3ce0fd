"""Upkeep of what is kept of runs: the `ops` tables, the event logs and the journals."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from lakehouse.ops import event_logs, store
from lakehouse.ops.schema import TABLES
from lakehouse.settings import Settings
from lakehouse.storage import storage_failures
from lakehouse.upkeep import Maintained, maintain_table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def maintain_ops(
    spark: "SparkSession",
    settings: Settings,
    as_of: datetime,
    dry_run: bool,
    on_detail: Callable[[str], None] = lambda text: None,
) -> tuple[list[Maintained], list[str]]:
    """Put the small files of the `ops` tables together, and delete what is older than `ops.event_log_days`.

    Journals that are not stored yet stay, whatever their age.

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
    days = settings.ops.event_log_days
    logs = event_logs.delete_old(settings.home, days, as_of, dry_run)
    journals = store.delete_old(settings.home, days, as_of, dry_run)
    gone = [f"{len(names)} {what}" for names, what in ((logs, "event logs"), (journals, "journals")) if names]
    return found, [f"{'would delete' if dry_run else 'deleted'} {' and '.join(gone)}"] if gone else []
