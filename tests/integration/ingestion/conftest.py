"""Bronze tables of a test's own, and what stands for a kill and for the clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

import pytest

from ingestion.tables import BronzeTables, ensure_tables

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_databases = count()


@dataclass(frozen=True)
class Limits:
    """Sizes of records and commits; small ones, so that few records make several commits."""

    chunk_rows: int = 4
    chunk_bytes: int = 8 * 1024 * 1024
    max_record_bytes: int = 2 * 1024 * 1024


class Killed(BaseException):
    """Stands for `kill -9`: nothing catches it."""


def wall_clock() -> datetime:
    return datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture
def tables(spark: "SparkSession") -> Iterator[BronzeTables]:
    tables = BronzeTables(f"bronze_test_{next(_databases)}")
    ensure_tables(spark, tables)
    yield tables
    spark.sql(f"drop database {tables.database} cascade")
