"""Which movies change when: a pure function of seed and day.

Of a hundred movies about three change on a day. Beside them stand those whose text is edited that day, or
whose status changes with their release, and ids that have been deleted.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingestion.synthetic.movie import STATUS_AGES, edition, movie_id, movie_traits

CHANGED_A_DAY = 0.03
DELETED_A_DAY = 0.0027
_DAY_SECONDS = 86_400
# The ids 100 + 7 * index + 0..6 belong to movie number `index`, which has one of them.
_IDS_OF_A_MOVIE = 7


class Change(NamedTuple):
    """The latest change of one id in a window."""

    movie_id: int
    at: datetime
    is_deleted: bool


class Changes(NamedTuple):
    """All changes of a window, the latest first, one an id: movie numbers, seconds since 1970, deleted or not."""

    indices: NDArray[np.int64]
    moments: NDArray[np.int64]
    deleted: NDArray[np.bool_]


def change(seed: int, changes: Changes, position: int) -> Change:
    """The change at `position` of a window."""
    index = int(changes.indices[position])
    is_deleted = bool(changes.deleted[position])
    number = deleted_id(seed, index) if is_deleted else movie_id(seed, index)
    return Change(number, datetime.fromtimestamp(int(changes.moments[position]), UTC), is_deleted)


def changed_at(changes: Changes, index: int) -> datetime | None:
    """When movie number `index` changed last in a window; None where it did not."""
    positions = np.flatnonzero((changes.indices == index) & ~changes.deleted)
    return datetime.fromtimestamp(int(changes.moments[positions[0]]), UTC) if len(positions) else None


def deleted_id(seed: int, index: int) -> int:
    """An id next to that of movie number `index`, which no movie has (any more)."""
    first = 100 + _IDS_OF_A_MOVIE * index
    return first + (movie_id(seed, index) - first + 1) % _IDS_OF_A_MOVIE


# A client that pages through a window asks for the same one again and again; it is small.
@lru_cache(maxsize=16)
def changes_between(seed: int, movies: int, begin: datetime, end: datetime) -> Changes:
    """The changes from `begin` until before `end`; an id that changed twice stands there once, as of the latest."""
    days = [begin.date() + timedelta(days=number) for number in range((end.date() - begin.date()).days + 1)]
    parts = [_of_day(seed, movies, day) for day in days]
    # Twice the number, plus one for a deleted id: one key for both, so that `unique` tells them apart.
    keys = np.concatenate([part[0] for part in parts])
    moments = np.concatenate([part[1] for part in parts])
    inside = (moments >= int(begin.timestamp())) & (moments < int(end.timestamp()))
    keys, moments = keys[inside], moments[inside]
    latest_first = np.lexsort((keys, -moments))
    keys, moments = keys[latest_first], moments[latest_first]
    _, firsts = np.unique(keys, return_index=True)
    firsts.sort()
    keys, moments = keys[firsts], moments[firsts]
    return Changes(keys // 2, moments, keys % 2 == 1)


# Two windows of 14 days; a day of 100,000 movies takes 50 KB.
@lru_cache(maxsize=32)
def _of_day(seed: int, movies: int, day: date) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    numbers = np.arange(movies, dtype=np.uint64)
    changed = _chance(numbers, f"{seed}:changed:{day}") < CHANGED_A_DAY
    changed |= _described(seed, movies).changed_on(day)
    deleted = _chance(numbers, f"{seed}:deleted:{day}") < DELETED_A_DAY
    keys = np.concatenate([numbers[changed] * 2, numbers[deleted] * 2 + 1]).astype(np.int64)
    seconds = (_chance(keys.astype(np.uint64), f"{seed}:moment:{day}") * _DAY_SECONDS).astype(np.int64)
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return keys, midnight + seconds


class _Described(NamedTuple):
    """When the texts and the status of all movies change: NaN and 0 where they never do."""

    edit_phases: NDArray[np.float64]
    release_days: NDArray[np.int64]

    def changed_on(self, day: date) -> NDArray[np.bool_]:
        """Which movies have another text or status at the end of `day` than at its beginning."""
        begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
        before = edition(self.edit_phases, begin)
        after = edition(self.edit_phases, begin + timedelta(days=1))
        ages = day.toordinal() - self.release_days
        return (before < after) | np.isin(ages, STATUS_AGES)


# 16 bytes a movie; making it takes 15 microseconds a movie.
@lru_cache(maxsize=2)
def _described(seed: int, movies: int) -> _Described:
    phases = np.full(movies, np.nan)
    releases = np.zeros(movies, dtype=np.int64)
    for index in range(movies):
        traits = movie_traits(seed, index)
        if traits.edit_phase is not None:
            phases[index] = traits.edit_phase
        if traits.release is not None:
            releases[index] = traits.release.toordinal()
    return _Described(phases, releases)


def _chance(numbers: NDArray[np.uint64], name: str) -> NDArray[np.float64]:
    """A number from 0 to 1 for each of `numbers`, decided by `name`: the finaliser of splitmix64."""
    mixed = numbers + np.uint64(int.from_bytes(blake2b(name.encode(), digest_size=8).digest()))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53
