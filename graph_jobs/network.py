"""Each actor's place in the network: degrees, PageRank, component and community, by GraphFrames."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F
from pyspark.storagelevel import StorageLevel

from graph_jobs.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphframes import GraphFrame
    from pyspark.sql import Column, DataFrame, SparkSession

# Brin & Page (1998): the reader follows a link with probability 0.85.
RESET_PROBABILITY = 0.15
# The error shrinks by 0.85 or faster an iteration. The greatest relative error of any actor, against the exact
# solution: 5e-4 after 20 iterations and 3e-7 after 40 on 18,000 actors in 5,000 movies; 5e-4 after 40 and 3e-8 after
# 100 on a sparse network of 300, the worst that was met. An iteration costs the former 0.25 s on two busy cores.
PAGERANK_ITERATIONS = 40
# Ranks sum to 1; at a million actors their mean is 1e-6. More digits would show the order in which floats were added.
PAGERANK_DECIMALS = 12

# Labels of so many actors fit in every task's memory.
BROADCAST_ACTORS = 500_000

# Raghavan, Albert & Kumara (2007): five rounds settle 95 % of the vertices.
COMMUNITY_ROUNDS = 5

METRICS_SCHEMA = (
    "person_id bigint, degree int, weighted_degree bigint, pagerank double, component_id bigint, community_id bigint"
)


@dataclass(frozen=True)
class MetricsOptions:
    """How the metrics are computed.

    Attributes:
        partitions: into how many parts vertices and edges are cut; a few hundred thousand edges a part is good.
        pagerank_iterations: see `PAGERANK_ITERATIONS`.
        community_rounds: see `COMMUNITY_ROUNDS`.
    """

    partitions: int = 2
    pagerank_iterations: int = PAGERANK_ITERATIONS
    community_rounds: int = COMMUNITY_ROUNDS


def metrics(
    vertices: DataFrame,
    edges: DataFrame,
    options: MetricsOptions | None = None,
    on_detail: Callable[[str], None] = lambda text: None,
) -> DataFrame:
    """Return the metrics of every actor; see `METRICS_SCHEMA` for the columns.

    - degree: with how many people they acted.
    - weighted_degree: shared movies, summed over those people.
    - pagerank: of the network without weights, every edge followed both ways; sums to 1 over all actors. An actor
      without edges passes its rank on to everybody, as in igraph and NetworkX.
    - component_id: least person id of the connected component.
    - community_id: least person id of the community; communities are those of `communities`.

    The result is a function of the two frames' rows alone, whatever their order. It is held in memory until the
    caller unpersists it; the inputs are released at once, what GraphX and the rounds of `communities` hold when the
    driver next collects its garbage.

    Args:
        vertices: id bigint, distinct.
        edges: person_id_a < person_id_b bigint, distinct pairs, both in `vertices`; shared_movies int.
        options: how; see `MetricsOptions`.
        on_detail: told what is being done, in words.

    Raises:
        GraphError: an edge joins two components, the degrees do not sum to twice the edges, the ranks do not sum to
            1, or the rows are not those of the vertices.
    """
    options = options or MetricsOptions()
    spark = vertices.sparkSession
    with plain_plans(spark, options.partitions), ExitStack() as held:

        def hold(frame: DataFrame) -> DataFrame:
            kept = frame.persist(StorageLevel.MEMORY_AND_DISK)
            held.callback(kept.unpersist)
            return kept

        # Held, and in a fixed order: GraphFrames reads its inputs many times, and must see the same rows each time.
        nodes = hold(vertices.select("id").repartition(options.partitions, "id").sortWithinPartitions("id"))
        links = hold(
            edges.select(F.col("person_id_a").alias("src"), F.col("person_id_b").alias("dst"), "shared_movies")
            .repartition(options.partitions, "src")
            .sortWithinPartitions("src", "dst")
        )
        actors = nodes.count()
        if actors == 0:
            return spark.createDataFrame([], METRICS_SCHEMA)
        on_detail(f"degrees of {actors:,} actors")
        degrees = hold(_degrees(links))
        on_detail("PageRank")
        ranks = hold(_pagerank(nodes, links, actors, options))
        on_detail("components")
        components = hold(_components(nodes, links))
        on_detail("communities")
        labels = communities(nodes, links, actors, options.community_rounds)
        result = (
            nodes.join(degrees, "id", "left")
            .join(ranks, "id", "left")
            .join(components, "id", "left")
            .join(_by_least_member(labels, "label", "community_id"), "id", "left")
            .select(
                F.col("id").alias("person_id"),
                F.coalesce("degree", F.lit(0)).cast("int").alias("degree"),
                F.coalesce("weighted_degree", F.lit(0)).cast("bigint").alias("weighted_degree"),
                "pagerank",
                "component_id",
                "community_id",
            )
            .persist(StorageLevel.MEMORY_AND_DISK)
        )
        check(result, links, actors)
        return result


def communities(nodes: DataFrame, links: DataFrame, actors: int, rounds: int) -> DataFrame:
    """Return each vertex's community label (id, label) after synchronous label propagation.

    In a round every vertex takes the label that most of its neighbours have; of equally frequent ones the least. The
    labelPropagation of GraphFrames is GraphX's, which breaks ties by the order in which messages arrive and builds a
    map for every message (50 s for 250,000 edges); this is the same algorithm on GraphFrames' aggregateMessages,
    with ties that do not depend on the order.

    Args:
        nodes: id.
        links: src, dst; every edge once, in either direction.
        rounds: how many rounds.
    """
    hears = _both_ways(links).toDF("id", "neighbour").repartition("id").persist(StorageLevel.MEMORY_AND_DISK)
    labels = nodes.select("id", F.col("id").alias("label"))
    for _ in range(rounds):
        said = labels.toDF("neighbour", "said")
        heard = (
            hears.join(F.broadcast(said) if actors <= BROADCAST_ACTORS else said, "neighbour")
            .groupBy("id", "said")
            .agg(F.count("*").alias("times"))
            .groupBy("id")
            .agg((-F.max(F.struct("times", (-F.col("said")).alias("said"))).getField("said")).alias("heard"))
        )
        # Cut the lineage each round: the next one reads these labels twice.
        labels = (
            labels.join(heard, "id", "left")
            .select("id", F.coalesce("heard", "label").alias("label"))
            .localCheckpoint(eager=True)
        )
    hears.unpersist()
    return labels


def check(result: DataFrame, links: DataFrame, actors: int) -> None:
    """Hold a result to the laws that it must keep.

    Raises:
        GraphError: it breaks one of them; see `metrics`.
    """
    sums = result.agg(
        F.count("*").alias("rows"),
        F.sum("degree").alias("degrees"),
        F.sum("pagerank").alias("rank"),
        F.count(F.when(F.col("component_id").isNull() | F.col("community_id").isNull(), 1)).alias("unplaced"),
    ).collect()[0]
    component = result.select("person_id", "component_id")
    torn = (
        links.join(component.toDF("src", "src_component"), "src", "left")
        .join(component.toDF("dst", "dst_component"), "dst", "left")
        .agg(
            F.count("*").alias("edges"),
            F.count(F.when(~F.col("src_component").eqNullSafe(F.col("dst_component")), 1)).alias("torn"),
        )
        .collect()[0]
    )
    laws = {
        f"{sums.rows:,} rows for {actors:,} actors": sums.rows == actors,
        f"{sums.unplaced:,} actors without a component or a community": sums.unplaced == 0,
        f"{torn.torn:,} of {torn.edges:,} edges join two components": torn.torn == 0,
        f"degrees sum to {sums.degrees:,} for {torn.edges:,} edges": sums.degrees == 2 * torn.edges,
        f"PageRank sums to {sums.rank}": abs(sums.rank - 1) < 1e-6,
    }
    broken = [law for law, kept in laws.items() if not kept]
    if broken:
        raise GraphError(
            f"The actor network is not consistent: {'; '.join(broken)}.",
            "Nothing was written. Run `lakehouse graph` again; if it stays, silver.cast_members may have changed "
            "while it was read.",
        )


@contextmanager
def plain_plans(spark: SparkSession, partitions: int) -> Iterator[None]:
    """Switch adaptive execution off for a while, and fix the number of shuffle partitions.

    Connected components have been wrong under adaptive execution, and it re-plans each of some hundred tiny jobs.
    """
    wanted = {"spark.sql.adaptive.enabled": "false", "spark.sql.shuffle.partitions": str(partitions)}
    before = {key: str(spark.conf.get(key)) for key in wanted}
    for key, value in wanted.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key, value in before.items():
            spark.conf.set(key, value)


def _degrees(links: DataFrame) -> DataFrame:
    ends = links.select(F.explode(F.array("src", "dst")).alias("id"), "shared_movies")
    return ends.groupBy("id").agg(F.count("*").alias("degree"), F.sum("shared_movies").alias("weighted_degree"))


def _pagerank(nodes: DataFrame, links: DataFrame, actors: int, options: MetricsOptions) -> DataFrame:
    # GraphX gives ranks that sum to the number of vertices, with sinks' rank spread over all of them.
    graph = _graph(nodes, _both_ways(links).coalesce(options.partitions))
    ranked = graph.pageRank(resetProbability=RESET_PROBABILITY, maxIter=options.pagerank_iterations).vertices
    ranks: DataFrame = ranked.select("id", F.round(F.col("pagerank") / actors, PAGERANK_DECIMALS).alias("pagerank"))
    return ranks


def _components(nodes: DataFrame, links: DataFrame) -> DataFrame:
    # GraphX's algorithm: 3 s where the one in DataFrames, made for graphs beyond memory, takes 28 s, and it needs no
    # checkpoint directory.
    found = _graph(nodes, links.select("src", "dst")).connectedComponents(algorithm="graphx")
    return _by_least_member(found, "component", "component_id")


def _by_least_member(found: DataFrame, label: str, name: str) -> DataFrame:
    least: Column = F.min("id").alias(name)
    return found.select("id", label).join(found.groupBy(label).agg(least), label).select("id", name)


def _both_ways(links: DataFrame) -> DataFrame:
    return links.select("src", "dst").union(links.select("dst", "src"))


def _graph(nodes: DataFrame, links: DataFrame) -> GraphFrame:
    from graphframes import GraphFrame

    return GraphFrame(nodes, links)
