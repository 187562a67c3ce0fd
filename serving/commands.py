"""`lakehouse export`, and the export as a step of the cycle."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from serving.export import MartReport


def register(app: typer.Typer) -> None:
    """Add `export` to the `lakehouse` command."""
    app.command("export")(export_command)


def publish(
    spark: "SparkSession",
    settings: Settings,
    run_id: str,
    on_detail: Callable[[str], None] = lambda text: None,
) -> "list[MartReport]":
    """Publish every declared mart to the MongoDB of the settings.

    Args:
        spark: a session that sees the `gold` tables.
        settings: what is in force.
        run_id: names the run in `_publications`.
        on_detail: told what is being done, in words.

    Raises:
        ExportError: as `serving.export.export` raises it.
    """
    from serving.export import export
    from serving.marts import MARTS

    return export(
        spark,
        settings.mongo.uri.get_secret_value(),
        settings.mongo.database,
        MARTS,
        run_id,
        settings.export.batch_size,
        as_of=gold_as_of(spark),
        on_step=lambda mart, phase: on_detail(f"{phase} {mart}"),
    )


def gold_as_of(spark: "SparkSession") -> datetime | None:
    """The instant that Gold looks back from, as dbt recorded it; None before the first build."""
    if not spark.catalog.tableExists("silver.as_of"):
        return None
    row = spark.sql("select unix_millis(as_of_at) as milliseconds from silver.as_of").head()
    if row is None or row.milliseconds is None:
        return None
    return datetime.fromtimestamp(row.milliseconds / 1000, UTC)


def export_command(
    run_id: Annotated[
        str, typer.Option(help="Names the run in MongoDB's _publications; by default made of the time.")
    ] = "",
) -> None:
    """Publish the Gold marts to MongoDB: staged, reconciled by count and content hash, then swapped in."""
    from lakehouse.clock import now
    from lakehouse.settings import load_settings, mask
    from lakehouse.spark import spark_session
    from lakehouse.terminal import console, table
    from serving.mongo import connect

    settings = load_settings()
    # Asked first: it costs nothing, and Spark takes seconds to start.
    connect(settings.mongo.uri.get_secret_value(), settings.mongo.database)
    with console.status("starting Spark") as spinner:
        spark = spark_session(settings, "export")
        reports = publish(spark, settings, run_id or f"export-{now():%Y%m%dT%H%M%SZ}", spinner.update)
    rows = [
        (report.mart, f"{report.rows:,}", report.indexes, report.content_hash, f"{report.seconds:.1f}")
        for report in reports
    ]
    columns = ["collection", "documents", "indexes", "content hash", "seconds"]
    console.print(table("", columns, rows, right=["documents", "indexes", "seconds"]))
    server = mask(settings.mongo.uri.get_secret_value())
    console.print(f"[dim]published to {server}, database {settings.mongo.database}[/]")
