"""What Bronze already knows: lookups that read key columns only, never a payload.

Both leave out the rows of the batch itself, so that a batch that was killed and goes on sees what it saw at
first.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingestion.batch import Batch
from ingestion.records import Record
from ingestion.tables import BronzeTables

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# With so few instants (one a day of a backfill, say) they are listed, which prunes better than their range
# does.
_LISTED_INSTANTS = 16


def has_other_rows(spark: "SparkSession", tables: BronzeTables, batch: Batch) -> bool:
    """Whether Bronze holds anything that this batch did not land itself."""
    from pyspark.sql.functions import col

    rows = spark.read.table(tables.movies).where(col("batch_id") != batch.batch_id)
    return bool(rows.select("batch_id").head(1))


def existing_keys(spark: "SparkSession", tables: BronzeTables, batch: Batch, records: Sequence[Record]) -> set[int]:
    """Which of the records have landed in another batch, by their position.

    Cost: one scan of the key columns, pruned to the observation times of `records`.
    """
    from pyspark.sql.functions import broadcast, col

    if not records:
        return set()
    wanted = spark.createDataFrame(
        pa.table(
            {
                "position": pa.array(range(len(records)), pa.int32()),
                "movie_id": [record.movie_id for record in records],
                "observed_at": pa.array([record.observed_at for record in records], pa.timestamp("us", tz="UTC")),
                "payload_sha256": [record.payload_sha256 for record in records],
            }
        )
    )
    instants = sorted({record.observed_at for record in records})
    observed_at = col("observed_at")
    is_in_range = (
        observed_at.isin(instants)
        if len(instants) <= _LISTED_INSTANTS
        else observed_at.between(instants[0], instants[-1])
    )
    known = (
        spark.read.table(tables.movies)
        .where(is_in_range & (col("batch_id") != batch.batch_id))
        .select("movie_id", "observed_at", "payload_sha256")
    )
    found = known.join(broadcast(wanted), ["movie_id", "observed_at", "payload_sha256"]).select("position")
    return set(found.toArrow().column("position").to_pylist())


class LatestObservations:
    """The content of each movie's latest observation at or before an instant.

    Held on the driver, some 120 bytes a movie (TMDB has some 1.2 million), so that it is read once a batch and
    not once a chunk. Where several contents were observed at the same latest instant, all of them are
    latest.
    """

    def __init__(self, spark: "SparkSession", tables: BronzeTables, batch: Batch, instant: datetime) -> None:
        """Read the index, in one Spark job."""
        from pyspark.sql import Window
        from pyspark.sql.functions import col, dense_rank, lit, unhex

        newest_first = Window.partitionBy("movie_id").orderBy(col("observed_at").desc())
        latest = (
            spark.read.table(tables.movies)
            .where((col("observed_at") <= lit(instant)) & (col("batch_id") != batch.batch_id))
            .select("movie_id", "observed_at", "payload_sha256", "content_sha256", "etag")
            .withColumn("age", dense_rank().over(newest_first))
            .where(col("age") == 1)
            .select(
                col("movie_id").cast("bigint").alias("movie_id"),
                unhex("payload_sha256").alias("sha256"),
                unhex("content_sha256").alias("content"),
                "etag",
                (col("observed_at") == lit(instant)).alias("is_at_instant"),
            )
            .toArrow()
        )
        ids = latest.column("movie_id").to_numpy()
        order = np.argsort(ids, kind="stable")
        self._ids = ids[order]
        self._sha256 = np.array(latest.column("sha256").to_pylist(), dtype="S32")[order]
        # A row of an earlier version has no hash of its content, which then counts as changed.
        self._content = np.array(latest.column("content").fill_null(b"").to_pylist(), dtype="S32")[order]
        self._etags = np.array(latest.column("etag").fill_null("").to_pylist(), dtype="S")[order]
        self._is_at_instant = latest.column("is_at_instant").to_numpy(zero_copy_only=False)[order]

    def holds(self, record: Record) -> bool:
        """Whether the record's content is what the movie's latest observation showed."""
        return bool(self._matches(record).any())

    def holds_at_instant(self, record: Record) -> bool:
        """Whether, in addition, that observation was made at the very instant."""
        at, matches = self._span(int(record.movie_id)), self._matches(record)
        return bool((matches & self._is_at_instant[at]).any())

    def holds_content(self, record: Record) -> bool:
        """Whether the latest observation showed the same, popularity and votes aside."""
        content = np.bytes_(bytes.fromhex(record.content_sha256))
        return bool((self._content[self._span(int(record.movie_id))] == content).any())

    def etag(self, movie_id: int) -> str | None:
        """What TMDB called the version that was observed last; None where that is not known for certain."""
        etags = self._etags[self._span(movie_id)]
        return etags[0].decode() or None if len(etags) == 1 else None

    def _span(self, movie_id: int) -> slice:
        return slice(
            int(np.searchsorted(self._ids, movie_id, side="left")),
            int(np.searchsorted(self._ids, movie_id, side="right")),
        )

    def _matches(self, record: Record) -> npt.NDArray[np.bool_]:
        matches: npt.NDArray[np.bool_] = self._sha256[self._span(int(record.movie_id))] == np.bytes_(
            bytes.fromhex(record.payload_sha256)
        )
        return matches
