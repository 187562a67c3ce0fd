"""The oracle's marts of movies and people, worked out by hand."""

import math
from datetime import UTC, datetime

import pytest
from hand_made import AS_OF, VARIABLES, column, film, lake, said, some

from tests.oracle import gold_genres, gold_movies, gold_people, gold_time
from tests.oracle.lake import lake as lake_of
from tests.oracle.silver import Measured, Movie, silver


def test_movie_performance() -> None:
    movies = [
        film(
            "1", "2020-01-01", 99, 18, rating=8.0, vote_count=200, revenue=200, budget=100, review_sentiments=(0.5, 0.1)
        ),
        film("2", "2020-06-01", 18, rating=4.0, vote_count=100, revenue=100),
        film("3", "2026-02-02", 18, rating=6.0, revenue=100),
        film("4", None, 99, revenue=400),
    ]
    one, two, three, four = gold_movies.movie_performance(lake(movies))
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
    rows = {row["trending_score_id"]: row for row in gold_movies.trending_scores(lake(movies, observations))}
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
    rows = gold_movies.trending_scores(lake([Movie("1")], observations))
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
    rows = gold_movies.trending_scores(lake_of(silver(observations), AS_OF, VARIABLES))
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
    (year,) = gold_time.industry_indicators(lake(movies))
    assert some(year, "avg_runtime", "median_runtime", "genres_per_movie") == (80.0, 70.0, 5 / 3)
    january = gold_time.release_seasonality(lake(movies))[0]
    assert some(january, "avg_rating", "avg_budget", "avg_revenue", "median_revenue") == (3.0, 40.0, 40.0, 20.0)
    assert gold_time.yoy_growth(lake(movies))[0]["avg_sentiment"] == 0.4
    (reviewed,) = gold_movies.movie_performance(lake([film("1", None, revenue=5, review_sentiments=(0.1, 0.2, 0.9))]))
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
    (row,) = gold_genres.genre_analytics(lake(movies))
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
    rows = sorted(gold_people.director_rankings(here), key=lambda row: row["director_rank"])
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
    (studio,) = gold_people.studio_rankings(here)
    assert some(studio, "company_id", "company_name", "studio_rank", *names) == (
        *(7, "Ghibli", 1),
        *(2, 1200, 300.0, 3, 0.6, 2, 0.5),
    )


def test_correlations_are_of_all_of_genres_and_of_decades() -> None:
    movies = [
        film("1", "1999-01-01", 18, budget=1, revenue=10),
        film("2", "1990-01-01", 18, budget=2, revenue=20),
        film("3", "2000-01-01", 18, 99, budget=3, revenue=40),
        film("4", "2000-01-01", 18, budget=9),
        film("5", "2027-01-01", 18, budget=9, revenue=1),
    ]
    rows = {row["performance_correlation_id"]: row for row in gold_movies.performance_correlations(lake(movies))}
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
