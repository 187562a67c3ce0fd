"""`lakehouse ingest --source api`: from options to a batch, with its progress and what came of its requests."""

import time
from pathlib import Path

from ingestion.batch import BatchSummary
from ingestion.batch import Progress as BatchProgress
from ingestion.tmdb.ask import Ask, read_ids
from ingestion.tmdb.run import ApiRequest, ingest_api
from ingestion.tmdb.tally import Tally
from lakehouse.clock import now, parse_instant
from lakehouse.errors import ConfigurationError, LakehouseError
from lakehouse.settings import Settings
from lakehouse.terminal import console


def ask_of(
    since: str | None, until: str | None, ids: Path | None, popular: int | None, from_export: bool, limit: int | None
) -> Ask:
    """Make one ask out of the command's options.

    Raises:
        ConfigurationError: options exclude each other, or a time cannot be read.
        SourceError: the file of ids cannot be used.
    """
    given = [
        name
        for name, is_given in (
            ("--since/--until", since or until),
            ("--ids", ids),
            ("--popular", popular),
            ("--from-export", from_export),
        )
        if is_given
    ]
    if len(given) > 1:
        raise ConfigurationError(f"{' and '.join(given)} exclude each other.", "Give one of them.")
    if limit is not None and not from_export:
        raise ConfigurationError("--limit goes with --from-export.", "Leave it out, or add --from-export.")
    if ids is not None:
        # What is wrong with the file is said before anything is started.
        read_ids(ids)
        return Ask("ids", path=str(ids.resolve()))
    if popular is not None:
        return Ask("popular", count=popular)
    if from_export:
        return Ask("export", count=limit)
    return Ask(
        "changes",
        since=parse_instant(since) if since else None,
        until=parse_instant(until) if until else None,
    )


def ingest_from_api(settings: Settings, request: ApiRequest) -> BatchSummary:
    """Run the batch, show its progress with the time left, and print what came of it.

    What the requests came to is printed also where the batch could not be finished.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from ingestion.commands import show
    from lakehouse.spark import spark_session

    if settings.runs_own_tmdb:
        console.print(f"No token is set (LAKEHOUSE_TMDB__TOKEN): asking the stand-in server at {settings.tmdb.url}.")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(compact=True),
    )
    tally = Tally()
    began = time.monotonic()
    try:
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("starting Spark", total=None)
            spark = spark_session(settings, "ingest")
            bar.update(task, description="asking which movies")

            def on_progress(batch_id: str, done: BatchProgress, movies: int) -> None:
                bar.update(task, description=batch_id, completed=done.requested, total=movies)

            began = time.monotonic()
            summary = ingest_api(spark, settings, request, now, tally, on_progress)
    except LakehouseError:
        _tell(tally, time.monotonic() - began)
        raise
    show(spark, settings, summary)
    _tell(tally, time.monotonic() - began)
    return summary


def _tell(tally: Tally, seconds: float) -> None:
    if tally.sent:
        for line in tally.lines(seconds):
            console.print(f"  {line}", highlight=False)
