"""The network job: Silver in, `graph.actor_edges` and `graph.actor_metrics` out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F
from pyspark.storagelevel import StorageLevel

from graph_jobs.errors import GraphError
from graph_jobs.network import MetricsOptions, metrics, plain_plans
from graph_jobs.pairs import billed_people, build_edges, build_vertices
from graph_jobs.tables import EDGES, METRICS, ensure_tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Column, DataFrame, SparkSession

# So many edges to a part. Two parts are the least: with at most two, the sums of PageRank do not depend on the order
# in which the parts are done.
EDGES_A_PARTITION = 250_000
LEAST_PARTITIONS = 2

# One file holds so many rows, at most.
ROWS_A_FILE = 4_000_000

# Ranks are kept to 12 decimals; ranks that differ by less than this differ only by the order of a sum.
SAME_RANK = 1e-11


@dataclass(frozen=True)
class NetworkOptions:
    """What the network is made of.

    Attributes:
        max_billing: an edge joins actors within the first so many places of billing.
        partitions: into how many parts the graph is cut at most; a small graph is cut into fewer.
        cast_members: the table of credits.
        movies: the table of movies.
    """

    max_billing: int = 10
    partitions: int = 4
    cast_members: str = "silver.cast_members"
    movies: str = "silver.movies"


@dataclass(frozen=True)
class NetworkSummary:
    """What the network came to.

    Attributes:
        movies: movies with at least one actor.
        actors: vertices.
        edges: pairs who shared a movie.
        components: connected components, lone actors included.
        largest_component: actors in the largest of them.
        communities: communities, lone actors included.
        modularity: of the communities (Newman & Girvan 2004), unweighted, from -0.5 to 1; None without edges.
        changed: the tables that were written; the others had the same content already.
    """

    movies: int
    actors: int
    edges: int
    components: int
    largest_component: int
    communities: int
    modularity: float | None
    changed: tuple[str, ...]

    def __str__(self) -> str:
        """Give the network in one line."""
        if not self.actors:
            return "no actors"
        modularity = "" if self.modularity is None else f" (modularity {self.modularity:.2f})"
        unchanged = "" if self.changed else ", unchanged"
        return (
            f"{self.actors:,} actors, {self.edges:,} edges, {self.components:,} components, "
            f"{self.communities:,} communities{modularity}{unchanged}"
        )


def run(
    spark: SparkSession,
    options: NetworkOptions | None = None,
    on_detail: Callable[[str], None] = lambda text: None,
) -> NetworkSummary:
    """Compute the actor network and replace the two tables with it.

    Each table is replaced in one Delta commit, and only where its content changes: a second run over the same Silver
    writes nothing. Killed between the two, the next run completes it. Without a table of credits, or with an empty
    one, both tables end up empty.

    Args:
        spark: a session with Delta that sees the tables; its adaptive execution is off while the job runs.
        options: what the network is made of.
        on_detail: told what is being done, in words.

    Raises:
        GraphError: `max_billing` or `partitions` is out of range, or the result breaks a law; nothing is written then.
    """
    options = options or NetworkOptions()
    if options.max_billing < 2 or options.partitions < 1:
        raise GraphError(
            f"max_billing is {options.max_billing} and partitions is {options.partitions}.",
            "Set graph.max_billing to 2 or more and graph.partitions to 1 or more.",
        )
    ensure_tables(spark)
    held: list[DataFrame] = []

    def hold(frame: DataFrame) -> DataFrame:
        held.append(frame.persist(StorageLevel.MEMORY_AND_DISK))
        return held[-1]

    try:
        with plain_plans(spark, max(options.partitions, LEAST_PARTITIONS)):
            on_detail("reading casts")
            billed = hold(billed_people(*_silver(spark, options), options.max_billing))
            vertices = build_vertices(billed)
            edges = hold(build_edges(billed))
            pairs = edges.count()
            parts = max(LEAST_PARTITIONS, min(options.partitions, -(-pairs // EDGES_A_PARTITION)))
            found = metrics(vertices, edges, MetricsOptions(partitions=parts), on_detail)
            held.append(found)
            on_detail("comparing with the tables")
            changed = tuple(
                table
                for table, frame, keys in (
                    (EDGES, edges, ("person_id_a", "person_id_b")),
                    (METRICS, found, ("person_id",)),
                )
                if _replace(spark, table, frame, keys, on_detail)
            )
            return _summary(billed, edges, found, pairs, changed)
    finally:
        for frame in held:
            frame.unpersist()


def _silver(spark: SparkSession, options: NetworkOptions) -> tuple[DataFrame, DataFrame]:
    if not spark.catalog.tableExists(options.cast_members):
        return (
            spark.createDataFrame([], "movie_id string, person_id bigint, billing_order int, credit_id string"),
            spark.createDataFrame([], "movie_id string, release_year int"),
        )
    return spark.table(options.cast_members), spark.table(options.movies)


def _replace(
    spark: SparkSession, table: str, frame: DataFrame, keys: tuple[str, ...], on_detail: Callable[[str], None]
) -> bool:
    """Replace a table's rows in one commit; False, and nothing done, where it holds them already."""
    target = spark.table(table)
    rows = frame.select(*(F.col(field.name).cast(field.dataType) for field in target.schema))
    if not _differs(target, rows, keys):
        return False
    on_detail(f"writing {table}")
    files = -(-rows.count() // ROWS_A_FILE) or 1
    ordered = rows.repartitionByRange(files, *keys) if files > 1 else rows.coalesce(1)
    ordered.sortWithinPartitions(*keys).write.format("delta").mode("overwrite").saveAsTable(table)
    return True


def _differs(left: DataFrame, right: DataFrame, keys: tuple[str, ...]) -> bool:
    """Whether two frames of one schema, both with one row a key, differ in anything but the last digits of a rank."""
    columns = [name for name in left.columns if name not in keys]

    def same(name: str) -> Column:
        if name == "pagerank":
            return F.abs(F.col(f"left.{name}") - F.col(f"right.{name}")) < SAME_RANK
        return F.col(f"left.{name}").eqNullSafe(F.col(f"right.{name}"))

    on = [F.col(f"left.{key}") == F.col(f"right.{key}") for key in keys]
    joined = left.alias("left").join(right.alias("right"), on, "full_outer")
    both = F.col(f"left.{keys[0]}").isNotNull() & F.col(f"right.{keys[0]}").isNotNull()
    alike = both
    for name in columns:
        alike = alike & F.coalesce(same(name), F.lit(False))
    return not joined.where(~alike).limit(1).isEmpty()


def _summary(
    billed: DataFrame, edges: DataFrame, found: DataFrame, pairs: int, changed: tuple[str, ...]
) -> NetworkSummary:
    sizes = found.groupBy("component_id").count()
    components = sizes.agg(F.count("*").alias("n"), F.max("count").alias("most")).collect()[0]
    communities = found.agg(F.countDistinct("community_id").alias("n"), F.count("*").alias("actors")).collect()[0]
    return NetworkSummary(
        movies=billed.count(),
        actors=communities.actors,
        edges=pairs,
        components=components.n,
        largest_component=components.most or 0,
        communities=communities.n,
        modularity=modularity(edges, found, pairs) if pairs else None,
        changed=changed,
    )


def modularity(edges: DataFrame, found: DataFrame, pairs: int) -> float:
    """Return the modularity of the communities: sum over them of L/m - (D/2m)^2 (Newman & Girvan 2004).

    L counts the edges inside a community, D sums the degrees of its members, m counts all edges; weights are ignored.

    Args:
        edges: person_id_a, person_id_b.
        found: person_id, degree, community_id.
        pairs: the number of edges, at least 1.
    """
    community = found.select("person_id", "community_id")
    inside = (
        edges.join(community.toDF("person_id_a", "community_a"), "person_id_a")
        .join(community.toDF("person_id_b", "community_b"), "person_id_b")
        .where("community_a = community_b")
        .count()
    )
    halves = found.groupBy("community_id").agg(F.sum("degree").alias("degrees"))
    row = halves.agg(F.sum((F.col("degrees") / (2 * pairs)) ** 2).alias("expected")).collect()[0]
    return float(inside / pairs - row.expected)
