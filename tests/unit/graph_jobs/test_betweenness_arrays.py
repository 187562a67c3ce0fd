"""Brandes' algorithm over compact arrays, against igraph's, which is exact."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from graph_jobs.arrays import Adjacency
from graph_jobs.betweenness import BetweennessOptions, choose_sources, dependencies, error_bound, estimate
from tests.unit.graph_jobs.graphs import GRAPHS, Pair, arrays, casts, in_igraph


def followed(graph: Adjacency, sources: np.ndarray, block: int = 7) -> tuple[np.ndarray, np.ndarray]:
    matrix = graph.matrix()
    parts = [dependencies(matrix, sources[first : first + block]) for first in range(0, len(sources), block)]
    return sum(part.sum(axis=1) for part in parts), sum((part**2).sum(axis=1) for part in parts)  # type: ignore[return-value]


def exact(actors: int, pairs: set[Pair]) -> np.ndarray:
    graph = arrays(actors, pairs)
    sources = np.flatnonzero(graph.degrees).astype(np.int32)
    if not len(sources):
        return np.zeros(actors)
    sums, squares = followed(graph, sources)
    found, error = estimate(sums, squares, actors, len(sources), len(sources))
    assert not error.any()
    return found


def of_igraph(actors: int, pairs: set[Pair]) -> np.ndarray:
    counted = np.array(in_igraph(actors, pairs).betweenness())
    others = (actors - 1) * (actors - 2) / 2
    return counted / others if others > 0 else counted


@pytest.mark.parametrize("name", GRAPHS)
def test_all_sources_give_what_igraph_gives(name: str) -> None:
    actors, pairs = GRAPHS[name]
    assert exact(actors, pairs) == pytest.approx(of_igraph(actors, pairs), rel=1e-9, abs=1e-12)


def test_the_middle_of_a_star_lies_between_all_pairs_and_a_bridge_between_its_sides() -> None:
    assert exact(*GRAPHS["star"]).tolist() == [1.0] + [0.0] * 8
    between = exact(*GRAPHS["two cliques and a bridge"])
    # 5 on the one side times 6 on the other, of 11 x 10 / 2 pairs.
    assert between[5] == between[6] == pytest.approx(30 / 55)


def test_the_same_whatever_the_size_of_a_block() -> None:
    actors, pairs = GRAPHS["casts"]
    graph = arrays(actors, pairs)
    sources = np.flatnonzero(graph.degrees).astype(np.int32)
    one, other = followed(graph, sources, block=1), followed(graph, sources, block=64)
    assert one[0] == pytest.approx(other[0], rel=1e-12)


def test_pivots_are_drawn_by_the_seed_once_each_from_those_with_an_edge() -> None:
    connected = np.arange(10, 2000, dtype=np.int32)
    options = BetweennessOptions(exact_actors=100, pivots=256, seed=4)
    drawn = choose_sources(connected, options)
    assert len(set(drawn.tolist())) == 256
    assert set(drawn) <= set(connected)
    assert drawn.tolist() == sorted(drawn.tolist()) == choose_sources(connected, options).tolist()
    assert drawn.tolist() != choose_sources(connected, BetweennessOptions(100, 256, 5)).tolist()
    assert len(choose_sources(connected[:100], options)) == 100


def test_pivots_stay_within_the_stated_errors_and_keep_the_order_of_the_first() -> None:
    actors, pairs = 3000, casts(8, 3000, 1500)
    graph = arrays(actors, pairs)
    connected = np.flatnonzero(graph.degrees).astype(np.int32)
    truth = of_igraph(actors, pairs)
    first = np.argsort(-truth)[:100]
    inside = []
    for seed in range(5):
        pivots = choose_sources(connected, BetweennessOptions(exact_actors=0, pivots=512, seed=seed))
        sums, squares = followed(graph, pivots, block=64)
        found, error = estimate(sums, squares, actors, len(connected), len(pivots))
        assert np.abs(found - truth).max() <= error_bound(actors, len(connected), len(pivots))
        inside.append((np.abs(found - truth) <= error)[first].mean())
        assert spearmanr(found[first], truth[first]).statistic > 0.85
    # Dependencies are skewed: of intervals of nominally 95 %, some 87 % hold the truth here.
    assert np.mean(inside) > 0.8


def test_the_bound_is_nothing_where_all_are_followed_and_shrinks_with_the_pivots() -> None:
    assert error_bound(1000, 900, 900) == 0
    bounds = [error_bound(1000, 900, pivots) for pivots in (50, 200, 800)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[0] < 1
