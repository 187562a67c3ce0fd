"""The marts of directors and production companies."""

from __future__ import annotations

from collections.abc import Mapping

from tests.oracle.arithmetic import descending, double, exact_mean, grouped, known_of, ratio, total
from tests.oracle.lake import Lake, Row, figures_of
from tests.oracle.silver import Movie


def director_rankings(lake: Lake) -> list[Row]:
    """Directors by the mean weighted rating of their released movies."""
    movies = grouped((person_id, movie) for movie in lake.released for person_id in movie.director_ids)
    return [
        {"person_id": person_id, "person_name": lake.silver.person_names.get(person_id), "director_rank": rank, **row}
        for person_id, rank, row in _ranking(lake, movies, lake.variables.director_minimum_movies)
    ]


def studio_rankings(lake: Lake) -> list[Row]:
    """Production companies by the mean weighted rating of their released movies."""
    movies = grouped((company_id, movie) for movie in lake.released for company_id in movie.company_ids)
    return [
        {
            "company_id": company_id,
            "company_name": lake.silver.company_names.get(company_id),
            "studio_rank": rank,
            **row,
        }
        for company_id, rank, row in _ranking(lake, movies, lake.variables.studio_minimum_movies)
    ]


def _ranking(lake: Lake, groups: Mapping[int, list[Movie]], minimum: int) -> list[tuple[int, int, Row]]:
    """Id, rank and figures of the directors or companies that have enough movies."""
    ranked = []
    for identity, movies in groups.items():
        if len(movies) < minimum:
            continue
        weighted = known_of(lake.weighted[movie.movie_id] for movie in movies)
        with_roi = [movie for movie in movies if movie.roi is not None]
        mean_weighted = exact_mean(weighted)
        row = {
            **figures_of(movies, lake.variables),
            "rated_movies": len(weighted),
            "mean_weighted_rating": double(mean_weighted),
            "roi": ratio(total(movie.profit for movie in with_roi), total(movie.budget for movie in with_roi)),
        }
        ranked.append(((descending(mean_weighted), -len(movies), identity), row))
    ranked.sort(key=lambda each: each[0])
    return [(order[-1], rank, row) for rank, (order, row) in enumerate(ranked, 1)]
