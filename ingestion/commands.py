"""`lakehouse ingest`, and where the other commands of this package are added."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingestion.standin import command as standin
from lakehouse.clock import instant_text, now, parse_instant
from lakehouse.errors import ConfigurationError
from lakehouse.settings import Settings, load_settings
from lakehouse.terminal import console, table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from ingestion.batch import BatchSummary
    from ingestion.run import IngestRequest

_NUMBERS = ("records", "landed", "unchanged", "quarantined", "duplicates", "missing")


def register(app: typer.Typer) -> None:
    """Add this package's commands to the `lakehouse` command."""
    from ingestion.drift_command import drift
    from ingestion.quarantine_commands import quarantine

    app.command()(ingest)
    app.command()(drift)
    app.add_typer(quarantine, name="quarantine")
    standin.register(app)


def ingest(
    source: Annotated[str, typer.Option(help="api, synthetic, or file.")] = "synthetic",
    path: Annotated[
        Path | None, typer.Option(readable=False, help="For file: JSON Lines (gzip or not), or a folder.")
    ] = None,
    observed_at: Annotated[
        str | None,
        typer.Option(help="When records without a date of their own were observed; without it, as of now."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="For api: changes from this day on; without it, from the last ingestion on.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="For api: changes up to this day; without it, up to now.")] = None,
    ids: Annotated[
        Path | None, typer.Option(readable=False, help="For api: the movies of this file, one id a line.")
    ] = None,
    popular: Annotated[int | None, typer.Option(min=1, max=10_000, help="For api: the N most popular movies.")] = None,
    from_export: Annotated[bool, typer.Option(help="For api: all movies of TMDB's daily export of ids.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="For --from-export: its first N movies only.")] = None,
    as_of: Annotated[str | None, typer.Option(help="The ingestion's own time; without it, now.")] = None,
    batch_id: Annotated[
        str | None, typer.Option(help="Names the batch; derived from the other options when not given.")
    ] = None,
    movies: Annotated[int | None, typer.Option(min=1, help="For synthetic: how many (demo.movies).")] = None,
    dates: Annotated[
        str | None, typer.Option(help="For synthetic: when they are observed, e.g. 2026-01-02,2026-01-23.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="For synthetic: decides all content (demo.seed).")] = None,
    dirty_rate: Annotated[
        float | None, typer.Option(min=0, max=1, help="For synthetic: share of damage (demo.dirty_rate).")
    ] = None,
) -> None:
    """Land movies in Bronze. What cannot land goes to quarantine and never stops the rest.

    With --source api and none of --since, --ids, --popular and --from-export, it asks for what changed since the last
    time. The token is read from LAKEHOUSE_TMDB__TOKEN; without one, the stand-in server on this machine is asked. A
    batch that was interrupted goes on when the same is asked for again.
    """
    settings = load_settings()
    instant = parse_instant(as_of) if as_of else now()
    if source == "api":
        from ingestion.tmdb.command import ask_of, ingest_from_api
        from ingestion.tmdb.run import ApiRequest

        ask = ask_of(since, until, ids, popular, from_export, limit)
        ingest_from_api(settings, ApiRequest(ask, instant, batch_id or ""))
        return
    request = request_of(settings, source, instant, path, observed_at, batch_id, movies, dates, seed, dirty_rate)
    _ingest(settings, request)


def request_of(
    settings: Settings,
    source: str,
    as_of: datetime,
    path: Path | None = None,
    observed_at: str | None = None,
    batch_id: str | None = None,
    movies: int | None = None,
    dates: str | None = None,
    seed: int | None = None,
    dirty_rate: float | None = None,
) -> "IngestRequest":
    """What options ask for, of the sources `synthetic` and `file`; what is not given is the settings'.

    Raises:
        ConfigurationError: there is no such source.
        SourceError: the path is missing, unreadable, or holds no JSON.
    """
    from ingestion.run import IngestRequest, open_source

    if source not in ("synthetic", "file"):
        raise ConfigurationError(f"There is no source {source!r}.", "Give --source api, synthetic or file.")
    request = IngestRequest(
        source="file" if source == "file" else "synthetic",
        as_of=as_of,
        path=path,
        observed_at=parse_instant(observed_at) if observed_at else None,
        batch_id=batch_id or "",
        movies=movies or settings.demo.movies,
        seed=settings.demo.seed if seed is None else seed,
        dirty_rate=settings.demo.dirty_rate if dirty_rate is None else dirty_rate,
    )
    if dates:
        request = replace(request, dates=tuple(parse_instant(date.strip()) for date in dates.split(",")))
    # A missing path, or an id that does not fit, is found before anything is started.
    open_source(request, settings.ingest.max_record_bytes)
    return request


def _ingest(settings: Settings, request: "IngestRequest") -> None:
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from ingestion.batch import Progress as BatchProgress
    from ingestion.run import batch_of
    from ingestion.run import ingest as land
    from lakehouse.spark import spark_session

    batch = batch_of(request)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"{batch.batch_id}: starting Spark", total=None)
        spark = spark_session(settings, "ingest")

        def on_progress(done: BatchProgress) -> None:
            read = f"{done.requested:,} records, {done.payload_bytes / 1e6:,.1f} MB"
            bar.update(task, description=f"{batch.batch_id}: {read} read, {done.landed:,} landed")

        bar.update(task, description=f"{batch.batch_id}: reading")
        summary = land(spark, settings.ingest, request, now, on_progress)
    show(spark, settings, summary)


def show(spark: "SparkSession", settings: Settings, summary: "BatchSummary") -> None:
    """Print what came of a batch, as a table of one row, and what is odd about its fields."""
    from ingestion.drift import blocking, check, needed_fields, summary_of

    assert summary.finished_at
    seconds = (summary.finished_at - summary.started_at).total_seconds()
    row = (
        summary.batch_id,
        *(f"{getattr(summary, name):,}" for name in ("requested", *_NUMBERS[1:])),
        f"{summary.payload_bytes / 1e6:,.1f}",
        f"{seconds:.0f}",
        instant_text(summary.watermark) if summary.watermark else "none",
    )
    columns = ("batch", *_NUMBERS, "MB", "seconds", "watermark")
    console.print(table("", columns, [row], right=(*_NUMBERS, "MB", "seconds")))
    if summary.quarantined:
        console.print("`lakehouse quarantine list` says why some could not be landed.")
    if not summary.landed:
        return
    findings = check(spark, summary.batch_id, needed_fields(settings.dbt.project_dir))
    if findings:
        stops = len(blocking(findings))
        verdict = f"[bold red]{stops} of them stop Silver[/]" if stops else "none of them stops Silver"
        console.print(f"Fields that drifted: {summary_of(findings)}; {verdict}. `lakehouse drift` lists them.")
