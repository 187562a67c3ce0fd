"""What the oracle reads of an observation, and folds into Silver, worked out by hand."""

import math
from datetime import date
from typing import Any

import pytest
from hand_made import said

from tests.oracle.observations import count, day, measure, whole_number
from tests.oracle.silver import compound, scored_part, silver


def test_the_last_that_carries_a_field_counts_and_of_one_instant_the_greatest_hash() -> None:
    observations = [
        said("1", 3, budget=30, title="Late"),
        said("1", 1, budget=10, revenue=5, title="Early", runtime=90, overview="Dull."),
        said("1", 4, runtime=None, overview=""),
        said("1", 5, digest="b", original_language="fr"),
        said("1", 5, digest="a", original_language="de"),
    ]
    for order in (observations, observations[::-1]):
        (movie,) = silver(order).movies
        assert (movie.title, movie.budget, movie.revenue) == ("Late", 30, 5)
        assert (movie.runtime, movie.sentiment, movie.original_language) == (None, None, "fr")


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (12, 12),
        ("12", 12),
        (12.0, 12),
        ("", None),
        ("much", None),
        (True, None),
        (1.5, None),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        ([], None),
    ],
)
def test_whole_numbers_may_come_as_text(value: Any, known: int | None) -> None:
    assert whole_number(value) == known


@pytest.mark.parametrize(
    ("value", "known"),
    [(6.5, 6.5), ("6.5", 6.5), (7, 7.0), ("nan", None), (math.inf, None), (10.1, None), (-0.1, None), (None, None)],
)
def test_measures_may_come_as_text_and_have_bounds(value: Any, known: float | None) -> None:
    assert measure(10)(value) == known


def test_nothing_is_counted_below_zero() -> None:
    assert [count(value) for value in (0, "7", -1, "-7", 1.5)] == [0, 7, None, None, None]


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("2020-02-29", date(2020, 2, 29)),
        ("2021-02-29", None),
        ("0000-00-00", None),
        ("", None),
        ("2020-1-1", None),
        ("20200101", None),
        ("2020-01-01T00:00:00Z", date(2020, 1, 1)),
        (2020, None),
    ],
)
def test_dates_are_written_with_dashes(value: Any, known: date | None) -> None:
    assert day(value) == known


def test_zero_is_not_known_and_a_rating_needs_a_vote() -> None:
    movies = silver(
        [
            said("1", 1, vote_average=7.5, vote_count=0, budget=0, revenue=0, runtime=0, popularity=0),
            said("2", 1, vote_average=0, vote_count=5),
            said("3", 1, vote_average=7.5),
        ]
    ).movies
    assert [(movie.rating, movie.vote_count) for movie in movies] == [(None, None), (None, 5), (7.5, None)]
    assert (movies[0].budget, movies[0].revenue, movies[0].runtime, movies[0].popularity) == (None, None, None, 0.0)


def test_a_genre_has_its_latest_name_and_counts_once_in_a_movie() -> None:
    drama, old, nameless = {"id": 18, "name": "Drama"}, {"id": 18, "name": "Dramas"}, {"id": 99, "name": " "}
    known = silver(
        [
            said("1", 2, genres=[nameless, drama, drama, {"name": "Foreign"}]),
            said("2", 1, genres=[old]),
            said("3", 3, genre_ids=[18, 35]),
            said("4", 3, genres=[drama], genre_ids=[35]),
        ]
    )
    assert known.genre_names == {99: None, 18: "Drama", 35: None}
    assert [movie.genre_ids for movie in known.movies] == [(99, 18), (18,), (18, 35), (18,)]


def test_directors_are_people_once_and_names_come_from_replaced_lists_too() -> None:
    ann, bob = {"id": 1, "name": "Ann", "job": "Director"}, {"id": 2, "name": "Bob", "job": "Director"}
    known = silver(
        [
            said("1", 1, credits={"crew": [ann, {**ann, "job": "Writer"}, ann, {"name": "Nobody", "job": "Director"}]}),
            said("2", 1, credits={"cast": [{"id": 3, "name": "Cid"}], "crew": [bob]}),
            said("2", 2, credits={"cast": [], "crew": [{**ann, "name": None}]}),
            said("2", 3, credits={}),
        ]
    )
    assert [movie.director_ids for movie in known.movies] == [(1,), (1,)]
    assert known.person_names == {1: "Ann", 2: "Bob", 3: "Cid"}


def test_companies_without_an_id_are_left_out() -> None:
    known = silver([said("1", 1, production_companies=[{"id": 7, "name": "Ghibli"}, {"name": "Pixar"}])])
    assert known.movies[0].company_ids == (7,)
    assert known.company_names == {7: "Ghibli"}


def test_the_reviews_are_those_of_the_last_list_that_have_text() -> None:
    good, blank = {"id": "a", "content": "A great film."}, {"id": "b", "content": " \n"}
    known = silver(
        [
            said("1", 1, reviews={"results": [{"id": "c", "content": "Awful."}]}),
            said("1", 2, reviews={"results": [good, good, blank]}),
            said("1", 3, title="Without reviews"),
            said("2", 1, reviews={"results": [good]}),
            said("2", 2, reviews=None),
        ]
    )
    assert [movie.review_sentiments for movie in known.movies] == [(compound("A great film."),), ()]


def test_sentiment_is_vaders_compound() -> None:
    # The lexicon has 3.1 for "great": 3.1 / sqrt(3.1^2 + 15).
    assert compound("great") == pytest.approx(3.1 / math.sqrt(3.1**2 + 15), abs=5e-5)
    assert compound(" \n") is None
    assert compound(None) is None


def test_a_text_is_scored_up_to_its_bound_at_a_space() -> None:
    assert scored_part("x" * 50_000) == "x" * 50_000
    assert scored_part("x" * 49_990 + " " + "y" * 100) == "x" * 49_990
    assert scored_part("x" * 60_000) == "x" * 50_000
    # Written out, the emoji takes "grinning face" and a space.
    assert scored_part("\N{GRINNING FACE}" * 5_000) == "\N{GRINNING FACE}" * (50_000 // 14)
