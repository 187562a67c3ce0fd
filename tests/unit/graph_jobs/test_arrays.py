import random

import numpy as np
import pytest

from graph_jobs.arrays import (
    Adjacency,
    adjacency,
    clustering,
    communities,
    components,
    count_triangles,
    distances,
    modularity,
    pagerank,
    triangles,
    weighted_adjacency,
)
from tests.unit.graph_jobs.graphs import (
    GRAPHS,
    arrays,
    casts,
    clique,
    in_igraph,
    least_members,
    triangle_corners,
)

every_graph = pytest.mark.parametrize("name", GRAPHS)


def test_an_edge_stands_at_both_of_its_ends_whatever_the_order() -> None:
    made = adjacency(np.array([30, 10, 20, 40]), np.array([30, 10]), np.array([10, 20]))
    assert made.ids.tolist() == [10, 20, 30, 40]
    assert made.starts.tolist() == [0, 2, 3, 4, 4]
    assert made.neighbours.tolist() == [1, 2, 0, 0]
    again = adjacency(np.array([10, 20, 40, 30]), np.array([20, 10]), np.array([10, 30]))
    assert again.neighbours.tolist() == made.neighbours.tolist()


@every_graph
def test_triangles_and_clustering_are_those_of_igraph(name: str) -> None:
    actors, pairs = GRAPHS[name]
    graph, expected = arrays(actors, pairs), in_igraph(actors, pairs)
    found = triangles(graph)
    assert found.tolist() == triangle_corners(expected)
    assert count_triangles(graph) == len(expected.list_triangles())
    local = expected.transitivity_local_undirected(mode="zero") if actors else []
    assert clustering(graph, found) == pytest.approx(local)


def test_triangles_are_the_same_however_few_paths_are_followed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = arrays(*GRAPHS["casts"])
    expected = triangles(graph).tolist()
    for paths in (1, 7, 1_000):
        monkeypatch.setattr("graph_jobs.arrays.PATHS_AT_ONCE", paths)
        assert triangles(graph).tolist() == expected


@every_graph
def test_components_are_those_of_igraph(name: str) -> None:
    actors, pairs = GRAPHS[name]
    assert components(arrays(actors, pairs)).tolist() == least_members(in_igraph(actors, pairs))


@every_graph
def test_distances_are_those_of_igraph_and_lead_through_the_least_of_the_nearer(name: str) -> None:
    actors, pairs = GRAPHS[name]
    graph, expected = arrays(actors, pairs), in_igraph(actors, pairs)
    for target in range(0, actors, 5):
        far, through = distances(graph, target)
        steps = [step if step < actors else -1 for step in expected.distances(source=target)[0]]
        assert far.tolist() == steps
        nearer = [
            min((other for other in expected.neighbors(actor) if steps[other] == step - 1), default=-1)
            for actor, step in enumerate(steps)
        ]
        assert through.tolist() == [next_one if step > 0 else -1 for next_one, step in zip(nearer, steps, strict=True)]


@every_graph
def test_ranks_are_those_of_igraph(name: str) -> None:
    actors, pairs = GRAPHS[name]
    graph, expected = arrays(actors, pairs), in_igraph(actors, pairs)
    shared = [1 + (a + b) % 3 for a, b in sorted(pairs)]
    one, other = (np.array([pair[end] for pair in sorted(pairs)], dtype=np.int64) for end in (0, 1))
    _, weighted = weighted_adjacency(graph.ids, one, other, np.array(shared, dtype=np.float64))
    if not actors:
        return
    assert pagerank(graph.matrix(), 100, 0.15) == pytest.approx(expected.pagerank(damping=0.85), rel=1e-6)
    followed = expected.pagerank(damping=0.85, weights=shared) if pairs else expected.pagerank(damping=0.85)
    assert pagerank(weighted, 100, 0.15) == pytest.approx(followed, rel=1e-6)


def propagated(actors: int, pairs: set[tuple[int, int]], rounds: int) -> list[int]:
    """Label propagation as its definition says, one vertex at a time; then each label's connected parts."""
    labels = list(range(actors))
    for _ in range(rounds):
        heard = [{label: 1} for label in labels]
        for a, b in pairs:
            heard[a][labels[b]] = heard[a].get(labels[b], 0) + 1
            heard[b][labels[a]] = heard[b].get(labels[a], 0) + 1
        labels = [
            min(votes, key=lambda label, votes=votes: (-votes[label], label))  # type: ignore[misc]
            for votes in heard
        ]
    return least_members(in_igraph(actors, {(a, b) for a, b in pairs if labels[a] == labels[b]}))


@every_graph
@pytest.mark.parametrize("rounds", [1, 4])
def test_communities_are_those_of_the_definition(name: str, rounds: int) -> None:
    actors, pairs = GRAPHS[name]
    assert communities(arrays(actors, pairs), rounds).tolist() == propagated(actors, pairs, rounds)


def test_communities_are_connected_and_named_for_their_least_member() -> None:
    actors, pairs = 600, casts(11, 600, 150)
    found = communities(arrays(actors, pairs))
    graph = in_igraph(actors, pairs)
    for label in set(found.tolist()):
        members = np.flatnonzero(found == label)
        assert members.min() == label
        assert graph.induced_subgraph(members.tolist()).is_connected()


def test_cliques_are_communities() -> None:
    pairs = clique(*range(6)) | clique(*range(6, 12)) | {(5, 6)}
    assert communities(arrays(12, pairs)).tolist() == [0] * 6 + [6] * 6


@every_graph
def test_modularity_is_that_of_igraph(name: str) -> None:
    actors, pairs = GRAPHS[name]
    graph = arrays(actors, pairs)
    found = communities(graph)
    expected = in_igraph(actors, pairs).modularity(found.tolist()) if pairs else None
    assert modularity(graph, found) == (pytest.approx(expected) if pairs else None)


def test_who_is_whose_neighbour_is_all_that_counts() -> None:
    actors, pairs = GRAPHS["casts"]
    shuffled = random.Random(2).sample(sorted(pairs), len(pairs))
    one, other = np.array([a for a, _ in shuffled]), np.array([b for _, b in shuffled])
    # Other ids in the same order, edges turned around.
    renamed: Adjacency = adjacency(np.arange(actors)[::-1] * 7 + 3, other * 7 + 3, one * 7 + 3)
    graph = arrays(actors, pairs)
    assert communities(renamed).tolist() == communities(graph).tolist()
    assert triangles(renamed).tolist() == triangles(graph).tolist()


def test_a_star_is_one_community() -> None:
    assert set(communities(arrays(*GRAPHS["star"])).tolist()) == {0}
