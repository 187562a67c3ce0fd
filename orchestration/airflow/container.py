"""One of Airflow's processes as the only one of a container: `python -m orchestration.airflow.container airflow-api`.

As `lakehouse.services.container`, for what stands above it. The processes share the home, and so its secrets.
"""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from lakehouse.errors import ServiceError
from lakehouse.services.container import become
from lakehouse.services.process import Command
from lakehouse.settings import Settings, load_settings
from orchestration.airflow import server
from orchestration.airflow.instance import environment

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Part(StrEnum):
    """What a container can be; `airflow-prepare` ends when database, connections and dbt's manifest are there."""

    prepare = "airflow-prepare"
    api = "airflow-api"
    scheduler = "airflow-scheduler"
    parser = "airflow-parser"
    triggerer = "airflow-triggerer"


_REPORTED_AS = {
    Part.api: "metadatabase",
    Part.scheduler: "scheduler",
    Part.parser: "dag_processor",
    Part.triggerer: "triggerer",
}


@app.command()
def main(
    part: Annotated[Part, typer.Argument(help="What to be.")],
    check: Annotated[bool, typer.Option("--check", help="Ask the API how this part is.")] = False,
) -> None:
    """Be one process of Airflow, in the foreground."""
    settings = load_settings()
    if check:
        print(checked(part, settings))
    else:
        become(prepared(part, settings), settings)


def prepared(part: Part, settings: Settings) -> Command:
    """Give how a part is started; before the preparation, say who may log in."""
    if part is Part.prepare:
        server.write_passwords(settings)
        return Command(part, [sys.executable, "-m", "orchestration.airflow.prepare"], environment(settings))
    return next(command for command in server.commands(settings) if command.name == part)


def checked(part: Part, settings: Settings) -> str:
    """How the API says that a part is.

    Raises:
        ServiceError: it is not healthy, or the API does not answer.
    """
    state = server.health(settings).get(_REPORTED_AS.get(part, ""), "unknown")
    if state != "healthy":
        raise ServiceError(f"{part} is {state}.")
    return state


if __name__ == "__main__":
    from lakehouse.cli import run_safely

    run_safely(app)
