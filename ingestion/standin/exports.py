"""The daily export of all movie ids, as TMDB's file host keeps it."""

import re
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from ingestion.standin.answers import Answer, encode
from ingestion.standin.world import World
from ingestion.synthetic.movie import movie_id, movie_traits, popularity

_NAME = re.compile(r"/p/exports/movie_ids_(\d\d)_(\d\d)_(\d{4})\.json\.gz")
_KEPT = timedelta(days=92)
# So many take about ten milliseconds: other requests are answered between two pieces.
_MOVIES_A_PIECE = 500
_NOT_THERE = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"""


def export(world: World, path: str) -> Answer:
    """Answer for a file of exports: gzip, one JSON object a line, as of the day in the file's name.

    There is one for each day of the last three months up to today, whatever the hour.
    """
    day = day_of(path, world.today.date())
    if day is None:
        return missing()
    instant = datetime.combine(day, time(tzinfo=UTC))
    return file_of(lambda: _lines(world.seed, world.movies, instant))


def day_of(path: str, today: date) -> date | None:
    """The day in the name of a file of exports; None where there is no such file as of `today`."""
    match = _NAME.fullmatch(path)
    day = _day(match) if match else None
    return day if day and today - _KEPT <= day <= today else None


def missing() -> Answer:
    """What the file host says of a file that is not there."""
    return Answer(404, _NOT_THERE, "application/xml")


def file_of(lines: Callable[[], Iterator[bytes]]) -> Answer:
    """Answer with a file of such lines."""
    return Answer(200, b"", "application/gzip", lambda: gzipped(lines()))


def line(number: int, original_title: str, popularity: float) -> bytes:
    """One line of a file."""
    row = {"adult": False, "id": number, "original_title": original_title, "popularity": popularity, "video": False}
    return encode(row) + b"\n"


def gzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Compress piece by piece; the same input gives the same bytes, since gzip's time stamp is left out."""
    packer = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def _day(match: re.Match[str]) -> date | None:
    month, day, year = (int(number) for number in match.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _lines(seed: int, movies: int, instant: datetime) -> Iterator[bytes]:
    for first in range(0, movies, _MOVIES_A_PIECE):
        numbers = range(first, min(movies, first + _MOVIES_A_PIECE))
        yield b"".join(_line(seed, index, instant) for index in numbers)


def _line(seed: int, index: int, instant: datetime) -> bytes:
    traits = movie_traits(seed, index)
    return line(movie_id(seed, index), traits.original_title, popularity(traits, seed, index, instant))
