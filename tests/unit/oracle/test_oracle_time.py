"""The oracle's marts of time, and all of them at once."""

from datetime import date, datetime

import pytest
from hand_made import AS_OF, column, film, lake, some

from ingestion.records import DefaultTime, Record, parse_record
from ingestion.synthetic.catalogue import CatalogueSpec, catalogue
from tests.oracle import gold, gold_genres, gold_time
from tests.oracle.differences import differences
from tests.oracle.observations import Observation


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
    rows = gold_time.yoy_growth(here)
    assert column(rows, "release_year", "total_movies") == {2022: 1, 2023: 2, 2024: 0, 2025: 1, 2026: 1}
    assert column(rows, "release_year", "movies_growth") == {2022: None, 2023: 1.0, 2024: -1.0, 2025: None, 2026: None}
    assert column(rows, "release_year", "total_revenue") == {2022: 100, 2023: 150, 2024: None, 2025: 10, 2026: 20}
    assert column(rows, "release_year", "revenue_growth") == {2022: None, 2023: 0.5, 2024: None, 2025: None, 2026: None}
    assert column(rows, "release_year", "rating_change") == {2022: None, 2023: 1.0, 2024: None, 2025: None, 2026: None}
    assert some(rows[1], "sentiment_change", "total_budget", "budget_growth", "is_partial_year") == (
        *(-0.75, None, None, False),
    )
    assert rows[-1]["is_partial_year"]
    trends = {row["genre_trend_id"]: row for row in gold_genres.genre_trends(here)}
    assert set(trends) == {"18-2022", "18-2023", "18-2024", "18-2025", "18-2026", "35-2025", "35-2026"}
    assert [trends[f"18-{year}"]["rolling_3y_movies"] for year in range(2022, 2027)] == [None, None, 1.0, 2 / 3, 1 / 3]
    assert some(trends["18-2025"], "total_movies", "movies_growth", "avg_rating") == (0, None, None)


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
    rows = gold_time.box_office_trends(lake(movies))
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
    rows = {row["month_start_date"]: row["rolling_12m_growth"] for row in gold_time.box_office_trends(lake(movies))}
    # The first twelve months end with 2024-11; from 2025-12 on no revenue is known in twelve months.
    assert {month: growth for month, growth in rows.items() if growth is not None} == {date(2025, 11, 1): 0.5}
    movies.append(film("4", "2026-01-15", revenue=300))
    rows = {row["month_start_date"]: row["rolling_12m_growth"] for row in gold_time.box_office_trends(lake(movies))}
    # 2025-02 to 2026-01 against 150; 2026-02 is not over.
    assert (rows[date(2026, 1, 1)], rows[date(2026, 2, 1)]) == (1.0, None)


def test_industry_indicators() -> None:
    movies = [
        film("1", "2020-01-01", 18, 35, runtime=100, budget=10, revenue=30, original_language="fr", sentiment=0.5),
        film("2", "2020-01-01", 18, runtime=120, budget=20, original_language="en"),
        film("3", "2020-01-01", original_language="fr"),
        film("4", "2026-01-01"),
    ]
    first, last = gold_time.industry_indicators(lake(movies))
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
        assert differences(rows, again[mart], gold.KEYS[mart], mart, relative=0, absolute=0) == []
    released = sum(row["is_released"] for row in marts["movie_performance"])
    assert 0 < released <= 150
    for mart in ("yoy_growth", "release_seasonality", "box_office_trends", "industry_indicators"):
        assert sum(row["total_movies"] for row in marts[mart]) == released


def test_an_empty_lake_has_no_rows_but_the_twelve_months() -> None:
    marts = gold.marts([], AS_OF)
    assert {mart: len(rows) for mart, rows in marts.items() if rows} == {"release_seasonality": 12}
    assert marts["release_seasonality"][0]["share_of_movies"] is None
