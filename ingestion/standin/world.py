"""The synthetic catalogue as it stands at one instant."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import msgspec

from ingestion.standin.answers import Answer, Refused, encode
from ingestion.synthetic.catalogue import CatalogueSpec, Dirt, damaged, dirt_of
from ingestion.synthetic.movie import movie_id, movie_record

PARTS = ("credits", "keywords", "reviews")
"""What `append_to_response` adds, and is under `/movie/{id}/` by itself; and `release_dates`."""

_FIRST_ID = 100
_IDS_OF_A_MOVIE = 7


@dataclass(frozen=True, slots=True)
class World:
    """A catalogue and the instant at which it is looked at.

    Args:
        seed: decides all content.
        movies: how many there are; the numbers go from 0 to `movies` - 1.
        today: the present, UTC. Nothing is known of what comes later.
        dirty_rate: share of the movies whose details are damaged on a day, 0 to 1.
    """

    seed: int
    movies: int
    today: datetime
    dirty_rate: float = 0.0

    def index_of(self, number: int) -> int | None:
        """Which movie has the id `number`; None where none has."""
        index = (number - _FIRST_ID) // _IDS_OF_A_MOVIE
        if 0 <= index < self.movies and movie_id(self.seed, index) == number:
            return index
        return None

    def dirt(self, index: int) -> Dirt | None:
        """How the details of movie number `index` are damaged today; all day the same."""
        if not self.dirty_rate:
            return None
        midnight = datetime.combine(self.today.date(), time(tzinfo=UTC))
        spec = CatalogueSpec(self.seed, self.movies, (midnight,), self.dirty_rate)
        return dirt_of(spec, index, midnight)


def details(world: World, index: int, appended: Collection[str]) -> Answer:
    """The details of movie number `index`, and those parts of it that are asked for."""
    record = movie_record(world.seed, index, world.today)
    for part in PARTS:
        if part not in appended:
            del record[part]
    if "release_dates" in appended:
        record["release_dates"] = release_dates(record)
    return Answer(200, damaged(record, index, world.dirt(index)))


def part(world: World, index: int, name: str) -> Answer:
    """One part of movie number `index` by itself: unlike an appended one, it carries the movie's id.

    Raises:
        Refused: there is no such part.
    """
    record = movie_record(world.seed, index, world.today)
    if name == "release_dates":
        value: Any = release_dates(record)
    elif name in PARTS:
        value = record[name]
    else:
        raise Refused(34)
    # Both are objects with at least one field.
    text = bytes(value) if isinstance(value, msgspec.Raw) else encode(value)
    return Answer(200, b'{"id":%d,' % record["id"] + text[1:])


def list_item(world: World, index: int) -> dict[str, Any]:
    """Movie number `index` as an entry of a list: fewer fields, and genres by id alone."""
    record = movie_record(world.seed, index, world.today)
    return {
        "adult": record["adult"],
        "backdrop_path": record["backdrop_path"],
        "genre_ids": [genre["id"] for genre in record["genres"]],
        "id": record["id"],
        "title": record["title"],
        "original_language": record["original_language"],
        "original_title": record["original_title"],
        "overview": record["overview"],
        "popularity": record["popularity"],
        "poster_path": record["poster_path"],
        "release_date": record["release_date"],
        "softcore": record["softcore"],
        "video": record["video"],
        "vote_average": record["vote_average"],
        "vote_count": record["vote_count"],
    }


def release_dates(record: dict[str, Any]) -> dict[str, Any]:
    """The releases in the movie's own country and in the US, on the same day; none where the day is unknown."""
    if not record["release_date"]:
        return {"results": []}
    countries = sorted({*record["origin_country"], "US"})
    return {"results": [{"iso_3166_1": country, "release_dates": [_release(record, country)]} for country in countries]}


def _release(record: dict[str, Any], country: str) -> dict[str, Any]:
    certification = ("", "G", "PG", "PG-13", "R")[record["id"] % 5] if country == "US" else ""
    return {
        "certification": certification,
        "descriptors": [],
        "iso_639_1": "",
        "note": "",
        "release_date": f"{record['release_date']}T00:00:00.000Z",
        "type": 3,
    }
