"""Who may write to Bronze: one process at a time, on whatever machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from ingestion.tables import BronzeTables
from lakehouse.lease import Lease, held
from lakehouse.storage import storage_failures

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@contextmanager
def only_writer(
    spark: "SparkSession", tables: BronzeTables, purpose: str, clock: Callable[[], datetime]
) -> Iterator[Lease]:
    """Hold the lease on the Bronze tables of one database; `Lease.check` belongs before each commit.

    Args:
        spark: a session; the lease lies in its warehouse.
        tables: the tables.
        purpose: what this process does, for those who are refused.
        clock: the wall clock.

    Raises:
        LeaseHeld: another process writes.
        StorageError: HDFS does not take what is written, now or while the lease is held.
    """
    warehouse = spark.conf.get("spark.sql.warehouse.dir")
    assert warehouse
    with storage_failures(), held(spark, warehouse, tables.database, purpose, clock) as lease:
        yield lease
