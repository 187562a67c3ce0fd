"""The Bronze tables: their names, their columns, and how they are made."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from lakehouse.delta import create_missing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True, slots=True)
class BronzeTables:
    """The names of the Bronze tables in one database."""

    database: str = "bronze"

    @property
    def movies(self) -> str:
        """One row a movie and observation. Key: movie_id, observed_at, payload_sha256."""
        return f"{self.database}.movies"

    @property
    def quarantine(self) -> str:
        """One row a text that could not be landed. Key: quarantine_id."""
        return f"{self.database}.quarantine"

    @property
    def batches(self) -> str:
        """One row a batch. Key: batch_id."""
        return f"{self.database}.batches"


BRONZE = BronzeTables()

# The keys stand before the payload: Delta keeps statistics for the first columns, which lookups prune by.
_MOVIES = """
create table if not exists {name} (
    movie_id string comment 'TMDB movie id',
    payload string comment 'the JSON text as received',
    payload_sha256 string comment 'SHA-256 of the payload, hexadecimal',
    endpoint string comment 'which view of the movie the payload is, e.g. movie_details',
    source string comment 'which source it came from: synthetic, file',
    observed_at timestamp comment 'when TMDB showed the movie so',
    ingested_at timestamp comment 'as-of time of the ingestion',
    batch_id string comment 'the batch that landed it',
    year int comment 'of ingested_at, UTC',
    month int comment 'of ingested_at, UTC',
    day int comment 'of ingested_at, UTC'
) using delta
partitioned by (year, month, day)
comment 'TMDB movies as received, append-only: one row a movie and observation'
tblproperties ('delta.enableChangeDataFeed' = 'true')
"""

_QUARANTINE = """
create table if not exists {name} (
    quarantine_id string comment 'SHA-256 of source, raw text and reason, hexadecimal',
    raw string comment 'the text that could not be landed',
    reason string comment 'reason code',
    detail string comment 'where it stood and what is wrong, in words',
    source string comment 'which source it came from',
    batch_id string comment 'the batch that first met it',
    ingested_at timestamp comment 'as-of time of that batch',
    replayed_at timestamp comment 'when it was landed after all; null: not yet'
) using delta
comment 'What could not be landed: one row a text and reason'
"""

_BATCHES = """
create table if not exists {name} (
    batch_id string comment 'names the batch',
    source string comment 'which source it read',
    endpoint string comment 'which view of a movie it read; mixed: several',
    window_start timestamp comment 'earliest stated observation time; null: none was stated',
    window_end timestamp comment 'latest stated observation time; null: none was stated',
    requested bigint comment 'records read = landed + unchanged + quarantined + duplicates',
    landed bigint comment 'new rows of movies',
    unchanged bigint comment 'records equal to the last known observation of their movie',
    quarantined bigint comment 'records that could not be landed',
    duplicates bigint comment 'records that had landed before, or came twice',
    started_at timestamp comment 'wall clock',
    finished_at timestamp comment 'wall clock',
    status string comment 'succeeded or failed',
    watermark timestamp comment 'latest observation time that the data states; null: none was stated'
) using delta
comment 'One row a batch'
"""

_UTC_INSTANT = pa.timestamp("us", tz="UTC")

QUARANTINE_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("quarantine_id", "raw", "reason", "detail", "source", "batch_id")),
        ("ingested_at", _UTC_INSTANT),
        ("replayed_at", _UTC_INSTANT),
    ]
)

MOVIES_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("movie_id", "payload", "payload_sha256", "endpoint", "source")),
        ("observed_at", _UTC_INSTANT),
        ("ingested_at", _UTC_INSTANT),
        ("batch_id", pa.string()),
        *((name, pa.int32()) for name in ("year", "month", "day")),
    ]
)

BATCHES_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("batch_id", "source", "endpoint")),
        *((name, _UTC_INSTANT) for name in ("window_start", "window_end")),
        *((name, pa.int64()) for name in ("requested", "landed", "unchanged", "quarantined", "duplicates")),
        *((name, _UTC_INSTANT) for name in ("started_at", "finished_at")),
        ("status", pa.string()),
        ("watermark", _UTC_INSTANT),
    ]
)


def ensure_tables(spark: "SparkSession", tables: BronzeTables = BRONZE) -> None:
    """Create the Bronze tables where they do not exist."""
    statements = {tables.movies: _MOVIES, tables.quarantine: _QUARANTINE, tables.batches: _BATCHES}
    create_missing(spark, {name: statement.format(name=name) for name, statement in statements.items()})
