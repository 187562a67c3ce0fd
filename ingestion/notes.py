"""What a Delta commit says of itself: the batch that made it, and how far the batch had come with it.

It stands in the commit's user metadata, so it is written in the same atomic step as the rows.
"""

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pyarrow as pa

from ingestion.errors import BatchError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_T = TypeVar("_T", bound=msgspec.Struct)


def append(
    spark: "SparkSession", table: str, rows: pa.Table, batch_id: str, number: int, said: msgspec.Struct, kind: str
) -> None:
    """Append rows, none as well as many, in one commit.

    Args:
        spark: the session.
        table: `database.table`.
        rows: with the table's columns.
        batch_id: of the batch that writes.
        number: of this commit within the batch, from 1: Delta takes the same number of a batch once only.
        said: how far the batch has come with it.
        kind: what the batch writes, as part of the name that `number` counts under.
    """
    frame = spark.createDataFrame(rows)
    note = f'{{"batch_id":{_encode(batch_id)},"progress":{_encode(said)}}}'
    # One file a commit: many small files cost every later reader more than one task costs here.
    frame.coalesce(1).write.format("delta").mode("append").option("compression", "snappy").option(
        "txnAppId", f"{kind}-{batch_id}"
    ).option("txnVersion", number).option("userMetadata", note).saveAsTable(table)


def last(spark: "SparkSession", table: str, batch_id: str, kind: type[_T]) -> _T | None:
    """What the batch's last commit to a table says; None where it has made none.

    Raises:
        BatchError: the table holds rows of the batch, but its history no longer reaches back to them.
    """
    from pyspark.sql.functions import col

    found = (
        spark.sql(f"describe history {table}")
        .where(col("userMetadata").startswith(f'{{"batch_id":{_encode(batch_id)},'))
        .orderBy(col("version").desc())
        .select("userMetadata")
        .head(1)
    )
    if found:
        note = msgspec.json.decode(found[0].userMetadata, type=dict[str, msgspec.Raw])
        return msgspec.json.decode(note["progress"], type=kind)
    if has_rows(spark, table, batch_id):
        raise BatchError(
            f"Batch {batch_id} has landed rows, but the history of {table} no longer holds it.",
            "Run again with another --batch-id; what has landed before is recognised.",
        )
    return None


def has_rows(spark: "SparkSession", table: str, batch_id: str) -> bool:
    """Whether a table holds rows of the batch."""
    from pyspark.sql.functions import col

    return bool(spark.read.table(table).where(col("batch_id") == batch_id).select("batch_id").head(1))


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()
