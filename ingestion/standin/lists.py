"""The order of the movies in each list on a day: what `/movie/popular` and its like page through."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from ingestion.synthetic.movie import movie_traits, popularity, vote_average, vote_count

PAGE_SIZE = 20
LISTED_MOVIES = 10_000
"""As many movies as 500 pages hold; those with higher numbers are in no list, but in changes and exports."""

_ROWS_THAT_MAY_REPEAT = 4
_FEWEST_VOTES_OF_THE_TOP = 300
_SHOWN_FOR = timedelta(days=42)
# TMDB looks three weeks ahead; the catalogue announces its few movies from March 2026 on.
_ANNOUNCED_FOR = timedelta(days=365)


@dataclass(frozen=True, slots=True, eq=False)
class Standings:
    """Where the listed movies stand at an instant, by movie number. `releases` are ordinals, 0 where unknown."""

    popularity: NDArray[np.float64]
    vote_average: NDArray[np.float64]
    vote_count: NDArray[np.int64]
    releases: NDArray[np.int64]


# One instant is asked about at a time; making it takes 20 microseconds a movie.
@lru_cache(maxsize=2)
def standings(seed: int, movies: int, instant: datetime) -> Standings:
    """Where each of the first `movies` movies, at most `LISTED_MOVIES`, stands at `instant`."""
    listed = min(movies, LISTED_MOVIES)
    popular, average = np.zeros(listed), np.zeros(listed)
    votes, releases = np.zeros(listed, dtype=np.int64), np.zeros(listed, dtype=np.int64)
    for index in range(listed):
        traits = movie_traits(seed, index)
        popular[index] = popularity(traits, seed, index, instant)
        average[index] = vote_average(traits, instant)
        votes[index] = vote_count(traits, instant)
        releases[index] = traits.release.toordinal() if traits.release else 0
    return Standings(popular, average, votes, releases)


def popular(at: Standings) -> NDArray[np.int64]:
    """Every listed movie, the most popular first."""
    return _descending(at.popularity)


def top_rated(at: Standings) -> NDArray[np.int64]:
    """The movies with some hundred votes, the best first."""
    order = _descending(at.vote_average)
    return order[at.vote_count[order] >= _FEWEST_VOTES_OF_THE_TOP]


def released_between(at: Standings, first: date, last: date) -> NDArray[np.int64]:
    """The movies released from `first` to `last`, both included, the most popular first."""
    order = popular(at)
    releases = at.releases[order]
    return order[(releases >= first.toordinal()) & (releases <= last.toordinal())]


def showing(today: date) -> tuple[date, date]:
    """First and last release of what is in cinemas."""
    return today - _SHOWN_FOR, today


def announced(today: date) -> tuple[date, date]:
    """First and last release of what comes next."""
    return today + timedelta(days=1), today + _ANNOUNCED_FOR


def trending(seed: int, at: Standings, today: date, window: str) -> NDArray[np.int64]:
    """Every listed movie; popularity counts, and chance decided by the day (`day`) or the week (`week`)."""
    period = today.toordinal() if window == "day" else today.toordinal() // 7
    chance = np.random.default_rng(_number(f"{seed}:trending:{window}:{period}"))
    return _descending(at.popularity * chance.lognormal(0.0, 0.7, len(at.popularity)))


SORTS: dict[str, Callable[[Standings], NDArray[np.float64] | NDArray[np.int64]]] = {
    "popularity": lambda at: at.popularity,
    "vote_average": lambda at: at.vote_average,
    "vote_count": lambda at: at.vote_count,
    "primary_release_date": lambda at: at.releases,
    "release_date": lambda at: at.releases,
}
"""What `/discover/movie` sorts by, followed by `.asc` or `.desc`."""


def discovered(at: Standings, sort_by: str, first: date, last: date, votes: int, average: float) -> NDArray[np.int64]:
    """The movies that `/discover/movie` gives: released from `first` to `last`, with so many and so good votes."""
    name, _, direction = sort_by.partition(".")
    values = SORTS.get(name, SORTS["popularity"])(at)
    order = _descending(-values if direction == "asc" else values)
    kept = (at.vote_count >= votes) & (at.vote_average >= average)
    if first > date.min or last < date.max:
        kept &= (at.releases >= first.toordinal()) & (at.releases <= last.toordinal())
    return order[kept[order]]


def page_of(seed: int, name: str, today: date, order: NDArray[np.int64], page: int) -> list[int]:
    """The movie numbers on a page (from 1) of a list.

    A page may begin with up to three movies that ended the page before, as TMDB's do where popularity moved
    while someone paged; the whole list is shorter by as many.
    """
    shift = _number(f"{seed}:{name}:{today}:{page}") % _ROWS_THAT_MAY_REPEAT if page > 1 else 0
    start = (page - 1) * PAGE_SIZE
    if start >= len(order):
        return []
    return [int(index) for index in order[start - shift : start - shift + PAGE_SIZE]]


def _descending(values: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Movie numbers by value, the highest first; the lower number first where values are equal."""
    return np.argsort(-values, kind="stable")


def _number(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest())
