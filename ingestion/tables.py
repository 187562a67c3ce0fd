"""The Bronze tables: their names, their columns, and how they are made."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from lakehouse.delta import add_missing_columns, create_missing

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

    @property
    def requested_movies(self) -> str:
        """One row a movie that a batch asks TMDB for. Key: batch_id, position."""
        return f"{self.database}.requested_movies"

    @property
    def fields(self) -> str:
        """One row a field that a batch's payloads carry. Key: batch_id, endpoint, path."""
        return f"{self.database}.fields"


BRONZE = BronzeTables()

Columns = dict[str, str]
"""Name -> type and comment, as a statement has them."""

# The keys stand before the payload: Delta keeps statistics for the first columns, which lookups prune by.
_MOVIES: Columns = {
    "movie_id": "string comment 'TMDB movie id'",
    "payload": "string comment 'the JSON text as received'",
    "payload_sha256": "string comment 'SHA-256 of the payload, hexadecimal'",
    "endpoint": "string comment 'which view of the movie the payload is, e.g. movie_details'",
    "source": "string comment 'which source it came from: api, synthetic, file'",
    "observed_at": "timestamp comment 'when TMDB showed the movie so'",
    "ingested_at": "timestamp comment 'as-of time of the ingestion'",
    "batch_id": "string comment 'the batch that landed it'",
    "year": "int comment 'of ingested_at, UTC'",
    "month": "int comment 'of ingested_at, UTC'",
    "day": "int comment 'of ingested_at, UTC'",
    "content_sha256": "string comment 'SHA-256 of the payload without values of popularity and votes, hexadecimal'",
    "etag": "string comment 'what TMDB calls this version of the answer; null: nobody said'",
}

_QUARANTINE: Columns = {
    "quarantine_id": "string comment 'SHA-256 of source, raw text and reason, hexadecimal'",
    "raw": "string comment 'the text that could not be landed'",
    "reason": "string comment 'reason code'",
    "detail": "string comment 'where it stood and what is wrong, in words'",
    "source": "string comment 'which source it came from'",
    "batch_id": "string comment 'the batch that first met it'",
    "ingested_at": "timestamp comment 'as-of time of that batch'",
    "replayed_at": "timestamp comment 'when it was landed after all; null: not yet'",
    "movie_id": "string comment 'the movie that was asked for; null: the source asked for none'",
    "observed_at": "timestamp comment 'observation time that the source stated for it; null: none was stated'",
}

_BATCHES: Columns = {
    "batch_id": "string comment 'names the batch'",
    "source": "string comment 'which source it read'",
    "endpoint": "string comment 'which view of a movie it read; mixed: several'",
    "window_start": "timestamp comment 'api: begin of the changes asked for; else earliest stated observation time'",
    "window_end": "timestamp comment 'api: end of the changes asked for; else latest stated observation time'",
    "requested": "bigint comment 'records read = landed + unchanged + quarantined + duplicates + missing'",
    "landed": "bigint comment 'new rows of movies'",
    "unchanged": "bigint comment 'records equal to the last known observation of their movie'",
    "quarantined": "bigint comment 'records that could not be landed'",
    "duplicates": "bigint comment 'records that had landed before, or came twice'",
    "started_at": "timestamp comment 'wall clock'",
    "finished_at": "timestamp comment 'wall clock; null: running, or killed'",
    "status": "string comment 'running, succeeded or failed'",
    "watermark": "timestamp comment 'api: changes before it are known; else latest stated observation time'",
    "as_of": "timestamp comment 'as-of time of the ingestion'",
    "changed": "bigint comment 'landed rows that differ in more than popularity and votes; null: not compared'",
    "missing": "bigint comment 'movies that TMDB no longer has (404)'",
    "asked": "string comment 'api: what was asked for, as JSON; a batch that did not succeed goes on by it'",
}

_REQUESTED_MOVIES: Columns = {
    "batch_id": "string comment 'the batch that asks'",
    "position": "bigint comment 'from 0, in the order of asking'",
    "movie_id": "bigint comment 'TMDB movie id'",
}

_FIELDS: Columns = {
    "batch_id": "string comment 'the batch'",
    "source": "string comment 'which source it read'",
    "endpoint": "string comment 'which view of a movie its payloads are'",
    "path": "string comment 'the field, e.g. budget, credits.cast, genres[].id; genres[] are the elements'",
    "present": "bigint comment 'objects that carry it, null or not; of each list the first 10 elements count'",
    "nulls": "bigint comment 'how many of these are null'",
    "empties": "bigint comment 'how many of these are an empty text or an empty list'",
    "types": "map<string, bigint> comment 'text, number, boolean, object, list -> how often; null is no type'",
    "sampled_records": "bigint comment 'records that were looked into: of each endpoint the 2,000 with the "
    "first payload_sha256, fewer where fewer landed'",
    "ingested_at": "timestamp comment 'as-of time of the batch'",
    "is_accepted": "boolean comment 'whether later batches are compared with it; false: it stopped Silver'",
}


@dataclass(frozen=True, slots=True)
class _Table:
    columns: Columns
    comment: str
    more: str = ""


_UTC_INSTANT = pa.timestamp("us", tz="UTC")

QUARANTINE_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("quarantine_id", "raw", "reason", "detail", "source", "batch_id")),
        ("ingested_at", _UTC_INSTANT),
        ("replayed_at", _UTC_INSTANT),
        ("movie_id", pa.string()),
        ("observed_at", _UTC_INSTANT),
    ]
)

MOVIES_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("movie_id", "payload", "payload_sha256", "endpoint", "source")),
        ("observed_at", _UTC_INSTANT),
        ("ingested_at", _UTC_INSTANT),
        ("batch_id", pa.string()),
        *((name, pa.int32()) for name in ("year", "month", "day")),
        ("content_sha256", pa.string()),
        ("etag", pa.string()),
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
        ("as_of", _UTC_INSTANT),
        ("changed", pa.int64()),
        ("missing", pa.int64()),
        ("asked", pa.string()),
    ]
)

REQUESTED_MOVIES_SCHEMA = pa.schema(
    [("batch_id", pa.string()), ("position", pa.int64()), ("movie_id", pa.int64())],
)

FIELDS_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("batch_id", "source", "endpoint", "path")),
        *((name, pa.int64()) for name in ("present", "nulls", "empties")),
        ("types", pa.map_(pa.string(), pa.int64())),
        ("sampled_records", pa.int64()),
        ("ingested_at", _UTC_INSTANT),
        ("is_accepted", pa.bool_()),
    ]
)


def ensure_tables(spark: "SparkSession", tables: BronzeTables = BRONZE) -> None:
    """Create the Bronze tables where they do not exist, and add the columns that those of an earlier version lack."""
    declared = _declared(tables)
    created = create_missing(spark, {name: _statement(name, table) for name, table in declared.items()})
    for name in declared.keys() - created:
        add_missing_columns(spark, name, declared[name].columns)


def _declared(tables: BronzeTables) -> dict[str, _Table]:
    return {
        tables.movies: _Table(
            _MOVIES,
            "TMDB movies as received, append-only: one row a movie and observation",
            "partitioned by (year, month, day) tblproperties ('delta.enableChangeDataFeed' = 'true')",
        ),
        tables.quarantine: _Table(_QUARANTINE, "What could not be landed: one row a text and reason"),
        tables.batches: _Table(_BATCHES, "One row a batch"),
        tables.requested_movies: _Table(_REQUESTED_MOVIES, "What each batch asks TMDB for: one row a batch and movie"),
        tables.fields: _Table(
            _FIELDS, "Which fields the payloads of a batch carry: one row a batch, endpoint and path"
        ),
    }


def _statement(name: str, table: _Table) -> str:
    columns = ", ".join(f"{column} {declared}" for column, declared in table.columns.items())
    return f"create table if not exists {name} ({columns}) using delta comment '{table.comment}' {table.more}"
