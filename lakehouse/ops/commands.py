"""The commands that tell what happened: `history`, `metrics`, `history-server`; and what `status` says of runs."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings, load_settings
from lakehouse.terminal import console


def register(app: typer.Typer) -> None:
    """Add this package's commands to the `lakehouse` command."""
    app.command()(history)
    app.command()(metrics)
    app.command("history-server")(history_server)


def history(
    count: Annotated[int, typer.Argument(min=1, metavar="[N]", help="How many runs, newest first.")] = 15,
    run: Annotated[str | None, typer.Option("--run", help="Tell everything of this run; `last` began last.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Say what ran, when, how it ended and how long it took. Needs no service."""
    from lakehouse.ops import history as told
    from lakehouse.ops.journal import BULKY, OUTLINE, folder, read_run, read_runs

    settings = load_settings()
    if run is not None:
        newest = read_runs(settings.home, OUTLINE)[:1] if run == "last" else []
        path = newest[0].path if newest else folder(settings.home) / f"{run}.jsonl"
        facts = read_run(path) if path.is_file() else None
        if facts is None or not facts.run:
            raise LakehouseError(
                f"There is no journal of a run {run!r}.",
                "`lakehouse history` lists them; older runs are in ops.runs (`lakehouse sql`).",
            )
        if as_json:
            _print_json(told.as_json(facts))
            return
        for part in told.run_detail(facts):
            console.print(part)
        return
    runs = read_runs(settings.home, without=BULKY)[:count]
    if as_json:
        _print_json([facts.run for facts in runs])
    elif runs:
        console.print(told.run_table(runs))
        console.print("[dim]lakehouse history --run RUN tells more of one[/]")
    else:
        console.print("Nothing has run yet: `lakehouse demo` is a beginning.")


def _print_json(value: Any) -> None:
    print(json.dumps(value, default=lambda one: one.isoformat(), ensure_ascii=False, indent=1))


def say_state(settings: Settings) -> None:
    """Print the last run, what is published, the quality and the waiting alerts."""
    from lakehouse.ops import history as told
    from lakehouse.ops.journal import BULKY, read_alerts, read_runs

    for part in told.state(read_runs(settings.home, BULKY), read_alerts(settings.home)):
        console.print(part)


def metrics(
    to: Annotated[
        Path | None, typer.Option("--to", help="Write to this file, whole at any moment, instead of the terminal.")
    ] = None,
) -> None:
    """Give the metrics of the last runs in Prometheus' text format. Each run writes them to ops/metrics.prom."""
    from lakehouse.ops.metrics import metrics_text, recent_runs, write_metrics

    runs = recent_runs(load_settings().home)
    if to is None:
        print(metrics_text(runs), end="")
        return
    try:
        write_metrics(runs, to)
    except OSError as error:
        raise LakehouseError(f"{to} cannot be written: {error}.", "Give --to another file.") from error


def history_server() -> None:
    """Serve Spark's web UI of applications that have ended, from their event logs, until Ctrl-C."""
    from lakehouse.ops.history_server import serve

    settings = load_settings()
    console.print(f"The history server is at http://{settings.bind}:{settings.ops.history_port}/ (Ctrl-C ends it)")
    raise typer.Exit(serve(settings))
