"""Graphs for tests: the degenerate ones, and casts as real ones are."""

import random

import igraph
import numpy as np

from graph_jobs.arrays import Adjacency, adjacency

Pair = tuple[int, int]


def arrays(actors: int, pairs: set[Pair]) -> Adjacency:
    one, other = (np.array([pair[end] for pair in pairs], dtype=np.int64) for end in (0, 1))
    return adjacency(np.arange(actors, dtype=np.int64), one, other)


def in_igraph(actors: int, pairs: set[Pair]) -> igraph.Graph:
    return igraph.Graph(n=actors, edges=sorted(pairs))


def clique(*members: int) -> set[Pair]:
    return {(a, b) for a in members for b in members if a < b}


def casts(seed: int, actors: int, movies: int) -> set[Pair]:
    """Casts of movies, a few people far more often than the others."""
    chance = random.Random(seed)
    people = range(actors)
    weights = [1 / (1 + person) ** 0.7 for person in people]
    return {pair for _ in range(movies) for pair in clique(*set(chance.choices(people, weights, k=6)))}


def small_casts(seed: int, actors: int, movies: int) -> set[Pair]:
    """Casts of small movies, no one more often than another, so that there are cliques, components and loners."""
    chance = random.Random(seed)
    return {pair for _ in range(movies) for pair in clique(*chance.sample(range(actors), chance.randint(1, 5)))}


def triangle_corners(graph: igraph.Graph) -> list[int]:
    """In how many triangles each vertex stands."""
    corners = [0] * graph.vcount()
    for triangle in graph.list_triangles():
        for corner in triangle:
            corners[corner] += 1
    return corners


def least_members(graph: igraph.Graph) -> list[int]:
    """The least vertex of each vertex's component."""
    least = {member: min(part) for part in graph.connected_components() for member in part}
    return [least[vertex] for vertex in range(graph.vcount())]


GRAPHS: dict[str, tuple[int, set[Pair]]] = {
    "empty": (0, set()),
    "one vertex": (1, set()),
    "two strangers": (2, set()),
    "one edge": (2, {(0, 1)}),
    "star": (9, {(0, leaf) for leaf in range(1, 9)}),
    "path": (12, {(i, i + 1) for i in range(11)}),
    "ring": (10, {(i, i + 1) for i in range(9)} | {(0, 9)}),
    "clique": (8, clique(*range(8))),
    "two cliques and a bridge": (12, clique(*range(6)) | clique(*range(6, 12)) | {(5, 6)}),
    "disconnected": (15, clique(*range(4)) | {(i, i + 1) for i in range(5, 10)}),
    "many shortest paths": (14, {(0, i) for i in range(1, 13)} | {(i, 13) for i in range(1, 13)}),
    "casts": (400, casts(3, 400, 160)),
}
