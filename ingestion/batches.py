"""`bronze.batches`: one row a batch, whatever became of it."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import pyarrow as pa

from ingestion.batch import BatchSummary
from ingestion.tables import BATCHES_SCHEMA, BRONZE, BronzeTables

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# What makes two rows of a batch the same: a batch that is run again only to find everything done changes
# nothing.
_OUTCOME = ("status", "requested", "landed", "unchanged", "quarantined", "duplicates", "missing", "watermark")


def record_batch(spark: "SparkSession", summary: BatchSummary, tables: BronzeTables) -> None:
    """Write the batch's row.

    A row that says the same, times of day aside, is left alone, and nothing replaces a success but another one.
    """
    from pyspark.sql.functions import col

    row = {name: value for name, value in asdict(summary).items() if name in BATCHES_SCHEMA.names}
    table = spark.read.table(tables.batches).where(col("batch_id") == summary.batch_id)
    stored = table.select("status").head(1)
    frame = spark.createDataFrame(pa.Table.from_pylist([row], BATCHES_SCHEMA)).coalesce(1)
    if not stored:
        frame.write.format("delta").mode("append").saveAsTable(tables.batches)
        return
    is_same = " and ".join(f"stored.{name} <=> given.{name}" for name in _OUTCOME)
    spark.sql(
        f"""
        merge into {tables.batches} as stored
        using {{given}} as given
        on stored.batch_id = given.batch_id
        when matched
            and not ({is_same})
            and not (stored.status = 'succeeded' and given.status != 'succeeded')
            then update set *
        when not matched then insert *
        """,
        given=frame,
    )


def last_landed(spark: "SparkSession", batch_id: str | None = None, tables: BronzeTables = BRONZE) -> str | None:
    """The id of the batch that ended last of those that landed something, or of the named one; None: there is none."""
    from pyspark.sql.functions import col

    batches = spark.read.table(tables.batches)
    chosen = batches.where(col("batch_id") == batch_id) if batch_id else batches.where(col("landed") > 0)
    row = chosen.orderBy(col("finished_at").desc(), col("batch_id").desc()).select("batch_id").head()
    return str(row.batch_id) if row else None
