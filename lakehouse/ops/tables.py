"""Makes the `ops` tables where they are missing."""

from typing import TYPE_CHECKING

from lakehouse.delta import create_missing
from lakehouse.ops.schema import TABLES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def ensure_tables(spark: "SparkSession") -> None:
    """Create each table of `ops` that the metastore does not know."""
    create_missing(spark, {table.full_name: table.statement for table in TABLES})
