"""OPTIMIZE and VACUUM of one Delta table, for tables that no dbt model makes; `macros/maintenance.sql` has the models'.

Neither changes a row. A table with nothing to do gets no commit.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WEEK_HOURS = 168
"""Files that left their table less than a week ago may be in use by a query, or by a late reader."""

_LISTING_TASKS = "spark.sql.sources.parallelPartitionDiscovery.parallelism"


@dataclass(frozen=True)
class Maintained:
    """What became of one table.

    Args:
        table: `schema.table`.
        files_before: files that the table consisted of; None where there is no table yet.
        files_after: the same, afterwards.
        done: what was done, in words; empty where there was nothing to do.
        seconds: how long it took.
    """

    table: str
    files_before: int | None
    files_after: int | None
    done: tuple[str, ...]
    seconds: float


def maintain_table(
    spark: "SparkSession",
    name: str,
    dry_run: bool,
    late_reader: str = "",
    around: Callable[[], AbstractContextManager[None]] = nullcontext,
    retain_hours: int = WEEK_HOURS,
) -> Maintained:
    """Put small files together, within their partition, and delete files that left the table long ago.

    Args:
        spark: a Delta session.
        name: `schema.table`.
        dry_run: only say what would be done.
        late_reader: who has not read the table's newest rows yet; old files are kept for it.
        around: what each statement that writes is run in.
        retain_hours: files that left the table longer ago than this are deleted.
    """
    began = time.monotonic()
    detail = spark.sql(f"describe detail {name}").collect()[0]
    files_before = files_after = int(detail.numFiles)
    done = []
    if _is_crowded(spark, name, files_before, list(detail.partitionColumns)):
        if dry_run:
            done.append("would optimize")
        else:
            with around():
                metrics = spark.sql(f"optimize {name}").collect()[0].metrics
            files_after = files_before - metrics.numFilesRemoved + metrics.numFilesAdded
            # Files that are as large as they should be stay, and there is no commit.
            if metrics.numFilesRemoved:
                done.append("optimized")
    vacuum = f"vacuum {name} retain {retain_hours} hours"
    with _few_listing_tasks(spark):
        unused = sum(_is_file(row.path) for row in spark.sql(f"{vacuum} dry run").collect())
        if unused and late_reader:
            done.append(f"keeps old files until {late_reader} has read them")
        elif unused and dry_run:
            done.append(f"would delete old files: {unused}")
        elif unused:
            with around():
                spark.sql(vacuum)
            done.append(f"deleted old files: {unused}")
    return Maintained(name, files_before, files_after, tuple(done), time.monotonic() - began)


def _is_crowded(spark: "SparkSession", name: str, files: int, partition_columns: list[str]) -> bool:
    """Whether there is more than one file in the table, or in one of its partitions."""
    if files <= 1 or not partition_columns:
        return files > 1
    columns = ", ".join(partition_columns)
    crowded = spark.sql(
        f"""
        select {columns}
        from (select {columns}, _metadata.file_path as file from {name})
        group by {columns}
        having count(distinct file) > 1
        limit 1
        """
    )
    return bool(crowded.head(1))


def _is_file(path: str) -> bool:
    """Whether a path that VACUUM names is a file: it also names folders, of partitions and of the change data feed."""
    name = path.rsplit("/", 1)[-1]
    return name != "_change_data" and "=" not in name


@contextmanager
def _few_listing_tasks(spark: "SparkSession") -> Iterator[None]:
    """VACUUM lists a table's folder in 10,000 tasks by default, most of a minute a table on two cores."""
    before = spark.conf.get(_LISTING_TASKS)
    spark.conf.set(_LISTING_TASKS, spark.conf.get("spark.sql.shuffle.partitions") or "4")
    try:
        yield
    finally:
        spark.conf.set(_LISTING_TASKS, before or "10000")
