"""What Gold might hold, for the tests of the report; a title in it is hostile."""

import math
import random
from collections.abc import Callable, Iterable
from datetime import date
from functools import cache
from typing import Any

import yaml

from tests.instance import ROOT

Row = dict[str, Any]

GENRES = (
    "Drama", "Comedy", "Thriller", "Action", "Romance", "Horror", "Documentary", "Adventure", "Crime",
    "Science Fiction", "Animation", "Family", "Fantasy", "Mystery", "Music", "History", "War", "TV Movie", "Western",
)  # fmt: skip
HOSTILE = "<script>alert('x')</script> & \"Sons\""
LAST_YEAR = 2026


@cache
def contracts() -> dict[str, dict[str, str]]:
    """The columns of every mart and their Spark types, by the mart's name."""
    found = {}
    for path in sorted((ROOT / "dbt_project" / "models" / "gold").rglob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            found[model["name"]] = {column["name"]: column["data_type"] for column in model["columns"]}
    return found


def gold() -> dict[str, list[Row]]:
    """The rows of every mart that the report reads."""
    chance = random.Random(9)
    made: dict[str, list[Row]] = {f"gold.{mart}": [] for mart in contracts()}
    _genres(made, chance)
    _time(made, chance)
    _movies(made, chance)
    _people(made, chance)
    return made


def _years() -> Iterable[int]:
    return range(1985, LAST_YEAR + 1)


def _genres(made: dict[str, list[Row]], chance: random.Random) -> None:
    for place, genre in enumerate(GENRES):
        for year in _years():
            movies = max(0, round((40 - 2 * place) * (1 + (year - 1985) / 30) * chance.uniform(0.8, 1.2)))
            is_partial = year == LAST_YEAR
            made["gold.genre_trends"].append(
                {
                    "genre_id": place,
                    "genre_name": genre,
                    "release_year": year,
                    "is_partial_year": is_partial,
                    "total_movies": movies // 2 if is_partial else movies,
                    "avg_rating": 6.1 + chance.gauss(0, 0.18) + place / 60,
                    "total_revenue": movies * 40_000_000,
                }
            )
            made["gold.genre_market_share"].append(
                {
                    "genre_id": place,
                    "genre_name": genre if place else None,
                    "release_year": year,
                    "computed_date": date(LAST_YEAR, 11, 27),
                    "split_movies": (20 - place) * 1.5,
                    "movie_share": _share(place, year),
                    "revenue_share": _share(place, year * 3) if year > 1990 else None,
                }
            )
        for month in range(1, 13):
            index = 1 + 0.45 * math.sin((month + 3 * place) / 12 * 2 * math.pi) * (place % 4) / 3
            made["gold.genre_seasonality"].append(
                {"genre_id": place, "genre_name": genre, "release_month": month, "total_movies": 90 - place * 3,
                 "seasonality_index": index}
            )  # fmt: skip
    for scope, groups in (("overall", [None]), ("genre", list(GENRES)), ("decade", list(range(1960, 2030, 10)))):
        for group in groups:
            for measures in ("budget_revenue", "rating_revenue", "sentiment_rating", "popularity_rating"):
                center = {"budget_revenue": 0.7, "rating_revenue": 0.25, "sentiment_rating": -0.05}.get(measures, 0.4)
                value = max(-1.0, min(1.0, center + chance.gauss(0, 0.15)))
                made["gold.performance_correlations"].append(
                    {
                        "measures": measures,
                        "scope": scope,
                        "genre_id": GENRES.index(str(group)) if scope == "genre" else None,
                        "genre_name": group if scope == "genre" else None,
                        "decade": group if scope == "decade" else None,
                        "movies": 4 if group == "Western" else 240,
                        "pearson": value * 0.9,
                        "spearman": value,
                    }
                )


def _share(place: int, year: int) -> float:
    weights = [(20 - other) * (1.2 + math.sin(year / 5 + other)) for other in range(len(GENRES))]
    return weights[place] / sum(weights)


def _time(made: dict[str, list[Row]], chance: random.Random) -> None:
    for month in range(1, 13):
        made["gold.release_seasonality"].append(
            {"release_month": month, "total_movies": 380 + 90 * (month in (9, 10, 12)) + month,
             "seasonality_index": 1.0 + month / 100,
             "avg_rating": 6.2, "total_revenue": 9 * 10**9,
             "median_revenue": 2e7 * (1 + (month in (6, 7, 12))), "hit_rate": 0.42}
        )  # fmt: skip
    past: list[int] = []
    for year in _years():
        made["gold.yoy_growth"].append(
            {"release_year": year, "is_partial_year": year == LAST_YEAR, "total_movies": 100 + 4 * (year - 1985),
             "movies_growth": 0.03, "avg_rating": 6.3, "total_revenue": 10**9 * (year - 1980), "revenue_growth": 0.04}
        )  # fmt: skip
        for month in range(1, 13):
            if (year, month) > (LAST_YEAR, 11):
                break
            slump = 0.25 if year == 2020 and month > 3 else 1
            past.append(int(slump * chance.lognormvariate(20.4, 0.5) * (1.6 if month in (6, 7, 12) else 1)))
            rolling = sum(past[-12:]) if len(past) >= 12 else None
            before = sum(past[-24:-12]) if len(past) >= 24 else None
            made["gold.box_office_trends"].append(
                {
                    "month_start_date": date(year, month, 1),
                    "release_year": year,
                    "is_partial_month": (year, month) == (LAST_YEAR, 11),
                    "total_movies": 30 + month,
                    "total_revenue": past[-1],
                    "rolling_12m_revenue": rolling,
                    "rolling_12m_growth": rolling / before - 1 if rolling and before else None,
                    "top_movie_title": f"The Summer of {year}",
                    "top_movie_revenue": past[-1] // 2,
                }
            )
    for kind, first, last in (
        *(("window", year - 4, year) for year in range(1940, LAST_YEAR + 1)),
        *(("decade", year, year + 9) for year in range(1940, LAST_YEAR, 10)),
    ):
        made["gold.network_evolution"].append(
            {
                "period_kind": kind,
                "first_year": first,
                "last_year": last,
                "movies": 4 * (last - 1930),
                "actors": 22 * (last - 1930) + chance.randrange(90),
                "edges": 190 * (last - 1930),
                "giant_component_share": min(0.97, 0.3 + (last - 1940) / 110),
                "mean_degree": 8.5 + chance.random() + (last - 1940) / 60,
                "clustering": 0.8 - (last - 1940) / 300,
                "communities": 3 * (last - 1930),
                "turnover": None if last == 1940 else 0.6,
            }
        )


def _title(chance: random.Random) -> str:
    first = chance.choice(("The Last", "A Quiet", "Midnight", "Return of the", "Beyond the", "Letters from a"))
    return f"{first} {chance.choice(('Harbour', 'Winter', 'Detective', 'Garden', 'Astronaut', 'Republic of Glass'))}"


def _movies(made: dict[str, list[Row]], chance: random.Random) -> None:
    for number in range(400):
        budget = int(chance.lognormvariate(17, 1))
        revenue = int(budget * chance.lognormvariate(0.7, 0.8)) if number % 3 else None
        title = HOSTILE if number == 0 else _title(chance)
        if number == 1:
            title = "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb, the Director's Cut"
        made["gold.movie_performance"].append(
            {
                "movie_id": str(number),
                "title": title,
                "release_year": None if number == 5 else 1985 + number % 41,
                "primary_genre": GENRES[number % 19],
                "weighted_rating": 8.6 - number / 90 if number != 7 else None,
                "vote_count": 30_000 - 40 * number,
                "budget": budget,
                "revenue": 2_923_706_026 if number == 1 else revenue,
                "roi": None if revenue is None else revenue / budget - 1,
                "computed_date": date(2026, 11, 26),
            }
        )
        for window in ("7d", "30d", "90d"):
            made["gold.trending_scores"].append(
                {
                    "movie_id": str(number),
                    "title": title,
                    "trend_window": window,
                    "trend_score": 99.4 - number * 0.21 - len(window),
                    "velocity": 0.2 / (number + 1),
                    "popularity_change": 3 / (number + 1),
                    "rating_momentum": 0.01,
                    "last_popularity": 120.0 / (number + 1),
                }
            )


def _people(made: dict[str, list[Row]], chance: random.Random) -> None:
    first = ("Ana", "Jean-Pierre", "Wanda", "Li", "Olu", "Greta", "Tom", "Isabella", "Nam", "Yara")
    last = (
        "Castellanos",
        "Ng",
        "de la Fontaine",
        "Kowalczyk",
        "Adeyemi",
        "Lund",
        "O'Neill",
        "Park",
        "Ivanova",
        "Silva",
    )

    def name(number: int) -> str:
        return f"{first[number % 10]} {last[(number // 10 + number) % 10]}"

    ranked: tuple[tuple[str, str, str, str, Callable[[int], str]], ...] = (
        ("director_rankings", "director_rank", "person_id", "person_name", name),
        (
            "studio_rankings",
            "studio_rank",
            "company_id",
            "company_name",
            lambda number: f"{last[number % 10]} Pictures",
        ),
    )
    for mart, rank, key, label, called in ranked:
        for number in range(1, 31):
            made[f"gold.{mart}"].append(
                {
                    rank: number,
                    key: number,
                    label: called(number),
                    "total_movies": 4 + number % 9,
                    "mean_weighted_rating": 7.9 - number / 30,
                    "total_revenue": int(10**9 * chance.uniform(0.05, 6)),
                    "roi": chance.uniform(-0.2, 5),
                    "hit_rate": chance.random(),
                }
            )
    for number in range(1, 41):
        made["gold.actor_centrality"].append(
            {
                "pagerank_rank": number,
                "person_id": number,
                "person_name": name(number),
                "pagerank": 0.0011 / (1 + number / 9),
                "betweenness": 0.02 / number,
                "betweenness_rank": number,
                "degree": 410 - 5 * number,
                "total_movies": 60 - number,
                "clustering_coefficient": 0.2,
                "main_genres": ["Drama", "Comedy"],
            }
        )
        made["gold.actor_communities"].append(
            {
                "size_rank": number,
                "community_id": number,
                "community_name": ", ".join(name(number + step) for step in range(3)),
                "actors": 900 // number,
                "density": 0.02 * number,
                "movies": 300 // number,
                "first_year": 1950 + number,
                "last_year": 2026,
                "main_genres": ["Drama"],
            }
        )
