"""Paths between two actors, against igraph's."""

import random
from collections.abc import Iterator, Sequence

import pytest

from graph_jobs.search import shortest_path
from tests.unit.graph_jobs.graphs import GRAPHS, Pair, in_igraph, small_casts


def asked(pairs: set[Pair], log: list[Sequence[int]] | None = None):  # type: ignore[no-untyped-def]
    def beside(actors: Sequence[int]) -> Iterator[Pair]:
        if log is not None:
            log.append(actors)
        return iter([pair for pair in sorted(pairs) if set(pair) & set(actors)])

    return beside


@pytest.mark.parametrize("name", [*GRAPHS, "small casts"])
def test_of_the_shortest_paths_it_is_the_first_from_the_target_on(name: str) -> None:
    people, pairs = GRAPHS.get(name) or (200, small_casts(5, 200, 80))
    graph = in_igraph(people, pairs)
    chance = random.Random(3)
    for _ in range(min(people * people, 60)):
        start, target = chance.randrange(people), chance.randrange(people)
        every = graph.get_all_shortest_paths(target, start) if start != target else [[start]]
        expected = min(every)[::-1] if every else None
        assert shortest_path(asked(pairs), start, target) == expected


def test_few_are_asked_for_in_a_large_network() -> None:
    # Two hubs of a thousand leaves each, three steps apart.
    pairs = {(0, leaf) for leaf in range(10, 1010)} | {(1, leaf) for leaf in range(2010, 3010)} | {(0, 2), (1, 2)}
    log: list[Sequence[int]] = []
    assert shortest_path(asked(pairs, log), 10, 2010) == [10, 0, 2, 1, 2010]
    assert sum(len(actors) for actors in log) < 10
