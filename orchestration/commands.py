"""`lakehouse run`, `demo` and `build`."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr

from lakehouse.clock import instant_text, now, parse_instant
from lakehouse.errors import ConfigurationError, LakehouseError
from lakehouse.settings import STANDIN_TOKEN, Settings, load_settings
from lakehouse.terminal import console

if TYPE_CHECKING:
    from ingestion.run import IngestRequest
    from ingestion.tmdb.run import ApiRequest
    from orchestration.cycle import Cycle

AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        help="The instant that this run takes for now (ISO 8601). Without it: ingestion takes the clock's time, "
        "Gold the latest time that the data itself states.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add this package's commands to the `lakehouse` command."""
    from orchestration.airflow.commands import airflow
    from orchestration.maintenance_command import maintain
    from orchestration.publishing import publications, publish, rollback
    from orchestration.report.command import report

    app.command()(run)
    app.command()(demo)
    app.command()(build)
    app.command()(docs)
    app.command()(maintain)
    app.command()(publish)
    app.command()(rollback)
    app.command()(publications)
    app.command()(report)
    app.add_typer(airflow, name="airflow")


def run(
    source: Annotated[
        str, typer.Option(help="api (what changed since the last time), synthetic, or file.")
    ] = "synthetic",
    path: Annotated[
        Path | None, typer.Option(readable=False, help="For file: JSON Lines (gzip or not), or a folder.")
    ] = None,
    observed_at: Annotated[
        str | None, typer.Option(help="When records without a date of their own were observed.")
    ] = None,
    batch_id: Annotated[str | None, typer.Option(help="Names the batch; derived when not given.")] = None,
    movies: Annotated[int | None, typer.Option(min=1, help="For synthetic: how many movies.")] = None,
    dates: Annotated[
        str | None, typer.Option(help="For synthetic: when they are observed, e.g. 2026-01-02,2026-01-23.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="For synthetic: the seed.")] = None,
    dirty_rate: Annotated[float | None, typer.Option(min=0, max=1, help="For synthetic: share of damage.")] = None,
    as_of: AsOf = None,
) -> None:
    """Run the whole cycle, from ingestion to the export to MongoDB. The services must be up."""
    from ingestion.commands import request_of

    settings = load_settings()
    instant = parse_instant(as_of) if as_of else None
    as_of_now = instant or now()
    if source == "api":
        from ingestion.tmdb.ask import Ask
        from ingestion.tmdb.run import ApiRequest

        _run(settings, (ApiRequest(Ask(), as_of_now, batch_id or ""),), instant, is_demo=False)
        return
    request = request_of(settings, source, as_of_now, path, observed_at, batch_id, movies, dates, seed, dirty_rate)
    _run(settings, (request,), instant, is_demo=False)


def demo(
    movies: Annotated[int | None, typer.Option(min=1, help="How many synthetic movies (demo.movies).")] = None,
    as_of: AsOf = None,
) -> None:
    """Start the services and run the whole cycle, from the stand-in for TMDB's API to MongoDB.

    On a first day all movies are asked for, by the daily export; on two later days what changed since the day before.
    """
    from ingestion.synthetic.catalogue import DEFAULT_DATES
    from ingestion.tmdb.ask import Ask
    from ingestion.tmdb.run import ApiRequest

    settings = demo_settings(load_settings(), movies)
    first, *later = DEFAULT_DATES
    requests = (ApiRequest(Ask("export"), first), *(ApiRequest(Ask(), day) for day in later))
    _run(settings, requests, parse_instant(as_of) if as_of else None, is_demo=True)


def demo_settings(settings: Settings, movies: int | None = None) -> Settings:
    """The settings of a demo: the stand-in is asked whatever token is set, and as fast as it answers."""
    tmdb = {
        "token": SecretStr(STANDIN_TOKEN),
        "url": settings.standin_url,
        "export_url": settings.standin_exports,
        "rate_per_second": 0,
        "backoff_seconds": 0.05,
        "chunk_movies": 2000,
    }
    demo = {"movies": movies} if movies else {}
    return settings.model_copy(
        update={
            "tmdb": settings.tmdb.model_copy(update=tmdb),
            "demo": settings.demo.model_copy(update=demo),
        }
    )


def build(
    select: Annotated[str | None, typer.Option("--select", "-s", help="dbt's node selection; all without it.")] = None,
    selector: Annotated[
        str | None, typer.Option(help="One of selectors.yml: bronze_to_silver, marts, network, gold (both of these).")
    ] = None,
    full_refresh: Annotated[bool, typer.Option(help="Build incremental models anew.")] = False,
    as_of: AsOf = None,
) -> None:
    """Run `dbt build`: models and their tests, through the Thrift server.

    Marts are built in gold_build; readers of gold.* see them after `lakehouse publish`.
    """
    from lakehouse.ops.journal import new_run_id
    from lakehouse.ops.recording import recorded
    from lakehouse.services.health import require
    from orchestration import dbt
    from orchestration.progress import Progress
    from orchestration.summary import node_costs

    settings = load_settings()
    if select and selector:
        raise ConfigurationError("--select and --selector exclude each other.", "Give one of them.")
    arguments = [
        *(["--select", *select.split()] if select else []),
        *(["--selector", selector] if selector else []),
        *(["--full-refresh"] if full_refresh else []),
    ]
    instant = parse_instant(as_of) if as_of else None
    run_id = new_run_id(settings.home, "build", now())
    with (
        Progress() as progress,
        recorded(settings, run_id, "build", {"dbt": arguments}, now, instant) as recorder,
        progress.step("dbt") as findings,
        recorder.step("dbt", findings),
    ):
        require(settings, "hdfs", "metastore", "thrift")
        progress.detail("dbt reads its project")
        try:
            nodes = dbt.build(
                settings,
                arguments,
                instant_text(instant) if instant else None,
                None,
                lambda name, done: progress.detail(f"{done} nodes done, now {name}"),
                run_id,
                progress.note,
            )
        except dbt.DbtFailed as failed:
            recorder.dbt(failed.nodes)
            raise
        recorder.dbt(nodes)
        findings.append(node_costs(nodes) or "nothing selected")
        findings += dbt.warnings(nodes)


def docs(
    serve: Annotated[bool, typer.Option(help="Serve the site until interrupted.")] = True,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the site is served, on loopback.")] = 8580,
) -> None:
    """Make the lineage site: models, column lineage, table diagrams, and what is documented and tested."""
    from lakehouse.services.health import require
    from orchestration import dbt, lineage
    from orchestration.progress import Progress
    from orchestration.serve import serve_pages

    settings = load_settings()
    require(settings, "hdfs", "metastore", "thrift")
    with Progress() as progress, progress.step("docs") as findings:
        progress.detail("dbt compiles its models and reads the catalogue")
        target = dbt.document(settings)
        progress.detail("tracing columns and drawing tables")
        site = lineage.build(target, settings.home / "dbt" / "site", lineage.lock_of(settings.home))
        findings.append(
            f"{site.total.documented} of {site.total.columns} columns documented, {site.total.tested} tested, "
            f"{site.total.traced} of {site.total.traceable} traced: {site.folder / 'index.html'}"
        )
    if serve:
        serve_pages(site.folder, settings.bind, port, "The lineage site")


def _run(
    settings: Settings,
    requests: "tuple[IngestRequest | ApiRequest, ...]",
    gold_as_of: datetime | None,
    is_demo: bool,
) -> None:
    from lakehouse.ops.journal import new_run_id
    from lakehouse.services.health import require
    from orchestration import cycle, steps, summary
    from orchestration.progress import Progress
    from orchestration.recording import recorded_cycle

    kind = "demo" if is_demo else "run"
    run_id = new_run_id(settings.home, kind, now())
    with Progress() as progress:
        asked = cycle.Cycle(settings, run_id, progress, requests, gold_as_of, now, turns_standin=is_demo)
        with recorded_cycle(asked, kind, _told(requests)):
            if is_demo:
                _start_services(asked)
            else:
                require(settings, "hdfs", "metastore", "thrift", "mongo")
                asked.start_spark()
            steps.run(asked)
            progress.detail("counting")
            summary.show(asked, console)
    asked.spark.stop()


def _start_services(asked: "Cycle") -> None:
    """Start the services and, meanwhile, the job's JVM; the first step of a demo."""
    from lakehouse.services import process, stack
    from orchestration.steps import recorded_step

    settings, progress = asked.settings, asked.progress
    with progress.step("services") as findings, recorded_step(asked, "services", findings):
        progress.detail("fetching JVM artefacts, once")
        stack.fetch(settings)
        asked.start_spark()
        # One that serves another catalogue may be running.
        process.stop(settings.home, "tmdb")
        try:
            states = stack.up(settings, lambda service, event: progress.detail(f"{service} {event}"))
        except LakehouseError:
            # What went wrong would be written to the JVM's log.
            asked.await_spark()
            raise
        findings.append(", ".join(state.name for state in states if state.works))


def _told(requests: "tuple[IngestRequest | ApiRequest, ...]") -> dict[str, object]:
    """What a run was asked for, for its record: the batches that it lands, and the instants that they take for now."""
    from ingestion.run import IngestRequest, batch_of
    from ingestion.tmdb.run import name_of

    return {
        "batches": [
            batch_of(one).batch_id if isinstance(one, IngestRequest) else one.batch_id or name_of(one)
            for one in requests
        ],
        "as_of": [instant_text(one.as_of) for one in requests],
    }
