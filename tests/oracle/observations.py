"""Observations of movies: their JSON read, and folded into what was last said of each field.

Of several observations that carry a field the latest counts, of one instant that with the greatest hash. Carrying it is
enough: a field that comes as null, empty or unreadable replaces what was known; one that does not come leaves it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

_LARGEST_WHOLE_NUMBER = 2**63 - 1
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

Fields = dict[str, Any]
"""Fields that a payload carries, read as their type; a field that it does not carry is not a key."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One row of `bronze.movies`, as far as it decides anything. A naive `observed_at` is UTC."""

    movie_id: str
    observed_at: datetime
    payload: str
    payload_sha256: str


class Named(NamedTuple):
    """An entry of a list: a genre, a person or a company. `name` is None where the entry gives none."""

    identity: int
    name: str | None


class Credit(NamedTuple):
    """An entry of a movie's crew."""

    identity: int
    name: str | None
    job: str | None


class Review(NamedTuple):
    """A review of a movie. `content` is None where it has no text."""

    identity: str
    content: str | None


class Reading(NamedTuple):
    """An observation whose payload was read. Readings of one movie are in order by their first three values."""

    movie_id: str
    observed_at: datetime
    payload_sha256: str
    fields: Fields


def in_utc(instant: datetime) -> datetime:
    """The instant in UTC; one without a zone is UTC already."""
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def read(observation: Observation) -> Reading:
    """Read the payload of an observation. One that is no JSON object carries no field."""
    return Reading(
        observation.movie_id,
        in_utc(observation.observed_at),
        observation.payload_sha256,
        fields(observation.payload),
    )


def read_all(observations: Iterable[Observation]) -> list[Reading]:
    """Read all payloads, each observation once, in the order of movie, instant and hash."""
    once = {(each.movie_id, in_utc(each.observed_at), each.payload_sha256): each for each in observations}
    return [read(once[key]) for key in sorted(once)]


def folded(readings: Iterable[Reading]) -> dict[str, Fields]:
    """What was last said of each field of each movie. The readings are in order, as `read_all` gives them."""
    movies: dict[str, Fields] = {}
    for reading in readings:
        movies.setdefault(reading.movie_id, {}).update(reading.fields)
    return movies


def latest_names(readings: Iterable[Reading], *lists: str) -> dict[int, str | None]:
    """Name of everyone (or everything) in the named lists, by the last observation that gives one.

    Replaced lists count too: a name is a fact about the person, not about the movie. Of two names in one observation
    the greater counts, as in every fold of the project. None for those who were never named.
    """
    said: dict[int, tuple[datetime, str, str] | None] = {}
    for reading in readings:
        for field in lists:
            for entry in reading.fields.get(field) or ():
                known = said.setdefault(entry.identity, None)
                if entry.name is not None:
                    now = (reading.observed_at, reading.payload_sha256, entry.name)
                    said[entry.identity] = now if known is None else max(known, now)
    return {identity: triple[2] if triple else None for identity, triple in said.items()}


def fields(payload: str) -> Fields:
    """Fields that a payload carries."""
    try:
        record = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(record, dict):
        return {}
    found = {name: cast(record[key]) for key, (name, cast) in _FIELDS.items() if key in record}
    if isinstance(record.get("genres"), list):
        found["genres"] = _named(record["genres"])
    elif "genre_ids" in record:
        found["genres"] = _numbered(record["genre_ids"])
    elif "genres" in record:
        found["genres"] = ()
    credits = record.get("credits")
    if "credits" in record and credits is None:
        # None at all, which is not the same as a list that does not come.
        found["cast"] = found["crew"] = ()
    if isinstance(credits, dict):
        if "cast" in credits:
            found["cast"] = _named(credits["cast"])
        if "crew" in credits:
            found["crew"] = _crew(credits["crew"])
    return found


def text(value: Any) -> str | None:
    """A text without NUL characters; None where it is blank or no text."""
    if not isinstance(value, str):
        return None
    value = value.replace("\0", "")
    return value if value.strip() else None


def whole_number(value: Any) -> int | None:
    """A whole number that came as number or as text; None for anything else, or beyond 64 bits."""
    number = _decimal(value)
    if number is None or number != number.to_integral_value() or abs(number) > _LARGEST_WHOLE_NUMBER:
        return None
    return int(number)


def count(value: Any) -> int | None:
    """A whole number that is not negative; None for anything else."""
    found = whole_number(value)
    return None if found is None or found < 0 else found


def measure(at_most: float) -> Callable[[Any], float | None]:
    """How to read a number from 0 to `at_most`; None for anything else."""

    def read_measure(value: Any) -> float | None:
        found = _decimal(value)
        return None if found is None or not 0 <= found <= at_most else float(found)

    return read_measure


def day(value: Any) -> date | None:
    """A date written YYYY-MM-DD, whatever time follows; None for anything else."""
    if not isinstance(value, str) or not _DAY.match(value):
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    written = repr(value) if isinstance(value, int | float) else value.strip()
    if not _NUMBER.fullmatch(written):
        return None
    try:
        return Decimal(written)
    except InvalidOperation:
        return None


def _entries(value: Any) -> list[tuple[int, dict[str, Any]]]:
    """The objects of a list that have a usable id, with it."""
    if not isinstance(value, list):
        return []
    found = ((whole_number(entry.get("id")), entry) for entry in value if isinstance(entry, dict))
    return [(identity, entry) for identity, entry in found if identity is not None]


def _named(value: Any) -> tuple[Named, ...]:
    return tuple(Named(identity, text(entry.get("name"))) for identity, entry in _entries(value))


def _crew(value: Any) -> tuple[Credit, ...]:
    return tuple(
        Credit(identity, text(entry.get("name")), text(entry.get("job"))) for identity, entry in _entries(value)
    )


def _numbered(value: Any) -> tuple[Named, ...]:
    """Genres of a list page: ids without names."""
    if not isinstance(value, list):
        return ()
    return tuple(Named(identity, None) for identity in map(whole_number, value) if identity is not None)


def _reviews(value: Any) -> tuple[Review, ...]:
    """Reviews of a movie, each once by its id, and the first that has it."""
    results = value.get("results") if isinstance(value, dict) else None
    once: dict[str, Review] = {}
    for entry in results if isinstance(results, list) else ():
        identity = text(entry.get("id")) if isinstance(entry, dict) else None
        if identity is not None:
            once.setdefault(identity, Review(identity, text(entry.get("content"))))
    return tuple(once.values())


_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "title": ("title", text),
    "overview": ("overview", text),
    "original_language": ("original_language", text),
    "release_date": ("release_date", day),
    "runtime": ("runtime", count),
    "budget": ("budget", count),
    "revenue": ("revenue", count),
    "vote_average": ("rating", measure(10)),
    "vote_count": ("vote_count", count),
    "popularity": ("popularity", measure(1e9)),
    "production_companies": ("production_companies", _named),
    "reviews": ("reviews", _reviews),
}
"""Key of a payload -> the project's name for it, and how it is read."""
