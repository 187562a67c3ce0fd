"""The upkeep of Bronze: what has expired is deleted, small files are put together, old files are deleted."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ingestion.retention import (
    SILVER_READER,
    RetentionPlan,
    bronze_state,
    delete_expired,
    is_behind,
    plan_retention,
)
from ingestion.tables import BRONZE, BronzeTables
from lakehouse.upkeep import WEEK_HOURS, Maintained, maintain_table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lakehouse.lease import Lease


@dataclass(frozen=True, slots=True)
class BronzeMaintained:
    """What became of Bronze.

    Args:
        plan: what was old enough to go.
        is_deleted: whether it was deleted.
        tables: what was done to the files of each table.
    """

    plan: RetentionPlan
    is_deleted: bool
    tables: tuple[Maintained, ...]


def maintain_bronze(
    spark: "SparkSession",
    lease: "Lease | None",
    as_of: datetime,
    retention_days: int,
    deletes: bool = False,
    tables: BronzeTables = BRONZE,
    reader: str = SILVER_READER,
    on_step: Callable[[str], None] = lambda step: None,
    retain_hours: int = WEEK_HOURS,
) -> BronzeMaintained:
    """Maintain the Bronze tables; without a lease, only say what would be done.

    Args:
        spark: a session in which the Bronze tables exist.
        lease: the lease `bronze`, held by this process.
        as_of: the instant from which age is counted.
        retention_days: how long observations are kept, by their ingestion date.
        deletes: whether to delete what has expired; else it is only named.
        tables: the tables.
        reader: the table that notes how far Silver has read.
        on_step: told what is begun.
        retain_hours: files that left their table longer ago than this are deleted.

    Raises:
        LeaseLost: another process has taken the lease; what was done before stays.
    """
    on_step("what has expired")
    state = bronze_state(spark, tables, reader)
    plan = plan_retention(spark, state, as_of, retention_days, tables)
    is_deleted = deletes and lease is not None
    if lease is not None and is_deleted:
        on_step("deleting what has expired")
        delete_expired(spark, plan, lease, tables)
        state = bronze_state(spark, tables, reader)
    late_reader = reader if is_behind(state.reading, state.commits) else ""
    done = []
    for name in (tables.batches, tables.movies, tables.quarantine, tables.requested_movies, tables.fields):
        on_step(name)
        done.append(
            maintain_table(
                spark,
                name,
                dry_run=lease is None,
                late_reader=late_reader if name == tables.movies else "",
                around=nullcontext if lease is None else lease.kept,
                retain_hours=retain_hours,
            )
        )
    return BronzeMaintained(plan, is_deleted, tuple(done))
