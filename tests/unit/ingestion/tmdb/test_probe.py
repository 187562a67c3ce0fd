"""What a handful of movies lacks, found before any of them lands."""

from typing import Any

import pytest

from ingestion.tmdb.probe import LEAST_OBJECTS, lacking

NEEDED = {
    "budget": "number",
    "title": "text",
    "credits": "object",
    "credits.cast": "list",
    "credits.cast[]": "object",
    "credits.cast[].gender": "number",
}


def movies(count: int = 2 * LEAST_OBJECTS, **changes: Any) -> list[dict[str, Any]]:
    movie = {"budget": 0, "title": "A", "credits": {"cast": [{"gender": 1}]}}
    return [{name: value for name, value in {**movie, **changes}.items() if value is not ...} for _ in range(count)]


def test_movies_as_silver_needs_them_lack_nothing() -> None:
    assert lacking(movies(), NEEDED, NEEDED) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"budget": ...}, ["budget: in none of 20"]),
        ({"title": 7}, ["title: number, where Silver expects text"]),
        ({"credits": {"cast": [{"sex": 1}]}}, ["credits.cast[].gender: in none of 20"]),
        ({"credits": {"cast": ["Ann"]}}, ["credits.cast[]: text, where Silver expects object"]),
        ({"budget": True}, ["budget: boolean, where Silver expects number"]),
    ],
)
def test_what_none_has_or_most_have_otherwise_is_named(changes: dict[str, Any], said: list[str]) -> None:
    assert lacking(movies(**changes), NEEDED, NEEDED) == said


def test_a_field_that_some_lack_or_that_is_null_stops_nothing() -> None:
    assert lacking(movies(19, budget=...) + movies(1), NEEDED, NEEDED) == []
    assert lacking(movies(budget=None), NEEDED, NEEDED) == []
    assert lacking(movies(11) + movies(9, title=7), NEEDED, NEEDED) == []


def test_few_movies_stop_nothing() -> None:
    assert lacking(movies(LEAST_OBJECTS - 1, budget=...), NEEDED, NEEDED) == []


def test_what_the_batch_before_lacked_too_is_not_gone() -> None:
    assert lacking(movies(budget=...), NEEDED, NEEDED.keys() - {"budget"}) == []
