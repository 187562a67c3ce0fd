"""A folder of recorded answers, served as they are.

The folder holds `endpoints/*.json` ({request: {path, query}, http_status, body}), `errors/errors.json` (a list
of {path, query, http_status, body}) and `movie_full/movie_<id>_<n>.json` (bodies of `/movie/<id>`).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from ingestion.standin.answers import Answer, failure
from ingestion.standin.exports import day_of, file_of, line, missing
from lakehouse.errors import ConfigurationError

_IGNORED = frozenset({"api_key", "append_to_response"})
_DETAILS = re.compile(r"/3/movie/\d+")
_FULL = re.compile(r"movie_(\d+)_\d+\.json")
_Read = TypeVar("_Read")


class _Target(msgspec.Struct):
    path: str
    query: dict[str, str] = {}


class _Endpoint(msgspec.Struct):
    request: _Target
    http_status: int
    body: msgspec.Raw


class _Movie(msgspec.Struct):
    id: int
    original_title: str
    popularity: float = 0.0


class _Error(msgspec.Struct):
    body: msgspec.Raw
    path: str = ""
    method: str = "GET"
    query: dict[str, str] = {}
    http_status: int = 0


class _Recording(NamedTuple):
    query: frozenset[tuple[str, str]]
    answer: Answer


@dataclass(frozen=True, slots=True)
class Recordings:
    """Recorded answers by path."""

    by_path: Mapping[str, list[_Recording]]

    def answer(self, path: str, query: Mapping[str, str], today: date) -> Answer:
        """The answer to this path whose query differs in the fewest values; 404 where the path is unknown.

        The key and `append_to_response` do not count: a recording has the parts that it has. An export lists
        the movies whose details were recorded, whatever the day.
        """
        if path.startswith("/p/exports/"):
            return file_of(self._lines) if day_of(path, today) else missing()
        wanted = _relevant(query)
        candidates = self.by_path.get(path)
        if not candidates:
            return failure(34)
        return min(candidates, key=lambda recording: len(recording.query ^ wanted)).answer

    def _lines(self) -> Iterator[bytes]:
        for path, recordings in self.by_path.items():
            if _DETAILS.fullmatch(path) and recordings[0].answer.status == 200:
                # A recording of 2014 has its popularity as text.
                movie = msgspec.json.decode(recordings[0].answer.body, type=_Movie, strict=False)
                yield line(movie.id, movie.original_title, movie.popularity)


def load_recordings(folder: Path) -> Recordings:
    """Read a folder of recorded answers.

    Raises:
        ConfigurationError: there is no such folder, a file is not as it should be, or there are none.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"There is no folder {folder}.", "Give --recorded the folder of recorded answers.")
    by_path: dict[str, list[_Recording]] = defaultdict(list)
    for file in sorted(folder.glob("endpoints/*.json")):
        endpoint = _read(file, _Endpoint)
        _add(by_path, endpoint.request.path, endpoint.request.query, endpoint.http_status, endpoint.body)
    for file in sorted(folder.glob("movie_full/*.json")):
        if match := _FULL.fullmatch(file.name):
            _add(by_path, f"/3/movie/{match[1]}", {}, 200, _read(file, msgspec.Raw))
    for file in folder.glob("errors/errors.json"):
        for error in _read(file, list[_Error]):
            if error.path and error.http_status and error.method == "GET":
                _add(by_path, error.path, error.query, error.http_status, error.body)
    if not by_path:
        raise ConfigurationError(
            f"{folder} holds no recorded answers.", "It needs endpoints/*.json or movie_full/movie_<id>_<n>.json."
        )
    return Recordings(dict(by_path))


def _add(
    by_path: dict[str, list[_Recording]], path: str, query: Mapping[str, str], status: int, body: msgspec.Raw
) -> None:
    by_path[path].append(_Recording(_relevant(query), Answer(status, bytes(body))))


def _relevant(query: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(item for item in query.items() if item[0] not in _IGNORED)


def _read(file: Path, kind: type[_Read]) -> _Read:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
        raise ConfigurationError(f"{file} is no recorded answer: {error}.", "Remove or correct the file.") from error
