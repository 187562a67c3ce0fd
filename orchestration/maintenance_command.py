"""`lakehouse maintain`: retention of Bronze and of event logs, and OPTIMIZE and VACUUM of all tables.

Bronze is done by `ingestion.maintenance` under the lease `bronze`, the network's tables by `graph_jobs`, those of `ops`
by `lakehouse.ops`, all in one Spark session; the models' tables are done by dbt's operation `maintain`.
"""

import json
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from lakehouse.clock import now, parse_instant
from lakehouse.errors import ConfigurationError
from lakehouse.settings import Settings, load_settings
from lakehouse.terminal import console, table
from lakehouse.upkeep import Maintained
from orchestration.dbt import DbtFailed, common_arguments, environment_set

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from ingestion.maintenance import BronzeMaintained
    from ingestion.retention import RetentionPlan

_MARK = "lakehouse.maintain "
"""What the lines begin with that the operation logs for this program: JSON, when a table begins and when it ends."""


def maintain(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    delete_expired: Annotated[
        bool,
        typer.Option("--delete-expired", help="Delete from Bronze what is older than ingest.retention_days."),
    ] = False,
    select: Annotated[
        str | None,
        typer.Option("--select", "-s", help="dbt's node selection; Bronze, graph and ops are left out."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="The instant from which age is counted (ISO 8601); without it, now.")
    ] = None,
) -> None:
    """Put small files together (OPTIMIZE), delete old ones (VACUUM), and name what has expired in Bronze.

    What has expired is deleted only with --delete-expired, and never before Silver has read it.
    """
    from graph_jobs.commands import maintain_network
    from lakehouse.ops.upkeep import maintain_ops
    from lakehouse.services.health import require
    from lakehouse.spark import spark_session
    from orchestration.progress import Progress

    if select and delete_expired:
        raise ConfigurationError(
            "--select names models, and what expires is in Bronze.", "Give --delete-expired without --select."
        )
    instant = parse_instant(as_of) if as_of else now()
    if not dry_run and instant > now():
        raise ConfigurationError(
            f"--as-of {as_of} lies ahead, and more would be deleted than is old enough.",
            "Give an instant that has been, or --dry-run.",
        )
    settings = load_settings()
    require(settings, "hdfs", "metastore", "thrift")
    found: list[Maintained] = []
    bronze: BronzeMaintained | None = None
    with Progress() as progress:
        if not select:
            with ExitStack() as held:
                with progress.step("bronze") as findings:
                    progress.detail("starting Spark")
                    spark = spark_session(settings, "maintain")
                    held.callback(spark.stop)
                    bronze = maintain_bronze(spark, settings, instant, dry_run, delete_expired, progress.detail)
                    found += bronze.tables
                    findings += [retention_sentence(bronze), _how_busy(bronze.tables, dry_run)]
                with progress.step("graph") as findings:
                    network = maintain_network(spark, settings, dry_run, progress.detail)
                    found += network
                    findings.append(_how_busy(network, dry_run))
                with progress.step("ops") as findings:
                    kept, gone = maintain_ops(spark, settings, instant, dry_run, progress.detail)
                    found += kept
                    findings += [*gone, _how_busy(kept, dry_run)]
        with progress.step("models") as findings:
            progress.detail("dbt reads its project")
            names = selected(settings, select) if select else None
            models = run(settings, dry_run, names, progress.detail)
            found += models
            findings.append(_how_busy(models, dry_run))
    console.print()
    if bronze is not None and bronze.plan.partitions:
        console.print(retention_report(bronze.plan, bronze.is_deleted))
        console.print()
    console.print(report(found))


def maintain_bronze(
    spark: "SparkSession",
    settings: Settings,
    as_of: datetime,
    dry_run: bool,
    deletes: bool,
    on_step: Callable[[str], None] = lambda step: None,
) -> "BronzeMaintained":
    """Maintain Bronze, as its only writer.

    Args:
        spark: a session that sees the `bronze` tables.
        settings: the settings in force.
        as_of: the instant from which age is counted.
        dry_run: only say what would be done; needs no lease.
        deletes: delete what has expired.
        on_step: told what is begun.

    Raises:
        LeaseHeld: another process writes Bronze.
        StorageError: HDFS does not take what is written.
    """
    from ingestion.maintenance import maintain_bronze as maintain
    from ingestion.tables import BRONZE
    from ingestion.writer import only_writer

    days = settings.ingest.retention_days
    if dry_run:
        return maintain(spark, None, as_of, days, on_step=on_step)
    with only_writer(spark, BRONZE, "lakehouse maintain", now) as lease:
        return maintain(spark, lease, as_of, days, deletes, on_step=on_step)


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

    variables = json.dumps({"publications_kept": settings.publication.kept})
    arguments = json.dumps({"dry_run": dry_run, "select": None if names is None else list(names)})
    with environment_set(settings):
        answer = dbtRunner(callbacks=[listen]).invoke(
            ["run-operation", "maintain", "--args", arguments, "--vars", variables, *common_arguments(settings)]
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


def _how_busy(found: Sequence[Maintained], dry_run: bool) -> str:
    busy = f"{sum(bool(one.done) for one in found)} of {len(found)} tables had something to do"
    return f"{busy}; a dry run, nothing was done" if dry_run else busy


def retention_sentence(bronze: "BronzeMaintained") -> str:
    """How much has expired, and what became of it."""
    plan = bronze.plan
    counts = {
        "observations": sum(partition.rows for partition in plan.going),
        "replayed texts": plan.replayed,
        "entries of old plans": plan.plans,
    }
    expired = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    if not expired:
        return f"nothing to delete from before {plan.before}"
    return f"deleted {expired}" if bronze.is_deleted else f"--delete-expired would delete {expired}"


def retention_report(plan: "RetentionPlan", is_deleted: bool) -> Table:
    """The partitions of Bronze that are old enough to go, neighbours of the same fate on one line."""
    from ingestion.retention import spans

    rows: list[tuple[Any, ...]] = [
        (
            f"{span.first}" if span.days == 1 else f"{span.first} to {span.last}",
            f"{span.days:,}",
            f"{span.rows:,}",
            f"{span.bytes_:,}",
            f"kept: {span.kept_because}" if span.kept_because else "deleted" if is_deleted else "to be deleted",
        )
        for span in spans(plan.partitions)
    ]
    numbers = ["partitions", "rows", "bytes"]
    title = f"bronze.movies, ingested before {plan.before}"
    return table(title, ["ingestion date", *numbers, "what becomes of it"], rows, right=numbers)
