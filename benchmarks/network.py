"""What the network's metrics cost, side by side: the network job, igraph and NetworkX, on the same graphs in one run.

    python -m benchmarks.network [edges ...]

Without arguments: 10,000, 100,000 and 1,000,000 edges. Each tool works in a process of its own, which is ended after
`_LIMIT` seconds a metric; memory is the most that it and the processes under it held. It prints Markdown, which
`docs/performance.md` holds.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.watching import watched
from graph_jobs import arrays
from graph_jobs.arrays import Adjacency, adjacency
from graph_jobs.betweenness import BetweennessOptions, betweenness
from graph_jobs.evolution import pairs_of

SIZES = (10_000, 100_000, 1_000_000)
TOOLS = ("this project", "igraph", "NetworkX")
METRICS = (
    "pagerank",
    "weighted pagerank",
    "both by GraphFrames",
    "betweenness",
    "triangles",
    "components",
    "communities",
    "distances",
)
_PIVOTS = 512
_LIMIT = 600
_CAST = 10

Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]


def casts(edges: int, seed: int = 20260101) -> Pairs:
    """Pairs of people from casts of ten, some people far more often than others: at least so many pairs."""
    chance = np.random.default_rng(seed)
    # 45 pairs a movie, few of them twice; three new people a movie.
    movies = int(edges / 43)
    people = movies * 3 + _CAST
    weights = 1 / (1 + np.arange(people)) ** 0.5
    drawn = chance.choice(people, size=(movies, _CAST), p=weights / weights.sum())
    return pairs_of([np.unique(cast) for cast in drawn])


@contextmanager
def _timed(done: dict[str, float], metric: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    done[metric] = time.monotonic() - began
    print(json.dumps({metric: done[metric]}), flush=True)


def _here(edges: int) -> None:
    """The network job's own functions, on Spark; its start is not counted."""
    from pyspark.sql import functions as F

    from graph_jobs.network import (
        PAGERANK_ITERATIONS,
        RESET_PROBABILITY,
        MetricsOptions,
        connected_components,
        pageranks,
    )
    from graph_jobs.paths import distances
    from lakehouse.artefacts import ensure_jars
    from lakehouse.settings import load_settings
    from lakehouse.spark import jvm_conf, sql_conf, start_session

    one, other, shared = casts(edges)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = load_settings(home=folder)
        conf = {
            "spark.master": "local[2]",
            **sql_conf(settings),
            **jvm_conf(settings, ensure_jars(settings.cache), home / "spark.log", 6144),
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.shuffle.partitions": "4",
            "spark.checkpoint.dir": f"file:{folder}/checkpoints",
        }
        spark = start_session(conf, "bench", settings, home / "spark.err")
        import pyarrow as pa

        table = pa.table({"src": one, "dst": other, "shared_movies": shared.astype(np.int32)})
        links = spark.createDataFrame(table).repartition(4, "src").checkpoint()
        ends = links.select(F.explode(F.array("src", "dst")).alias("id"))
        nodes = ends.distinct().repartition(4, "id").checkpoint()
        done: dict[str, float] = {}
        actors = np.unique(np.concatenate([one, other]))
        graph, weights = arrays.weighted_adjacency(actors, one, other, shared.astype(np.float64))
        with _timed(done, "pagerank"):
            arrays.pagerank(graph.matrix(), PAGERANK_ITERATIONS, RESET_PROBABILITY)
        with _timed(done, "weighted pagerank"):
            arrays.pagerank(weights, PAGERANK_ITERATIONS, RESET_PROBABILITY)
        # Beyond `array_edges`.
        with _timed(done, "both by GraphFrames"):
            pageranks(nodes, links, MetricsOptions(partitions=4)).toArrow()
        with _timed(done, "components"):
            connected_components(nodes, links).toArrow()
        with _timed(done, "distances"):
            distances(nodes, links, int(one[0])).toArrow()
        with _timed(done, "betweenness"):
            betweenness(spark, graph, 4, BetweennessOptions(exact_actors=0, pivots=_PIVOTS))
        with _timed(done, "triangles"):
            arrays.triangles(graph)
        with _timed(done, "communities"):
            arrays.communities(graph)
        spark.stop()


def _numbered(pairs: Pairs) -> tuple[Adjacency, np.ndarray, np.ndarray]:
    one, other, _ = pairs
    graph = adjacency(np.unique(np.concatenate([one, other])), one, other)
    return graph, np.searchsorted(graph.ids, one), np.searchsorted(graph.ids, other)


def _igraph(edges: int) -> None:
    import igraph

    pairs = casts(edges)
    arrays, one, other = _numbered(pairs)
    graph = igraph.Graph(n=len(arrays.ids), edges=np.stack([one, other], axis=1))
    weights = pairs[2].tolist()
    pivots = np.random.default_rng(1).choice(len(arrays.ids), min(_PIVOTS, len(arrays.ids)), replace=False).tolist()
    _each(
        {
            "pagerank": lambda: graph.pagerank(damping=0.85),
            "weighted pagerank": lambda: graph.pagerank(damping=0.85, weights=weights),
            "components": graph.connected_components,
            "distances": lambda: graph.distances(source=0),
            "triangles": lambda: graph.transitivity_local_undirected(mode="zero"),
            "communities": graph.community_label_propagation,
            "betweenness": lambda: graph.betweenness(sources=pivots),
        }
    )


def _networkx(edges: int) -> None:
    import networkx as nx

    pairs = casts(edges)
    _, one, other = _numbered(pairs)
    graph: nx.Graph = nx.Graph()
    graph.add_weighted_edges_from(zip(one.tolist(), other.tolist(), pairs[2].tolist(), strict=True))
    _each(
        {
            "pagerank": lambda: nx.pagerank(graph, alpha=0.85, weight=None, tol=1e-12, max_iter=500),
            "weighted pagerank": lambda: nx.pagerank(graph, alpha=0.85, tol=1e-12, max_iter=500),
            "components": lambda: list(nx.connected_components(graph)),
            "distances": lambda: nx.single_source_shortest_path_length(graph, 0),
            "triangles": lambda: nx.triangles(graph),
            "communities": lambda: list(nx.community.label_propagation_communities(graph)),
            "betweenness": lambda: nx.betweenness_centrality(graph, k=min(_PIVOTS, len(graph)), seed=1),
        }
    )


def _each(metrics: dict[str, Callable[[], Any]]) -> None:
    done: dict[str, float] = {}
    for metric, compute in metrics.items():
        with _timed(done, metric):
            compute()


def main() -> None:
    """Print a table a size."""
    for edges in [int(size) for size in sys.argv[1:]] or SIZES:
        one, other, _ = casts(edges)
        actors = len(np.unique(np.concatenate([one, other])))
        print(f"\n{len(one):,} edges, {actors:,} actors\n\n| | {' | '.join(TOOLS)} |\n|---|{'---|' * len(TOOLS)}")
        found = {tool: watched("benchmarks.network", ["--tool", tool, str(edges)], _LIMIT) for tool in TOOLS}
        for metric in METRICS:
            cells = [seconds.get(metric) for seconds, _ in found.values()]
            print(f"| {metric} | {' | '.join('-' if cell is None else f'{cell:.2f}' for cell in cells)} |")
        print(f"| MiB at most | {' | '.join(f'{most:,}' for _, most in found.values())} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--tool"]:
        {"this project": _here, "igraph": _igraph, "NetworkX": _networkx}[sys.argv[2]](int(sys.argv[3]))
    else:
        main()
