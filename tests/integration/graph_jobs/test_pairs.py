from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from graph_jobs.pairs import billed_people, build_edges, build_vertices

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark

CAST = "movie_id string, person_id bigint, billing_order int, credit_id string"
MOVIES = "movie_id string, release_year int"


def billed(
    spark: "SparkSession",
    cast: Iterable[tuple[str, int | None, int | None, str | None]],
    years: dict[str, int | None] | None = None,
    max_billing: int = 15,
) -> "DataFrame":
    movies = spark.createDataFrame(list((years or {}).items()), MOVIES)
    return billed_people(spark.createDataFrame(list(cast), CAST), movies, max_billing)


def rows(frame: "DataFrame") -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in frame.collect())


def test_an_edge_joins_two_who_shared_a_movie(spark: "SparkSession") -> None:
    frame = billed(
        spark,
        [("m1", 1, 0, "a"), ("m1", 2, 1, "b"), ("m1", 3, 2, "c"), ("m2", 2, 0, "d"), ("m2", 1, 1, "e")],
        {"m1": 1999, "m2": 1987},
    )
    assert rows(build_edges(frame)) == [(1, 2, 2, 1987, 1999), (1, 3, 1, 1999, 1999), (2, 3, 1, 1999, 1999)]
    assert rows(build_vertices(frame)) == [(1,), (2,), (3,)]


def test_a_person_with_several_credits_in_a_movie_counts_once_and_takes_one_place(spark: "SparkSession") -> None:
    cast = [("m1", 7, 0, "a"), ("m1", 7, 1, "b"), ("m1", 7, 2, "c"), ("m1", 8, 3, "d"), ("m1", 9, 4, "e")]
    frame = billed(spark, cast, {"m1": 2000}, max_billing=2)
    assert rows(build_edges(frame)) == [(7, 8, 1, 2000, 2000)]


def test_only_the_first_places_of_billing_count_and_ties_go_to_the_lesser_credit(spark: "SparkSession") -> None:
    cast = [("m1", 1, 5, "z"), ("m1", 2, 5, "y"), ("m1", 3, 5, "x"), ("m1", 4, None, "a"), ("m1", 5, 0, None)]
    for max_billing, people in ((2, [3, 5]), (3, [2, 3, 5]), (4, [1, 2, 3, 5]), (5, [1, 2, 3, 4, 5])):
        assert rows(build_vertices(billed(spark, cast, max_billing=max_billing))) == [(p,) for p in people]


def test_years_that_are_not_known_are_left_out(spark: "SparkSession") -> None:
    cast = [(movie, person, person, f"{movie}{person}") for movie in ("m1", "m2", "m3") for person in (1, 2)]
    known = billed(spark, cast, {"m1": None, "m2": 1990})
    assert rows(build_edges(known)) == [(1, 2, 3, 1990, 1990)]
    unknown = billed(spark, cast)
    assert build_edges(unknown).collect()[0]["first_year"] is None


def test_credits_without_a_person_are_left_out(spark: "SparkSession") -> None:
    frame = billed(spark, [("m1", None, 0, "a"), ("m1", 1, 1, "b")])
    assert rows(build_vertices(frame)) == [(1,)]
    assert rows(build_edges(frame)) == []


def test_nobody_gives_no_network(spark: "SparkSession") -> None:
    frame = billed(spark, [])
    assert rows(build_vertices(frame)) == rows(build_edges(frame)) == []
