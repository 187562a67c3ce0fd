"""What the stand-in makes up has the fields and JSON types of what TMDB sent."""

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingestion.standin.answers import failure
from ingestion.standin.api import answer
from ingestion.standin.world import World
from ingestion.synthetic.movie import movie_id

WORLD = World(seed=7, movies=3000, today=datetime(2026, 1, 23, tzinfo=UTC))
DETAILS = [f"/3/movie/{movie_id(7, index)}" for index in range(400)]
# Collections that are made up have no pictures.
WITHOUT_A_PICTURE = {"$.belongs_to_collection.poster_path", "$.belongs_to_collection.backdrop_path"}


def made(path: str, **query: str) -> Any:
    return msgspec.json.decode(answer(WORLD, path, query).body)


def shape(values: list[Any]) -> dict[str, set[str]]:
    """The JSON types at each path, over all values; entries of a list share one path."""
    found: dict[str, set[str]] = defaultdict(set)

    def walk(path: str, value: Any) -> None:
        # A whole number is written without a fraction at TMDB, too.
        kind = "number" if type(value) in (int, float) else type(value).__name__
        found[path].add(kind)
        if isinstance(value, dict):
            for name, inner in value.items():
                walk(f"{path}.{name}", inner)
        elif isinstance(value, list):
            for inner in value:
                walk(f"{path}[]", inner)

    for value in values:
        walk("$", value)
    return found


@pytest.fixture(scope="module")
def endpoints(tmdb_data: Path) -> Path:
    return tmdb_data / "api_samples" / "endpoints"


def recorded(endpoints: Path, pattern: str) -> list[Any]:
    files = sorted(endpoints.glob(pattern))
    assert files, pattern
    return [msgspec.json.decode(file.read_bytes())["body"] for file in files]


def assert_like(values: list[Any], real: list[Any]) -> None:
    mine, theirs = shape(values), shape(real)
    assert mine.keys() == theirs.keys()
    for path, kinds in mine.items():
        if path not in WITHOUT_A_PICTURE:
            assert kinds <= theirs[path], path


def test_details(endpoints: Path) -> None:
    real = [*recorded(endpoints, "movie_47964*.json"), *recorded(endpoints, "movie_latest.json")]
    real = [body for body in real if "budget" in body]
    assert_like([made(path) for path in DETAILS], real)


@pytest.mark.parametrize("name", ["credits", "keywords", "reviews", "release_dates"])
def test_parts(endpoints: Path, name: str) -> None:
    real = recorded(endpoints, f"movie_47964_{name}.json")
    values = [made(f"{path}/{name}") for path in DETAILS]
    mine, theirs = shape(values), shape(real)
    # One movie's recording does not hold all the nulls there are.
    assert mine.keys() == theirs.keys()
    assert all(kinds - {"NoneType"} <= theirs[path] for path, kinds in mine.items())


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/3/movie/popular", "movie_popular__page*.json"),
        ("/3/movie/top_rated", "movie_top_rated__page*.json"),
        ("/3/movie/now_playing", "movie_now_playing__page*.json"),
        ("/3/movie/upcoming", "movie_upcoming__page*.json"),
        ("/3/discover/movie", "discover_movie*.json"),
        ("/3/trending/movie/week", "trending_movie_week.json"),
    ],
)
def test_lists(endpoints: Path, path: str, pattern: str) -> None:
    real = recorded(endpoints, pattern)
    values = [made(path, page=str(page)) for page in range(1, 4)]
    mine, theirs = shape(values), shape(real)
    assert mine.keys() == theirs.keys()
    assert all(kinds - {"NoneType"} <= theirs[name] for name, kinds in mine.items())
    # In which order fields stand is the same, too.
    assert list(values[0]) == list(real[0])


def test_changes(endpoints: Path) -> None:
    assert_like([made("/3/movie/changes")], recorded(endpoints, "movie_changes__*.json"))


def test_genres_and_configuration(endpoints: Path) -> None:
    assert made("/3/genre/movie/list") == recorded(endpoints, "genre_movie_list.json")[0]
    assert_like([made("/3/configuration")], recorded(endpoints, "configuration.json"))


def test_errors(tmdb_data: Path) -> None:
    errors = msgspec.json.decode((tmdb_data / "api_samples" / "errors" / "errors.json").read_bytes())
    checked = set()
    for error in errors:
        body = error["body"]
        if body["status_code"] in (7, 20, 22, 34) and "success" in body:
            given = failure(body["status_code"])
            assert msgspec.json.decode(given.body) == body
            assert error.get("http_status", given.status) == given.status
            checked.add(body["status_code"])
    assert checked == {7, 20, 22, 34}
