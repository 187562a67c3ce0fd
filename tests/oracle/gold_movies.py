"""The marts of movies."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import timedelta
from fractions import Fraction

from tests.oracle.arithmetic import (
    exact,
    grouped,
    known_of,
    mean,
    pearson,
    percent_ranks,
    rounded,
    spearman,
    velocity,
    weighted_rating,
)
from tests.oracle.lake import Lake, Row, is_released, released_on
from tests.oracle.silver import Measured, Movie

WINDOWS = {"7d": 7, "30d": 30, "90d": 90}

_DAY = timedelta(days=1)

_CORRELATED = (("budget", "revenue"), ("rating", "revenue"), ("sentiment", "rating"), ("popularity", "rating"))

_MEASURES: dict[str, Callable[[Movie], float | None]] = {
    "budget": lambda movie: movie.budget,
    "revenue": lambda movie: movie.revenue,
    "rating": lambda movie: movie.rating,
    "sentiment": lambda movie: movie.sentiment,
    "popularity": lambda movie: movie.popularity,
}


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
            "release_month": movie.release_month,
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
        seen = grouped((each.movie_id, each) for each in _popularity_within(lake, days))
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


def performance_correlations(lake: Lake) -> list[Row]:
    """How two measures of the released movies go together: of all, of a genre, of a decade."""
    groups: list[tuple[str, int | None, list[Movie]]] = [("overall", None, lake.released)]
    groups += [("genre", genre_id, movies) for genre_id, movies in lake.by_genre.items()]
    decades = grouped((released_on(movie).year // 10 * 10, movie) for movie in lake.released)
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


def percentiles_in_groups(
    movies: Iterable[Movie], value: Callable[[Movie], float | None], group: Callable[[Movie], Hashable]
) -> dict[str, float]:
    """movie_id -> percentile within its group, of the movies that have both a group and a value."""
    members = ((group(movie), (movie.movie_id, value(movie))) for movie in movies)
    has_both = ((of, (movie_id, known)) for of, (movie_id, known) in members if of is not None and known is not None)
    found: dict[str, float] = {}
    for values in grouped(has_both).values():
        ranks = percent_ranks([known for _, known in values])
        found.update((movie_id, float(rank)) for (movie_id, _), rank in zip(values, ranks, strict=True))
    return found


def _primary_genre(lake: Lake, movie: Movie) -> int | None:
    return next((genre_id for genre_id in movie.genre_ids if lake.silver.genre_names.get(genre_id) is not None), None)


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
    popularities = known_of(each.popularity for each in points)
    first, last = popularities[0], popularities[-1]
    prior_votes = lake.variables.rating_prior_votes
    ratings = known_of(weighted_rating(each.rating, each.vote_count, lake.mean_rating, prior_votes) for each in points)
    return {
        "movie_id": points[0].movie_id,
        "velocity": velocity([each.observed_at for each in points], popularities),
        "popularity_change": rounded(exact(last) / exact(first) - 1, 8) if first else None,
        "rating_momentum": rounded(exact(ratings[-1]) - exact(ratings[0]), 6) if ratings else None,
        "observations": len(points),
        "last_popularity": last,
    }
