"""Replay: what is in quarantine is tried again, with today's code, limits and answers.

A text that can be parsed lands as it would have at first: observed when its source said, else at the as-of
time of the batch that met it. A movie that was asked for is asked for again. What lands is a batch of its
own, and only when it has landed are its rows of the quarantine marked, in one commit. So a replay that is
killed can be run again at any time: what has landed is recognised, and what was not marked is marked.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from ingestion.batch import Batch, BatchSummary
from ingestion.bronze import ChunkLimits, land
from ingestion.quarantine import narrowed
from ingestion.reasons import Reason
from ingestion.records import DefaultTime, RawRecord, Record, Reject, parse_record
from ingestion.seen import key_of
from ingestion.tables import BRONZE, BronzeTables, ensure_tables
from ingestion.writer import only_writer
from lakehouse.lease import Lease

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from ingestion.run import IngestLimits

Refetch = Callable[[list[str]], Iterable[Record | Reject]]
"""Asks the source for movies once more, by id; a reject names its movie in `movie_id`."""

NOT_WHOLE = frozenset({Reason.RECORD_TOO_LARGE, Reason.TRUNCATED_GZIP, Reason.CORRUPT_GZIP, Reason.INVALID_UTF8})
"""Of these the quarantine holds a part, or not the bytes as they were: to land it would land something else."""

PAGE_ROWS = 2_000
PAGE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Selection:
    """Which waiting texts are tried; empty means all. `ids` are ids or their beginnings."""

    reason: str | None = None
    source: str | None = None
    ids: tuple[str, ...] = ()


class Waiting(NamedTuple):
    """A row of the quarantine that has not been replayed, without its text, whose length in characters is `size`."""

    quarantine_id: str
    source: str
    reason: str
    ingested_at: datetime
    observed_at: datetime | None
    movie_id: str | None
    size: int


class Plan(NamedTuple):
    """What is done with the waiting rows of one source."""

    parse: list[Waiting]
    ask: list[Waiting]
    not_whole: list[Waiting]
    nobody_to_ask: list[Waiting]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the waiting texts of one source.

    Args:
        source: the source.
        replayed: texts whose movie is in Bronze now; they wait no longer.
        failed: texts that cannot be landed today either, and movies that the source did not give.
        not_whole: texts of which only a part is held.
        nobody_to_ask: texts of movies that would have to be asked for, where there is nobody to ask.
        failures: how often each reason stood in the way; of `failed`.
        batch: the batch that landed them; None where none could be parsed.
    """

    source: str
    replayed: int
    failed: int
    not_whole: int
    nobody_to_ask: int
    failures: dict[str, int] = field(default_factory=dict)
    batch: BatchSummary | None = None


def plan(waiting: Iterable[Waiting], can_ask: bool) -> Plan:
    """Sort the waiting rows by what can be done with each."""
    made = Plan([], [], [], [])
    for row in waiting:
        if row.movie_id is not None:
            (made.ask if can_ask else made.nobody_to_ask).append(row)
        elif row.reason in NOT_WHOLE:
            made.not_whole.append(row)
        else:
            made.parse.append(row)
    return made


def parse_again(row: Waiting, raw: str, max_record_bytes: int) -> Record | Reject:
    """Parse a text as if it came for the first time.

    It was observed at the time that its source stated, else (assumed) at the as-of time of its first batch.
    """
    text = raw.encode()
    origin = f"quarantine {row.quarantine_id[:12]}"
    if len(text) > max_record_bytes:
        detail = f"{origin}: {len(text):,} bytes of at most {max_record_bytes:,}"
        return Reject(raw, Reason.RECORD_TOO_LARGE, detail, observed_at=row.observed_at)
    default = DefaultTime(row.ingested_at, is_assumed=True)
    return parse_record(RawRecord(text, origin, observed_at=row.observed_at), default)


def batch_of_records(source: str, as_of: datetime, names: Iterable[tuple[str, bytes]]) -> Batch:
    """Name a replay by what it lands: quarantine id and `ingestion.seen.key_of` the record, in order.

    The same rows give the same batch, which then goes on; other content gives another, which cannot get in the way
    of what was landed before.
    """
    digest = hashlib.sha256(f"{source}|{as_of.isoformat()}".encode())
    for name, key in names:
        digest.update(f"|{name}|{key.hex()}".encode())
    return Batch(f"replay-{as_of:%Y%m%dT%H%M%S}-{digest.hexdigest()[:8]}", source, as_of)


def pages(rows: Sequence[Waiting], most_rows: int = PAGE_ROWS, most_size: int = PAGE_BYTES) -> Iterator[list[Waiting]]:
    """Cut rows, in order, into pages that fit into memory; a text that is larger is a page of its own."""
    page: list[Waiting] = []
    size = 0
    for row in rows:
        if page and (len(page) == most_rows or size + row.size > most_size):
            yield page
            page, size = [], 0
        page.append(row)
        size += row.size
    if page:
        yield page


def replay(
    spark: "SparkSession",
    selection: Selection,
    as_of: datetime,
    limits: "IngestLimits",
    clock: Callable[[], datetime],
    refetch: Refetch | None = None,
    tables: BronzeTables = BRONZE,
) -> list[Replayed]:
    """Try waiting texts again, one batch a source.

    Memory holds a page of texts, and the movies that were asked for again.

    Args:
        spark: the session.
        selection: which texts.
        as_of: the replay's own time: `ingested_at` of what lands, and `replayed_at`. Texts that were refused later
            are left alone.
        limits: sizes of records and commits, as of an ingestion.
        clock: the wall clock, for `started_at` and `finished_at` of the batch only.
        refetch: asks for movies again; without it, texts that belong to a movie stay waiting.
        tables: the Bronze tables.
    """
    ensure_tables(spark, tables)
    with only_writer(spark, tables, "lakehouse quarantine replay", clock) as lease:
        by_source: dict[str, list[Waiting]] = {}
        for row in _read_waiting(spark, selection, as_of, tables):
            by_source.setdefault(row.source, []).append(row)
        return [
            _replay_source(spark, source, plan(rows, refetch is not None), as_of, limits, clock, refetch, tables, lease)
            for source, rows in sorted(by_source.items())
        ]


def _replay_source(
    spark: "SparkSession",
    source: str,
    planned: Plan,
    as_of: datetime,
    limits: "IngestLimits",
    clock: Callable[[], datetime],
    refetch: Refetch | None,
    tables: BronzeTables,
    lease: Lease,
) -> Replayed:
    failures: Counter[str] = Counter()
    # The texts are parsed twice, so that they need not be held: to name the batch, and to land it.
    names: list[tuple[str, bytes]] = []
    for row, item in _parse_texts(spark, planned.parse, limits.max_record_bytes, tables):
        if isinstance(item, Record):
            names.append((row.quarantine_id, key_of(item)))
        else:
            failures[item.reason] += 1
    asked = _ask(planned.ask, refetch, failures)
    names += [(name, key_of(record)) for name, record in asked]
    summary = None
    if names:
        texts = _parse_texts(spark, planned.parse, limits.max_record_bytes, tables)
        records = chain((item for _, item in texts if isinstance(item, Record)), (record for _, record in asked))
        # Only what can be landed is handed on: what fails again has its row in quarantine already.
        chunk = ChunkLimits(limits.chunk_rows, limits.chunk_bytes)
        batch = batch_of_records(source, as_of, names)
        summary = land(spark, records, batch, clock, chunk, tables, before_commit=lease.check)
        mark_replayed(spark, [name for name, _ in names], as_of, tables)
    return Replayed(
        source=source,
        replayed=len(names),
        failed=len(planned.parse) + len(planned.ask) - len(names),
        not_whole=len(planned.not_whole),
        nobody_to_ask=len(planned.nobody_to_ask),
        failures=dict(failures),
        batch=summary,
    )


def _ask(rows: Sequence[Waiting], refetch: Refetch | None, failures: Counter[str]) -> list[tuple[str, Record]]:
    """Ask for the movies of rows, each movie once; give what came for each row, in the order of the rows."""
    if refetch is None or not rows:
        return []
    movies = list(dict.fromkeys(row.movie_id for row in rows if row.movie_id is not None))
    found: dict[str, Record] = {}
    for item in refetch(movies):
        if isinstance(item, Record):
            found[item.movie_id] = item
        else:
            failures[item.reason] += 1
    return [(row.quarantine_id, found[row.movie_id]) for row in rows if row.movie_id in found]


def mark_replayed(spark: "SparkSession", names: Sequence[str], as_of: datetime, tables: BronzeTables = BRONZE) -> None:
    """Say of rows of the quarantine, in one commit, that they have been replayed; those that say so keep their time."""
    replayed_at = pa.array([as_of] * len(names), pa.timestamp("us", tz="UTC"))
    frame = spark.createDataFrame(pa.table({"quarantine_id": list(names), "replayed_at": replayed_at})).coalesce(1)
    spark.sql(
        f"""
        merge into {tables.quarantine} as stored
        using {{replayed}} as replayed
        on stored.quarantine_id = replayed.quarantine_id
        when matched and stored.replayed_at is null then update set stored.replayed_at = replayed.replayed_at
        """,
        replayed=frame,
    )


def _read_waiting(spark: "SparkSession", selection: Selection, as_of: datetime, tables: BronzeTables) -> list[Waiting]:
    from functools import reduce

    from pyspark.sql.functions import col, length, lit

    rows = spark.read.table(tables.quarantine).where(col("replayed_at").isNull() & (col("ingested_at") <= lit(as_of)))
    rows = narrowed(rows, selection.reason, selection.source)
    if selection.ids:
        begins = [col("quarantine_id").startswith(prefix.lower()) for prefix in selection.ids]
        rows = rows.where(reduce(lambda one, other: one | other, begins))
    columns = [col(name) for name in Waiting._fields if name != "size"]
    found = rows.select(*columns, length("raw").alias("size")).orderBy("quarantine_id").toArrow()
    return [Waiting(**row) for row in found.to_pylist()]


def _parse_texts(
    spark: "SparkSession", rows: Sequence[Waiting], max_record_bytes: int, tables: BronzeTables
) -> Iterator[tuple[Waiting, Record | Reject]]:
    from pyspark.sql.functions import broadcast

    for page in pages(rows):
        wanted = spark.createDataFrame(pa.table({"quarantine_id": [row.quarantine_id for row in page]}))
        texts = spark.read.table(tables.quarantine).select("quarantine_id", "raw")
        found = texts.join(broadcast(wanted), "quarantine_id").toArrow()
        raw_of = dict(zip(*(found.column(name).to_pylist() for name in ("quarantine_id", "raw")), strict=True))
        for row in page:
            yield row, parse_again(row, raw_of[row.quarantine_id], max_record_bytes)
