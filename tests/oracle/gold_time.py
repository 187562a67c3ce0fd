"""The marts of years and months."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from tests.oracle.arithmetic import (
    double,
    effective_number,
    grouped,
    growth_of,
    known_of,
    mean,
    median,
    months_since_zero,
    quantile,
    ranks_of,
    ratio,
    total,
    year_and_month,
)
from tests.oracle.lake import Lake, Row, figures_of, movies_by_month, movies_by_year, yearly_rows

MONTHS = range(1, 13)


def yoy_growth(lake: Lake) -> list[Row]:
    """All movies by year, without gaps, and how they grew."""
    return yearly_rows(lake, lake.released)


def release_seasonality(lake: Lake) -> list[Row]:
    """All movies by month of the year."""
    months = grouped((movie.release_month, movie) for movie in lake.released)
    rank = ranks_of({month: (-len(months.get(month, [])), month) for month in MONTHS})
    all_revenue = total(movie.revenue for movie in lake.released)
    rows = []
    for month in MONTHS:
        here = months.get(month, [])
        figures = figures_of(here, lake.variables)
        share = ratio(len(here), len(lake.released))
        rows.append(
            {
                "release_month": month,
                **figures,
                "share_of_movies": share,
                "seasonality_index": ratio(12 * len(here), len(lake.released)),
                "month_rank": rank[month],
                "share_of_revenue": ratio(figures["total_revenue"], all_revenue),
            }
        )
    return rows


def box_office_trends(lake: Lake) -> list[Row]:
    """Revenue by month of release, without gaps, with rolling sums."""
    if not lake.released:
        return []
    months = movies_by_month(lake.released)
    calendar = range(min(months), months_since_zero(lake.today) + 1)
    revenue = [total(movie.revenue for movie in months.get(month, [])) for month in calendar]
    counts = [len(months.get(month, [])) for month in calendar]
    rolling_12m = [_rolling_sum(revenue, position, 12) for position in range(len(calendar))]
    rows = []
    for position, month in enumerate(calendar):
        here = months.get(month, [])
        year, month_of_year = year_and_month(month)
        is_partial = month == calendar[-1]
        earners = ((-movie.revenue, movie.movie_id, movie) for movie in here if movie.revenue is not None)
        top = min(earners, default=(None, None, None))[-1]
        year_before = rolling_12m[position - 12] if position >= 12 and not is_partial else None
        rows.append(
            {
                "month_start_date": date(year, month_of_year, 1),
                "release_year": year,
                "release_month": month_of_year,
                "is_partial_month": is_partial,
                **figures_of(here, lake.variables),
                "rolling_3m_revenue": double(_rolling_sum(revenue, position, 3)),
                "rolling_12m_revenue": double(rolling_12m[position]),
                "rolling_12m_movies": _rolling_sum(counts, position, 12),
                "rolling_12m_growth": growth_of(rolling_12m[position], year_before),
                "year_to_date_revenue": total(revenue[max(0, position - month_of_year + 1) : position + 1]),
                "top_movie_id": top and top.movie_id,
                "top_movie_title": top and top.title,
                "top_movie_revenue": top and top.revenue,
            }
        )
    return rows


def industry_indicators(lake: Lake) -> list[Row]:
    """Lengths, budgets, languages and genres of the movies of a year."""
    rows = []
    for year, movies in movies_by_year(lake.released).items():
        runtimes = known_of(movie.runtime for movie in movies)
        budgets = known_of(movie.budget for movie in movies)
        languages = Counter(known_of(movie.original_language for movie in movies))
        top_language = min(languages, key=lambda code: (-languages[code], code), default=None)
        with_genre = [movie for movie in movies if movie.genre_ids]
        split: dict[int, Fraction] = defaultdict(Fraction)
        for movie in with_genre:
            for genre_id in movie.genre_ids:
                split[genre_id] += Fraction(1, len(movie.genre_ids))
        rows.append(
            {
                "release_year": year,
                "is_partial_year": year == lake.today.year,
                **figures_of(movies, lake.variables),
                "runtime_movies": len(runtimes),
                "avg_runtime": mean(runtimes),
                "p10_runtime": quantile(runtimes, Fraction(10, 100)),
                "median_runtime": median(runtimes),
                "p90_runtime": quantile(runtimes, Fraction(90, 100)),
                "p25_budget": quantile(budgets, Fraction(25, 100)),
                "median_budget": median(budgets),
                "p75_budget": quantile(budgets, Fraction(75, 100)),
                "p90_budget": quantile(budgets, Fraction(90, 100)),
                "language_movies": languages.total(),
                "languages": len(languages),
                "top_language": top_language,
                "top_language_share": None if top_language is None else languages[top_language] / languages.total(),
                "effective_languages": effective_number(languages.values()),
                "genre_movies": len(with_genre),
                "genres": len(split),
                "genres_per_movie": mean(len(movie.genre_ids) for movie in with_genre),
                "effective_genres": effective_number(split.values()),
            }
        )
    return rows


def _rolling_sum(values: Sequence[int | None], position: int, length: int) -> int | None:
    """Sum over the `length` values that end at the position; None while there are fewer, or none is known."""
    return total(values[position - length + 1 : position + 1]) if position >= length - 1 else None
