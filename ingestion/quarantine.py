"""Quarantine: what could not be landed, each text and reason once."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from ingestion.batch import Batch
from ingestion.errors import QuarantineError
from ingestion.records import Reject
from ingestion.tables import BRONZE, QUARANTINE_SCHEMA, BronzeTables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FLUSH_ROWS = 2_000
FLUSH_BYTES = 16 * 1024 * 1024


def quarantine_id(source: str, reject: Reject) -> str:
    """Name a reject by its content: SHA-256 of source, text and reason."""
    return hashlib.sha256(f"{source}|{reject.identity or reject.raw}|{reject.reason}".encode()).hexdigest()


class QuarantineWriter:
    """Collects the rejects of a batch and writes them in few commits.

    A commit of movies may come before that of its rejects. A batch that is killed in between reads its
    input again when it goes on, meets the same rejects, and writes those that are missing.
    """

    def __init__(self, spark: "SparkSession", batch: Batch, tables: BronzeTables) -> None:
        """Begin with nothing to write."""
        self._spark = spark
        self._batch = batch
        self._tables = tables
        self._held: dict[str, Reject] = {}
        self._held_bytes = 0

    def add(self, reject: Reject) -> None:
        """Take a reject; write what is held where that is much."""
        name = quarantine_id(self._batch.source, reject)
        if name not in self._held:
            self._held[name] = reject
            self._held_bytes += len(reject.raw)
        if len(self._held) >= FLUSH_ROWS or self._held_bytes >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is held and not in the table yet."""
        if not self._held:
            return
        known = _known_ids(self._spark, self._tables, list(self._held))
        new = {name: reject for name, reject in self._held.items() if name not in known}
        if new:
            _append(self._spark, self._tables, self._batch, new)
        self._held.clear()
        self._held_bytes = 0


def _known_ids(spark: "SparkSession", tables: BronzeTables, names: Sequence[str]) -> set[str]:
    from pyspark.sql.functions import broadcast

    wanted = spark.createDataFrame(pa.table({"quarantine_id": names}))
    known = spark.read.table(tables.quarantine).select("quarantine_id")
    found = known.join(broadcast(wanted), "quarantine_id").toArrow()
    return set(found.column("quarantine_id").to_pylist())


def _append(spark: "SparkSession", tables: BronzeTables, batch: Batch, rejects: dict[str, Reject]) -> None:
    rows = [
        {
            "quarantine_id": name,
            "raw": reject.raw,
            "reason": reject.reason.value,
            "detail": reject.detail,
            "source": batch.source,
            "batch_id": batch.batch_id,
            "ingested_at": batch.as_of,
            "replayed_at": None,
            "movie_id": reject.movie_id,
            "observed_at": reject.observed_at,
        }
        for name, reject in rejects.items()
    ]
    frame = spark.createDataFrame(pa.Table.from_pylist(rows, QUARANTINE_SCHEMA)).coalesce(1)
    frame.write.format("delta").mode("append").saveAsTable(tables.quarantine)


class QuarantineLine(NamedTuple):
    """How many texts are in quarantine for a reason, how many wait for a replay, and one of them in words."""

    reason: str
    source: str
    texts: int
    waiting: int
    example: str
    example_id: str


def list_quarantine(
    spark: "SparkSession", tables: BronzeTables = BRONZE, reason: str | None = None, source: str | None = None
) -> list[QuarantineLine]:
    """Count what is in quarantine by reason and source, the most frequent first.

    `waiting` counts those that have not been replayed. `reason` and `source` leave out the others.
    """
    from pyspark.sql.functions import asc, col, count, count_if, desc, min, min_by

    rows = (
        narrowed(spark.read.table(tables.quarantine), reason, source)
        .groupBy("reason", "source")
        .agg(
            count("*").alias("n"),
            count_if(col("replayed_at").isNull()).alias("waiting"),
            min("detail").alias("example"),
            min_by("quarantine_id", "detail").alias("example_id"),
        )
        .orderBy(desc("n"), asc("reason"), asc("source"))
        .collect()
    )
    return [QuarantineLine(row.reason, row.source, row.n, row.waiting, row.example, row.example_id) for row in rows]


def narrowed(rows: "DataFrame", reason: str | None, source: str | None) -> "DataFrame":
    """The rows of the quarantine that were refused for a reason, or came from a source; None leaves out none."""
    from pyspark.sql.functions import col

    for name, wanted in (("reason", reason), ("source", source)):
        rows = rows.where(col(name) == wanted) if wanted else rows
    return rows


class QuarantinedText(NamedTuple):
    """One row of the quarantine; see `ingestion.tables` for what its columns mean."""

    quarantine_id: str
    raw: str
    reason: str
    detail: str
    source: str
    batch_id: str
    ingested_at: datetime
    replayed_at: datetime | None
    movie_id: str | None
    observed_at: datetime | None


def find_quarantined(spark: "SparkSession", prefix: str, tables: BronzeTables = BRONZE) -> QuarantinedText:
    """Give the one text whose id begins with `prefix`.

    Raises:
        QuarantineError: none does, or several do.
    """
    from pyspark.sql.functions import col

    found = spark.read.table(tables.quarantine).where(col("quarantine_id").startswith(prefix.lower()))
    names = [row.quarantine_id for row in found.select("quarantine_id").orderBy("quarantine_id").head(6)]
    if not prefix or not names:
        raise QuarantineError(
            f"No text in quarantine has an id that begins with {prefix!r}.",
            "`lakehouse quarantine list` gives the id of an example of each reason.",
        )
    if len(names) > 1:
        listed = ", ".join(name[:16] for name in names[:5]) + (", ..." if len(names) > 5 else "")
        raise QuarantineError(f"Several ids begin with {prefix!r}: {listed}.", "Give more of the id.")
    (row,) = found.toArrow().to_pylist()
    return QuarantinedText(**row)
