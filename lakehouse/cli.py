"""The `lakehouse` command: the services' own commands here, the rest from the packages' entry points."""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from importlib.metadata import entry_points
from typing import Annotated, Any

import typer

from lakehouse.errors import LakehouseError
from lakehouse.settings import flatten, load_settings, origins
from lakehouse.terminal import console, say_failure, table

app = typer.Typer(
    name="lakehouse",
    help="TMDB Lakehouse: movie data through HDFS, Delta, dbt, GraphFrames and MongoDB.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    json = "json"
    csv = "csv"


@app.command()
def up() -> None:
    """Start HDFS, the metastore, the Thrift server and MongoDB, those that do not run yet."""
    from lakehouse.services import stack

    settings = load_settings()
    began = time.monotonic()
    with console.status("starting the services") as spinner:

        def on_event(service: str, event: str) -> None:
            spinner.update(f"starting the services ({time.monotonic() - began:.0f} s)")
            console.print(f"  [bold]{service:<10}[/] {event}")

        states = stack.up(settings, on_event)
    console.print(_states(states))
    if settings.runs_own_mongo:
        console.print("[yellow]MongoDB is the in-memory stand-in: its collections are gone after `lakehouse down`.[/]")


@app.command()
def down() -> None:
    """End the services that run here. Tables stay; the in-memory MongoDB stand-in loses its collections."""
    from lakehouse.services import stack

    settings = load_settings()
    stopped = stack.down(settings, lambda service, event: console.print(f"  {event}"))
    if not stopped:
        console.print("No service was running.")
    elif "mongo" in stopped:
        console.print(
            "[yellow]The MongoDB stand-in kept its collections in memory: `lakehouse export` fills it again.[/]"
        )


@app.command()
def status() -> None:
    """Say how each service is, found out by a real call, and how the last run went. Exit code 1 where one is down."""
    from lakehouse.ops.commands import say_state
    from lakehouse.services import stack

    settings = load_settings()
    states = stack.status(settings)
    console.print(_states(states))
    # One sentence where several wait for the same.
    for next_step in dict.fromkeys(state.next_step for state in states if not state.works):
        console.print(next_step)
    console.print()
    say_state(settings)
    if not all(state.works for state in states):
        raise typer.Exit(1)


def _states(states: list[Any]) -> Any:
    rows = [
        (
            state.name,
            "[green]works[/]" if state.works else "[red]down[/]",
            state.address,
            ", ".join(map(str, state.pids)),
            f"{state.memory_mb:.0f} MiB" if state.pids else "",
            state.finding,
        )
        for state in states
    ]
    return table("", ["service", "state", "address", "pid", "memory", "finding"], rows, right=["memory"])


@app.command()
def config() -> None:
    """Print every setting in force, and where its value came from; secrets are masked."""
    settings = load_settings()
    sources = origins()
    rows = [(name, value, sources.get(name, "default")) for name, value in flatten(settings).items()]
    console.print(table("", ["setting", "value", "from"], rows))


@app.command()
def doctor() -> None:
    """Check what the lakehouse needs on this machine. Exit code 1 where something is missing."""
    from lakehouse.doctor import examine

    findings = examine(load_settings())
    marks = {True: "[green]ok[/]", False: "[red]missing[/]", None: "[yellow]note[/]"}
    console.print(
        table(
            "",
            ["check", "", "finding", "next step"],
            [(f.check, marks[f.good], f.found, f.next_step) for f in findings],
        )
    )
    if any(finding.good is False for finding in findings):
        raise typer.Exit(1)


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(help="One SQL statement, in Spark's dialect.")],
    output: Annotated[Format, typer.Option("--format", help="How rows are printed.")] = Format.table,
) -> None:
    """Ask the Thrift server; every UDF can be called."""
    from lakehouse.hive import query

    answer = query(load_settings(), statement)
    if output is Format.json:
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        print(json.dumps(rows, default=str, ensure_ascii=False, indent=1))
    elif output is Format.csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(answer.columns)
        writer.writerows(answer.rows)
    elif answer.columns:
        escaped = [
            [str(value).replace("[", r"\[") if value is not None else "NULL" for value in row] for row in answer.rows
        ]
        console.print(table("", answer.columns, escaped))
        console.print(f"[dim]{len(answer.rows)} rows[/]")
    else:
        console.print("[dim]done[/]")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def hdfs(context: typer.Context) -> None:
    """Run Hadoop's file system shell, e.g. `lakehouse hdfs -ls -R /warehouse`."""
    from lakehouse.artefacts import ensure_jars
    from lakehouse.java import java_home
    from lakehouse.services.hdfs import classpath, java_command, write_configuration
    from lakehouse.services.health import require

    settings = load_settings()
    require(settings, "hdfs")
    write_configuration(settings)
    java = str(java_home(settings.cache) / "bin" / "java")
    shell = "org.apache.hadoop.fs.FsShell"
    argv = java_command(settings, java, classpath(ensure_jars(settings.cache)), 256, shell)
    raise typer.Exit(subprocess.run([*argv, *context.args], check=False).returncode)


def build_app() -> typer.Typer:
    """The whole command: what the other packages add is found through their entry points."""
    for point in sorted(entry_points(group="lakehouse.commands"), key=lambda point: point.name):
        point.load()(app)
    return app


def run_safely(work: Callable[[], None]) -> None:
    """Run `work`. An error that a person can act on becomes a sentence, and exit code 1."""
    try:
        work()
    except LakehouseError as error:
        if os.environ.get("LAKEHOUSE_TRACEBACK"):
            raise
        say_failure(error)
        sys.exit(1)
    except KeyboardInterrupt:
        say_failure(LakehouseError("Interrupted.", "Every step can be run again; nothing is left half done."))
        sys.exit(130)


def main() -> None:
    """Run the command."""
    run_safely(lambda: build_app()(standalone_mode=True))


if __name__ == "__main__":
    main()
