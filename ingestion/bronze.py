"""Landing: records to `bronze.movies`, rejects to `bronze.quarantine`, one row to `bronze.batches`.

A batch can be killed at any instruction and started again with the same input, batch id and as-of time.
Each commit of movies carries, in the same atomic step, how far the batch has come (`Progress`, in the
commit's user metadata) and a Delta transaction number, so the batch goes on after its last commit and no
chunk lands twice.

How a record is counted:

- duplicate: its key (movie, observation time, content) is in Bronze from another batch, or came before in
  this one;
- unchanged: nobody stated when it was observed, and the movie's latest observation shows the same content, or TMDB
  itself says so (304);
- missing: TMDB no longer has the movie (404);
- quarantined: it could not be landed (the same text again is counted again, but stands in quarantine once);
- landed: anything else.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from ingestion import notes
from ingestion.batch import Batch, BatchSummary, Progress, summarise
from ingestion.batches import record_batch
from ingestion.errors import BatchError, SourceError
from ingestion.known import LatestObservations, existing_keys, has_other_rows
from ingestion.quarantine import QuarantineWriter
from ingestion.records import Record, Reject
from ingestion.seen import SeenKeys, key_of
from ingestion.tables import BRONZE, MOVIES_SCHEMA, BronzeTables
from lakehouse.background import read_ahead

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Item = Record | Reject


class Passed(Enum):
    """What became of a movie that TMDB was asked for and that leaves no row."""

    UNCHANGED = "unchanged"
    """304: still the version that Bronze has."""

    MISSING = "missing"
    """404: TMDB has no such movie (any more)."""


Outcome = Record | Reject | Passed


@dataclass(frozen=True, slots=True)
class ChunkLimits:
    """How much goes into one commit.

    `rows` records read or `bytes_` of payload, whichever is reached first.
    """

    rows: int = 5000
    bytes_: int = 64 * 1024 * 1024


def land(
    spark: "SparkSession",
    items: Iterable[Item],
    batch: Batch,
    clock: Callable[[], datetime],
    limits: ChunkLimits = ChunkLimits(),
    tables: BronzeTables = BRONZE,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    before_commit: Callable[[], None] = lambda: None,
) -> BatchSummary:
    """Land a batch, or the rest of one that was begun before.

    A chunk is read while the one before it lands: memory holds two, and sixteen bytes for each record of the batch.

    Args:
        spark: a session in which the Bronze tables exist.
        items: the records and rejects of the batch, in the same order each time.
        batch: what names the batch.
        clock: the wall clock, for `started_at` and `finished_at` only.
        limits: the size of a commit.
        tables: the tables to land in.
        on_progress: called after each chunk.
        before_commit: called before each commit of movies; raises where this process may no longer write.

    Raises:
        BatchError: the batch id was used before, for other content or at another as-of time.
        SourceError: the source failed while it was read. What was read before has landed, and the batch is
            recorded as failed.
    """
    landing = _Landing(spark, batch, tables, before_commit)
    started_at = clock()
    stream = iter(items)
    landing.pass_over_committed(stream)
    try:
        for chunk in read_ahead("read-ahead", _chunks(stream, limits)):
            landing.land_chunk(chunk)
            on_progress(landing.progress)
    except SourceError:
        landing.quarantine.flush()
        failed = summarise(batch, landing.progress, "failed", started_at, clock())
        record_batch(spark, failed, tables)
        raise
    landing.quarantine.flush()
    summary = summarise(batch, landing.progress, "succeeded", started_at, clock())
    record_batch(spark, summary, tables)
    return summary


class PlannedBatch:
    """A batch whose movies are known before it asks for them: it goes on at a position, without reading anything again.

    A chunk is final with its commit, which it makes even where nothing of it lands; its rejects are in quarantine by
    then.
    """

    def __init__(
        self,
        spark: "SparkSession",
        batch: Batch,
        tables: BronzeTables = BRONZE,
        before_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """Find out how far the batch has come; see `land` for the arguments."""
        self._landing = _Landing(spark, batch, tables, before_commit)
        committed = notes.last(spark, tables.movies, batch.batch_id, Progress)
        if committed is not None:
            self._landing.progress = committed

    @property
    def progress(self) -> Progress:
        """How far it has come; `requested` is the position of the next movie."""
        return self._landing.progress

    def etag(self, movie_id: int) -> str | None:
        """What TMDB called the version of a movie that Bronze has; None where it has none, or TMDB did not say."""
        return self._landing.latest.etag(movie_id) if self._landing.has_other_rows else None

    def land(self, chunk: Sequence[Outcome]) -> None:
        """Land what came of the next movies, in their order."""
        passed = Counter(outcome for outcome in chunk if isinstance(outcome, Passed))
        items = [outcome for outcome in chunk if not isinstance(outcome, Passed)]
        self._landing.land_chunk(items, passed[Passed.UNCHANGED], passed[Passed.MISSING], is_planned=True)


def _chunks(items: Iterator[Item], limits: ChunkLimits) -> Iterator[list[Item]]:
    """Cut the stream into chunks. Where the source fails, what was read before comes as a last chunk."""
    chunk: list[Item] = []
    size = 0
    try:
        for item in items:
            chunk.append(item)
            size += item.payload_bytes if isinstance(item, Record) else len(item.raw)
            if len(chunk) >= limits.rows or size >= limits.bytes_:
                yield chunk
                chunk, size = [], 0
    except SourceError:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk


class _Landing:
    """The state of a batch on its way: how far it has come, and which keys it has met."""

    def __init__(
        self, spark: "SparkSession", batch: Batch, tables: BronzeTables, before_commit: Callable[[], None]
    ) -> None:
        self._before_commit = before_commit
        self._spark = spark
        self._batch = batch
        self._tables = tables
        self._seen = SeenKeys()
        self.has_other_rows = has_other_rows(spark, tables, batch)
        self._latest: LatestObservations | None = None
        # The as-of time is part of what the batch is: its rows carry it.
        self._digest = hashlib.sha256(f"{batch.source}|{batch.as_of.isoformat()}".encode())
        self.quarantine = QuarantineWriter(spark, batch, tables)
        self.progress = Progress()

    def pass_over_committed(self, items: Iterator[Item]) -> None:
        """Read again, without landing it, what an earlier run of this batch has committed."""
        movies, batch_id = self._tables.movies, self._batch.batch_id
        # Most batches are new: to look for their rows is cheaper than to read the table's history.
        if not notes.has_rows(self._spark, movies, batch_id):
            return
        committed = notes.last(self._spark, movies, batch_id, Progress)
        assert committed
        while self.progress.requested < committed.requested:
            chunk = list(islice(items, min(5000, committed.requested - self.progress.requested)))
            if not chunk:
                break
            records = self._take(chunk)
            self._seen.add_new([key_of(record) for record in records])
            self.progress = msgspec.structs.replace(self.progress, requested=self.progress.requested + len(chunk))
        if self._digest.hexdigest() != committed.digest:
            raise BatchError(
                f"Batch {self._batch.batch_id} has landed {committed.landed:,} records of other content, "
                "or at another as-of time.",
                "Give this content another --batch-id; what has landed before is recognised.",
            )
        self.progress = committed

    def land_chunk(self, chunk: list[Item], unchanged: int = 0, missing: int = 0, is_planned: bool = False) -> None:
        """Land one chunk in at most one commit of movies.

        Args:
            chunk: records and rejects.
            unchanged: movies beyond them of which TMDB says that nothing changed.
            missing: movies beyond them that TMDB no longer has.
            is_planned: the chunk will not be read again: its rejects are written first, and it makes a commit anyway.
        """
        records = self._take(chunk)
        new, equal, changed = self._new_records(records)
        stated = [record.observed_at for record in records if not record.is_assumed]
        before = self.progress
        self.progress = Progress(
            chunk=before.chunk + 1,
            requested=before.requested + len(chunk) + unchanged + missing,
            landed=before.landed + len(new),
            unchanged=before.unchanged + equal + unchanged,
            quarantined=before.quarantined + len(chunk) - len(records),
            duplicates=before.duplicates + len(records) - len(new) - equal,
            payload_bytes=before.payload_bytes + sum(record.payload_bytes for record in records),
            earliest=min([*stated, *([before.earliest] if before.earliest else [])], default=None),
            watermark=max([*stated, *([before.watermark] if before.watermark else [])], default=None),
            endpoints=tuple(sorted({*before.endpoints, *(record.endpoint for record in records)})),
            digest="" if is_planned else self._digest.hexdigest(),
            changed=before.changed + changed,
            missing=before.missing + missing,
        )
        if is_planned:
            self.quarantine.flush()
        if new or is_planned:
            self._before_commit()
            _append(self._spark, self._tables, self._batch, new, self.progress)

    def _take(self, chunk: list[Item]) -> list[Record]:
        """Note every item in the digest, send rejects on their way, and give the records."""
        records = []
        for item in chunk:
            if isinstance(item, Record):
                self._digest.update(f"{item.payload_sha256}{item.observed_at.isoformat()}\n".encode())
                records.append(item)
            else:
                self._digest.update(f"{item.reason}{item.identity or item.raw}\n".encode())
                self.quarantine.add(item)
        return records

    def _new_records(self, records: list[Record]) -> tuple[list[Record], int, int]:
        """The records that Bronze does not know, how many others are unchanged, and how many new ones show a change.

        A change is one in more than popularity and votes; it is told for assumed times only.
        """
        is_new = self._seen.add_new([key_of(record) for record in records])
        first_met = [record for record, new in zip(records, is_new, strict=True) if new]
        if not self.has_other_rows:
            return first_met, 0, sum(record.is_assumed for record in first_met)
        # What is replayed carries the as-of time of its first batch, at which it may have landed meanwhile.
        keyed = [record for record in first_met if not record.is_assumed or record.observed_at != self._batch.as_of]
        known = existing_keys(self._spark, self._tables, self._batch, keyed)
        landed = {key_of(keyed[position]) for position in known}
        first_met = [record for record in first_met if not landed or key_of(record) not in landed]
        new = [record for record in first_met if not record.is_assumed]
        unchanged = changed = 0
        for record in first_met:
            if record.is_assumed:
                if not self.latest.holds(record):
                    new.append(record)
                    changed += not self.latest.holds_content(record)
                elif not self.latest.holds_at_instant(record):
                    unchanged += 1
        return new, unchanged, changed

    @property
    def latest(self) -> LatestObservations:
        """What Bronze knew of each movie before this batch; read when it is first needed."""
        if self._latest is None:
            # Assumed times are the batch's as-of time, or earlier where a text is replayed.
            self._latest = LatestObservations(self._spark, self._tables, self._batch, self._batch.as_of)
        return self._latest


def _append(
    spark: "SparkSession", tables: BronzeTables, batch: Batch, records: list[Record], progress: Progress
) -> None:
    count = len(records)
    columns = {
        "movie_id": [record.movie_id for record in records],
        "payload": [record.payload for record in records],
        "payload_sha256": [record.payload_sha256 for record in records],
        "endpoint": [record.endpoint for record in records],
        "source": [batch.source] * count,
        "observed_at": [record.observed_at for record in records],
        "ingested_at": [batch.as_of] * count,
        "batch_id": [batch.batch_id] * count,
        "year": [batch.as_of.year] * count,
        "month": [batch.as_of.month] * count,
        "day": [batch.as_of.day] * count,
        "content_sha256": [record.content_sha256 for record in records],
        "etag": [record.etag for record in records],
    }
    rows = pa.Table.from_pydict(columns, MOVIES_SCHEMA)
    notes.append(spark, tables.movies, rows, batch.batch_id, progress.chunk, progress, "ingest")
