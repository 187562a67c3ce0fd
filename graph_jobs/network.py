"""Each actor's place in the network: degrees, PageRank, betweenness, clustering, component and community."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from graph_jobs import arrays
from graph_jobs.betweenness import BetweennessOptions, betweenness
from graph_jobs.errors import GraphError
from graph_jobs.frames import by_least_member, graph_frame, plain_plans
from graph_jobs.naming import community_ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

# Brin & Page (1998): the reader follows a link with probability 0.85.
RESET_PROBABILITY = 0.15
# The error shrinks by 0.85 or faster an iteration; the greatest relative error of any actor against the exact solution
# is below 1e-6 after so many, on every network that was met (docs/performance.md).
PAGERANK_ITERATIONS = 100
# Twenty million make all of TMDB; each takes 64 bytes while ranks are computed in arrays.
ARRAY_EDGES = 50_000_000
# More digits would show the order in which floats were added.
SIGNIFICANT_DIGITS = 9

_NOBODY = np.empty(0, dtype=np.int64)

METRICS_SCHEMA = (
    "person_id bigint, degree int, weighted_degree bigint, pagerank double, weighted_pagerank double, "
    "betweenness double, betweenness_error double, triangles bigint, clustering_coefficient double, "
    "component_id bigint, community_id bigint"
)


@dataclass(frozen=True)
class MetricsOptions:
    """How the metrics are computed.

    Attributes:
        partitions: into how many parts vertices and edges are cut; a few hundred thousand edges a part is good.
        pagerank_iterations: see `PAGERANK_ITERATIONS`.
        betweenness: which sources are followed.
        array_edges: up to so many edges, ranks and distances are computed in arrays; beyond, by GraphFrames, on all
            executors.
    """

    partitions: int = 2
    pagerank_iterations: int = PAGERANK_ITERATIONS
    betweenness: BetweennessOptions = field(default_factory=BetweennessOptions)
    array_edges: int = ARRAY_EDGES


@dataclass(frozen=True)
class Metrics:
    """What was found.

    Attributes:
        rows: one an actor; see `METRICS_SCHEMA`.
        columns: the same as arrays, in ascending order of person ids.
        graph: the network that they were found in.
        modularity: of the communities, unweighted, from -0.5 to 1; None without edges.
        sources: actors with an edge.
        pivots: how many of them betweenness followed.
        bound: see `graph_jobs.betweenness.Betweenness`.
    """

    rows: DataFrame
    columns: dict[str, NDArray[Any]]
    graph: arrays.Adjacency
    modularity: float | None
    sources: int
    pivots: int
    bound: float


def metrics(
    nodes: DataFrame,
    links: DataFrame,
    before: DataFrame | None = None,
    options: MetricsOptions | None = None,
    on_detail: Callable[[str], None] = lambda text: None,
) -> Metrics:
    """Return the metrics of every actor; see `METRICS_SCHEMA` for the columns.

    - degree: with how many people they acted.
    - weighted_degree: shared movies, summed over those people.
    - pagerank: of the network without weights, every edge followed both ways; sums to 1 over all actors. An actor
      without edges passes its rank on to everybody, as in igraph and NetworkX.
    - weighted_pagerank: the same, an edge followed as often as movies were shared.
    - betweenness, betweenness_error: see `graph_jobs.betweenness.Betweenness`.
    - triangles: pairs of neighbours who are neighbours themselves.
    - clustering_coefficient: their share of all pairs of neighbours; 0 with fewer than two neighbours.
    - component_id: least person id of the connected component.
    - community_id: the community, as `graph_jobs.naming.community_ids` calls it.

    The result is a function of the frames' rows alone, whatever their order.

    Args:
        nodes: id bigint, distinct. It and `links` are read many times, and must give the same rows each time: persist
            them.
        links: src < dst bigint, distinct pairs, both in `nodes`; shared_movies int.
        before: person_id, community_id: the communities as they were; None: there were none.
        options: how; see `MetricsOptions`.
        on_detail: told what is being done, in words.

    Raises:
        GraphError: an edge joins two components, the degrees do not sum to twice the edges, ranks do not sum to 1, a
            triangle or a community is torn, or the rows are not those of the vertices.
    """
    options = options or MetricsOptions()
    spark = nodes.sparkSession
    with plain_plans(spark, options.partitions):
        (ids,) = _columns(nodes.select("id"))
        one, other, shared = _columns(links.select("src", "dst", "shared_movies"))
        graph, weights = arrays.weighted_adjacency(ids, one, other, shared.astype(np.float64))
        if not len(graph.ids):
            nothing = {column.split()[0]: _NOBODY for column in METRICS_SCHEMA.split(", ")}
            return Metrics(spark.createDataFrame([], METRICS_SCHEMA), nothing, graph, None, 0, 0, 0.0)
        on_detail(f"PageRank of {len(graph.ids):,} actors")
        if len(one) <= options.array_edges:
            plain, weighted = (
                arrays.pagerank(followed, options.pagerank_iterations, RESET_PROBABILITY)
                for followed in (graph.matrix(), weights)
            )
        else:
            ranks = _by_id(pageranks(nodes, links, options))
            plain, weighted = (ranks[name] / len(graph.ids) for name in ("plain", "weighted"))
        on_detail("components")
        component = _by_id(connected_components(nodes, links))
        on_detail("betweenness")
        between = betweenness(spark, graph, options.partitions, options.betweenness)
    on_detail("triangles and communities")
    strength = weights.sum(axis=1).astype(np.int64)
    corners = arrays.triangles(graph)
    groups = arrays.communities(graph)
    past = _columns(before.select("person_id", "community_id")) if before is not None else [_NOBODY, _NOBODY]
    columns = {
        "person_id": graph.ids,
        "degree": graph.degrees,
        "weighted_degree": strength,
        "pagerank": _rounded(plain),
        "weighted_pagerank": _rounded(weighted),
        "betweenness": _rounded(between.values),
        "betweenness_error": _rounded(between.errors),
        "triangles": corners,
        "clustering_coefficient": arrays.clustering(graph, corners),
        "component_id": component["component_id"],
        "community_id": community_ids(graph, groups, strength, *past),
    }
    check(columns, graph)
    modularity = arrays.modularity(graph, groups)
    rows = spark.createDataFrame(pa.table(columns))
    return Metrics(rows, columns, graph, modularity, between.sources, between.pivots, between.bound)


def check(found: dict[str, NDArray[Any]], graph: arrays.Adjacency) -> None:
    """Hold a result to the laws that it must keep.

    Args:
        found: the columns of `METRICS_SCHEMA`.
        graph: the network.

    Raises:
        GraphError: it breaks one of them; see `metrics`.
    """
    edges = len(graph.neighbours) // 2
    component = found["component_id"]
    torn = np.count_nonzero(component[graph.heads()] != component[graph.neighbours]) // 2
    places = np.unique(np.stack([found["community_id"], component], axis=1), axis=0)
    split = len(places) - len(np.unique(found["community_id"]))
    degrees, corners = found["degree"].sum(), found["triangles"].sum()
    rank, weighted_rank = found["pagerank"].sum(), found["weighted_pagerank"].sum()
    between = found["betweenness"]
    beyond = len(between) - np.count_nonzero((between >= 0) & (between <= 1))
    laws = {
        f"{len(found['person_id']):,} rows for {len(graph.ids):,} actors": len(found["person_id"]) == len(graph.ids),
        f"{torn:,} of {edges:,} edges join two components": torn == 0,
        f"{split:,} communities lie in more than one component": split == 0,
        f"degrees sum to {degrees:,} for {edges:,} edges": degrees == 2 * edges,
        f"triangles have {corners:,} corners, which three does not divide": corners % 3 == 0,
        f"PageRank sums to {rank}": abs(rank - 1) < 1e-6,
        f"weighted PageRank sums to {weighted_rank}": abs(weighted_rank - 1) < 1e-6,
        f"{beyond:,} actors with a betweenness beyond 0 to 1": beyond == 0,
    }
    broken = [law for law, kept in laws.items() if not kept]
    if broken:
        raise GraphError(
            f"The actor network is not consistent: {'; '.join(broken)}.",
            "Nothing was written. Run `lakehouse graph` again; if it stays, silver.cast_members may have changed "
            "while it was read.",
        )


def _columns(frame: DataFrame) -> list[NDArray[np.int64]]:
    table = frame.toArrow()
    return [np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.int64) for column in table.columns]


def _by_id(frame: DataFrame) -> dict[str, NDArray[Any]]:
    """The columns of a frame in the order of its ids."""
    table = frame.toArrow().sort_by("id")
    return {name: table.column(name).to_numpy(zero_copy_only=False) for name in table.column_names}


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Floats to their significant digits."""
    return np.array([float(f"{value:.{SIGNIFICANT_DIGITS - 1}e}") for value in values.tolist()])


def pageranks(nodes: DataFrame, links: DataFrame, options: MetricsOptions) -> DataFrame:
    """Give both PageRanks with GraphFrames: id, plain, weighted; each sums to the number of vertices.

    Of two networks that touch nowhere, in one run, with even ids without and odd ids with weights. GraphX follows
    parallel edges as often as they are there: so an edge of weight w is w edges. It spreads the rank of vertices
    without edges over all.
    """
    ways = links.select("src", "dst", "shared_movies").union(links.select("dst", "src", "shared_movies"))
    plain = ways.select((F.col("src") * 2).alias("src"), (F.col("dst") * 2).alias("dst"))
    odd = F.struct((F.col("src") * 2 + 1).alias("src"), (F.col("dst") * 2 + 1).alias("dst"))
    repeated = ways.select(F.inline(F.array_repeat(odd, F.col("shared_movies"))))
    both = plain.union(repeated).coalesce(options.partitions)
    graph = graph_frame(nodes.select(F.explode(F.array(F.col("id") * 2, F.col("id") * 2 + 1)).alias("id")), both)
    ranked: DataFrame = graph.pageRank(resetProbability=RESET_PROBABILITY, maxIter=options.pagerank_iterations).vertices
    return ranked.groupBy(F.shiftright("id", 1).alias("id")).agg(
        F.max(F.when(F.col("id") % 2 == 0, F.col("pagerank"))).alias("plain"),
        F.max(F.when(F.col("id") % 2 == 1, F.col("pagerank"))).alias("weighted"),
    )


def connected_components(nodes: DataFrame, links: DataFrame) -> DataFrame:
    """Give each vertex's component: id, component_id, which is the component's least vertex."""
    # GraphX's algorithm: 3 s where the one in DataFrames, made for graphs beyond memory, takes 28 s.
    found = graph_frame(nodes, links.select("src", "dst")).connectedComponents(algorithm="graphx")
    return by_least_member(found, "component", "component_id")
