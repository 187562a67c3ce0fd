"""The marts of genres."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations, permutations

from tests.oracle.arithmetic import (
    descending,
    difference_of,
    double,
    exact_mean,
    grouped,
    known_of,
    ranks_of,
    ratio,
    year_and_month,
    years_before,
)
from tests.oracle.lake import (
    Lake,
    Row,
    figures_of,
    genre_columns,
    movies_by_month,
    movies_by_year,
    released_on,
    yearly_rows,
)
from tests.oracle.silver import Movie

MONTHS = range(1, 13)


def genre_analytics(lake: Lake) -> list[Row]:
    """Genres by month of release."""
    rows = []
    for genre_id, movies in lake.by_genre.items():
        for month_number, here in movies_by_month(movies).items():
            year, month = year_and_month(month_number)
            rows.append(
                {
                    "genre_analytics_id": f"{genre_id}-{year}-{month}",
                    **genre_columns(lake, genre_id),
                    "release_year": year,
                    "release_month": month,
                    **figures_of(here, lake.variables),
                    "top_movies": _top_movies(lake, here),
                    "top_directors": _top_directors(lake, here),
                }
            )
    return rows


def genre_trends(lake: Lake) -> list[Row]:
    """Genres by year, without gaps, and how they grew."""
    rows = []
    for genre_id, movies in lake.by_genre.items():
        years = yearly_rows(lake, movies)
        counts = [row["total_movies"] for row in years]
        for position, row in enumerate(years):
            rows.append(
                {
                    **row,
                    "genre_trend_id": f"{genre_id}-{row['release_year']}",
                    **genre_columns(lake, genre_id),
                    "rolling_3y_movies": sum(counts[position - 2 : position + 1]) / 3 if position >= 2 else None,
                }
            )
    return rows


def genre_seasonality(lake: Lake) -> list[Row]:
    """Genres by month of the year."""
    all_months = Counter(movie.release_month for movie in lake.released)
    rows = []
    for genre_id, movies in lake.by_genre.items():
        months = grouped((movie.release_month, movie) for movie in movies)
        rank = ranks_of({month: (-len(months.get(month, [])), month) for month in MONTHS})
        for month in MONTHS:
            here = months.get(month, [])
            share_of_genre = Fraction(len(here), len(movies))
            share_of_all = Fraction(all_months[month], len(lake.released))
            rows.append(
                {
                    "genre_seasonality_id": f"{genre_id}-{month}",
                    **genre_columns(lake, genre_id),
                    "release_month": month,
                    **figures_of(here, lake.variables),
                    "share_of_genre": float(share_of_genre),
                    "share_of_all": float(share_of_all),
                    "seasonality_index": ratio(share_of_genre, share_of_all),
                    "month_rank": rank[month],
                }
            )
    return rows


def genre_market_share(lake: Lake) -> list[Row]:
    """Each genre's share of a year's releases and revenue, a movie split between its genres."""
    rows: list[Row] = []
    shares_before: dict[int, Fraction] = {}
    year_before = None
    for year, movies in sorted(movies_by_year(lake.released).items()):
        by_genre = grouped((genre_id, movie) for movie in movies for genre_id in movie.genre_ids)
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
        rank = ranks_of({genre_id: (-split, genre_id) for genre_id, split in split_movies.items()})
        for genre_id, here in by_genre.items():
            change = shares[genre_id] - shares_before.get(genre_id, Fraction(0)) if has_comparison else None
            rows.append(
                {
                    "genre_market_share_id": f"{genre_id}-{year}",
                    **genre_columns(lake, genre_id),
                    "release_year": year,
                    **figures_of(here, lake.variables),
                    "split_movies": float(split_movies[genre_id]),
                    "movie_share": float(shares[genre_id]),
                    "movie_share_change": double(change),
                    "movie_share_rank": rank[genre_id],
                    "split_revenue": double(split_revenue[genre_id]),
                    "revenue_share": ratio(split_revenue[genre_id], all_revenue),
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
    for (first, second), here in grouped((pair, movie) for movie in recent for pair in _pairs(movie)).items():
        if len(here) < lake.variables.pair_minimum_movies:
            continue
        recent_share = Fraction(len(here), len(recent))
        earlier_share = Fraction(earlier_of_pair[first, second], len(earlier)) if earlier else None
        change = None if earlier_share is None else recent_share - earlier_share
        # Nothing was released earlier: then no pair has a change, and the order is that of recent_movies.
        order = (-(change or 0), -len(here), first, second)
        row = {
            "emerging_genre_pair_id": f"{first}-{second}",
            **genre_columns(lake, first, "genre_id_a", "genre_name_a"),
            **genre_columns(lake, second, "genre_id_b", "genre_name_b"),
            "is_emerging": change is not None and change > 0,
            "recent_movies": len(here),
            "earlier_movies": earlier_of_pair[first, second],
            "recent_share": float(recent_share),
            "earlier_share": double(earlier_share),
            "share_change": double(change),
            "growth": double(recent_share / earlier_share - 1) if earlier_share else None,
            "lift": ratio(len(here) * len(recent), recent_of_genre[first] * recent_of_genre[second]),
            **figures_of(here, lake.variables),
        }
        listed.append((order, row))
    listed.sort(key=lambda each: each[0])
    return [{**row, "emerging_rank": rank} for rank, (_, row) in enumerate(listed, 1)]


def cross_genre_performance(lake: Lake) -> list[Row]:
    """A genre's movies that are also of another genre, against all of the genre."""
    pairs = grouped((pair, movie) for movie in lake.released for pair in permutations(movie.genre_ids, 2))
    of_genre = {genre_id: figures_of(movies, lake.variables) for genre_id, movies in lake.by_genre.items()}
    rows = []
    for (genre_id, other), here in pairs.items():
        figures, whole = figures_of(here, lake.variables), of_genre[genre_id]
        rows.append(
            {
                "cross_genre_performance_id": f"{genre_id}-{other}",
                **genre_columns(lake, genre_id),
                **genre_columns(lake, other, "other_genre_id", "other_genre_name"),
                **figures,
                "share_of_genre": ratio(figures["total_movies"], whole["total_movies"]),
                "rating_difference": difference_of(figures["avg_rating"], whole["avg_rating"]),
                "revenue_ratio": ratio(figures["avg_revenue"], whole["avg_revenue"]),
            }
        )
    return rows


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
    directed = grouped((person_id, movie) for movie in movies for person_id in movie.director_ids)
    means = {
        person_id: exact_mean(lake.weighted[movie.movie_id] for movie in here) for person_id, here in directed.items()
    }
    best = sorted(directed, key=lambda person_id: (-len(directed[person_id]), descending(means[person_id]), person_id))
    return [
        {
            "person_id": person_id,
            "person_name": lake.silver.person_names.get(person_id),
            "directed_movies": len(directed[person_id]),
            "mean_weighted_rating": double(means[person_id]),
        }
        for person_id in best[: lake.variables.top_list_length]
    ]


def _pairs(movie: Movie) -> Iterable[tuple[int, int]]:
    return combinations(sorted(movie.genre_ids), 2)


def _split(value: int | None, parts: int) -> Fraction | None:
    return None if value is None else Fraction(value, parts)


def _sum_of_known(values: Iterable[Fraction | None]) -> Fraction | None:
    known = known_of(values)
    return sum(known, Fraction(0)) if known else None
