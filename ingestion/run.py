"""One ingestion from request to summary: what the CLI and the orchestration call."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from ingestion.batch import Batch, BatchSummary, Progress
from ingestion.bronze import ChunkLimits, land
from ingestion.errors import SourceError
from ingestion.records import DefaultTime, RawRecord, Record, Reject, parse_record
from ingestion.sources.files import open_path
from ingestion.synthetic.catalogue import DEFAULT_DATES, CatalogueSpec, catalogue
from ingestion.tables import BRONZE, BronzeTables, ensure_tables
from ingestion.writer import only_writer

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class IngestLimits(Protocol):
    """The sizes that bound memory and commits: the `ingest` section of the settings."""

    @property
    def chunk_rows(self) -> int:
        """Records in one commit, at most."""

    @property
    def chunk_bytes(self) -> int:
        """Bytes of payload in one commit, at most (plus one record)."""

    @property
    def max_record_bytes(self) -> int:
        """A longer record goes to quarantine."""


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """What to ingest, from where, and as of when.

    Args:
        source: `file` reads `path`; `synthetic` makes up a catalogue from `movies`, `dates`, `seed` and
            `dirty_rate`.
        as_of: the ingestion's own time, UTC: `ingested_at` of its rows, and the observation time of records
            for which nothing else states one.
        path: a file or a folder.
        observed_at: when records without a date of their own were observed; None: not known.
        batch_id: names the batch; empty: derived from the rest of the request.
        movies: number of movies.
        dates: when each of them is observed.
        seed: decides everything in the catalogue.
        dirty_rate: share of records that are damaged on purpose.
    """

    source: Literal["file", "synthetic"]
    as_of: datetime
    path: Path | None = None
    observed_at: datetime | None = None
    batch_id: str = ""
    movies: int = 5000
    dates: tuple[datetime, ...] = DEFAULT_DATES
    seed: int = 20260101
    dirty_rate: float = 0.004


def batch_of(request: IngestRequest) -> Batch:
    """Name the batch: `file-20260129T000000-3f2a9c`; the last part is a hash of all that was asked for."""
    if request.batch_id:
        return Batch(request.batch_id, request.source, request.as_of)
    if request.source == "file":
        asked = f"{request.path and request.path.resolve()}|{request.observed_at}"
    else:
        dates = ",".join(date.isoformat() for date in request.dates)
        asked = f"{request.movies}|{dates}|{request.seed}|{request.dirty_rate}"
    digest = hashlib.sha256(f"{request.as_of.isoformat()}|{asked}".encode()).hexdigest()[:6]
    return Batch(f"{request.source}-{request.as_of:%Y%m%dT%H%M%S}-{digest}", request.source, request.as_of)


def open_source(request: IngestRequest, max_record_bytes: int) -> Iterator[Record | Reject]:
    """Check that the source can be read, then stream what it holds. Needs no Spark.

    Raises:
        SourceError: the path is missing, unreadable, or holds no JSON.
    """
    raw: Iterator[RawRecord | Reject]
    if request.source == "synthetic":
        raw = catalogue(CatalogueSpec(request.seed, request.movies, request.dates, request.dirty_rate))
    elif request.path is None:
        raise SourceError("The source file needs a path.", "Give --path.")
    else:
        raw = open_path(request.path, max_record_bytes)
    default = DefaultTime(request.observed_at or request.as_of, is_assumed=request.observed_at is None)
    return (parse_record(item, default) if isinstance(item, RawRecord) else item for item in raw)


def ingest(
    spark: "SparkSession",
    limits: IngestLimits,
    request: IngestRequest,
    clock: Callable[[], datetime],
    on_progress: Callable[[Progress], None] = lambda progress: None,
    tables: BronzeTables = BRONZE,
) -> BatchSummary:
    """Land what was asked for; see `ingestion.bronze.land` for what is counted how.

    Args:
        spark: the session.
        limits: sizes of records and commits.
        request: what to ingest.
        clock: the wall clock, read for `started_at` and `finished_at` only.
        on_progress: called after each chunk.
        tables: the tables to land in; they are created where they do not exist.

    Raises:
        SourceError: the source cannot be read.
        BatchError: the batch id was used before, for other content or at another as-of time.
        LeaseHeld: another process writes to Bronze.
        StorageError: HDFS does not take what is written.
    """
    batch = batch_of(request)
    items = open_source(request, limits.max_record_bytes)
    chunk = ChunkLimits(limits.chunk_rows, limits.chunk_bytes)
    ensure_tables(spark, tables)
    with only_writer(spark, tables, f"lakehouse ingest, batch {batch.batch_id}", clock) as lease:
        return land(spark, items, batch, clock, chunk, tables, on_progress, lease.check)
