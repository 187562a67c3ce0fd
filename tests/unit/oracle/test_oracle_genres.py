"""The oracle's marts of genres, worked out by hand."""

from dataclasses import replace

import pytest
from hand_made import VARIABLES, film, lake, some

from tests.oracle import gold_genres, gold_time
from tests.oracle.silver import Movie


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
    variables = replace(VARIABLES, rating_prior_votes=500, top_list_length=2)
    rows = {
        row["genre_analytics_id"]: row
        for row in gold_genres.genre_analytics(lake(movies, people={10: "Ann", 12: "Bob"}, variables=variables))
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


def test_seasonality() -> None:
    movies = [
        film("1", "2020-01-01", 18, revenue=100, budget=50),
        film("2", "2021-01-01", 18, 35, revenue=300),
        film("3", "2020-03-01", 18, rating=5.0),
        film("4", "2020-03-01"),
        film("5", "2027-05-01", 18),
    ]
    months = gold_time.release_seasonality(lake(movies))
    january, february, march = months[:3]
    assert len(months) == 12
    names = ("total_movies", "share_of_movies", "seasonality_index", "month_rank", "share_of_revenue", "avg_revenue")
    assert some(january, *names) == (2, 0.5, 6.0, 1, 1.0, 200.0)
    assert some(february, *names) == (0, 0.0, 0.0, 3, None, None)
    assert some(march, *names) == (2, 0.5, 6.0, 2, None, None)
    assert some(january, "median_revenue", "roi_movies", "median_roi", "hit_rate") == (200.0, 1, 1.0, 1.0)
    rows = {row["genre_seasonality_id"]: row for row in gold_genres.genre_seasonality(lake(movies))}
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
    rows = {row["genre_market_share_id"]: row for row in gold_genres.genre_market_share(lake(movies))}
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
    rows = {row["genre_id"]: row["movie_share_rank"] for row in gold_genres.genre_market_share(lake(movies))}
    assert (rows[18], rows[35], rows[99]) == (1, 2, 3)


def test_emerging_genre_pairs() -> None:
    recent = [film(f"r{number}", "2021-02-02", 35, 18, rating=6.0) for number in range(3)]
    recent += [film("r3", "2026-02-01", 18, revenue=10), film("r4", "2026-02-01")]
    earlier = [film("e1", "2021-02-01", 18, 35), film("e2", "2016-02-02", 18)]
    apart = [film("p1", "2016-02-01", 18, 35), film("f1", "2026-02-02", 18, 35)]
    (row,) = gold_genres.emerging_genre_pairs(lake([*recent, *earlier, *apart]))
    assert some(row, "emerging_genre_pair_id", "genre_name_a", "genre_name_b") == ("18-35", "Drama", "Comedy")
    assert some(row, "recent_movies", "earlier_movies", "recent_share", "earlier_share") == (3, 1, 0.6, 0.5)
    assert row["share_change"] == pytest.approx(0.1)
    assert row["growth"] == pytest.approx(0.2)
    # 3 * 5 / (4 * 3)
    assert some(row, "lift", "emerging_rank", "is_emerging") == (1.25, 1, True)
    assert some(row, "rated_movies", "avg_rating", "revenue_movies", "avg_revenue") == (3, 6.0, 0, None)
    (new,) = gold_genres.emerging_genre_pairs(lake(recent))
    assert some(new, "earlier_movies", "earlier_share", "share_change", "growth", "is_emerging") == (
        *(0, None, None, None, False),
    )
    (unmet,) = gold_genres.emerging_genre_pairs(lake([*recent, earlier[1]]))
    assert some(unmet, "earlier_share", "share_change", "growth") == (0.0, 0.6, None)


def test_pairs_rank_by_what_they_gained_then_by_movies_then_by_ids() -> None:
    def films(genres: tuple[int, ...], recent: int, earlier: int) -> list[Movie]:
        dates = ["2025-01-01"] * recent + ["2020-01-01"] * earlier
        return [film(f"{genres}{number}", released, *genres) for number, released in enumerate(dates)]

    pairs = [((1, 2), 3, 1), ((1, 3), 3, 4), ((1, 4), 4, 4), ((2, 5), 4, 4), ((1, 5), 6, 7)]
    movies = [movie for pair in pairs for movie in films(*pair)]
    rows = sorted(gold_genres.emerging_genre_pairs(lake(movies)), key=lambda row: row["emerging_rank"])
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
    rows = {row["cross_genre_performance_id"]: row for row in gold_genres.cross_genre_performance(lake(movies))}
    assert set(rows) == {"18-35", "35-18"}
    names = ("share_of_genre", "avg_rating", "rating_difference", "avg_revenue", "revenue_ratio", "median_roi")
    assert some(rows["18-35"], *names) == (0.5, 8.0, 1.0, 300.0, 1.5, 2.0)
    assert some(rows["35-18"], *names) == (1.0, 8.0, 0.0, 300.0, 1.0, 2.0)
