"""A network in compact arrays, and what is found in it there: ranks, communities, triangles, components.

All of TMDB, some 1.2 million movies, makes about 20 million edges: 160 MB in this form. Within such sizes one task does
in a second what takes GraphFrames a minute (docs/decisions/0008-the-network.md has the figures).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array, eye_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# Pairs of edges that a product is made of, at most: 16 bytes each where no two lead to the same place.
PATHS_AT_ONCE = 20_000_000

# Raghavan, Albert & Kumara (2007): five rounds settle 95 % of the vertices.
ROUNDS = 5


@dataclass(frozen=True)
class Adjacency:
    """An undirected graph: actor number i's neighbours are `neighbours[starts[i]:starts[i + 1]]`, ascending.

    Attributes:
        ids: int64, of each actor, ascending.
        starts: int64, one longer than `ids`.
        neighbours: int32, actor numbers; each edge stands there twice.
    """

    ids: NDArray[np.int64]
    starts: NDArray[np.int64]
    neighbours: NDArray[np.int32]

    @property
    def degrees(self) -> NDArray[np.int64]:
        """How many neighbours each actor has."""
        return np.diff(self.starts)

    def heads(self) -> NDArray[np.int32]:
        """Give the actor to whom each entry of `neighbours` belongs."""
        return np.repeat(np.arange(len(self.ids), dtype=np.int32), self.degrees)

    def matrix(self, kind: type[np.number[Any]] = np.float64) -> csr_array:
        """Give it as an n x n matrix of ones."""
        ones = np.ones(len(self.neighbours), dtype=kind)
        return csr_array((ones, self.neighbours, self.starts), shape=(len(self.ids), len(self.ids)))


def adjacency(ids: NDArray[np.int64], one: NDArray[np.int64], other: NDArray[np.int64]) -> Adjacency:
    """Make it of vertices and edges, whatever their order.

    Args:
        ids: distinct.
        one: of each edge the one end, an id.
        other: the other end. Every edge is given once.
    """
    return weighted_adjacency(ids, one, other, np.ones(len(one), dtype=np.int8))[0]


def weighted_adjacency(
    ids: NDArray[np.int64], one: NDArray[np.int64], other: NDArray[np.int64], weights: NDArray[np.number[Any]]
) -> tuple[Adjacency, csr_array]:
    """Make it of vertices and weighted edges; and the weights an n x n matrix, each at both ends of its edge.

    Args:
        ids: distinct.
        one: of each edge the one end, an id.
        other: the other end. Every edge is given once.
        weights: of the edges, none of them 0.
    """
    ordered = np.sort(ids)
    ends = [np.searchsorted(ordered, end).astype(np.int32) for end in (one, other)]
    upper = csr_array((weights, (np.minimum(*ends), np.maximum(*ends))), shape=(len(ordered), len(ordered)))
    upper.sort_indices()
    matrix: csr_array = upper + upper.T.tocsr()
    graph = Adjacency(ordered, matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32, copy=False))
    return graph, matrix


def pagerank(links: csr_array, iterations: int, reset_probability: float) -> NDArray[np.float64]:
    """Give each actor's PageRank, by iteration from equal ranks; all sum to 1.

    An actor without edges passes its rank on to everybody.

    Args:
        links: n x n, symmetric: how often the edge between two is followed, beside the others of the one who leaves.
        iterations: how many.
        reset_probability: of going on anywhere instead of along an edge.
    """
    strength = np.asarray(links.sum(axis=1), dtype=np.float64)
    share = np.divide(1 - reset_probability, strength, out=np.zeros(len(strength)), where=strength > 0)
    ranks: NDArray[np.float64] = np.ones(len(strength))
    for _ in range(iterations):
        ranks = reset_probability + links @ (ranks * share)
    return np.asarray(ranks / ranks.sum())


def communities(graph: Adjacency, rounds: int = ROUNDS) -> NDArray[np.int32]:
    """Give each actor's community, by synchronous label propagation: the number of its least member.

    In a round every actor takes the label that most neighbours have, the own one counted with theirs (else a star swaps
    its two labels for ever); of equally frequent ones the least. GraphFrames' labelPropagation breaks ties by the order
    in which messages arrive. Members who hold one label but are not connected within it are parted at the end: label
    propagation alone allows that (Traag, Waltman & van Eck 2019).
    """
    count = len(graph.ids)
    everyone = np.arange(count + 1, dtype=np.int32)
    heads = graph.heads()
    one = np.int32(1)
    hears = (graph.matrix(np.int32) + eye_array(count, dtype=np.int32, format="csr")).tocsr()
    # In the first round each label is said once.
    labels = np.minimum.reduceat(hears.indices, hears.indptr[:-1]) if count else everyone[:-1]
    for _ in range(rounds - 1):
        said = hears @ csr_array((np.full(count, one), labels, everyone), shape=(count, count))
        # Of each actor's row, which is never empty, the least label among the most frequent.
        most = np.maximum.reduceat(said.data, said.indptr[:-1])
        is_most = said.data == np.repeat(most, np.diff(said.indptr))
        heard = np.minimum.reduceat(np.where(is_most, said.indices, count), said.indptr[:-1])
        if np.array_equal(heard, labels):
            break
        labels = heard.astype(np.int32)
    inside = labels[heads] == labels[graph.neighbours]
    ones = np.ones(int(inside.sum()), dtype=np.int8)
    within = csr_array((ones, (heads[inside], graph.neighbours[inside])), shape=(count, count))
    return _least_members(connected_components(within, directed=False)[1])


def components(graph: Adjacency) -> NDArray[np.int32]:
    """Give each actor's connected component: the number of its least member."""
    return _least_members(connected_components(graph.matrix(), directed=False)[1])


def distances(graph: Adjacency, target: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Give each actor's distance from one, and the neighbour through whom the way leads.

    Args:
        graph: the network.
        target: an actor number.

    Returns:
        How many edges away, -1 in another component; and of the neighbours who are one nearer the least, -1 for the
        target and in another component.
    """
    count = len(graph.ids)
    far = np.full(count, -1, dtype=np.int32)
    far[target] = 0
    links = graph.matrix(np.int8)
    here = np.array([target])
    while len(here):
        beside = links[here].indices
        distance = far[here[0]] + 1
        here = np.unique(beside[far[beside] < 0])
        far[here] = distance
    nearer = np.where(far[graph.neighbours] == np.repeat(far - 1, graph.degrees), graph.neighbours, count)
    least = np.full(count, count, dtype=np.int32)
    beside_somebody = graph.degrees > 0
    if len(nearer):
        least[beside_somebody] = np.minimum.reduceat(nearer, graph.starts[:-1][beside_somebody])
    return far, np.where(least < count, least, -1).astype(np.int32)


def triangles(graph: Adjacency) -> NDArray[np.int64]:
    """Count the triangles that each actor stands in."""
    up = _upward(graph)
    found = np.zeros(len(graph.ids), dtype=np.int64)
    # Of a triangle low - middle - high, the first product stands at (low, high), the second at (middle, high).
    for rows, outer in _where_edges(up, up):
        found[rows] += outer.sum(axis=1)
        found += outer.sum(axis=0)
    for rows, inner in _where_edges(up.T.tocsr(), up):
        found[rows] += inner.sum(axis=1)
    return found


def count_triangles(graph: Adjacency) -> int:
    """Count the triangles of the whole network."""
    up = _upward(graph)
    return sum(int(outer.sum()) for _, outer in _where_edges(up, up))


def _upward(graph: Adjacency) -> csr_array:
    """Give the edges from the lesser degree to the greater.

    So a hub does not make a path of every two of its neighbours (Chiba & Nishizeki 1985).
    """
    count = len(graph.ids)
    place = np.empty(count, dtype=np.int64)
    place[np.lexsort((np.arange(count), graph.degrees))] = np.arange(count)
    heads = graph.heads()
    upward = place[heads] < place[graph.neighbours]
    ones = np.ones(int(upward.sum()), dtype=np.int32)
    return csr_array((ones, (heads[upward], graph.neighbours[upward])), shape=(count, count))


def _where_edges(one: csr_array, up: csr_array) -> Iterator[tuple[slice, csr_array]]:
    """Give `(one @ up) * up`, element by element, some rows at a time: before it is cut to edges it is far larger."""
    paths = np.cumsum(one @ np.diff(up.indptr).astype(np.int64))
    cuts = np.flatnonzero(np.diff(paths // PATHS_AT_ONCE)) + 1
    for first, last in pairwise([0, *cuts.tolist(), len(paths)]):
        rows = slice(first, last)
        yield rows, (one[rows] @ up).multiply(up[rows])


def modularity(graph: Adjacency, groups: NDArray[np.int32]) -> float | None:
    """Return the modularity of a partition: sum over its groups of L/m - (D/2m)^2 (Newman & Girvan 2004).

    L counts the edges inside a group, D sums the degrees of its members, m counts all edges; None without edges.
    """
    ends = len(graph.neighbours)
    if not ends:
        return None
    inside = np.count_nonzero(groups[graph.heads()] == groups[graph.neighbours])
    shares = np.bincount(groups, weights=graph.degrees) / ends
    return float(inside / ends - (shares**2).sum())


def clustering(graph: Adjacency, corners: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the share of each actor's pairs of neighbours who are neighbours themselves; 0 with fewer than two."""
    pairs = graph.degrees * (graph.degrees - 1) / 2
    return np.divide(corners, pairs, out=np.zeros(len(pairs)), where=pairs > 0)


def _least_members(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Name groups, numbered anyhow, for their least members."""
    _, first, group = np.unique(numbers, return_index=True, return_inverse=True)
    return first[group].astype(np.int32)
