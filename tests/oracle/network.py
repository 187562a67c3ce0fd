"""Who stands in the first places of a movie's billing, by other means than the graph jobs."""

from collections import defaultdict
from collections.abc import Iterable

Credit = tuple[str, int, int | None, str | None]
"""movie id, person id, billing order, credit id."""


def billed(credits: Iterable[Credit], places: int) -> dict[str, list[int]]:
    """Of each movie the people in its first `places`, in their order; a person counts once, with the best place."""
    casts: dict[str, dict[int, tuple[int, str]]] = defaultdict(dict)
    for movie, person, order, credit in credits:
        place = (2**31 - 1 if order is None else order, credit or "")
        casts[movie][person] = min(place, casts[movie].get(person, place))
    return {
        movie: [person for _, person in sorted((place, person) for person, place in cast.items())[:places]]
        for movie, cast in casts.items()
    }
