"""`lakehouse maintain`: OPTIMIZE and VACUUM of the models' tables, by dbt's operation `maintain`."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.table import Table

from lakehouse.errors import ConfigurationError
from lakehouse.settings import Settings, load_settings
from lakehouse.terminal import console, table
from orchestration.dbt import DbtFailed, common_arguments, environment_set

_MARK = "lakehouse.maintain "
"""What the lines begin with that the operation logs for this program: JSON, when a table begins and when it ends."""


@dataclass(frozen=True)
class Maintained:
    """What became of one table.

    Args:
        table: `schema.table`.
        files_before: files that the table consisted of; None where there is no table yet.
        files_after: the same, afterwards.
        done: what was done, in words; empty where there was nothing to do.
        seconds: how long it took.
    """

    table: str
    files_before: int | None
    files_after: int | None
    done: tuple[str, ...]
    seconds: float


def maintain(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    select: Annotated[str | None, typer.Option("--select", "-s", help="dbt's node selection; all without it.")] = None,
) -> None:
    """Put the small files of the models' tables together (OPTIMIZE), and delete old ones (VACUUM)."""
    from lakehouse.services.health import require
    from orchestration.progress import Progress

    settings = load_settings()
    require(settings, "hdfs", "metastore", "thrift")
    with Progress() as progress, progress.step("maintain") as findings:
        progress.detail("dbt reads its project")
        names = selected(settings, select) if select else None
        found = run(settings, dry_run, names, progress.detail)
        busy = f"{sum(bool(one.done) for one in found)} of {len(found)} tables had something to do"
        findings.append(f"{busy}; a dry run, nothing was done" if dry_run else busy)
    console.print()
    console.print(report(found))


def selected(settings: Settings, select: str) -> list[str]:
    """The names of the models and snapshots that dbt's node selection `select` names.

    Raises:
        ConfigurationError: it names none.
        DbtFailed: dbt cannot read the selection.
    """
    from dbt.cli.main import dbtRunner

    with environment_set(settings):
        answer = dbtRunner().invoke(
            [
                *("list", "--select", *select.split(), "--output", "name"),
                *("--resource-type", "model", "--resource-type", "snapshot", "--quiet"),
                # Views have no files; a selection that names one along with tables is a good one.
                *("--exclude", "config.materialized:view", "config.materialized:ephemeral"),
                *common_arguments(settings),
            ]
        )
    if not answer.success:
        raise DbtFailed(f"dbt cannot read --select {select!r}: {sentence(str(answer.exception))}", "Correct it.")
    names = [str(name) for name in answer.result] if isinstance(answer.result, list) else []
    if not names:
        raise ConfigurationError(
            f"--select {select!r} names no model with a table of its own.",
            "See `dbt ls --resource-type model` for the names.",
        )
    return names


def run(
    settings: Settings,
    dry_run: bool,
    names: Sequence[str] | None = None,
    on_table: Callable[[str], None] = lambda name: None,
) -> list[Maintained]:
    """Run the operation; give what became of each table.

    Args:
        settings: names the project and the Thrift server.
        dry_run: only say what would be done.
        names: models and snapshots; all where None.
        on_table: told the name of each table that is begun.

    Raises:
        DbtFailed: a setting makes no sense, or Spark refused a statement; tables before the one named are done.
    """
    from dbt.cli.main import dbtRunner

    found: list[Maintained] = []
    begun: list[str] = []
    errors: list[str] = []

    def listen(event: Any) -> None:
        if event.info.name in ("RunningOperationCaughtError", "RunningOperationUncaughtError"):
            errors.append(event.data.exc)
        elif event.info.name == "JinjaLogDebug":
            told = read_line(event.data.msg)
            if isinstance(told, Maintained):
                found.append(told)
            elif told:
                begun.append(told)
                on_table(told)

    arguments = json.dumps({"dry_run": dry_run, "select": None if names is None else list(names)})
    with environment_set(settings):
        answer = dbtRunner(callbacks=[listen]).invoke(
            ["run-operation", "maintain", "--args", arguments, *common_arguments(settings)]
        )
    if not answer.success:
        reason = sentence(errors[0] if errors else str(answer.exception or "unknown"))
        place = f" at {begun[-1]}" if begun else ""
        raise DbtFailed(
            f"Maintenance stopped{place}: {reason}",
            f"See {settings.home / 'logs' / 'dbt.log'}; what was done before stays, and it can be run again.",
        )
    return found


def read_line(line: str) -> Maintained | str | None:
    """What a line of dbt's log tells: a table that is begun (its name), one that is done, or nothing of ours."""
    if not line.startswith(_MARK):
        return None
    told = json.loads(line.removeprefix(_MARK))
    if "seconds" not in told:
        return str(told["table"])
    return Maintained(**{**told, "done": tuple(told["done"])})


def sentence(error: str) -> str:
    """What an error of dbt says, without the kinds of error around it and the macros that called each other."""
    from lakehouse.hive import plain_message

    lines = [line.strip() for line in error.splitlines()]
    said = [
        line
        for line in lines
        if line and not re.match(r"(> in |> called by |(Runtime|Compilation|Database) Error)", line)
    ]
    return plain_message("\n".join(said)) if said else "unknown"


def report(found: Sequence[Maintained]) -> Table:
    """A line a table, and one for all."""
    rows: list[tuple[Any, ...]] = [
        (one.table, one.files_before, one.files_after, ", ".join(one.done) or "nothing to do", f"{one.seconds:.1f}")
        for one in found
    ]
    rows.append(
        (
            "in all",
            sum(one.files_before or 0 for one in found),
            sum(one.files_after or 0 for one in found),
            "",
            f"{sum(one.seconds for one in found):.1f}",
        )
    )
    numbers = ["files before", "files after", "seconds"]
    return table("Tables", ["table", "files before", "files after", "done", "seconds"], rows, right=numbers)
