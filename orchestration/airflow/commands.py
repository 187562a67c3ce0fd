"""`lakehouse airflow`: the scheduler of this instance."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.clock import parse_instant
from lakehouse.errors import ConfigurationError, LakehouseError, ServiceError
from lakehouse.services import process
from lakehouse.settings import Settings, load_settings
from lakehouse.terminal import console, table

if TYPE_CHECKING:
    from orchestration.airflow.client import Client

airflow = typer.Typer(help="Start, ask and end the Airflow of this instance.", no_args_is_help=True)


@airflow.command()
def up(
    unpause: Annotated[bool, typer.Option(help="Let the DAGs run by their schedule from now on.")] = False,
) -> None:
    """Start Airflow: pages and API, scheduler, parser, triggerer. The DAGs are paused until somebody unpauses them."""
    from orchestration.airflow import server
    from orchestration.airflow.client import DAGS, client
    from orchestration.airflow.instance import secrets_of

    settings = load_settings()
    began = time.monotonic()
    with console.status("starting Airflow") as spinner:
        parts = server.up(settings, spinner.update)
        if unpause:
            spinner.update("unpausing the DAGs")
            with client(settings) as asked:
                _await_dags(asked)
                for dag in DAGS:
                    asked.unpause(dag)
    console.print(f"Airflow works after {time.monotonic() - began:.0f} s ({parts}): {server.address(settings)}")
    console.print(
        f"Log in as {settings.airflow.user} with the password {secrets_of(settings).password}", highlight=False
    )
    if not unpause:
        console.print("[dim]The DAGs are paused: `lakehouse airflow trigger`, or `lakehouse airflow up --unpause`.[/]")


@airflow.command()
def down() -> None:
    """End Airflow. What it knows of runs stays."""
    from orchestration.airflow import server

    stopped = server.down(load_settings())
    for name in stopped:
        console.print(f"  {name} stopped")
    if not stopped:
        console.print("Airflow was not running.")


@airflow.command()
def status() -> None:
    """Say how each part is, and how the last runs of each DAG went. Exit code 1 where a part does not work."""
    from orchestration.airflow import server
    from orchestration.airflow.client import DAGS, client

    settings = load_settings()
    try:
        found = server.health(settings)
    except ServiceError as error:
        console.print(_parts(settings, {}))
        raise typer.Exit(1) from _told(error)
    console.print(_parts(settings, found))
    with client(settings) as asked:
        rows = [_row(dag, run) for dag in DAGS for run in asked.runs(dag)]
    if rows:
        console.print(table("", ["DAG", "run", "state", "start", "seconds"], rows, right=["seconds"]))
    else:
        console.print("No DAG has run yet: `lakehouse airflow trigger` starts tmdb_ingest.")
    if any(state != "healthy" for state in found.values()):
        raise typer.Exit(1)


@airflow.command()
def trigger(
    dag: Annotated[str, typer.Argument(help="tmdb_ingest, tmdb_transform or tmdb_aggregate.")] = "tmdb_ingest",
    since: Annotated[str | None, typer.Option("--from", help="Backfill: changes from this instant on.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Backfill: changes until this instant.")] = None,
    full_refresh: Annotated[bool, typer.Option(help="Build incremental models anew.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Say what would be done; write nothing.")] = False,
    as_of: Annotated[str | None, typer.Option("--as-of", help="The instant that the run takes for now.")] = None,
    wait: Annotated[bool, typer.Option(help="Wait until the run, and those that follow from it, have ended.")] = False,
) -> None:
    """Start a run of a DAG; those that follow it start when it has given them something to do."""
    from orchestration.airflow.client import DAGS, ENDED, client
    from orchestration.airflow.following import follow

    if dag not in DAGS:
        raise ConfigurationError(f"There is no DAG {dag}.", f"Name one of {', '.join(DAGS)}.")
    settings = load_settings()
    conf: dict[str, Any] = {"full_refresh": full_refresh, "dry_run": dry_run}
    conf |= {name: value for name, value in (("from", since), ("to", until)) if value}
    with client(settings) as asked:
        _await_dags(asked)
        for one in DAGS:
            # A paused DAG queues its run and never starts it.
            asked.unpause(one)
        before = [run["dag_run_id"] for run in asked.runs(dag) if run["state"] not in ENDED]
        run_id = asked.trigger(dag, conf, parse_instant(as_of) if as_of else None)
        if before:
            console.print(f"{dag} waits as {run_id}: a DAG runs once at a time, and {before[-1]} has not ended.")
        else:
            console.print(f"{dag} runs as {run_id}.")
        if not wait:
            return
        with console.status(f"{dag} runs") as spinner:
            ended = follow(asked, dag, run_id, spinner.update)
    for run in ended:
        console.print(f"{run.dag} {run.state} after {run.seconds:.0f} s", highlight=False)
        for task in run.failed:
            console.print(f"  [red]{task}[/]")
    if any(run.state != "success" for run in ended):
        raise LakehouseError("A run has failed.", "`lakehouse airflow status`; the tasks' logs are in Airflow's pages.")


def _await_dags(asked: "Client", seconds: float = 60) -> None:
    from orchestration.airflow.client import DAGS

    deadline = time.monotonic() + seconds
    while True:
        known = {one["dag_id"] for one in asked.ask("GET", "dags", params={"limit": 100})["dags"]}
        if known.issuperset(DAGS):
            return
        if time.monotonic() > deadline:
            errors = asked.ask("GET", "importErrors")["import_errors"]
            reason = errors[0]["stack_trace"].strip().splitlines()[-1] if errors else "they have not been parsed yet"
            raise ServiceError(f"Airflow does not know {', '.join(sorted(set(DAGS) - known))}: {reason}.")
        time.sleep(1)


def _told(error: LakehouseError) -> LakehouseError:
    from lakehouse.terminal import say_failure

    say_failure(error)
    return error


def _parts(settings: Settings, found: dict[str, str]) -> Any:
    from orchestration.airflow.server import PROCESSES

    names = dict(zip(PROCESSES, ("metadatabase", "scheduler", "dag_processor", "triggerer"), strict=True))
    rows = []
    for name in PROCESSES:
        running = process.running(settings.home, name)
        state = found.get(names[name], "down") if running else "down"
        colour = "green" if state == "healthy" else "red"
        memory = f"{process.memory_mb(running):,.0f} MiB" if running else ""
        rows.append((name, f"[{colour}]{state}[/]", running.pid if running else "", memory))
    return table("", ["process", "state", "pid", "memory"], rows, right=["pid", "memory"])


def _row(dag: str, run: dict[str, Any]) -> tuple[Any, ...]:
    colour = {"success": "green", "failed": "red"}.get(run["state"], "cyan")
    seconds = f"{run['duration']:.0f}" if run.get("duration") else ""
    return dag, run["dag_run_id"], f"[{colour}]{run['state']}[/]", str(run.get("start_date") or "")[:16], seconds
