"""Silver as the marts see it at an as-of time, and the figures that many marts have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import yaml

from tests.instance import ROOT
from tests.oracle.arithmetic import (
    difference_of,
    exact_mean,
    grouped,
    growth_of,
    known_of,
    mean,
    median,
    months_since_zero,
    ratio,
    total,
    weighted_rating,
)
from tests.oracle.observations import in_utc
from tests.oracle.silver import Movie, Silver

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Variables:
    """The dbt variables that the marts depend on."""

    rating_prior_votes: int
    director_minimum_movies: int
    studio_minimum_movies: int
    hit_minimum_roi: float
    top_list_length: int
    pair_window_years: int
    pair_minimum_movies: int
    correlation_minimum_movies: int


def _project_variables() -> Variables:
    project = yaml.safe_load((ROOT / "dbt_project" / "dbt_project.yml").read_text(encoding="utf-8"))
    return Variables(**{field.name: project["vars"][field.name] for field in fields(Variables)})


DEFAULTS = _project_variables()
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
        by_genre=grouped((genre_id, movie) for movie in released for genre_id in movie.genre_ids),
    )


def is_released(movie: Movie, today: date) -> bool:
    """Whether the movie came out on or before a day; False where its release date is not known."""
    return movie.release_date is not None and movie.release_date <= today


def released_on(movie: Movie) -> date:
    """Release date of a movie that is released, and so has one."""
    assert movie.release_date is not None
    return movie.release_date


def figures_of(movies: Sequence[Movie], variables: Variables) -> Row:
    """Counts, sums, means and medians that many marts have, under the names that all of them use."""
    ratings = known_of(movie.rating for movie in movies)
    revenues = known_of(movie.revenue for movie in movies)
    budgets = known_of(movie.budget for movie in movies)
    rois = known_of(movie.roi for movie in movies)
    sentiments = known_of(movie.sentiment for movie in movies)
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
        "hit_rate": ratio(sum(roi >= variables.hit_minimum_roi for roi in rois), len(rois)),
        "sentiment_movies": len(sentiments),
        "avg_sentiment": mean(sentiments),
    }


def genre_columns(lake: Lake, genre_id: int, id_column: str = "genre_id", name_column: str = "genre_name") -> Row:
    return {id_column: genre_id, name_column: lake.silver.genre_names.get(genre_id)}


def yearly_rows(lake: Lake, movies: Sequence[Movie]) -> list[Row]:
    """Figures of each year from the first release to the as-of time, with their growth and change."""
    if not movies:
        return []
    by_year = movies_by_year(movies)
    rows: list[Row] = []
    for year in range(min(by_year), lake.today.year + 1):
        row = {
            "release_year": year,
            "is_partial_year": year == lake.today.year,
            **figures_of(by_year.get(year, []), lake.variables),
        }
        before = rows[-1] if rows and not row["is_partial_year"] else {}
        for growth, of in (("movies", "total_movies"), ("revenue", "total_revenue"), ("budget", "total_budget")):
            row[f"{growth}_growth"] = growth_of(row[of], before.get(of))
        for change, of in (("rating", "avg_rating"), ("sentiment", "avg_sentiment")):
            row[f"{change}_change"] = difference_of(row[of], before.get(of))
        rows.append(row)
    return rows


def movies_by_year(movies: Iterable[Movie]) -> dict[int, list[Movie]]:
    return grouped((released_on(movie).year, movie) for movie in movies)


def movies_by_month(movies: Iterable[Movie]) -> dict[int, list[Movie]]:
    return grouped((months_since_zero(released_on(movie)), movie) for movie in movies)
