"""`lakehouse export`, and the export as a step of the cycle."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from rich.table import Table

    from serving.export import MartReport
    from serving.marts import Mart

AS_OF = "silver.as_of"


def register(app: typer.Typer) -> None:
    """Add `export` to the `lakehouse` command."""
    app.command("export")(export_command)


def export_marts(
    spark: "SparkSession",
    settings: Settings,
    run_id: str,
    on_detail: Callable[[str], None] = lambda text: None,
    marts: "Sequence[Mart] | None" = None,
) -> "list[MartReport]":
    """Export the declared marts, as readers of `gold` see them now, to the MongoDB of the settings.

    What is published is asked once: all collections are of that one publication. A mart that it does not have is no
    collection either. One process of the instance exports at a time; a second waits, and exports what is published
    then.

    Args:
        spark: a session that sees the `gold_build` tables.
        settings: what is in force.
        run_id: names the run in `_publications`.
        on_detail: told what is being done, in words.
        marts: what is declared; None: `serving.marts.MARTS`.

    Raises:
        ExportError: nothing is published yet; or as `serving.export.export` raises it.
    """
    from lakehouse.locks import exclusive
    from serving.errors import ExportError
    from serving.export import export
    from serving.marts import MARTS
    from serving.publication import current_publication

    with exclusive(settings.home / "run" / "export.lock"):
        publication = current_publication(spark)
        if publication is None:
            raise ExportError("Nothing is published yet that could be exported.", "Run `lakehouse publish` first.")
        return export(
            spark,
            settings.mongo.uri.get_secret_value(),
            settings.mongo.database,
            [mart for mart in (MARTS if marts is None else marts) if mart.name in publication.marts],
            run_id,
            settings.export.batch_size,
            as_of=publication.as_of,
            publication=publication,
            on_step=lambda mart, phase: on_detail(f"{phase} {mart}"),
        )


def gold_as_of(spark: "SparkSession", marts: Mapping[str, datetime]) -> datetime | None:
    """The instant that Gold looks back from, as dbt recorded it before it built the marts.

    A Silver that was built after them states another one, which is not theirs.

    Args:
        spark: a session that sees `silver.as_of`.
        marts: mart -> the instant of its last commit, as `serving.publication.newest` gives it.

    Returns:
        None where there is no mart, or where the version of `silver.as_of` that was there before the last of them was
        built can no longer be read.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    if not marts or not spark.catalog.tableExists(AS_OF):
        return None
    built_at = round(max(marts.values()).timestamp() * 1000)
    before = spark.sql(f"describe history {AS_OF}").where(f"unix_millis(timestamp) <= {built_at}")
    try:
        (last,) = before.selectExpr("max(version) as version").collect()
        if last.version is None:
            return None
        row = spark.sql(
            f"select unix_millis(as_of_at) as milliseconds from {AS_OF} version as of {last.version}"
        ).head()
    except (PySparkException, Py4JError):
        return None
    if row is None or row.milliseconds is None:
        return None
    return datetime.fromtimestamp(row.milliseconds / 1000, UTC)


def export_command(
    run_id: Annotated[
        str, typer.Option(help="Names the run in MongoDB's _publications; by default made of the time.")
    ] = "",
) -> None:
    """Export what is published of Gold to MongoDB: staged, reconciled by count and content hash, then swapped in."""
    from lakehouse.clock import now
    from lakehouse.ops.journal import new_run_id
    from lakehouse.ops.recording import recorded
    from lakehouse.settings import load_settings, mask
    from lakehouse.spark import spark_session
    from lakehouse.terminal import console
    from serving.mongo import connect

    settings = load_settings()
    name = run_id or new_run_id(settings.home, "export", now())
    with console.status("starting Spark") as spinner, recorded(settings, name, "export", {}, now):
        # Asked first: it costs nothing, and Spark takes seconds to start.
        connect(settings.mongo.uri.get_secret_value(), settings.mongo.database)
        spark = spark_session(settings, "export")
        reports = export_marts(spark, settings, name, spinner.update)
    console.print(exported(reports))
    server = mask(settings.mongo.uri.get_secret_value())
    console.print(f"[dim]exported to {server}, database {settings.mongo.database}[/]")


def exported(reports: "list[MartReport]") -> "Table":
    """A line a collection, for the terminal."""
    from lakehouse.terminal import table

    rows = [
        (report.mart, f"{report.rows:,}", _indexes(report), report.content_hash, f"{report.seconds:.1f}")
        for report in reports
    ]
    columns = ["collection", "documents", "indexes", "content hash", "seconds"]
    return table("", columns, rows, right=["documents", "indexes", "seconds"])


def _indexes(report: "MartReport") -> str:
    left_out = f" (without {', '.join(report.left_out)})" if report.left_out else ""
    return f"{report.indexes}{left_out}"
