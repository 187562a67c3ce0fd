"""The network job: Silver in, the tables of `graph` out."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F
from pyspark.storagelevel import StorageLevel

from graph_jobs.betweenness import BetweennessOptions
from graph_jobs.errors import GraphError
from graph_jobs.evolution import evolution
from graph_jobs.frames import durable_checkpoints, plain_plans
from graph_jobs.network import ARRAY_EDGES, PAGERANK_ITERATIONS, Metrics, MetricsOptions, metrics
from graph_jobs.pairs import billed_people, build_edges, build_vertices
from graph_jobs.paths import DISTANCES_SCHEMA, distances, distances_in_arrays
from graph_jobs.tables import DISTANCES, EDGES, METRICS, PERIODS, RUNS, TOP, ensure_tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame, SparkSession

# Part of what names a network: another algorithm is another result.
_VERSION = 1

# PageRank doubles ids, the arrays hold them in 64 bits: TMDB's are far below.
_GREATEST_ID = 2**40

# So many edges to a part. Two parts are the least: with at most two, the sums of PageRank do not depend on the order
# in which the parts are done.
EDGES_A_PARTITION = 250_000
LEAST_PARTITIONS = 2

# One file holds so many rows, at most.
ROWS_A_FILE = 4_000_000

# What does not change the network.
_NOT_OF_IT = ("array_edges", "partitions")

# In the order in which they are written.
_KEYS = {
    EDGES: ("person_id_a", "person_id_b"),
    METRICS: ("person_id",),
    DISTANCES: ("person_id",),
    PERIODS: ("period_kind", "first_year", "last_year"),
    TOP: ("period_kind", "first_year", "last_year", "place"),
}


@dataclass(frozen=True)
class NetworkOptions:
    """What the network is made of.

    Attributes:
        max_billing: an edge joins actors within the first so many places of billing.
        window_years: length of the rolling windows of its evolution.
        target_person_id: to whom shortest paths lead; None: the actor with the greatest weighted degree.
        betweenness: which sources it follows.
        pagerank_iterations: see `graph_jobs.network.PAGERANK_ITERATIONS`.
        array_edges: see `graph_jobs.network.MetricsOptions`; the ranks are the same.
        partitions: into how many parts the graph is cut at most; a small graph is cut into fewer.
        cast_members: the table of credits.
        movies: the table of movies.
    """

    max_billing: int = 10
    window_years: int = 5
    target_person_id: int | None = None
    betweenness: BetweennessOptions = field(default_factory=BetweennessOptions)
    pagerank_iterations: int = PAGERANK_ITERATIONS
    array_edges: int = ARRAY_EDGES
    partitions: int = 4
    cast_members: str = "silver.cast_members"
    movies: str = "silver.movies"


@dataclass(frozen=True)
class NetworkSummary:
    """What the network came to.

    Attributes:
        network_sha256: of the casts and of what it is made of.
        movies: movies with at least one actor.
        actors: vertices.
        edges: pairs who shared a movie.
        components: connected components, lone actors included.
        largest_component: actors in the largest of them.
        communities: communities, lone actors included.
        modularity: of the communities (Newman & Girvan 2004), unweighted, from -0.5 to 1; None without edges.
        betweenness_sources: actors with an edge.
        betweenness_pivots: how many of them betweenness followed.
        betweenness_bound: what no actor's betweenness is off by, with a probability of 95 %; 0 where it is exact.
        target_person_id: to whom shortest paths lead; None without actors.
        computed: False where the tables held this network already.
    """

    network_sha256: str
    movies: int
    actors: int
    edges: int
    components: int
    largest_component: int
    communities: int
    modularity: float | None
    betweenness_sources: int
    betweenness_pivots: int
    betweenness_bound: float
    target_person_id: int | None
    computed: bool = True

    def __str__(self) -> str:
        """Give the network in one line."""
        if not self.actors:
            return "no actors"
        modularity = "" if self.modularity is None else f" (modularity {self.modularity:.2f})"
        unchanged = "" if self.computed else ", unchanged"
        return (
            f"{self.actors:,} actors, {self.edges:,} edges, {self.components:,} components, "
            f"{self.communities:,} communities{modularity}{unchanged}"
        )


def run(
    spark: SparkSession,
    options: NetworkOptions | None = None,
    on_detail: Callable[[str], None] = lambda text: None,
    anew: bool = False,
) -> NetworkSummary:
    """Compute the actor network from Silver and replace its tables.

    Where casts, years and options are those of the network that the tables hold, nothing is computed. Otherwise all of
    it is: one new edge can move every path, rank and community. Each table is replaced in one Delta commit.
    `graph.network_runs` has no row from before the first of them until after the last: killed in between, dbt's tests
    refuse the mixture and the next run completes it. Without a table of credits, or with an empty one, all tables end
    up empty.

    Args:
        spark: a session with Delta that sees the tables; its adaptive execution is off while the job runs.
        options: what the network is made of.
        on_detail: told what is being done, in words.
        anew: compute it in any case, and name the communities as if there had been none before.

    Raises:
        GraphError: an option is out of range, a person id is not one, the target acted in no movie, or the result
            breaks a law; nothing is written then.
    """
    options = options or NetworkOptions()
    _require(options)
    ensure_tables(spark)
    with (
        durable_checkpoints(spark),
        plain_plans(spark, max(options.partitions, LEAST_PARTITIONS)),
        ExitStack() as held,
    ):

        def hold(frame: DataFrame) -> DataFrame:
            kept = frame.persist(StorageLevel.MEMORY_AND_DISK)
            held.callback(kept.unpersist)
            return kept

        on_detail("reading casts")
        billed = hold(billed_people(*_silver(spark, options), options.max_billing))
        network, movies = _network_sha256(billed, options)
        if not anew and (last := _last(spark, network)):
            return last
        edges = hold(build_edges(billed))
        pairs = edges.count()
        parts = max(LEAST_PARTITIONS, min(options.partitions, -(-pairs // EDGES_A_PARTITION)))
        # In a fixed order, and on HDFS: GraphFrames reads them many times and must see the same rows each time, though
        # an executor is lost or Silver is written meanwhile.
        nodes = build_vertices(billed).repartition(parts, "id").sortWithinPartitions("id").checkpoint()
        links = (
            edges.select(F.col("person_id_a").alias("src"), F.col("person_id_b").alias("dst"), "shared_movies")
            .repartition(parts, "src")
            .sortWithinPartitions("src", "dst")
            .checkpoint()
        )
        before = None if anew else spark.table(METRICS)
        how = MetricsOptions(parts, options.pagerank_iterations, options.betweenness, options.array_edges)
        found = metrics(nodes, links, before, how, on_detail)
        target = _target(found, options)
        on_detail("shortest paths")
        if target is None:
            near = spark.createDataFrame([], DISTANCES_SCHEMA)
        elif pairs <= options.array_edges:
            near = distances_in_arrays(spark, found.graph, target)
        else:
            near = distances(nodes, links, target)
        near = hold(near)
        near.count()
        on_detail("decades and windows")
        periods, top = (hold(frame) for frame in evolution(billed, options.window_years))
        summary = _summary(network, movies, pairs, found, target)
        spark.sql(f"delete from {RUNS}")
        for table, frame in zip(_KEYS, (edges, found.rows, near, periods, top), strict=True):
            on_detail(f"writing {table}")
            _replace(spark, table, frame)
        _record(spark, summary)
        return summary


def _require(options: NetworkOptions) -> None:
    if options.max_billing < 2 or options.partitions < 1 or options.window_years < 1:
        raise GraphError(
            f"max_billing is {options.max_billing}, partitions is {options.partitions} and window_years is "
            f"{options.window_years}.",
            "Set graph.max_billing to 2 or more, graph.partitions and graph.window_years to 1 or more.",
        )


def _silver(spark: SparkSession, options: NetworkOptions) -> tuple[DataFrame, DataFrame]:
    if not spark.catalog.tableExists(options.cast_members):
        return (
            spark.createDataFrame([], "movie_id string, person_id bigint, billing_order int, credit_id string"),
            spark.createDataFrame([], "movie_id string, release_year int"),
        )
    return spark.table(options.cast_members), spark.table(options.movies)


def _network_sha256(billed: DataFrame, options: NetworkOptions) -> tuple[str, int]:
    """Name the network for casts and years, whatever their order, and what is made of them; and count its movies."""
    row = billed.agg(
        F.count("*").alias("movies"),
        F.sum(F.xxhash64("movie_id", "release_year", "people").cast("decimal(38, 0)")).alias("content"),
        F.min(F.array_min("people")).alias("least"),
        F.max(F.array_max("people")).alias("greatest"),
    ).collect()[0]
    if row.movies and not 0 <= row.least <= row.greatest < _GREATEST_ID:
        raise GraphError(
            f"{options.cast_members} has person ids from {row.least} to {row.greatest}; TMDB's are positive and small.",
            "Look at `select * from silver.cast_members where person_id < 0` and at the batch that brought them.",
        )
    made_of = {name: value for name, value in asdict(options).items() if name not in _NOT_OF_IT}
    return hashlib.sha256(f"{_VERSION}|{made_of}|{row.movies}|{row.content}".encode()).hexdigest(), row.movies


def _last(spark: SparkSession, network: str) -> NetworkSummary | None:
    """What the tables hold, where that is the network in question."""
    rows = spark.table(RUNS).where(F.col("network_sha256") == network).collect()
    if len(rows) != 1:
        return None
    last = NetworkSummary(**rows[0].asDict(), computed=False)
    present = (spark.table(METRICS).count(), spark.table(EDGES).count())
    return last if present == (last.actors, last.edges) else None


def _target(found: Metrics, options: NetworkOptions) -> int | None:
    """To whom the paths lead; None where there are no actors."""
    actors = found.columns["person_id"]
    if not len(actors):
        return None
    if options.target_person_id is None:
        # Of equals the first, which has the least id.
        return int(actors[found.columns["weighted_degree"].argmax()])
    if options.target_person_id not in actors:
        raise GraphError(
            f"Nobody with the id {options.target_person_id} is in the network.",
            "Set graph.target_person_id to an id of gold.actor_centrality, or leave it out.",
        )
    return options.target_person_id


def _summary(network: str, movies: int, edges: int, found: Metrics, target: int | None) -> NetworkSummary:
    sizes = np.unique(found.columns["component_id"], return_counts=True)[1]
    return NetworkSummary(
        network_sha256=network,
        movies=movies,
        actors=len(found.columns["person_id"]),
        edges=edges,
        components=len(sizes),
        largest_component=int(sizes.max(initial=0)),
        communities=len(np.unique(found.columns["community_id"])),
        modularity=found.modularity,
        betweenness_sources=found.sources,
        betweenness_pivots=found.pivots,
        betweenness_bound=found.bound,
        target_person_id=target,
    )


def _replace(spark: SparkSession, table: str, frame: DataFrame) -> None:
    """Replace a table's rows in one commit."""
    keys = _KEYS[table]
    rows = frame.select(*(F.col(column.name).cast(column.dataType) for column in spark.table(table).schema))
    files = -(-rows.count() // ROWS_A_FILE) or 1
    ordered = rows.repartitionByRange(files, *keys) if files > 1 else rows.coalesce(1)
    ordered.sortWithinPartitions(*keys).write.format("delta").mode("overwrite").saveAsTable(table)


def _record(spark: SparkSession, summary: NetworkSummary) -> None:
    row = {name: value for name, value in asdict(summary).items() if name != "computed"}
    schema = spark.table(RUNS).schema
    frame = spark.createDataFrame(pa.Table.from_pylist([row])).select(
        *(F.col(column.name).cast(column.dataType) for column in schema)
    )
    frame.coalesce(1).write.format("delta").mode("overwrite").saveAsTable(RUNS)
