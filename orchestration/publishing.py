"""`lakehouse publish`, `rollback` and `publications`: which version of Gold readers see."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from lakehouse.clock import instant_text, now
from lakehouse.ops.journal import new_run_id
from lakehouse.ops.recorder import Recorder
from lakehouse.ops.recording import recorded
from lakehouse.settings import Settings, load_settings
from lakehouse.terminal import console, table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from serving.publication import Publication


def publish_audited(
    spark: "SparkSession",
    settings: Settings,
    recorder: Recorder,
    on_detail: Callable[[str], None] = lambda text: None,
) -> "Publication":
    """Hold the marts in `gold_build` to their suites, and publish exactly those, with the instant that they are of.

    Raises:
        GateFailed: a mart is below a threshold; readers see what they saw.
        PublicationError: there is no mart, or one has changed while it was audited.
    """
    from expectations.telling import run_gate_and_tell
    from serving.commands import gold_as_of
    from serving.publication import newest, publish_gold

    marts = newest(spark)
    as_of = gold_as_of(spark, marts)
    run_gate_and_tell(spark, settings, ["gold"], recorder, as_of, on_detail).require_passed()
    published = publish_gold(spark, settings, recorder.run_id, as_of, recorder.now(), marts)
    recorder.facts("publications", [published.row()])
    return published


def publish(
    run_id: Annotated[str, typer.Option(help="Names the publication; by default made of the time.")] = "",
) -> None:
    """Audit what `lakehouse build` left in gold_build, and let readers of gold.* see it: all marts at once.

    MongoDB follows with `lakehouse export`.
    """
    from lakehouse.spark import spark_session

    settings = load_settings()
    name = run_id or new_run_id(settings.home, "publish", now())
    with console.status("starting Spark") as spinner, recorded(settings, name, "publish", {}, now) as recorder:
        spark = spark_session(settings, "publish")

        def auditing(table: str) -> None:
            spinner.update(f"auditing {table}")

        published = publish_audited(spark, settings, recorder, auditing)
    console.print(f"{len(published.marts)} marts are published as {published.publication_id}.")
    for aside in published.put_aside:
        console.print(f"{aside} is kept: a table of an older version that stood where readers' view belongs.")
    console.print("[dim]`lakehouse export` brings them to MongoDB.[/]")


def rollback(
    to: Annotated[
        str | None, typer.Option(help="The publication whose content readers get back; the one before, without it.")
    ] = None,
    export: Annotated[bool, typer.Option(help="Bring MongoDB back as well.")] = True,
) -> None:
    """Give readers back an earlier version of all marts, in gold.* at once, and then in MongoDB.

    After a rollback another one must say where to: one that was killed on its way to MongoDB, and is run again, would
    else go a version further.
    """
    from lakehouse.settings import mask
    from lakehouse.spark import spark_session
    from serving.commands import export_marts, exported
    from serving.mongo import connect
    from serving.publication import current_publication, roll_back

    settings = load_settings()
    asked = {"to": to, "export": export}
    name = new_run_id(settings.home, "rollback", now())
    with console.status("starting Spark") as spinner, recorded(settings, name, "rollback", asked, now) as recorder:
        if export:
            # Asked before readers are moved, and before Spark starts.
            connect(settings.mongo.uri.get_secret_value(), settings.mongo.database)
        spark = spark_session(settings, "rollback")
        if to is None:
            require_first_rollback(current_publication(spark))
        spinner.update("moving readers")
        back = roll_back(spark, settings, to, recorder.now())
        recorder.facts("publications", [back.row()])
        console.print(f"Readers of gold.* see {back.content_of} again ({back.publication_id}).")
        if not export:
            console.print("[yellow]MongoDB holds what it held: `lakehouse export` brings it back as well.[/]")
            return
        reports = export_marts(spark, settings, back.publication_id, spinner.update)
    console.print(exported(reports))
    console.print(f"[dim]exported to {mask(settings.mongo.uri.get_secret_value())}[/]")


def require_first_rollback(current: "Publication | None") -> None:
    """Refuse to go to the version before where what readers see was given back to them already.

    Raises:
        PublicationError: it was.
    """
    from serving.errors import PublicationError

    if current is not None and current.action == "rollback":
        raise PublicationError(
            f"Readers already see {current.content_of}, given back by {current.publication_id}.",
            "`lakehouse export` brings MongoDB to it; --to names an earlier one.",
        )


def publications() -> None:
    """List what was published, newest first: which one readers see, and which a rollback can go to."""
    from lakehouse.spark import spark_session
    from serving.publication import publications as known

    settings = load_settings()
    with console.status("starting Spark"):
        found = known(spark_session(settings, "publications"))
    if found:
        console.print(listed(found, settings.publication.kept))
    else:
        console.print("Nothing is published yet: `lakehouse publish` does.")


def listed(found: "list[Publication]", number: int) -> Table:
    """A line a publication; `number` of them that differ are kept."""
    from serving.publication import kept

    still_there = kept(found, number)
    rows = [
        (
            one.publication_id,
            instant_text(one.published_at),
            instant_text(one.as_of) if one.as_of else "",
            one.content_of,
            len(one.marts),
            "readers see it" if one.is_current else "kept" if one in still_there else "no longer kept",
        )
        for one in found
    ]
    columns = ["publication", "published at", "as of", "content of", "marts", ""]
    return table("", columns, rows, right=["marts"])
