"""One ingestion from TMDB's API: which batch it is, what it asks for, and landing what comes.

A batch that was killed, or that ended because TMDB could not be asked, goes on where it was: the same command finds it
by what was asked for. Its movies are planned before they are fetched, and each commit of Bronze says up to which of
them the batch has come, so that nothing but the movies under way is fetched again.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.batch import Batch, BatchSummary, Progress, summarise
from ingestion.batches import record_batch
from ingestion.bronze import PlannedBatch
from ingestion.errors import SourceError
from ingestion.quarantine import QuarantineWriter
from ingestion.records import Reject
from ingestion.tables import BRONZE, BronzeTables, ensure_tables
from ingestion.tmdb import export, plan, requests
from ingestion.tmdb.ask import Ask, read_ask, read_ids
from ingestion.tmdb.session import Session, open_session
from ingestion.tmdb.tally import Tally
from ingestion.writer import only_writer
from lakehouse.clock import instant_text
from lakehouse.lease import Lease
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SOURCE = "api"


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """An ingestion from the API.

    Args:
        ask: which movies.
        as_of: the ingestion's own time, UTC; the observation time of what it lands. A batch that goes on keeps the
            time that it began with.
        batch_id: names the batch; empty: one that is unfinished and asks for the same goes on, else a new one.
    """

    ask: Ask
    as_of: datetime
    batch_id: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """A batch that is on its way.

    Args:
        batch: what names it.
        ask: what it asks for.
        started_at: wall clock.
        window: begin and end of the changes it asks for; None for other asks.
        moves_watermark: whether everything before its end is known once it has succeeded.
    """

    batch: Batch
    ask: Ask
    started_at: datetime
    window: tuple[datetime, datetime] | None
    moves_watermark: bool


Listener = Callable[[str, Progress, int], None]
"""Told of progress as (batch id, how far it has come, how many movies it asks for)."""


def ingest_api(
    spark: "SparkSession",
    settings: Settings,
    request: ApiRequest,
    clock: Callable[[], datetime],
    tally: Tally,
    on_progress: Listener = lambda batch_id, progress, movies: None,
    tables: BronzeTables = BRONZE,
) -> BatchSummary:
    """Fetch what is asked for and land it.

    Args:
        spark: a session.
        settings: the sections `tmdb` and `ingest`, and the instance's home for a downloaded export.
        request: what to ask for.
        clock: the wall clock, for `started_at` and `finished_at` only.
        tally: where the requests are counted.
        on_progress: called after each chunk.
        tables: the tables to land in.

    Raises:
        SourceError: TMDB cannot be asked, or not any further. What has landed stays, and the same request goes on.
        LeaseHeld: another process writes to Bronze.
        StorageError: HDFS does not take what is written. The same holds.
    """
    ensure_tables(spark, tables)
    with only_writer(spark, tables, "lakehouse ingest --source api", clock) as lease:
        begun = begin(spark, request, clock, settings.tmdb.overlap_days, tables)
        progress = Progress()
        record_batch(spark, _summary(begun, progress, "running", None), tables)
        try:
            for done, movies in _land(spark, settings, begun, lease, tally, tables):
                progress = done
                on_progress(begun.batch.batch_id, done, movies)
        except SourceError:
            record_batch(spark, _summary(begun, progress, "failed", clock()), tables)
            raise
        summary = _summary(begun, progress, "succeeded", clock())
        record_batch(spark, summary, tables)
        return summary


def plan_api(
    spark: "SparkSession",
    settings: Settings,
    request: ApiRequest,
    clock: Callable[[], datetime],
    tally: Tally,
    tables: BronzeTables = BRONZE,
) -> tuple[Begun, plan.Ids]:
    """Find out which movies a batch asks for, without fetching one: `ingest_api` goes on with them.

    See `ingest_api` for arguments and errors; the batch is recorded as running, or failed where TMDB cannot be asked.
    """
    ensure_tables(spark, tables)
    with only_writer(spark, tables, "lakehouse ingest --source api", clock):
        begun = begin(spark, request, clock, settings.tmdb.overlap_days, tables)
        record_batch(spark, _summary(begun, Progress(), "running", None), tables)
        token = settings.tmdb.token.get_secret_value()
        try:
            with open_session(
                settings.tmdb.url, token, settings.tmdb, settings.ingest.max_record_bytes, tally
            ) as session:
                return begun, _plan(spark, settings, session, begun, tables)
        except SourceError:
            record_batch(spark, _summary(begun, Progress(), "failed", clock()), tables)
            raise


def _land(
    spark: "SparkSession", settings: Settings, begun: Begun, lease: Lease, tally: Tally, tables: BronzeTables
) -> Iterator[tuple[Progress, int]]:
    """Plan, fetch and land; before the first chunk and after each, give how far it has come of how many movies."""
    tmdb = settings.tmdb
    batch = begun.batch
    token = tmdb.token.get_secret_value()
    with open_session(tmdb.url, token, tmdb, settings.ingest.max_record_bytes, tally) as session:
        session.ask(requests.genres)
        ids = _plan(spark, settings, session, begun, tables)
        planned = PlannedBatch(spark, batch, tables, lease.check)
        yield planned.progress, len(ids)
        rest = ids[planned.progress.requested :]
        # What Bronze knows is read here, once; the fetching thread only looks it up.
        planned.etag(0)
        for chunk in session.chunks(rest, planned.etag, batch.as_of, tmdb.chunk_movies):
            planned.land(chunk)
            yield planned.progress, len(ids)


def begin(
    spark: "SparkSession", request: ApiRequest, clock: Callable[[], datetime], overlap_days: int, tables: BronzeTables
) -> Begun:
    """Find the batch that goes on, or name a new one; and the window of changes that it asks for.

    Without `since`, changes are asked for from the watermark on, less the overlap. Where there is no watermark yet, the
    last day is asked for.
    """
    from pyspark.sql.functions import col

    rows = (
        spark.read.table(tables.batches)
        .where(col("source") == SOURCE)
        .select("batch_id", "status", "as_of", "asked", "started_at", "window_start", "window_end", "watermark")
        .toArrow()
        .to_pylist()
    )
    named = request.batch_id or name_of(request)
    found = next((row for row in rows if row["batch_id"] == named), None)
    if found is None and not request.batch_id:
        unfinished = [row for row in rows if row["status"] != "succeeded" and row["asked"] == request.ask.text]
        found = max(unfinished, key=lambda row: row["started_at"], default=None)
    watermark = max((row["watermark"] for row in rows if row["watermark"]), default=None)
    if found is not None:
        ask = read_ask(found["asked"])
        batch = Batch(found["batch_id"], SOURCE, found["as_of"])
        window = (found["window_start"], found["window_end"]) if found["window_start"] else None
        return Begun(batch, ask, found["started_at"], window, _moves(ask, window, watermark))
    ask = request.ask
    window = None
    if ask.kind == "changes":
        until = ask.until or request.as_of
        since = ask.since or _last_known(watermark, until) - timedelta(days=overlap_days)
        if since > until:
            raise SourceError(
                f"The changes asked for begin at {instant_text(since)}, after their end at {instant_text(until)}.",
                "Give --since a day before --until.",
            )
        window = (since, until)
    batch = Batch(named, SOURCE, request.as_of)
    return Begun(batch, ask, clock(), window, _moves(ask, window, watermark))


def _last_known(watermark: datetime | None, until: datetime) -> datetime:
    # A clock that went back may have left a watermark in the future.
    return min(watermark, until) if watermark else until - timedelta(days=1)


def _moves(ask: Ask, window: tuple[datetime, datetime] | None, watermark: datetime | None) -> bool:
    """Whether the batch leaves no gap before its end: a whole export does, and a window that begins before the mark."""
    if ask.kind == "export":
        return ask.count is None
    return window is not None and (watermark is None or window[0] <= watermark)


def name_of(request: ApiRequest) -> str:
    """Name a new batch: `api-20260129T000000-3f2a9c`, as-of time and a hash of what is asked for."""
    digest = hashlib.sha256(f"{request.as_of.isoformat()}|{request.ask.text}".encode()).hexdigest()[:6]
    return f"{SOURCE}-{request.as_of:%Y%m%dT%H%M%S}-{digest}"


def _summary(begun: Begun, progress: Progress, status: str, finished_at: datetime | None) -> BatchSummary:
    summary = summarise(begun.batch, progress, status, begun.started_at, finished_at)
    start, end = begun.window or (None, None)
    mark = (end or begun.batch.as_of) if begun.moves_watermark and status == "succeeded" else None
    return replace(
        summary,
        window_start=start,
        window_end=end,
        watermark=mark,
        changed=progress.changed,
        missing=progress.missing,
        asked=begun.ask.text,
    )


def _plan(spark: "SparkSession", settings: Settings, session: Session, begun: Begun, tables: BronzeTables) -> plan.Ids:
    """Give the movies that the batch asks for; find them where that has not been done."""
    planned, ids = plan.load(spark, tables, begun.batch)
    if planned.is_whole:
        return ids
    if begun.window is not None:
        since, until = begun.window
        windows = requests.windows(planned.until or since, until)
        for window in windows:
            more = session.ask(lambda client, window=window: requests.changed_ids(client, window))  # type: ignore[misc]
            end = datetime.combine(window.last, datetime.min.time(), until.tzinfo)
            planned, ids = plan.extend(
                spark, tables, begun.batch, planned, ids, more, is_whole=window is windows[-1], until=end
            )
        return ids
    quarantine = QuarantineWriter(spark, begun.batch, tables)
    _, ids = plan.extend(
        spark,
        tables,
        begun.batch,
        planned,
        ids,
        _accepted(_all_ids(settings, session, begun), quarantine),
        is_whole=True,
    )
    return ids


def _all_ids(settings: Settings, session: Session, begun: Begun) -> Iterator[int | Reject]:
    ask = begun.ask
    if ask.kind == "ids":
        assert ask.path
        yield from read_ids(Path(ask.path))
    elif ask.kind == "popular":
        assert ask.count
        yield from session.ask(lambda client: requests.popular_ids(client, ask.count or 0))
    else:
        folder = settings.home / "exports"
        path = session.ask(
            lambda _: export.download(settings.tmdb.export_url, begun.batch.as_of, folder, settings.tmdb)
        )
        left = ask.count
        try:
            for found in export.ids(path):
                if left == 0:
                    break
                if isinstance(found, int) and left is not None:
                    left -= 1
                yield found
        finally:
            # Damaged or done with: another batch fetches it anew.
            path.unlink()


def _accepted(found: Iterator[int | Reject], quarantine: QuarantineWriter) -> Iterator[int]:
    for item in found:
        if isinstance(item, Reject):
            quarantine.add(item)
        else:
            yield item
    quarantine.flush()
