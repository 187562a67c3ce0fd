"""The oracle is right where its figures can be worked out by hand."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest

from ingestion.records import DefaultTime, Record, parse_record
from ingestion.synthetic.catalogue import CatalogueSpec, catalogue
from tests.oracle import gold
from tests.oracle.gold import Lake, Row, Variables
from tests.oracle.observations import Observation, count, day, measure, whole_number
from tests.oracle.silver import Measured, Movie, Silver, compound, scored_part, silver

AS_OF = datetime(2026, 2, 1, 12, tzinfo=UTC)
GENRES = {18: "Drama", 35: "Comedy", 99: None}


def said(movie_id: str, day_of_january: int, digest: str | None = None, **fields: Any) -> Observation:
    """An observation made in January 2026."""
    payload = json.dumps({"id": int(movie_id), **fields})
    sha256 = hashlib.sha256(payload.encode()).hexdigest()
    return Observation(movie_id, datetime(2026, 1, day_of_january, tzinfo=UTC), payload, digest or sha256)


def lake(
    movies: Iterable[Movie],
    observations: Iterable[Measured] = (),
    people: Mapping[int, str] | None = None,
    variables: Variables | None = None,
) -> Lake:
    """A lake of these movies, their genres named Drama (18), Comedy (35) and not at all (99)."""
    known = Silver(list(movies), list(observations), dict(GENRES), dict(people or {}), {7: "Ghibli"})
    return gold.lake(known, AS_OF, variables or Variables(rating_prior_votes=100))


def film(movie_id: str, released: str | None, *genre_ids: int, **fields: Any) -> Movie:
    return Movie(
        movie_id, release_date=date.fromisoformat(released) if released else None, genre_ids=genre_ids, **fields
    )


def column(rows: Iterable[Row], key: str, name: str) -> dict[Any, Any]:
    return {row[key]: row[name] for row in rows}


def some(row: Row, *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


# Observations and Silver.


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


# Formulas.


def test_a_rating_is_weighted_by_its_votes() -> None:
    assert gold.weighted_rating(8.0, 200, Fraction(6), 100) == 7.333333
    assert gold.weighted_rating(8.0, None, Fraction(6), 100) is None
    assert gold.weighted_rating(None, 200, Fraction(6), 100) is None


@pytest.mark.parametrize(
    ("value", "places", "result"), [(0.125, 2, 0.13), (-0.125, 2, -0.13), (2.675, 2, 2.68), (1 / 3, 3, 0.333)]
)
def test_halves_are_rounded_away_from_zero(value: float, places: int, result: float) -> None:
    assert gold.rounded(value, places) == result


def test_percent_ranks_are_shared_by_equals() -> None:
    assert gold.percent_ranks([10, 50, 100, 100, 200]) == [0, Fraction(1, 4), Fraction(1, 2), Fraction(1, 2), 1]
    assert gold.percent_ranks([7.0]) == [0]


def test_quantiles_stand_between_values() -> None:
    assert gold.quantile([4, 1, None, 2, 3], Fraction(1, 10)) == pytest.approx(1.3)
    assert gold.quantile([4, 1, 2, 3], Fraction(9, 10)) == pytest.approx(3.7)
    assert gold.median([1, 300, 800]) == 300
    assert gold.median([]) is None


def test_means_are_exact() -> None:
    assert gold.mean([0.1] * 3) == 0.1
    assert gold.mean([1, None, 2]) == 1.5
    assert gold.mean([None]) is None
    assert gold.total([None]) is None


def test_correlations() -> None:
    # The deviations' products sum to 6, their squares to 10 and 5.2; those of the ranks 1, 2.5, 4, 2.5, 5 to 8 and 9.5.
    xs, ys = [1, 2, 3, 4, 5], [2, 3, 4, 3, 5]
    assert gold.pearson(xs, ys) == pytest.approx(6 / math.sqrt(10 * 5.2), abs=1e-6)
    assert gold.spearman(xs, ys) == pytest.approx(8 / math.sqrt(10 * 9.5), abs=1e-6)
    assert gold.pearson(xs, [-y for y in xs]) == -1.0
    assert gold.spearman([1, 2, 3], [1, 10, 1_000_000]) == 1.0
    assert gold.pearson([1, 2, 3], [4, 4, 4]) is None
    assert gold.spearman([4, 4, 4], [1, 2, 3]) is None


def test_diversity_is_a_number_of_equally_frequent_kinds() -> None:
    assert gold.effective_number([3, 3]) == 2.0
    # p = 3/4 and 1/4: exp(-(0.75 ln 0.75 + 0.25 ln 0.25)) = 4 / 3^0.75.
    assert gold.effective_number([3, 1]) == pytest.approx(4 / 3**0.75, abs=1e-8)
    assert gold.effective_number([]) is None


def test_five_years_before_a_leap_day() -> None:
    assert gold.years_before(date(2024, 2, 29), 5) == date(2019, 2, 28)
    assert gold.years_before(date(2024, 2, 29), 4) == date(2020, 2, 29)


# The marts.


def test_movie_performance() -> None:
    movies = [
        film(
            "1", "2020-01-01", 99, 18, rating=8.0, vote_count=200, revenue=200, budget=100, review_sentiments=(0.5, 0.1)
        ),
        film("2", "2020-06-01", 18, rating=4.0, vote_count=100, revenue=100),
        film("3", "2026-02-02", 18, rating=6.0, revenue=100),
        film("4", None, 99, revenue=400),
    ]
    one, two, three, four = gold.movie_performance(lake(movies))
    # C = (8 + 4 + 6) / 3 = 6: (200 * 8 + 100 * 6) / 300, and (100 * 4 + 100 * 6) / 200.
    assert some(one, "weighted_rating", "profit", "roi", "is_released") == (7.333333, 100, 1.0, True)
    assert some(one, "primary_genre_id", "primary_genre") == (18, "Drama")
    assert some(one, "review_count", "audience_sentiment") == (2, 0.3)
    assert some(two, "weighted_rating", "profit", "roi", "review_count", "audience_sentiment") == (
        5.0,
        None,
        None,
        0,
        None,
    )
    assert some(three, "weighted_rating", "is_released") == (None, False)
    assert some(four, "primary_genre_id", "primary_genre", "is_released", "release_year") == (None, None, False, None)
    percentile = "revenue_percentile_in_genre"
    assert [row[percentile] for row in (one, two, three, four)] == [1.0, 0.0, 0.0, None]
    assert some(one, "weighted_rating_percentile_in_year", "roi_percentile_in_year") == (1.0, 0.0)
    assert some(two, "revenue_percentile_in_year", "roi_percentile_in_year") == (0.0, None)


def test_trending_scores() -> None:
    """The case that is worked out in the description of the mart's unit test."""

    def seen(movie_id: str, day: int, popularity: float, rating: float | None, votes: int | None) -> Measured:
        return Measured(movie_id, datetime(2025, 12, day, tzinfo=UTC), "a", popularity, rating, votes)

    movies = [Movie("rising", rating=5.0), Movie("falling", rating=7.0), Movie("steady")]
    observations = [
        seen("rising", 20, 0.0, 6.0, 100),
        seen("rising", 21, 0.0, 9.0, 100),
        seen("rising", 23, 3.0, 3.0, 200),
        seen("steady", 20, 3.0, None, None),
        seen("steady", 22, 3.0, None, None),
        seen("falling", 19, 7.0, 6.0, 100),
        seen("falling", 22, 3.0, 8.0, 300),
        seen("falling", 23, 3.0, None, None),
        Measured("falling", datetime(2026, 2, 2, tzinfo=UTC), "a", 99.0),
        Measured("steady", datetime(2025, 12, 24, tzinfo=UTC), "a", None, 5.0, 5),
    ]
    rows = {row["trending_score_id"]: row for row in gold.trending_scores(lake(movies, observations))}
    names = ("trend_score", "velocity", "popularity_change", "rating_momentum", "observations", "last_popularity")
    assert {identity: some(row, *names) for identity, row in rows.items()} == {
        "rising-90d": (65.0, 0.49510513, None, -2.0, 3, 3.0),
        "steady-90d": (50.0, 0.0, 0.0, None, 2, 3.0),
        "falling-90d": (20.0, -0.18661655, -0.57142857, 1.5, 3, 3.0),
    }


def test_a_trend_needs_two_instants_within_the_window() -> None:
    def seen(instant: str, digest: str, popularity: float | None) -> Measured:
        return Measured("1", datetime.fromisoformat(instant), digest, popularity)

    observations = [
        seen("2026-01-02T12:00:00Z", "a", 9.0),  # the very edge of 30 days
        seen("2026-01-20T12:00:00Z", "a", 5.0),
        seen("2026-01-20T12:00:00Z", "b", 4.0),
        seen("2026-01-20T12:00:00Z", "c", None),
        seen("2026-02-01T12:00:00Z", "a", 6.0),
        seen("2026-02-01T12:00:01Z", "a", 99.0),
    ]
    rows = gold.trending_scores(lake([Movie("1")], observations))
    assert column(rows, "trend_window", "observations") == {"30d": 2, "90d": 3}
    assert column(rows, "trend_window", "popularity_change") == {"30d": 0.5, "90d": -0.33333333}
    assert column(rows, "trend_window", "trend_score") == {"30d": 0.0, "90d": 0.0}


def test_an_observation_is_weighted_by_its_own_votes() -> None:
    observations = [
        said("1", 30, popularity=1, vote_average=8, vote_count=100),
        said("1", 31, popularity="1.5", vote_average=5.0, vote_count=300),
        said("1", 31, popularity=2, digest="0"),
        said("2", 30, popularity=1, vote_average=8, vote_count=0),
        said("2", 31, popularity=1, vote_average=8),
    ]
    rows = gold.trending_scores(gold.lake(silver(observations), AS_OF, Variables(rating_prior_votes=100)))
    # Movie 2 was said to have no vote, so C = 5: (300 * 5 + 100 * 5) / 400 - (100 * 8 + 100 * 5) / 200 = 5 - 6.5.
    assert {row["trending_score_id"]: some(row, "rating_momentum", "popularity_change") for row in rows} == {
        f"{movie_id}-{window}": figures
        for movie_id, figures in {"1": (-1.5, 0.5), "2": (None, 0.0)}.items()
        for window in ("7d", "30d", "90d")
    }


def test_averages_are_means_and_no_medians() -> None:
    movies = [
        film("1", "2020-01-01", 18, rating=1.0, budget=10, revenue=10, runtime=60, sentiment=0.1),
        film("2", "2020-01-01", 18, rating=2.0, budget=20, revenue=20, runtime=70, sentiment=0.2),
        film("3", "2020-01-01", 18, 35, 99, rating=6.0, budget=90, revenue=90, runtime=110, sentiment=0.9),
    ]
    (year,) = gold.industry_indicators(lake(movies))
    assert some(year, "avg_runtime", "median_runtime", "genres_per_movie") == (80.0, 70.0, 5 / 3)
    january = gold.release_seasonality(lake(movies))[0]
    assert some(january, "avg_rating", "avg_budget", "avg_revenue", "median_revenue") == (3.0, 40.0, 40.0, 20.0)
    assert gold.yoy_growth(lake(movies))[0]["avg_sentiment"] == 0.4
    (reviewed,) = gold.movie_performance(lake([film("1", None, revenue=5, review_sentiments=(0.1, 0.2, 0.9))]))
    assert some(reviewed, "audience_sentiment", "revenue", "budget") == (0.4, 5, None)


def test_the_best_movies_are_those_of_weight_then_of_votes_then_of_id() -> None:
    movies = [
        film("9", "2020-01-01", 18, rating=6.0, vote_count=1),
        film("8", "2020-01-01", 18, rating=6.0, vote_count=3),
        film("10", "2020-01-01", 18, rating=6.0, vote_count=3),
        film("7", "2020-01-01", 18, rating=8.0, vote_count=1),
        film("6", "2020-01-01", 18, rating=4.0, vote_count=1),
        film("5", "2020-01-01", 18, rating=6.0),
    ]
    (row,) = gold.genre_analytics(lake(movies))
    assert [movie["movie_id"] for movie in row["top_movies"]] == ["7", "10", "8", "9", "6"]


def test_directors_and_studios_are_ranked_by_their_released_movies() -> None:
    past = "2020-01-01"
    people = {20: "Ann", 12: "Lee", 13: "Lee"}
    movies = [
        film("1", past, rating=8.0, vote_count=100, revenue=100, budget=50, director_ids=(20,), company_ids=(7,)),
        film("2", past, rating=6.0, vote_count=100, revenue=300, budget=200, director_ids=(20,), company_ids=(7,)),
        film("3", past, revenue=800, director_ids=(20, 11), company_ids=(7,)),
        film("4", past, rating=7.0, vote_count=100, director_ids=(12, 13)),
        film("5", past, rating=7.0, vote_count=100, director_ids=(12, 13)),
        film("6", past, director_ids=(14,)),
        film("7", past, director_ids=(14,)),
        film("8", "2027-01-01", rating=7.0, director_ids=(11, 14, 20), company_ids=(8,)),
    ]
    here = lake(movies, people=people)
    # All have a mean weighted rating of 7: Ann has more movies, then the lesser id; nobody rated those of 14.
    rows = sorted(gold.director_rankings(here), key=lambda row: row["director_rank"])
    assert [some(row, "person_id", "person_name", "total_movies", "mean_weighted_rating") for row in rows] == [
        (20, "Ann", 3, 7.0),
        (12, "Lee", 2, 7.0),
        (13, "Lee", 2, 7.0),
        (14, None, 2, None),
    ]
    names = ("rated_movies", "total_revenue", "median_revenue", "revenue_movies", "roi", "roi_movies", "hit_rate")
    # Profit 50 + 100 over the budgets 50 + 200; of the rois 1.0 and 0.5 one is a hit.
    assert some(rows[0], *names) == (2, 1200, 300.0, 3, 0.6, 2, 0.5)
    assert some(rows[3], *names) == (0, None, None, 0, None, 0, None)
    (studio,) = gold.studio_rankings(here)
    assert some(studio, "company_id", "company_name", "studio_rank", *names) == (
        *(7, "Ghibli", 1),
        *(2, 1200, 300.0, 3, 0.6, 2, 0.5),
    )


def test_genre_analytics() -> None:
    """Much as in the mart's own unit test, with all weighted ratings 7."""
    movies = [
        film("1", "2020-01-10", 18, 35, rating=7.0, vote_count=100, revenue=300, budget=100, director_ids=(10,)),
        film("2", "2020-01-11", 18, rating=7.0, vote_count=300, budget=50, sentiment=0.5, director_ids=(10,)),
        film("3", "2020-01-12", 18, sentiment=-0.25, director_ids=(11,)),
        film("4", "2020-02-01", 18, rating=7.0, vote_count=10),
        film("5", None, 18, rating=7.0, vote_count=900, revenue=900),
        film("6", "2020-01-31", 18, rating=7.0, vote_count=300, revenue=100, director_ids=(12,)),
        film("7", "2026-03-01", 18, revenue=100),
    ]
    variables = Variables(top_list_length=2)
    rows = {
        row["genre_analytics_id"]: row
        for row in gold.genre_analytics(lake(movies, people={10: "Ann", 12: "Bob"}, variables=variables))
    }
    assert set(rows) == {"18-2020-1", "18-2020-2", "35-2020-1"}
    january = rows["18-2020-1"]
    assert some(january, "genre_name", "total_movies", "rated_movies", "avg_rating") == ("Drama", 4, 3, 7.0)
    assert some(january, "total_revenue", "revenue_movies", "avg_budget", "budget_movies") == (400, 2, 75.0, 2)
    assert some(january, "avg_sentiment", "sentiment_movies") == (0.125, 2)
    assert [row["movie_id"] for row in january["top_movies"]] == ["2", "6"]
    assert january["top_directors"] == [
        {"person_id": 10, "person_name": "Ann", "directed_movies": 2, "mean_weighted_rating": 7.0},
        {"person_id": 12, "person_name": "Bob", "directed_movies": 1, "mean_weighted_rating": 7.0},
    ]
    assert some(rows["18-2020-2"], "total_revenue", "avg_budget", "avg_sentiment", "top_directors") == (
        None,
        None,
        None,
        [],
    )


def test_years_grow_without_gaps_and_a_partial_one_is_compared_with_nothing() -> None:
    movies = [
        film("1", "2022-01-01", 18, rating=6.0, revenue=100, budget=10, sentiment=0.5),
        film("2", "2023-01-01", 18, rating=7.0, revenue=150, sentiment=-0.25),
        film("3", "2023-01-01", 18),
        film("4", "2025-01-01", 35, revenue=10),
        film("5", "2026-01-01", 18, rating=9.0, revenue=20),
        film("6", "2026-02-02", 18, rating=9.0, revenue=20),
    ]
    here = lake(movies)
    rows = gold.yoy_growth(here)
    assert column(rows, "release_year", "total_movies") == {2022: 1, 2023: 2, 2024: 0, 2025: 1, 2026: 1}
    assert column(rows, "release_year", "movies_growth") == {2022: None, 2023: 1.0, 2024: -1.0, 2025: None, 2026: None}
    assert column(rows, "release_year", "total_revenue") == {2022: 100, 2023: 150, 2024: None, 2025: 10, 2026: 20}
    assert column(rows, "release_year", "revenue_growth") == {2022: None, 2023: 0.5, 2024: None, 2025: None, 2026: None}
    assert column(rows, "release_year", "rating_change") == {2022: None, 2023: 1.0, 2024: None, 2025: None, 2026: None}
    assert some(rows[1], "sentiment_change", "total_budget", "budget_growth", "is_partial_year") == (
        *(-0.75, None, None, False),
    )
    assert rows[-1]["is_partial_year"]
    trends = {row["genre_trend_id"]: row for row in gold.genre_trends(here)}
    assert set(trends) == {"18-2022", "18-2023", "18-2024", "18-2025", "18-2026", "35-2025", "35-2026"}
    assert [trends[f"18-{year}"]["rolling_3y_movies"] for year in range(2022, 2027)] == [None, None, 1.0, 2 / 3, 1 / 3]
    assert some(trends["18-2025"], "total_movies", "movies_growth", "avg_rating") == (0, None, None)


def test_seasonality() -> None:
    movies = [
        film("1", "2020-01-01", 18, revenue=100, budget=50),
        film("2", "2021-01-01", 18, 35, revenue=300),
        film("3", "2020-03-01", 18, rating=5.0),
        film("4", "2020-03-01"),
        film("5", "2027-05-01", 18),
    ]
    months = gold.release_seasonality(lake(movies))
    january, february, march = months[:3]
    assert len(months) == 12
    names = ("total_movies", "share_of_movies", "seasonality_index", "month_rank", "share_of_revenue", "avg_revenue")
    assert some(january, *names) == (2, 0.5, 6.0, 1, 1.0, 200.0)
    assert some(february, *names) == (0, 0.0, 0.0, 3, None, None)
    assert some(march, *names) == (2, 0.5, 6.0, 2, None, None)
    assert some(january, "median_revenue", "roi_movies", "median_roi", "hit_rate") == (200.0, 1, 1.0, 1.0)
    rows = {row["genre_seasonality_id"]: row for row in gold.genre_seasonality(lake(movies))}
    assert len(rows) == 24
    columns = ("total_movies", "share_of_genre", "share_of_all", "seasonality_index", "month_rank")
    assert some(rows["18-1"], *columns) == (2, 2 / 3, 0.5, 4 / 3, 1)
    assert some(rows["18-3"], *columns) == (1, 1 / 3, 0.5, 2 / 3, 2)
    assert some(rows["18-2"], *columns) == (0, 0.0, 0.0, None, 3)
    assert some(rows["35-3"], *columns) == (0, 0.0, 0.5, 0.0, 3)


def test_market_shares_are_those_of_split_movies() -> None:
    movies = [
        film("4", "2021-01-01", 35, revenue=10),
        film("1", "2020-01-01", 18, 35, 99, revenue=300),
        film("2", "2020-01-01", 18),
        film("3", "2020-01-01"),
        film("5", "2023-01-01", 35),
        film("6", "2026-01-01", 35),
    ]
    rows = {row["genre_market_share_id"]: row for row in gold.genre_market_share(lake(movies))}
    names = ("total_movies", "split_movies", "movie_share", "movie_share_change", "movie_share_rank")
    assert some(rows["18-2020"], *names) == (2, 4 / 3, 2 / 3, None, 1)
    assert some(rows["35-2020"], *names) == (1, 1 / 3, 1 / 6, None, 2)
    assert some(rows["99-2020"], *names) == (1, 1 / 3, 1 / 6, None, 3)
    assert some(rows["35-2021"], *names) == (1, 1.0, 1.0, 5 / 6, 1)
    assert some(rows["35-2023"], *names) == (1, 1.0, 1.0, None, 1)
    assert some(rows["18-2020"], "revenue_movies", "split_revenue", "revenue_share") == (1, 100.0, 1 / 3)
    assert some(rows["35-2023"], "revenue_movies", "split_revenue", "revenue_share") == (0, None, None)


def test_equal_market_shares_rank_by_genre_though_thirds_do_not_add_up_in_doubles() -> None:
    movies = [film(str(number), "2020-01-01", 35, 99, 100 + number) for number in range(3)]
    movies.append(film("9", "2020-01-01", 18))
    rows = {row["genre_id"]: row["movie_share_rank"] for row in gold.genre_market_share(lake(movies))}
    assert (rows[18], rows[35], rows[99]) == (1, 2, 3)


def test_emerging_genre_pairs() -> None:
    recent = [film(f"r{number}", "2021-02-02", 35, 18, rating=6.0) for number in range(3)]
    recent += [film("r3", "2026-02-01", 18, revenue=10), film("r4", "2026-02-01")]
    earlier = [film("e1", "2021-02-01", 18, 35), film("e2", "2016-02-02", 18)]
    apart = [film("p1", "2016-02-01", 18, 35), film("f1", "2026-02-02", 18, 35)]
    (row,) = gold.emerging_genre_pairs(lake([*recent, *earlier, *apart]))
    assert some(row, "emerging_genre_pair_id", "genre_name_a", "genre_name_b") == ("18-35", "Drama", "Comedy")
    assert some(row, "recent_movies", "earlier_movies", "recent_share", "earlier_share") == (3, 1, 0.6, 0.5)
    assert row["share_change"] == pytest.approx(0.1)
    assert row["growth"] == pytest.approx(0.2)
    # 3 * 5 / (4 * 3)
    assert some(row, "lift", "emerging_rank", "is_emerging") == (1.25, 1, True)
    assert some(row, "rated_movies", "avg_rating", "revenue_movies", "avg_revenue") == (3, 6.0, 0, None)
    (new,) = gold.emerging_genre_pairs(lake(recent))
    assert some(new, "earlier_movies", "earlier_share", "share_change", "growth", "is_emerging") == (
        *(0, None, None, None, False),
    )
    (unmet,) = gold.emerging_genre_pairs(lake([*recent, earlier[1]]))
    assert some(unmet, "earlier_share", "share_change", "growth") == (0.0, 0.6, None)


def test_pairs_rank_by_what_they_gained_then_by_movies_then_by_ids() -> None:
    def films(genres: tuple[int, ...], recent: int, earlier: int) -> list[Movie]:
        dates = ["2025-01-01"] * recent + ["2020-01-01"] * earlier
        return [film(f"{genres}{number}", released, *genres) for number, released in enumerate(dates)]

    pairs = [((1, 2), 3, 1), ((1, 3), 3, 4), ((1, 4), 4, 4), ((2, 5), 4, 4), ((1, 5), 6, 7)]
    movies = [movie for pair in pairs for movie in films(*pair)]
    rows = sorted(gold.emerging_genre_pairs(lake(movies)), key=lambda row: row["emerging_rank"])
    # 20 movies in each window; the gains are 2, -1, 0, 0 and -1 of them.
    assert [(row["emerging_genre_pair_id"], row["is_emerging"]) for row in rows] == [
        ("1-2", True),
        ("1-4", False),
        ("2-5", False),
        ("1-5", False),
        ("1-3", False),
    ]


def test_cross_genre_performance_is_seen_from_each_genre() -> None:
    movies = [
        film("1", "2020-01-01", 18, 35, rating=8.0, revenue=300, budget=100),
        film("2", "2020-01-01", 18, rating=6.0, revenue=100),
        film("3", "2027-01-01", 18, 99),
    ]
    rows = {row["cross_genre_performance_id"]: row for row in gold.cross_genre_performance(lake(movies))}
    assert set(rows) == {"18-35", "35-18"}
    names = ("share_of_genre", "avg_rating", "rating_difference", "avg_revenue", "revenue_ratio", "median_roi")
    assert some(rows["18-35"], *names) == (0.5, 8.0, 1.0, 300.0, 1.5, 2.0)
    assert some(rows["35-18"], *names) == (1.0, 8.0, 0.0, 300.0, 1.0, 2.0)


def test_correlations_are_of_all_of_genres_and_of_decades() -> None:
    movies = [
        film("1", "1999-01-01", 18, budget=1, revenue=10),
        film("2", "1990-01-01", 18, budget=2, revenue=20),
        film("3", "2000-01-01", 18, 99, budget=3, revenue=40),
        film("4", "2000-01-01", 18, budget=9),
        film("5", "2027-01-01", 18, budget=9, revenue=1),
    ]
    rows = {row["performance_correlation_id"]: row for row in gold.performance_correlations(lake(movies))}
    names = ("genre_id", "genre_name", "decade", "movies", "spearman")
    assert {identity: some(row, *names) for identity, row in rows.items()} == {
        "budget_revenue-overall": (None, None, None, 3, 1.0),
        "budget_revenue-genre-18": (18, "Drama", None, 3, 1.0),
        "budget_revenue-genre-99": (99, None, None, 1, None),
        "budget_revenue-decade-1990": (None, None, 1990, 2, None),
        "budget_revenue-decade-2000": (None, None, 2000, 1, None),
    }
    # Deviations -1, 0, 1 and -40/3, -10/3, 50/3: 30 / sqrt(2 * 4200 / 9).
    assert rows["budget_revenue-overall"]["pearson"] == pytest.approx(30 / math.sqrt(2 * 4200 / 9), abs=1e-6)


def test_box_office_rolls_over_months_without_gaps() -> None:
    movies = [
        film("10", "2024-11-30", title="Ten", revenue=100),
        film("9", "2024-11-01", title="Nine", revenue=100),
        film("1", "2025-01-15", revenue=50),
        film("2", "2025-11-01", revenue=30),
        film("3", "2025-12-01"),
        film("4", "2026-02-01", revenue=5),
        film("5", "2026-02-02", revenue=900),
    ]
    rows = gold.box_office_trends(lake(movies))
    assert len(rows) == 16
    november, december, january = rows[:3]
    assert some(november, "month_start_date", "total_movies", "total_revenue") == (date(2024, 11, 1), 2, 200)
    assert some(november, "top_movie_id", "top_movie_title", "top_movie_revenue") == ("10", "Ten", 100)
    assert some(december, "total_movies", "total_revenue", "rolling_3m_revenue", "year_to_date_revenue") == (
        *(0, None, None, 200),
    )
    assert some(january, "rolling_3m_revenue", "year_to_date_revenue", "rolling_12m_revenue") == (250.0, 50, None)
    assert rows[5]["rolling_3m_revenue"] is None
    by_month = {row["month_start_date"].strftime("%Y-%m"): row for row in rows}
    assert some(by_month["2025-09"], "rolling_12m_revenue", "rolling_12m_movies") == (None, None)
    assert some(by_month["2025-10"], "rolling_12m_revenue", "rolling_12m_movies") == (250.0, 3)
    assert some(by_month["2025-11"], "rolling_12m_revenue", "rolling_12m_growth") == (80.0, None)
    assert some(by_month["2026-02"], "rolling_12m_revenue", "is_partial_month", "top_movie_id") == (35.0, True, "4")


def test_box_office_grows_against_the_same_months_a_year_before() -> None:
    movies = [film("1", "2023-12-01", revenue=100), film("2", "2024-12-01", revenue=150), film("3", "2026-01-01")]
    rows = {row["month_start_date"]: row["rolling_12m_growth"] for row in gold.box_office_trends(lake(movies))}
    # The first twelve months end with 2024-11; from 2025-12 on no revenue is known in twelve months.
    assert {month: growth for month, growth in rows.items() if growth is not None} == {date(2025, 11, 1): 0.5}
    movies.append(film("4", "2026-01-15", revenue=300))
    rows = {row["month_start_date"]: row["rolling_12m_growth"] for row in gold.box_office_trends(lake(movies))}
    # 2025-02 to 2026-01 against 150; 2026-02 is not over.
    assert (rows[date(2026, 1, 1)], rows[date(2026, 2, 1)]) == (1.0, None)


def test_industry_indicators() -> None:
    movies = [
        film("1", "2020-01-01", 18, 35, runtime=100, budget=10, revenue=30, original_language="fr", sentiment=0.5),
        film("2", "2020-01-01", 18, runtime=120, budget=20, original_language="en"),
        film("3", "2020-01-01", original_language="fr"),
        film("4", "2026-01-01"),
    ]
    first, last = gold.industry_indicators(lake(movies))
    assert some(first, "release_year", "is_partial_year", "total_movies", "runtime_movies") == (2020, False, 3, 2)
    assert some(first, "avg_runtime", "p10_runtime", "median_runtime", "p90_runtime") == (110.0, 102.0, 110.0, 118.0)
    assert some(first, "p25_budget", "median_budget", "p75_budget", "p90_budget") == (12.5, 15.0, 17.5, 19.0)
    assert some(first, "roi_movies", "median_roi", "sentiment_movies", "avg_sentiment") == (1, 2.0, 1, 0.5)
    assert some(first, "language_movies", "languages", "top_language", "top_language_share") == (3, 2, "fr", 2 / 3)
    # p = 2/3 and 1/3: 3 / 2^(2/3); split genres 1.5 and 0.5: 4 / 3^0.75.
    assert first["effective_languages"] == pytest.approx(3 / 2 ** (2 / 3), abs=1e-8)
    assert first["effective_genres"] == pytest.approx(4 / 3**0.75, abs=1e-8)
    assert some(first, "genre_movies", "genres", "genres_per_movie") == (2, 2, 1.5)
    assert some(last, "is_partial_year", "languages", "top_language", "top_language_share", "effective_languages") == (
        *(True, 0, None, None, None),
    )
    assert some(last, "genres", "genres_per_movie", "effective_genres", "median_budget") == (0, None, None, None)


# All of it.


def test_every_mart_has_its_columns_whatever_the_order_of_the_observations() -> None:
    records = (
        parse_record(raw, DefaultTime(AS_OF, True))
        for raw in catalogue(CatalogueSpec(seed=5, movies=150, dirty_rate=0.0))
    )
    observations = [
        Observation(record.movie_id, record.observed_at, record.payload, record.payload_sha256)
        for record in records
        if isinstance(record, Record)
    ]
    as_of = datetime(2026, 1, 29)
    marts = gold.marts(observations, as_of)
    again = gold.marts(observations[::-1], as_of)
    assert list(marts) == list(gold.KEYS) == list(gold.COLUMNS)
    for mart, rows in marts.items():
        assert rows, mart
        assert {tuple(row) for row in rows} == {gold.COLUMNS[mart]}
        assert {row["computed_date"] for row in rows} == {date(2026, 1, 29)}
        assert gold.differences(rows, again[mart], gold.KEYS[mart], mart, relative=0, absolute=0) == []
    released = sum(row["is_released"] for row in marts["movie_performance"])
    assert 0 < released <= 150
    for mart in ("yoy_growth", "release_seasonality", "box_office_trends", "industry_indicators"):
        assert sum(row["total_movies"] for row in marts[mart]) == released


def test_an_empty_lake_has_no_rows_but_the_twelve_months() -> None:
    marts = gold.marts([], AS_OF)
    assert {mart: len(rows) for mart, rows in marts.items() if rows} == {"release_seasonality": 12}
    assert marts["release_seasonality"][0]["share_of_movies"] is None


# Differences.


def test_differences_are_told_in_lines() -> None:
    expected: list[Row] = [
        {"a": 18, "b": 1999, "x": 6.1, "n": 1, "d": date(2020, 1, 1), "l": [{"id": "1", "r": 0.5}]},
        {"a": 18, "b": 2000, "x": None, "n": 1, "d": None, "l": []},
        {"a": 35, "b": 1999, "x": 1.0, "n": 1, "d": None, "l": []},
    ]
    actual: list[Row] = [
        {"a": 18, "b": 1999, "x": 6.2, "n": 2, "d": date(2020, 1, 2), "l": [{"id": "2", "r": 0.5}]},
        {"a": 18, "b": 2000, "x": 0.0, "n": 1.0, "d": None, "l": [1]},
        {"a": 99, "b": 1999},
        {"a": 99, "b": 1999},
    ]
    assert gold.differences(expected, actual, ("a", "b"), "genre_trends") == [
        "genre_trends: found (99, 1999) more than once",
        "genre_trends[18-1999].x: expected 6.1, found 6.2",
        "genre_trends[18-1999].n: expected 1, found 2",
        "genre_trends[18-1999].d: expected 2020-01-01, found 2020-01-02",
        "genre_trends[18-1999].l[0].id: expected '1', found '2'",
        "genre_trends[18-2000].x: expected NULL, found 0.0",
        "genre_trends[18-2000].n: expected 1, found 1.0",
        "genre_trends[18-2000].l: expected 0 entries, found 1",
        "genre_trends[35-1999]: missing",
        "genre_trends[99-1999]: not expected",
    ]


def test_what_is_close_or_came_as_text_does_not_differ() -> None:
    expected = [{"k": date(2020, 1, 1), "x": 1e9, "z": 0.0, "l": [{"r": 0.5, "t": None}]}]
    actual = [{"k": "2020-01-01", "x": 1e9 + 0.5, "z": -1e-10, "l": '[{"r":0.5,"t":null}]'}]
    assert gold.differences(expected, actual, ("k",)) == []
    assert gold.differences(expected, [{**actual[0], "x": 1e9 + 2}], ("k",)) != []


def test_columns_that_only_one_side_has_differ() -> None:
    assert gold.differences([{"k": 1, "x": 1}], [{"k": 1, "y": 1}], ("k",), "mart") == [
        "mart[1].x: missing",
        "mart[1].y: not expected",
    ]
