"""The source `synthetic`: the whole catalogue as TMDB would have answered, one day after the other.

A stated share of the answers is damaged on purpose, in the ways that real batches are.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from ingestion.errors import SourceError
from ingestion.records import RawRecord
from ingestion.synthetic.movie import movie_record

DEFAULT_DATES = (
    datetime(2026, 1, 2, tzinfo=UTC),
    datetime(2026, 1, 23, tzinfo=UTC),
    datetime(2026, 1, 29, tzinfo=UTC),
)
"""Two of them lie in the last 7 days before the third, and all in the last 30.

Each trending window has rows.
"""


@dataclass(frozen=True, slots=True)
class CatalogueSpec:
    """Everything that decides a catalogue.

    Args:
        seed: decides all content.
        movies: number of movies.
        dates: when all of them are observed, UTC.
        dirty_rate: share of the observations that are damaged, 0 to 1.
    """

    seed: int
    movies: int
    dates: tuple[datetime, ...] = DEFAULT_DATES
    dirty_rate: float = 0.004

    def __post_init__(self) -> None:
        """Refuse what makes no catalogue.

        Raises:
            SourceError: a negative number of movies, no date, or a rate outside 0 to 1.
        """
        if self.movies < 0 or not self.dates or not 0 <= self.dirty_rate <= 1:
            raise SourceError(
                f"There is no catalogue of {self.movies} movies, {len(self.dates)} dates and dirty rate "
                f"{self.dirty_rate}.",
                "Give movies >= 0, at least one date, and a rate from 0 to 1.",
            )


class Dirt(StrEnum):
    """How an observation is damaged."""

    TRUNCATED = "truncated"
    """The answer ends in the middle. To quarantine."""

    NOT_JSON = "not_json"
    """A gateway's error page. To quarantine."""

    NO_ID = "no_id"
    """To quarantine."""

    ID_AS_TEXT = "id_as_text"
    """To quarantine."""

    POPULARITY_AS_TEXT = "popularity_as_text"
    """Lands: the payload is text."""

    NO_RELEASE_DATE = "no_release_date"
    """`release_date` is "". Lands."""

    TWICE = "twice"
    """The answer comes twice. Lands once."""


_KINDS = tuple(Dirt)
_encode = msgspec.json.Encoder().encode


def dirt_of(spec: CatalogueSpec, index: int, instant: datetime) -> Dirt | None:
    """How the observation of movie number `index` at `instant` is damaged; None where it is not."""
    chance = random.Random(f"{spec.seed}:dirt:{index}:{instant.isoformat()}")
    if chance.random() >= spec.dirty_rate:
        return None
    return _KINDS[int(chance.random() * len(_KINDS))]


def catalogue(spec: CatalogueSpec) -> Iterator[RawRecord]:
    """Stream all observations, date by date. Memory does not grow with the catalogue."""
    for instant in sorted(spec.dates):
        for index in range(spec.movies):
            yield from observation(spec, index, instant)


def observation(spec: CatalogueSpec, index: int, instant: datetime) -> Iterator[RawRecord]:
    """The answers for one movie at one instant: one, or two where it comes twice."""
    dirt = dirt_of(spec, index, instant) if spec.dirty_rate else None
    text = damaged(movie_record(spec.seed, index, instant), index, dirt)
    place = f"synthetic movie number {index}, seen {instant:%Y-%m-%d}"
    for _ in range(2 if dirt is Dirt.TWICE else 1):
        yield RawRecord(text, place, observed_at=instant)


def damaged(record: dict[str, Any], index: int, dirt: Dirt | None) -> bytes:
    """The JSON text of movie number `index`, damaged by `dirt`; `record` may be changed on the way."""
    if dirt is Dirt.NO_ID:
        del record["id"]
    elif dirt is Dirt.ID_AS_TEXT:
        record["id"] = str(record["id"])
    elif dirt is Dirt.POPULARITY_AS_TEXT:
        record["popularity"] = str(record["popularity"])
    elif dirt is Dirt.NO_RELEASE_DATE:
        record["release_date"] = ""
    text = _encode(record)
    if dirt is Dirt.TRUNCATED:
        return text[: len(text) * 2 // 3]
    if dirt is Dirt.NOT_JSON:
        return f"<html><head><title>504 Gateway Time-out</title></head>{index}</html>".encode()
    return text
