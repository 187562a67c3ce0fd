"""A shortest path between two actors, found from both of its ends: little of a large network is ever looked at."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def shortest_path(
    beside: Callable[[Sequence[int]], Iterable[tuple[int, int]]], start: int, target: int
) -> list[int] | None:
    """Give a shortest path, both ends included; None where there is none.

    Of several shortest ones, the first in the order of ids from the target on.

    Args:
        beside: gives each edge of these actors as (one, other); which of the two stands first does not matter.
        start: an actor.
        target: another, or the same.
    """
    distances: tuple[dict[int, int], dict[int, int]] = {start: 0}, {target: 0}
    fronts = [{start}, {target}]
    neighbours: defaultdict[int, set[int]] = defaultdict(set)
    met = fronts[0] & fronts[1]
    while not met:
        if not all(fronts):
            return None
        # The end with fewer actors to ask for.
        end = 0 if len(fronts[0]) <= len(fronts[1]) else 1
        known, front = distances[end], fronts[end]
        distance = known[next(iter(front))] + 1
        for one, other in beside(sorted(front)):
            neighbours[one].add(other)
            neighbours[other].add(one)
        fronts[end] = {other for actor in front for other in neighbours[actor] if other not in known}
        known.update(dict.fromkeys(fronts[end], distance))
        met = fronts[end] & distances[1 - end].keys()
    return _first(neighbours, *distances, met)[::-1]


def _first(
    neighbours: dict[int, set[int]], from_start: dict[int, int], from_target: dict[int, int], met: set[int]
) -> list[int]:
    """Of the shortest paths, which lead through those who were met from both ends, the first, from the target on."""
    # On the target's side: who is on such a path, by the distance from the target.
    on_way = [met]
    while from_target[next(iter(on_way[0]))]:
        nearer = from_target[next(iter(on_way[0]))] - 1
        on_way.insert(0, {one for actor in on_way[0] for one in neighbours[actor] if from_target.get(one) == nearer})
    path: list[int] = []
    for level in on_way:
        path.append(min(level & neighbours[path[-1]] if path else level))
    while left := from_start[path[-1]]:
        path.append(min(one for one in neighbours[path[-1]] if from_start.get(one) == left - 1))
    return path
