"""`lakehouse graph`, and the network as a step of the cycle."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from lakehouse.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from graph_jobs.run import NetworkSummary


def register(app: typer.Typer) -> None:
    """Add `graph` to the `lakehouse` command."""
    app.command("graph")(graph_command)


def build_network(
    spark: "SparkSession", settings: Settings, on_detail: Callable[[str], None] = lambda text: None
) -> "NetworkSummary":
    """Compute the actor network from Silver and replace the tables of `graph` where it changed.

    Args:
        spark: a session that sees the `silver` tables.
        settings: what is in force.
        on_detail: told what is being done, in words.

    Raises:
        GraphError: as `graph_jobs.run.run` raises it.
    """
    from graph_jobs.run import NetworkOptions, run

    return run(spark, NetworkOptions(settings.graph.max_billing, settings.graph.partitions), on_detail)


def graph_command() -> None:
    """Compute the actor network from Silver: degrees, PageRank, components, communities."""
    from lakehouse.settings import load_settings
    from lakehouse.spark import spark_session
    from lakehouse.terminal import console, table

    settings = load_settings()
    with console.status("starting Spark") as spinner:
        network = build_network(spark_session(settings, "graph"), settings, spinner.update)
    rows = [
        ("movies with a cast", f"{network.movies:,}"),
        ("actors", f"{network.actors:,}"),
        ("edges", f"{network.edges:,}"),
        ("components", f"{network.components:,}"),
        ("actors in the largest", f"{network.largest_component:,}"),
        ("communities", f"{network.communities:,}"),
        ("modularity", "-" if network.modularity is None else f"{network.modularity:.3f}"),
        ("written", ", ".join(network.changed) or "nothing: the tables hold it already"),
    ]
    console.print(table("", ["the actor network", ""], rows, right=[""]))
