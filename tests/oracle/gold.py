"""The marts of Gold, each by one function, and how a table that was found differs from one that was expected.

Rows are dicts of plain values, None for NULL. Sums, means, shares and ranks are made from exact fractions and become
doubles at the very end, so that no order of rows and no rounding on the way decides anything.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from itertools import combinations, permutations
from typing import Any, TypeVar

from tests.oracle.observations import Observation, in_utc
from tests.oracle.silver import Measured, Movie, Silver, silver

Row = dict[str, Any]
Key = TypeVar("Key", bound=Hashable)
Entry = TypeVar("Entry")

MONTHS = range(1, 13)
WINDOWS = {"7d": 7, "30d": 30, "90d": 90}

_LAST_PLACE = 10**8
_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Variables:
    """The dbt variables that the marts depend on, with the project's defaults."""

    rating_prior_votes: int = 500
    director_minimum_movies: int = 2
    studio_minimum_movies: int = 3
    hit_minimum_roi: float = 1.0
    top_list_length: int = 5
    pair_window_years: int = 5
    pair_minimum_movies: int = 3
    correlation_minimum_movies: int = 3


DEFAULTS = Variables()
"""What `dbt_project.yml` says."""


@dataclass(frozen=True, slots=True)
class Lake:
    """Silver at an as-of time, with what several marts need. `released` and `by_genre` hold released movies only."""

    silver: Silver
    as_of: datetime
    variables: Variables
    mean_rating: Fraction | None
    weighted: dict[str, float | None]
    released: list[Movie]
    by_genre: dict[int, list[Movie]]

    @property
    def today(self) -> date:
        """The date of the as-of time."""
        return self.as_of.date()


KEYS: dict[str, tuple[str, ...]] = {
    "genre_analytics": ("genre_analytics_id",),
    "movie_performance": ("movie_id",),
    "trending_scores": ("trending_score_id",),
    "director_rankings": ("person_id",),
    "genre_trends": ("genre_trend_id",),
    "genre_seasonality": ("genre_seasonality_id",),
    "genre_market_share": ("genre_market_share_id",),
    "emerging_genre_pairs": ("emerging_genre_pair_id",),
    "cross_genre_performance": ("cross_genre_performance_id",),
    "performance_correlations": ("performance_correlation_id",),
    "studio_rankings": ("company_id",),
    "yoy_growth": ("release_year",),
    "release_seasonality": ("release_month",),
    "box_office_trends": ("month_start_date",),
    "industry_indicators": ("release_year",),
}
"""Mart -> the columns that tell its rows apart."""

COLUMNS: dict[str, tuple[str, ...]] = {
    mart: tuple(columns.split())
    for mart, columns in {
        "genre_analytics": """
            genre_analytics_id genre_id genre_name release_year release_month total_movies avg_rating rated_movies
            total_revenue revenue_movies avg_budget budget_movies avg_sentiment sentiment_movies top_movies
            top_directors computed_date
        """,
        "movie_performance": """
            movie_id title release_date release_year is_released primary_genre_id primary_genre rating vote_count
            weighted_rating popularity_score budget revenue profit roi sentiment_score review_count audience_sentiment
            weighted_rating_percentile_in_genre weighted_rating_percentile_in_year revenue_percentile_in_genre
            revenue_percentile_in_year roi_percentile_in_genre roi_percentile_in_year computed_date
        """,
        "trending_scores": """
            trending_score_id movie_id title trend_window trend_score velocity popularity_change rating_momentum
            observations last_popularity computed_date
        """,
        "director_rankings": """
            person_id person_name director_rank total_movies rated_movies mean_weighted_rating total_revenue
            median_revenue revenue_movies roi roi_movies hit_rate computed_date
        """,
        "genre_trends": """
            genre_trend_id genre_id genre_name release_year is_partial_year total_movies movies_growth rolling_3y_movies
            rated_movies avg_rating rating_change revenue_movies total_revenue revenue_growth budget_movies avg_budget
            sentiment_movies avg_sentiment computed_date
        """,
        "genre_seasonality": """
            genre_seasonality_id genre_id genre_name release_month total_movies share_of_genre share_of_all
            seasonality_index month_rank rated_movies avg_rating revenue_movies avg_revenue computed_date
        """,
        "genre_market_share": """
            genre_market_share_id genre_id genre_name release_year total_movies split_movies movie_share
            movie_share_change movie_share_rank revenue_movies split_revenue revenue_share computed_date
        """,
        "emerging_genre_pairs": """
            emerging_genre_pair_id genre_id_a genre_name_a genre_id_b genre_name_b emerging_rank is_emerging
            recent_movies earlier_movies recent_share earlier_share share_change growth lift rated_movies avg_rating
            revenue_movies avg_revenue computed_date
        """,
        "cross_genre_performance": """
            cross_genre_performance_id genre_id genre_name other_genre_id other_genre_name total_movies share_of_genre
            rated_movies avg_rating rating_difference revenue_movies avg_revenue median_revenue revenue_ratio roi_movies
            median_roi computed_date
        """,
        "performance_correlations": """
            performance_correlation_id measures scope genre_id genre_name decade movies pearson spearman computed_date
        """,
        "studio_rankings": """
            company_id company_name studio_rank total_movies rated_movies mean_weighted_rating total_revenue
            median_revenue revenue_movies roi roi_movies hit_rate computed_date
        """,
        "yoy_growth": """
            release_year is_partial_year total_movies movies_growth rated_movies avg_rating rating_change revenue_movies
            total_revenue revenue_growth budget_movies total_budget budget_growth sentiment_movies avg_sentiment
            sentiment_change computed_date
        """,
        "release_seasonality": """
            release_month total_movies share_of_movies seasonality_index month_rank rated_movies avg_rating
            revenue_movies total_revenue share_of_revenue avg_revenue median_revenue budget_movies avg_budget roi_movies
            median_roi hit_rate computed_date
        """,
        "box_office_trends": """
            month_start_date release_year release_month is_partial_month total_movies revenue_movies total_revenue
            rolling_3m_revenue rolling_12m_revenue rolling_12m_movies rolling_12m_growth year_to_date_revenue
            top_movie_id top_movie_title top_movie_revenue computed_date
        """,
        "industry_indicators": """
            release_year is_partial_year total_movies runtime_movies avg_runtime p10_runtime median_runtime p90_runtime
            budget_movies p25_budget median_budget p75_budget p90_budget roi_movies median_roi language_movies languages
            top_language top_language_share effective_languages genre_movies genres genres_per_movie effective_genres
            sentiment_movies avg_sentiment computed_date
        """,
    }.items()
}
"""Mart -> its columns, as documented."""


def marts(
    observations: Iterable[Observation], as_of: datetime, variables: Variables = DEFAULTS
) -> dict[str, list[Row]]:
    """Compute every mart that does not need the network.

    Args:
        observations: all rows of `bronze.movies`, in any order.
        as_of: the instant in `silver.as_of`; without a zone it is UTC.
        variables: the dbt variables; the project's defaults where not given.

    Returns:
        For each mart its rows, with exactly the documented columns, in no particular order.
    """
    here = lake(silver(observations), as_of, variables)
    return {mart: [_row(mart, here, row) for row in rows(here)] for mart, rows in _MARTS.items()}


def lake(silver: Silver, as_of: datetime, variables: Variables = DEFAULTS) -> Lake:
    """Silver, seen at an as-of time."""
    as_of = in_utc(as_of)
    mean_rating = exact_mean(movie.rating for movie in silver.movies)
    released = [movie for movie in silver.movies if is_released(movie, as_of.date())]
    return Lake(
        silver=silver,
        as_of=as_of,
        variables=variables,
        mean_rating=mean_rating,
        weighted={
            movie.movie_id: weighted_rating(movie.rating, movie.vote_count, mean_rating, variables.rating_prior_votes)
            for movie in silver.movies
        },
        released=released,
        by_genre=_groups((genre_id, movie) for movie in released for genre_id in movie.genre_ids),
    )


# The marts: rows with at least the columns documented; `marts` leaves out the others and adds computed_date.


def genre_analytics(lake: Lake) -> list[Row]:
    """Genres by month of release."""
    rows = []
    for genre_id, movies in lake.by_genre.items():
        for month_number, here in _by_month(movies).items():
            year, month = _year_and_month(month_number)
            rows.append(
                {
                    "genre_analytics_id": f"{genre_id}-{year}-{month}",
                    **_genre(lake, genre_id),
                    "release_year": year,
                    "release_month": month,
                    **_figures(here, lake.variables),
                    "top_movies": _top_movies(lake, here),
                    "top_directors": _top_directors(lake, here),
                }
            )
    return rows


def movie_performance(lake: Lake) -> list[Row]:
    """Each movie's weighted rating, return and standing. The percentiles are over all movies, released or not."""
    movies = lake.silver.movies
    primary = {movie.movie_id: _primary_genre(lake, movie) for movie in movies}
    groups: dict[str, Callable[[Movie], Hashable]] = {
        "genre": lambda movie: primary[movie.movie_id],
        "year": lambda movie: movie.release_year,
    }
    measures: dict[str, Callable[[Movie], float | None]] = {
        "weighted_rating": lambda movie: lake.weighted[movie.movie_id],
        "revenue": lambda movie: movie.revenue,
        "roi": lambda movie: movie.roi,
    }
    percentiles = {
        f"{measure}_percentile_in_{group}": percentiles_in_groups(movies, value, within)
        for measure, value in measures.items()
        for group, within in groups.items()
    }
    return [
        {
            "movie_id": movie.movie_id,
            "title": movie.title,
            "release_date": movie.release_date,
            "release_year": movie.release_year,
            "is_released": is_released(movie, lake.today),
            "primary_genre_id": genre_id,
            "primary_genre": None if genre_id is None else lake.silver.genre_names[genre_id],
            "rating": movie.rating,
            "vote_count": movie.vote_count,
            "weighted_rating": lake.weighted[movie.movie_id],
            "popularity_score": movie.popularity,
            "budget": movie.budget,
            "revenue": movie.revenue,
            "profit": movie.profit,
            "roi": movie.roi,
            "sentiment_score": movie.sentiment,
            "review_count": len(movie.review_sentiments),
            "audience_sentiment": mean(movie.review_sentiments),
            **{column: of_movies.get(movie.movie_id) for column, of_movies in percentiles.items()},
        }
        for movie, genre_id in ((movie, primary[movie.movie_id]) for movie in movies)
    ]


def trending_scores(lake: Lake) -> list[Row]:
    """What rises and falls within 7, 30 and 90 days before the as-of time."""
    titles = {movie.movie_id: movie.title for movie in lake.silver.movies}
    rows = []
    for window, days in WINDOWS.items():
        seen = _groups((each.movie_id, each) for each in _popularity_within(lake, days))
        trends = [_trend(lake, each) for each in seen.values() if len(each) > 1]
        velocity, change, momentum = (
            percent_ranks([trend[measure] or 0.0 for trend in trends])
            for measure in ("velocity", "popularity_change", "rating_momentum")
        )
        for position, trend in enumerate(trends):
            score = 100 * (
                Fraction(5, 10) * velocity[position]
                + Fraction(3, 10) * change[position]
                + Fraction(2, 10) * momentum[position]
            )
            rows.append(
                {
                    **trend,
                    "trending_score_id": f"{trend['movie_id']}-{window}",
                    "title": titles[trend["movie_id"]],
                    "trend_window": window,
                    "trend_score": rounded(score, 4),
                }
            )
    return rows


def director_rankings(lake: Lake) -> list[Row]:
    """Directors by the mean weighted rating of their released movies."""
    movies = _groups((person_id, movie) for movie in lake.released for person_id in movie.director_ids)
    return [
        {"person_id": person_id, "person_name": lake.silver.person_names.get(person_id), "director_rank": rank, **row}
        for person_id, rank, row in _ranking(lake, movies, lake.variables.director_minimum_movies)
    ]


def studio_rankings(lake: Lake) -> list[Row]:
    """Production companies by the mean weighted rating of their released movies."""
    movies = _groups((company_id, movie) for movie in lake.released for company_id in movie.company_ids)
    return [
        {
            "company_id": company_id,
            "company_name": lake.silver.company_names.get(company_id),
            "studio_rank": rank,
            **row,
        }
        for company_id, rank, row in _ranking(lake, movies, lake.variables.studio_minimum_movies)
    ]


def genre_trends(lake: Lake) -> list[Row]:
    """Genres by year, without gaps, and how they grew."""
    rows = []
    for genre_id, movies in lake.by_genre.items():
        years = _years(lake, movies)
        counts = [row["total_movies"] for row in years]
        for position, row in enumerate(years):
            rows.append(
                {
                    **row,
                    "genre_trend_id": f"{genre_id}-{row['release_year']}",
                    **_genre(lake, genre_id),
                    "rolling_3y_movies": sum(counts[position - 2 : position + 1]) / 3 if position >= 2 else None,
                }
            )
    return rows


def yoy_growth(lake: Lake) -> list[Row]:
    """All movies by year, without gaps, and how they grew."""
    return _years(lake, lake.released)


def genre_seasonality(lake: Lake) -> list[Row]:
    """Genres by month of the year."""
    all_months = Counter(movie.release_month for movie in lake.released)
    rows = []
    for genre_id, movies in lake.by_genre.items():
        months = _groups((movie.release_month, movie) for movie in movies)
        rank = _ranks({month: (-len(months.get(month, [])), month) for month in MONTHS})
        for month in MONTHS:
            here = months.get(month, [])
            share_of_genre = Fraction(len(here), len(movies))
            share_of_all = Fraction(all_months[month], len(lake.released))
            rows.append(
                {
                    "genre_seasonality_id": f"{genre_id}-{month}",
                    **_genre(lake, genre_id),
                    "release_month": month,
                    **_figures(here, lake.variables),
                    "share_of_genre": float(share_of_genre),
                    "share_of_all": float(share_of_all),
                    "seasonality_index": _ratio(share_of_genre, share_of_all),
                    "month_rank": rank[month],
                }
            )
    return rows


def release_seasonality(lake: Lake) -> list[Row]:
    """All movies by month of the year."""
    months = _groups((movie.release_month, movie) for movie in lake.released)
    rank = _ranks({month: (-len(months.get(month, [])), month) for month in MONTHS})
    all_revenue = total(movie.revenue for movie in lake.released)
    rows = []
    for month in MONTHS:
        here = months.get(month, [])
        figures = _figures(here, lake.variables)
        share = _ratio(len(here), len(lake.released))
        rows.append(
            {
                "release_month": month,
                **figures,
                "share_of_movies": share,
                "seasonality_index": _ratio(12 * len(here), len(lake.released)),
                "month_rank": rank[month],
                "share_of_revenue": _ratio(figures["total_revenue"], all_revenue),
            }
        )
    return rows


def genre_market_share(lake: Lake) -> list[Row]:
    """Each genre's share of a year's releases and revenue, a movie split between its genres."""
    rows: list[Row] = []
    shares_before: dict[int, Fraction] = {}
    year_before = None
    for year, movies in sorted(_by_year(lake.released).items()):
        by_genre = _groups((genre_id, movie) for movie in movies for genre_id in movie.genre_ids)
        split_movies = {
            genre_id: sum((Fraction(1, len(movie.genre_ids)) for movie in here), Fraction(0))
            for genre_id, here in by_genre.items()
        }
        split_revenue = {
            genre_id: _sum_of_known(_split(movie.revenue, len(movie.genre_ids)) for movie in here)
            for genre_id, here in by_genre.items()
        }
        all_movies = sum(split_movies.values(), Fraction(0))
        all_revenue = _sum_of_known(split_revenue.values())
        shares = {genre_id: split / all_movies for genre_id, split in split_movies.items()}
        has_comparison = bool(shares_before) and year_before == year - 1
        rank = _ranks({genre_id: (-split, genre_id) for genre_id, split in split_movies.items()})
        for genre_id, here in by_genre.items():
            change = shares[genre_id] - shares_before.get(genre_id, Fraction(0)) if has_comparison else None
            rows.append(
                {
                    "genre_market_share_id": f"{genre_id}-{year}",
                    **_genre(lake, genre_id),
                    "release_year": year,
                    **_figures(here, lake.variables),
                    "split_movies": float(split_movies[genre_id]),
                    "movie_share": float(shares[genre_id]),
                    "movie_share_change": _double(change),
                    "movie_share_rank": rank[genre_id],
                    "split_revenue": _double(split_revenue[genre_id]),
                    "revenue_share": _ratio(split_revenue[genre_id], all_revenue),
                }
            )
        shares_before, year_before = shares, year
    return rows


def emerging_genre_pairs(lake: Lake) -> list[Row]:
    """Pairs of genres that meet in recent movies, against the years before."""
    years = lake.variables.pair_window_years
    recent_from, earlier_from = years_before(lake.today, years), years_before(lake.today, 2 * years)
    recent = [movie for movie in lake.released if released_on(movie) > recent_from]
    earlier = [movie for movie in lake.released if earlier_from < released_on(movie) <= recent_from]
    recent_of_genre = Counter(genre_id for movie in recent for genre_id in movie.genre_ids)
    earlier_of_pair = Counter(pair for movie in earlier for pair in _pairs(movie))
    listed = []
    for (first, second), here in _groups((pair, movie) for movie in recent for pair in _pairs(movie)).items():
        if len(here) < lake.variables.pair_minimum_movies:
            continue
        recent_share = Fraction(len(here), len(recent))
        earlier_share = Fraction(earlier_of_pair[first, second], len(earlier)) if earlier else None
        change = None if earlier_share is None else recent_share - earlier_share
        # Nothing was released earlier: then no pair has a change, and the order is that of recent_movies.
        order = (-(change or 0), -len(here), first, second)
        row = {
            "emerging_genre_pair_id": f"{first}-{second}",
            **_genre(lake, first, "genre_id_a", "genre_name_a"),
            **_genre(lake, second, "genre_id_b", "genre_name_b"),
            "is_emerging": change is not None and change > 0,
            "recent_movies": len(here),
            "earlier_movies": earlier_of_pair[first, second],
            "recent_share": float(recent_share),
            "earlier_share": _double(earlier_share),
            "share_change": _double(change),
            "growth": _double(recent_share / earlier_share - 1) if earlier_share else None,
            "lift": _ratio(len(here) * len(recent), recent_of_genre[first] * recent_of_genre[second]),
            **_figures(here, lake.variables),
        }
        listed.append((order, row))
    listed.sort(key=lambda each: each[0])
    return [{**row, "emerging_rank": rank} for rank, (_, row) in enumerate(listed, 1)]


def cross_genre_performance(lake: Lake) -> list[Row]:
    """A genre's movies that are also of another genre, against all of the genre."""
    pairs = _groups((pair, movie) for movie in lake.released for pair in permutations(movie.genre_ids, 2))
    of_genre = {genre_id: _figures(movies, lake.variables) for genre_id, movies in lake.by_genre.items()}
    rows = []
    for (genre_id, other), here in pairs.items():
        figures, whole = _figures(here, lake.variables), of_genre[genre_id]
        rows.append(
            {
                "cross_genre_performance_id": f"{genre_id}-{other}",
                **_genre(lake, genre_id),
                **_genre(lake, other, "other_genre_id", "other_genre_name"),
                **figures,
                "share_of_genre": _ratio(figures["total_movies"], whole["total_movies"]),
                "rating_difference": _difference(figures["avg_rating"], whole["avg_rating"]),
                "revenue_ratio": _ratio(figures["avg_revenue"], whole["avg_revenue"]),
            }
        )
    return rows


def performance_correlations(lake: Lake) -> list[Row]:
    """How two measures of the released movies go together: of all, of a genre, of a decade."""
    groups: list[tuple[str, int | None, list[Movie]]] = [("overall", None, lake.released)]
    groups += [("genre", genre_id, movies) for genre_id, movies in lake.by_genre.items()]
    decades = _groups((released_on(movie).year // 10 * 10, movie) for movie in lake.released)
    groups += [("decade", decade, movies) for decade, movies in decades.items()]
    rows = []
    for scope, of, movies in groups:
        for first, second in _CORRELATED:
            both = ((_MEASURES[first](movie), _MEASURES[second](movie)) for movie in movies)
            points = [(x, y) for x, y in both if x is not None and y is not None]
            if not points:
                continue
            enough = len(points) >= lake.variables.correlation_minimum_movies
            genre_id = of if scope == "genre" else None
            rows.append(
                {
                    "performance_correlation_id": "-".join(
                        [f"{first}_{second}", scope, *([] if of is None else [str(of)])]
                    ),
                    "measures": f"{first}_{second}",
                    "scope": scope,
                    "genre_id": genre_id,
                    "genre_name": None if genre_id is None else lake.silver.genre_names.get(genre_id),
                    "decade": of if scope == "decade" else None,
                    "movies": len(points),
                    "pearson": pearson(*zip(*points, strict=True)) if enough else None,
                    "spearman": spearman(*zip(*points, strict=True)) if enough else None,
                }
            )
    return rows


def box_office_trends(lake: Lake) -> list[Row]:
    """Revenue by month of release, without gaps, with rolling sums."""
    if not lake.released:
        return []
    months = _by_month(lake.released)
    calendar = range(min(months), _month_number(lake.today) + 1)
    revenue = [total(movie.revenue for movie in months.get(month, [])) for month in calendar]
    counts = [len(months.get(month, [])) for month in calendar]
    rolling_12m = [_rolling(revenue, position, 12) for position in range(len(calendar))]
    rows = []
    for position, month in enumerate(calendar):
        here = months.get(month, [])
        year, month_of_year = _year_and_month(month)
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
                **_figures(here, lake.variables),
                "rolling_3m_revenue": _double(_rolling(revenue, position, 3)),
                "rolling_12m_revenue": _double(rolling_12m[position]),
                "rolling_12m_movies": _rolling(counts, position, 12),
                "rolling_12m_growth": _growth(rolling_12m[position], year_before),
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
    for year, movies in _by_year(lake.released).items():
        runtimes = _known(movie.runtime for movie in movies)
        budgets = _known(movie.budget for movie in movies)
        languages = Counter(_known(movie.original_language for movie in movies))
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
                **_figures(movies, lake.variables),
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


_MARTS: dict[str, Callable[[Lake], list[Row]]] = {
    "genre_analytics": genre_analytics,
    "movie_performance": movie_performance,
    "trending_scores": trending_scores,
    "director_rankings": director_rankings,
    "genre_trends": genre_trends,
    "genre_seasonality": genre_seasonality,
    "genre_market_share": genre_market_share,
    "emerging_genre_pairs": emerging_genre_pairs,
    "cross_genre_performance": cross_genre_performance,
    "performance_correlations": performance_correlations,
    "studio_rankings": studio_rankings,
    "yoy_growth": yoy_growth,
    "release_seasonality": release_seasonality,
    "box_office_trends": box_office_trends,
    "industry_indicators": industry_indicators,
}

_CORRELATED = (("budget", "revenue"), ("rating", "revenue"), ("sentiment", "rating"), ("popularity", "rating"))
_MEASURES: dict[str, Callable[[Movie], float | None]] = {
    "budget": lambda movie: movie.budget,
    "revenue": lambda movie: movie.revenue,
    "rating": lambda movie: movie.rating,
    "sentiment": lambda movie: movie.sentiment,
    "popularity": lambda movie: movie.popularity,
}


# The formulas.


def is_released(movie: Movie, today: date) -> bool:
    """Whether the movie came out on or before a day; False where its release date is not known."""
    return movie.release_date is not None and movie.release_date <= today


def released_on(movie: Movie) -> date:
    """Release date of a movie that is released, and so has one."""
    assert movie.release_date is not None
    return movie.release_date


def exact(value: float) -> Fraction:
    """The number that a double is written as: 0.1 is one tenth."""
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value))


def rounded(value: Fraction | float, places: int) -> float:
    """Round half away from zero, as SQL does."""
    scaled = abs(value if isinstance(value, Fraction) else exact(value)) * 10**places
    whole = math.floor(scaled + Fraction(1, 2))
    return math.copysign(float(Fraction(whole, 10**places)), value)


def total(values: Iterable[int | None]) -> int | None:
    """Sum of the known; None where nothing is."""
    known = _known(values)
    return sum(known) if known else None


def exact_mean(values: Iterable[float | None]) -> Fraction | None:
    """Mean of the known, each taken with eight decimal places; None where nothing is."""
    known = _known(values)
    if not known:
        return None
    return Fraction(sum(_in_last_place(value) for value in known), len(known) * _LAST_PLACE)


def mean(values: Iterable[float | None]) -> float | None:
    """`exact_mean` as a double."""
    return _double(exact_mean(values))


def quantile(values: Iterable[float | None], share: Fraction) -> float | None:
    """Of n known values the one at position 1 + share (n - 1), between two of them linearly; None where nothing is."""
    known = sorted(_known(values))
    if not known:
        return None
    position = share * (len(known) - 1)
    below = math.floor(position)
    above = math.ceil(position)
    return float(exact(known[below]) + (exact(known[above]) - exact(known[below])) * (position - below))


def median(values: Iterable[float | None]) -> float | None:
    """The middle one of the known, or the mean of the two in the middle; None where nothing is."""
    return quantile(values, Fraction(1, 2))


def weighted_rating(
    rating: float | None, votes: int | None, mean_rating: Fraction | None, prior_votes: int
) -> float | None:
    """v / (v + m) * R + m / (v + m) * C, to 6 places; None where rating or votes are not known."""
    if rating is None or votes is None or mean_rating is None:
        return None
    return rounded((votes * exact(rating) + prior_votes * mean_rating) / (votes + prior_votes), 6)


def percent_ranks(values: Sequence[float]) -> list[Fraction]:
    """(rank - 1) / (n - 1) of each value, counted from the lowest; equal ones have the same; the only one has 0."""
    in_order = sorted(values)
    return [Fraction(bisect_left(in_order, value), max(1, len(values) - 1)) for value in values]


def percentiles_in_groups(
    movies: Iterable[Movie], value: Callable[[Movie], float | None], group: Callable[[Movie], Hashable]
) -> dict[str, float]:
    """movie_id -> percentile within its group, of the movies that have both a group and a value."""
    members = ((group(movie), (movie.movie_id, value(movie))) for movie in movies)
    has_both = ((of, (movie_id, known)) for of, (movie_id, known) in members if of is not None and known is not None)
    found: dict[str, float] = {}
    for values in _groups(has_both).values():
        ranks = percent_ranks([known for _, known in values])
        found.update((movie_id, float(rank)) for (movie_id, _), rank in zip(values, ranks, strict=True))
    return found


def velocity(instants: Sequence[datetime], popularities: Sequence[float]) -> float:
    """Least-squares slope of ln(1 + popularity) over days, to 8 places."""
    days = [Fraction((instant - instants[0]) // _MICROSECOND, _DAY // _MICROSECOND) for instant in instants]
    logs = [Fraction(math.log(1 + popularity)) for popularity in popularities]
    count = len(days)
    products = sum(x * y for x, y in zip(days, logs, strict=True))
    squares = sum(x * x for x in days)
    return rounded((count * products - sum(days) * sum(logs)) / (count * squares - sum(days) ** 2), 8)


def pearson(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Pearson's correlation, to 6 places, after each measure is brought to whole numbers from 0 to 10^9."""
    return _correlation(_whole_numbers(xs), _whole_numbers(ys))


def spearman(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Spearman's: the correlation of the ranks, to 6 places; equal values share the mean of their ranks."""
    return _correlation(_doubled_ranks(xs), _doubled_ranks(ys))


def effective_number(weights: Iterable[int | Fraction]) -> float | None:
    """exp(-sum of p ln p), to 8 places: how many equally frequent kinds are as diverse; None where there are none."""
    known = list(weights)
    if not known:
        return None
    shares = [float(Fraction(weight) / sum(known)) for weight in known]
    return rounded(math.exp(-math.fsum(share * math.log(share) for share in shares)), 8)


def years_before(day: date, years: int) -> date:
    """The same day so many years earlier; of 29 February the 28th where there is no other."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


# Parts of rows.


def _row(mart: str, lake: Lake, row: Row) -> Row:
    row = {**row, "computed_date": lake.today}
    return {column: row[column] for column in COLUMNS[mart]}


def _figures(movies: Sequence[Movie], variables: Variables) -> Row:
    """Counts, sums, means and medians that many marts have, under the names that all of them use."""
    ratings = _known(movie.rating for movie in movies)
    revenues = _known(movie.revenue for movie in movies)
    budgets = _known(movie.budget for movie in movies)
    rois = _known(movie.roi for movie in movies)
    sentiments = _known(movie.sentiment for movie in movies)
    return {
        "total_movies": len(movies),
        "rated_movies": len(ratings),
        "avg_rating": mean(ratings),
        "revenue_movies": len(revenues),
        "total_revenue": total(revenues),
        "avg_revenue": mean(revenues),
        "median_revenue": median(revenues),
        "budget_movies": len(budgets),
        "total_budget": total(budgets),
        "avg_budget": mean(budgets),
        "roi_movies": len(rois),
        "median_roi": median(rois),
        "hit_rate": _ratio(sum(roi >= variables.hit_minimum_roi for roi in rois), len(rois)),
        "sentiment_movies": len(sentiments),
        "avg_sentiment": mean(sentiments),
    }


def _genre(lake: Lake, genre_id: int, id_column: str = "genre_id", name_column: str = "genre_name") -> Row:
    return {id_column: genre_id, name_column: lake.silver.genre_names.get(genre_id)}


def _primary_genre(lake: Lake, movie: Movie) -> int | None:
    return next((genre_id for genre_id in movie.genre_ids if lake.silver.genre_names.get(genre_id) is not None), None)


def _top_movies(lake: Lake, movies: Sequence[Movie]) -> list[Row]:
    rated = [movie for movie in movies if lake.weighted[movie.movie_id] is not None]
    rated.sort(key=lambda movie: (-(lake.weighted[movie.movie_id] or 0), -(movie.vote_count or 0), movie.movie_id))
    return [
        {
            "movie_id": movie.movie_id,
            "title": movie.title,
            "rating": movie.rating,
            "vote_count": movie.vote_count,
            "weighted_rating": lake.weighted[movie.movie_id],
        }
        for movie in rated[: lake.variables.top_list_length]
    ]


def _top_directors(lake: Lake, movies: Sequence[Movie]) -> list[Row]:
    directed = _groups((person_id, movie) for movie in movies for person_id in movie.director_ids)
    means = {
        person_id: exact_mean(lake.weighted[movie.movie_id] for movie in here) for person_id, here in directed.items()
    }
    best = sorted(directed, key=lambda person_id: (-len(directed[person_id]), _descending(means[person_id]), person_id))
    return [
        {
            "person_id": person_id,
            "person_name": lake.silver.person_names.get(person_id),
            "directed_movies": len(directed[person_id]),
            "mean_weighted_rating": _double(means[person_id]),
        }
        for person_id in best[: lake.variables.top_list_length]
    ]


def _ranking(lake: Lake, groups: Mapping[int, list[Movie]], minimum: int) -> list[tuple[int, int, Row]]:
    """Id, rank and figures of the directors or companies that have enough movies."""
    ranked = []
    for identity, movies in groups.items():
        if len(movies) < minimum:
            continue
        weighted = _known(lake.weighted[movie.movie_id] for movie in movies)
        with_roi = [movie for movie in movies if movie.roi is not None]
        mean_weighted = exact_mean(weighted)
        row = {
            **_figures(movies, lake.variables),
            "rated_movies": len(weighted),
            "mean_weighted_rating": _double(mean_weighted),
            "roi": _ratio(total(movie.profit for movie in with_roi), total(movie.budget for movie in with_roi)),
        }
        ranked.append(((_descending(mean_weighted), -len(movies), identity), row))
    ranked.sort(key=lambda each: each[0])
    return [(order[-1], rank, row) for rank, (order, row) in enumerate(ranked, 1)]


def _years(lake: Lake, movies: Sequence[Movie]) -> list[Row]:
    """Figures of each year from the first release to the as-of time, with their growth and change."""
    if not movies:
        return []
    by_year = _by_year(movies)
    rows: list[Row] = []
    for year in range(min(by_year), lake.today.year + 1):
        row = {
            "release_year": year,
            "is_partial_year": year == lake.today.year,
            **_figures(by_year.get(year, []), lake.variables),
        }
        before = rows[-1] if rows and not row["is_partial_year"] else {}
        for growth, of in (("movies", "total_movies"), ("revenue", "total_revenue"), ("budget", "total_budget")):
            row[f"{growth}_growth"] = _growth(row[of], before.get(of))
        for change, of in (("rating", "avg_rating"), ("sentiment", "avg_sentiment")):
            row[f"{change}_change"] = _difference(row[of], before.get(of))
        rows.append(row)
    return rows


def _popularity_within(lake: Lake, days: int) -> list[Measured]:
    """Observations with a popularity in the window, in order of time; of one instant that of the greatest hash."""
    start = lake.as_of - days * _DAY
    once = {
        (each.movie_id, each.observed_at): each
        for each in lake.silver.observations
        if each.popularity is not None and start < each.observed_at <= lake.as_of
    }
    return list(once.values())


def _trend(lake: Lake, points: Sequence[Measured]) -> Row:
    popularities = _known(each.popularity for each in points)
    first, last = popularities[0], popularities[-1]
    prior_votes = lake.variables.rating_prior_votes
    ratings = _known(weighted_rating(each.rating, each.vote_count, lake.mean_rating, prior_votes) for each in points)
    return {
        "movie_id": points[0].movie_id,
        "velocity": velocity([each.observed_at for each in points], popularities),
        "popularity_change": rounded(exact(last) / exact(first) - 1, 8) if first else None,
        "rating_momentum": rounded(exact(ratings[-1]) - exact(ratings[0]), 6) if ratings else None,
        "observations": len(points),
        "last_popularity": last,
    }


def _pairs(movie: Movie) -> Iterable[tuple[int, int]]:
    return combinations(sorted(movie.genre_ids), 2)


# Arithmetic.


def _known(values: Iterable[Entry | None]) -> list[Entry]:
    return [value for value in values if value is not None]


def _groups(entries: Iterable[tuple[Key, Entry]]) -> dict[Key, list[Entry]]:
    groups: dict[Key, list[Entry]] = {}
    for key, entry in entries:
        groups.setdefault(key, []).append(entry)
    return groups


def _by_year(movies: Iterable[Movie]) -> dict[int, list[Movie]]:
    return _groups((released_on(movie).year, movie) for movie in movies)


def _by_month(movies: Iterable[Movie]) -> dict[int, list[Movie]]:
    return _groups((_month_number(released_on(movie)), movie) for movie in movies)


def _ranks(order: Mapping[Key, Any]) -> dict[Key, int]:
    """Rank of each key by what it is mapped to, 1 for the least."""
    return {key: rank for rank, key in enumerate(sorted(order, key=order.__getitem__), 1)}


def _descending(value: Fraction | None) -> tuple[bool, Fraction]:
    """Sorts the greatest first, and what is not known last."""
    return (value is None, -(value or Fraction(0)))


def _double(value: Fraction | float | None) -> float | None:
    return None if value is None else float(value)


def _ratio(part: Fraction | float | None, whole: Fraction | float | None) -> float | None:
    """Part over whole; None where either is not known or the whole is 0."""
    return None if part is None or not whole else float(part / whole)


def _growth(now: float | None, before: float | None) -> float | None:
    return None if now is None or not before else now / before - 1


def _difference(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


def _split(value: int | None, parts: int) -> Fraction | None:
    return None if value is None else Fraction(value, parts)


def _sum_of_known(values: Iterable[Fraction | None]) -> Fraction | None:
    known = _known(values)
    return sum(known, Fraction(0)) if known else None


def _month_number(day: date) -> int:
    """Months since the year 0, so that months without gaps are a range."""
    return 12 * day.year + day.month - 1


def _year_and_month(month_number: int) -> tuple[int, int]:
    return month_number // 12, month_number % 12 + 1


def _rolling(values: Sequence[int | None], position: int, length: int) -> int | None:
    """Sum over the `length` values that end at the position; None while there are fewer, or none is known."""
    return total(values[position - length + 1 : position + 1]) if position >= length - 1 else None


def _in_last_place(value: float) -> int:
    """The number in units of the eighth decimal place."""
    if isinstance(value, int):
        return value * _LAST_PLACE
    return int(Decimal(repr(value)).scaleb(8).to_integral_value(ROUND_HALF_UP))


def _whole_numbers(values: Sequence[float]) -> list[int]:
    """The values brought to whole numbers, the least to 0 and the greatest to 10^9; all to 0 where they are equal."""
    numbers = [exact(value) for value in values]
    least, greatest = min(numbers), max(numbers)
    if least == greatest:
        return [0] * len(numbers)
    scale = Fraction(10**9) / (greatest - least)
    return [math.floor((number - least) * scale + Fraction(1, 2)) for number in numbers]


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Twice the rank of each value from the lowest, so that the mean of two ranks is a whole number too."""
    in_order = sorted(values)
    return [bisect_left(in_order, value) + bisect_right(in_order, value) + 1 for value in values]


def _correlation(xs: Sequence[int], ys: Sequence[int]) -> float | None:
    count = len(xs)
    spread_x = count * sum(x * x for x in xs) - sum(xs) ** 2
    spread_y = count * sum(y * y for y in ys) - sum(ys) ** 2
    if not spread_x or not spread_y:
        return None
    together = count * sum(x * y for x, y in zip(xs, ys, strict=True)) - sum(xs) * sum(ys)
    with localcontext() as context:
        context.prec = 60
        return rounded(Fraction(Decimal(together) / (Decimal(spread_x).sqrt() * Decimal(spread_y).sqrt())), 6)


# Differences.


def differences(
    expected: Iterable[Row],
    actual: Iterable[Row],
    key: tuple[str, ...],
    mart: str = "",
    relative: float = 1e-9,
    absolute: float = 1e-9,
) -> list[str]:
    """What differs between two tables, one readable line each; none where they agree.

    Integers, texts, dates and booleans must be equal, doubles close. Lists and structs are compared entry by entry.
    What Hive's protocol turned into text is read first: a list or struct as JSON, a date as YYYY-MM-DD.

    Args:
        expected: rows of the oracle.
        actual: rows that were found.
        key: the columns that tell rows apart.
        mart: name that the lines begin with.
        relative: how far two doubles may be apart, as a share of the greater.
        absolute: how far two doubles may be apart in any case.
    """
    expected_rows, lines = _by_key(expected, key, f"{mart}: expected")
    actual_rows, repeated = _by_key(actual, key, f"{mart}: found")
    lines += repeated
    for identity in sorted({*expected_rows, *actual_rows}, key=_sortable):
        place = f"{mart}[{'-'.join(str(part) for part in identity)}]"
        if identity not in actual_rows:
            lines.append(f"{place}: missing")
        elif identity not in expected_rows:
            lines.append(f"{place}: not expected")
        else:
            lines += _differing(expected_rows[identity], actual_rows[identity], place, relative, absolute)
    return lines


def _by_key(rows: Iterable[Row], key: tuple[str, ...], what: str) -> tuple[dict[tuple[Any, ...], Row], list[str]]:
    found: dict[tuple[Any, ...], Row] = {}
    repeated = []
    for row in rows:
        # Dates as text, whichever of the two they came as.
        identity = tuple(part.isoformat() if isinstance(part, date) else part for part in (row[name] for name in key))
        if identity in found:
            repeated.append(f"{what} {identity} more than once")
        found[identity] = row
    return found, repeated


def _sortable(identity: tuple[Any, ...]) -> list[tuple[bool, float, str]]:
    return [
        (isinstance(part, str), 0, part) if isinstance(part, str) else (False, part or 0, str(part))
        for part in identity
    ]


def _differing(expected: Any, actual: Any, place: str, relative: float, absolute: float) -> list[str]:
    actual = _as_received(expected, actual)
    if isinstance(expected, dict) and isinstance(actual, dict):
        lines = [f"{place}.{name}: missing" for name in expected if name not in actual]
        lines += [f"{place}.{name}: not expected" for name in actual if name not in expected]
        for name in expected:
            if name in actual:
                lines += _differing(expected[name], actual[name], f"{place}.{name}", relative, absolute)
        return lines
    if isinstance(expected, list) and isinstance(actual, list | tuple):
        lines = []
        if len(expected) != len(actual):
            lines.append(f"{place}: expected {len(expected)} entries, found {len(actual)}")
        for position, (one, other) in enumerate(zip(expected, actual, strict=False)):
            lines += _differing(one, other, f"{place}[{position}]", relative, absolute)
        return lines
    if _is_same(expected, actual, relative, absolute):
        return []
    return [f"{place}: expected {_shown(expected)}, found {_shown(actual)}"]


def _as_received(expected: Any, actual: Any) -> Any:
    if isinstance(actual, str) and isinstance(expected, list | dict):
        try:
            return json.loads(actual)
        except ValueError:
            return actual
    if isinstance(actual, str) and isinstance(expected, date):
        try:
            return date.fromisoformat(actual)
        except ValueError:
            return actual
    return actual


def _is_same(expected: Any, actual: Any, relative: float, absolute: float) -> bool:
    if isinstance(expected, float) and isinstance(actual, int | float) and not isinstance(actual, bool):
        return math.isclose(expected, actual, rel_tol=relative, abs_tol=absolute)
    return type(expected) is type(actual) and bool(expected == actual)


def _shown(value: Any) -> str:
    return "NULL" if value is None else repr(value) if isinstance(value, str) else str(value)
