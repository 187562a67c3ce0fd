"""Schema drift: what is found between two inventories, and what of it stops Silver."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
import pytest

from ingestion.drift import Drift, blocking, compare, needed_fields
from ingestion.fields import Field, containers_of, fold, parent_of
from lakehouse.errors import ConfigurationError
from tests.instance import ROOT

AS_OF = datetime(2026, 1, 29, tzinfo=UTC)
NEEDED = {
    "title": "text",
    "budget": "number",
    "genre_ids": "list",
    "reviews": "object",
    "reviews.results": "list",
    "reviews.results[]": "object",
    "reviews.results[].id": "text",
}


def seen(path: str, nulls: int = 0, records: int = 1000, endpoint: str = "movie_details", **types: int) -> Field:
    present = sum(types.values()) + nulls
    return Field("b", "file", endpoint, path, present, nulls, 0, types, records, AS_OF)


def found(before: list[Field], now: list[Field]) -> list[tuple[str, str, bool]]:
    return [(drift.path, drift.kind, drift.is_blocking) for drift in compare(before, now, NEEDED)]


TITLE = seen("title", text=1000)


def test_the_same_fields_are_no_finding() -> None:
    fields = [TITLE, seen("budget", number=1000), seen("tagline", text=400)]
    assert compare(fields, fields, NEEDED) == []


def test_a_field_that_came_or_went_is_reported_and_stops_nothing_where_silver_does_not_read_it() -> None:
    before, now = [TITLE, seen("video", boolean=1000)], [TITLE, seen("softcore", boolean=998)]
    assert compare(before, now, NEEDED) == [
        Drift("softcore", "new", "absent", "boolean in 998 of 1,000", is_needed=False),
        Drift("video", "gone", "boolean in 1,000 of 1,000", "absent in 1,000", is_needed=False),
    ]


def test_a_needed_field_that_is_absent_everywhere_blocks_and_stands_first() -> None:
    other = seen("adult", boolean=1000)
    assert found([TITLE, other], [seen("budget", number=1000)]) == [
        ("title", "gone", True),
        ("budget", "new", False),
        ("adult", "gone", False),
    ]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        # one record in three carried it
        ([seen("budget", number=333), TITLE], [TITLE]),
        # a handful of odd records, now or then
        ([seen("budget", number=1000), TITLE], [seen("title", text=49, records=49)]),
        ([seen("budget", number=49, records=49), seen("title", text=49, records=49)], [TITLE]),
    ],
)
def test_a_needed_field_that_was_rare_or_went_from_few_records_is_reported_only(
    before: list[Field], now: list[Field]
) -> None:
    assert found(before, now) == [("budget", "gone", False)]


def test_other_views_of_a_movie_may_lack_anything() -> None:
    before = [replace(field, endpoint="api_list") for field in (TITLE, seen("budget", number=1000))]
    now = [replace(seen("title", number=1000), endpoint="api_list")]
    assert [(drift.kind, drift.is_needed, drift.is_blocking) for drift in compare(before, now, NEEDED)] == [
        ("gone", False, False),
        ("retyped", False, False),
    ]


def test_an_endpoint_is_compared_with_itself() -> None:
    lists = seen("genre_ids", list=1000, endpoint="api_list")
    assert compare([TITLE], [TITLE, lists], NEEDED) == []


def test_the_first_batch_of_a_source_is_held_against_the_expected_types_alone() -> None:
    assert compare([], [seen("title", text=1000)], NEEDED) == []
    (drift,) = compare([], [seen("budget", text=600, number=400)], NEEDED)
    assert drift == Drift(
        "budget",
        "retyped",
        "number, as Silver expects",
        "text (60%), number (40%) in 1,000 of 1,000",
        is_needed=True,
        is_blocking=True,
    )


@pytest.mark.parametrize(("odd", "reported", "blocks"), [(9, False, False), (10, True, False), (501, True, True)])
def test_how_many_odd_values_a_needed_field_may_have(odd: int, reported: bool, blocks: bool) -> None:
    before, now = [seen("budget", number=1000)], [seen("budget", number=1000 - odd, text=odd)]
    assert found(before, now) == ([("budget", "retyped", blocks)] if reported else [])


def test_nulls_are_of_no_type() -> None:
    before = [seen("budget", number=300, nulls=700)]
    assert found(before, [seen("budget", text=200, nulls=800)]) == [("budget", "retyped", True)]
    assert compare(before, [seen("budget", nulls=1000, number=0)], {}) != []
    assert all(drift.kind == "nulls" for drift in compare(before, [seen("budget", nulls=1000)], NEEDED))


def test_another_type_of_a_field_that_silver_does_not_read_is_reported() -> None:
    before, now = [seen("homepage", text=1000)], [seen("homepage", text=900, list=100)]
    assert compare(before, now, NEEDED) == [
        Drift("homepage", "retyped", "text", "text (90%), list (10%) in 1,000 of 1,000", is_needed=False)
    ]


@pytest.mark.parametrize(
    ("values_before", "values_now", "reported", "blocks"),
    [(1000, 810, False, False), (1000, 790, True, False), (960, 490, True, True), (940, 400, True, False)],
)
def test_values_that_become_null_or_absent(values_before: int, values_now: int, reported: bool, blocks: bool) -> None:
    before = [seen("budget", number=values_before, nulls=1000 - values_before)]
    expected = [("budget", "nulls", blocks)] if reported else []
    assert found(before, [seen("budget", number=values_now, nulls=1000 - values_now)]) == expected
    assert found(before, [seen("budget", number=values_now)]) == expected


REVIEWS = [
    seen("reviews", object=1000),
    seen("reviews.results", list=1000),
    seen("reviews.results[]", object=60),
    seen("reviews.results[].id", text=60),
]


def test_lists_that_are_empty_say_nothing_of_their_elements() -> None:
    assert compare(REVIEWS, REVIEWS[:2], NEEDED) == []
    assert compare(REVIEWS[:2], REVIEWS, NEEDED) == []


def test_a_field_of_elements_is_gone_where_elements_lack_it() -> None:
    assert found(REVIEWS, REVIEWS[:3]) == [("reviews.results[].id", "gone", True)]


def test_what_held_other_fields_is_named_and_not_each_of_them() -> None:
    assert found([TITLE, *REVIEWS], [TITLE]) == [("reviews", "gone", True)]
    retyped = [seen("reviews", list=1000)]
    assert found(REVIEWS, retyped) == [("reviews", "retyped", True)]


def test_a_list_of_something_else_is_retyped() -> None:
    now = [*REVIEWS[:2], seen("reviews.results[]", text=60)]
    assert found(REVIEWS, now) == [("reviews.results[]", "retyped", True)]


def test_what_blocks_is_told_apart() -> None:
    findings = compare([TITLE, seen("video", boolean=1000)], [seen("budget", number=1000)], NEEDED)
    assert [drift.path for drift in blocking(findings)] == ["title"]


def test_paths_name_what_holds_them() -> None:
    path = "reviews.results[].author_details.rating"
    assert parent_of(path) == "reviews.results[].author_details"
    assert parent_of("title") == ""
    assert containers_of([path, "genre_ids[]", "title"]) == {
        "genre_ids": "list",
        "reviews": "object",
        "reviews.results": "list",
        "reviews.results[]": "object",
        "reviews.results[].author_details": "object",
    }


def test_counts_of_spark_become_an_inventory() -> None:
    def line(path: str, key: str | None, kind: str | None, n: int, **more: Any) -> Mapping[str, Any]:
        about = {
            "endpoint": "movie_details",
            "source": "api",
            "ingested_at": AS_OF,
            "node_type": None,
            "is_empty": False,
        }
        return {**about, "path": path, "key": key, "value_type": kind, "n": n, **more}

    lines = [
        line("", "homepage", "STRING", 3, node_type="OBJECT"),
        line("", "homepage", "STRING", 2, node_type="OBJECT", is_empty=True),
        line("", "homepage", "VOID", 4, node_type="OBJECT"),
        line("", "popularity", "DECIMAL", 5),
        line("", "popularity", "BIGINT", 3),
        line("", "popularity", "STRING", 1),
        line("", "genres", "ARRAY", 1),
        line("genres[]", "id", "BIGINT", 2, node_type="OBJECT"),
        line("genres[]", None, None, 1, node_type="STRING"),
        line("", "credits", "OBJECT", 1),
        line("credits", "cast", "ARRAY", 1, node_type="OBJECT"),
    ]

    def field(path: str, present: int, nulls: int, empties: int, **types: int) -> Field:
        return Field("b", "api", "movie_details", path, present, nulls, empties, types, 9, AS_OF)

    assert fold("b", lines) == [
        field("credits", 1, 0, 0, object=1),
        field("credits.cast", 1, 0, 0, list=1),
        field("genres", 1, 0, 0, list=1),
        field("genres[]", 3, 0, 0, object=2, text=1),
        field("genres[].id", 2, 0, 0, number=2),
        field("homepage", 9, 4, 2, text=5),
        field("popularity", 9, 0, 0, number=8, text=1),
    ]
    assert fold("b", []) == []


def paths_of(schema: str, at: str = "") -> set[str]:
    """The leaves of a Spark schema as paths."""
    schema = schema.strip()
    if schema in ("string", "bigint", "int"):
        return {at}
    kind, _, inside = schema.partition("<")
    inside = inside.strip().removesuffix(">").strip()
    if kind == "array":
        return paths_of(inside, f"{at}[]")
    assert kind == "struct"
    depth, parts, start = 0, [], 0
    for position, char in enumerate(inside):
        depth += {"<": 1, ">": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(inside[start:position])
            start = position + 1
    found: set[str] = set()
    for part in [*parts, inside[start:]]:
        name, inner = re.fullmatch(r"\s*`?(\w+)`?\s*:?\s*(.+)", part, flags=re.DOTALL).groups()  # type: ignore[union-attr]
        found |= paths_of(inner, f"{at}.{name}" if at else name)
    return found


def test_the_list_of_needed_fields_is_what_the_model_parses() -> None:
    project = ROOT / "dbt_project"
    model = (project / "models/staging/tmdb/stg_tmdb__observations.sql").read_text(encoding="utf-8")
    declared: Any = jinja2.Template(model[model.index("{% set scalars") : model.index("\nwith\n")]).module
    scalars = ", ".join(f"{name} string" for name in declared.scalars)
    needed = needed_fields(project)
    parsed = paths_of(f"struct<{scalars}, {declared.lists_as_text}, {declared.lists_of_text}>")
    assert parsed == paths_of(f"struct<{scalars}, {declared.plain_lists}, {declared.lists_of_text}>")
    assert "reviews.results[].author_details.rating" in parsed
    assert needed.keys() == parsed | containers_of(parsed).keys()
    assert {needed[path] for path in parsed} == {"text", "number"}
    assert needed["genres"] == needed["genre_ids"] == "list"
    assert needed["genres[]"] == needed["credits"] == "object"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        ("sources: []", "cannot be read"),
        (
            "sources: [{name: bronze, tables: [{name: movies, config: {meta: {payload_fields: {title: string}}}}]}]",
            "names string",
        ),
    ],
)
def test_a_list_of_needed_fields_that_cannot_be_used_is_refused(tmp_path: Path, content: str | None, says: str) -> None:
    path = tmp_path / "models" / "staging" / "tmdb" / "_sources.yml"
    path.parent.mkdir(parents=True)
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=says):
        needed_fields(tmp_path)
