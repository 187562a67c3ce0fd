"""`lakehouse graph`: the network, paths through it and a picture of it; and the network as a step of the cycle."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from graph_jobs.run import NetworkSummary
    from lakehouse.upkeep import Maintained

graph_app = typer.Typer(help="The actor network: compute it, find paths through it, draw it.")


def register(app: typer.Typer) -> None:
    """Add `graph` to the `lakehouse` command."""
    app.add_typer(graph_app, name="graph")


def build_network(
    spark: "SparkSession",
    settings: Settings,
    on_detail: Callable[[str], None] = lambda text: None,
    anew: bool = False,
) -> "NetworkSummary":
    """Compute the actor network from Silver and replace the tables of `graph` where it changed.

    Args:
        spark: a session that sees the `silver` tables.
        settings: what is in force.
        on_detail: told what is being done, in words.
        anew: also where nothing changed; see `graph_jobs.run.run`.

    Raises:
        GraphError: as `graph_jobs.run.run` raises it.
        StorageError: HDFS or the metastore does not answer, or takes no writes.
    """
    from graph_jobs.betweenness import BetweennessOptions
    from graph_jobs.run import NetworkOptions, run
    from lakehouse.locks import exclusive
    from lakehouse.storage import storage_failures

    graph = settings.graph
    options = NetworkOptions(
        max_billing=graph.max_billing,
        window_years=graph.window_years,
        target_person_id=graph.target_person_id,
        betweenness=BetweennessOptions(graph.exact_actors, graph.pivots, graph.seed),
        array_edges=graph.array_edges,
        partitions=graph.partitions,
    )
    # A second one waits, and finds nothing left to do.
    with exclusive(settings.home / "run" / "graph.lock"), storage_failures():
        return run(spark, options, on_detail, anew)


def maintain_network(
    spark: "SparkSession", settings: Settings, dry_run: bool, on_detail: Callable[[str], None] = lambda text: None
) -> "list[Maintained]":
    """Delete the files that earlier networks have left: each run replaces the tables.

    Args:
        spark: a session that sees the `graph` tables; those that do not exist yet stay away.
        settings: what is in force.
        dry_run: only say what would be done.
        on_detail: told the name of each table.

    Raises:
        StorageError: HDFS or the metastore does not answer, or takes no writes.
    """
    from graph_jobs.tables import TABLES
    from lakehouse.locks import exclusive
    from lakehouse.storage import storage_failures
    from lakehouse.upkeep import Maintained, maintain_table

    found = []
    with exclusive(settings.home / "run" / "graph.lock"), storage_failures():
        for name in TABLES:
            on_detail(name)
            if spark.catalog.tableExists(name):
                found.append(maintain_table(spark, name, dry_run))
            else:
                found.append(Maintained(name, None, None, ("not built yet",), 0.0))
    return found


@graph_app.callback(invoke_without_command=True)
def graph_command(
    context: typer.Context,
    anew: Annotated[
        bool, typer.Option("--anew", help="Compute it though nothing changed, and name the communities afresh.")
    ] = False,
) -> None:
    """Compute the actor network from Silver; nothing is done where casts and settings are those of the last time."""
    from lakehouse.settings import load_settings
    from lakehouse.spark import spark_session
    from lakehouse.terminal import console, table

    if context.invoked_subcommand:
        return
    settings = load_settings()
    with console.status("starting Spark") as spinner:
        network = build_network(spark_session(settings, "graph"), settings, spinner.update, anew)
    betweenness = (
        "exact"
        if network.betweenness_pivots == network.betweenness_sources
        else f"{network.betweenness_pivots:,} of {network.betweenness_sources:,} sources"
    )
    rows = [
        ("movies with a cast", f"{network.movies:,}"),
        ("actors", f"{network.actors:,}"),
        ("edges", f"{network.edges:,}"),
        ("components", f"{network.components:,}"),
        ("actors in the largest", f"{network.largest_component:,}"),
        ("communities", f"{network.communities:,}"),
        ("modularity", "-" if network.modularity is None else f"{network.modularity:.3f}"),
        ("betweenness", betweenness),
        ("written", "yes" if network.computed else "no: the tables hold it already"),
    ]
    console.print(table("", ["the actor network", ""], rows, right=[""]))


@graph_app.command("path")
def path_command(
    start: Annotated[str, typer.Argument(help="A person's name or id.")],
    target: Annotated[str, typer.Argument(help="Another's.")],
) -> None:
    """Show how two actors are connected: a shortest chain of people who shared movies, and which movies."""
    from graph_jobs.path_query import find_path
    from lakehouse.settings import load_settings
    from lakehouse.terminal import console, table

    settings = load_settings()
    with console.status("looking for a path"):
        path = find_path(settings, start, target)
    rows = [(str(place), step.person, step.movie) for place, step in enumerate(path)]
    console.print(table("", ["step", "person", "together in"], rows, right=["step"]))


@graph_app.command("picture")
def picture_command(
    folder: Annotated[Path, typer.Option("--to", help="Where to write it.")] = Path("network"),
) -> None:
    """Draw the largest communities: a page to open in a browser, and an SVG."""
    from graph_jobs.picture import write_picture
    from lakehouse.settings import load_settings
    from lakehouse.terminal import console

    with console.status("drawing"):
        page = write_picture(load_settings(), folder)
    console.print(f"Open {page}")
