"""A small lake whose Gold is whole: the oracle's marts of sixty movies, and a network of five actors made by hand.

Its movies have what real ones have: unknown money, no votes, no date, no genre, a release to come, equal figures.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from tests.instance import ROOT
from tests.oracle.gold import marts_of
from tests.oracle.lake import Lake, lake
from tests.oracle.silver import Measured, Movie, Silver

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

AS_OF = datetime(2026, 2, 1, 12, tzinfo=UTC)
MOVIES = 60

_GENRES = {18: "Drama", 35: "Comedy", 10752: "War"}
_OF_MOVIES: list[tuple[int, ...]] = [(18,), (18, 35), (35,), (10752, 18), (35, 10752, 18)]
_PEOPLE = {1: "Ann", 2: "Bob", 3: "Cy", 4: "Di", 5: "Ed", 11: "Flo", 12: "Gus", 13: "Hal"}
_COMPANIES = {7: "Ghibli", 8: "Gaumont"}

Row = dict[str, Any]


@cache
def schema(mart: str) -> str:
    """The columns of a mart as its contract has them, as DDL."""
    (path,) = (ROOT / "dbt_project" / "models" / "gold").glob(f"*/{mart}.yml")
    (model,) = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    return ", ".join(f"{column['name']} {column['data_type']}" for column in model["columns"])


def _movie(number: int) -> Movie:
    released = date(2019, 1, 5) + timedelta(days=86 * (number // 2))
    known = {
        "rating": 4.0 + number % 5,
        "vote_count": 10 * (number % 7) or None,
        "revenue": 1000 * (number % 11 + 1) if number % 3 else None,
        "budget": 500 * (number % 4 + 1) if number % 4 else None,
    }
    if known["vote_count"] is None:
        known["rating"] = None
    return Movie(
        str(100 + number),
        title=f"Film {number}",
        release_date=None if number == 20 else date(2026, 12, 24) if number == 30 else released,
        popularity=float(number % 9),
        runtime=80 + number % 50 if number % 6 else None,
        original_language=["en", "fr", "en", "ja", None][number % 5],
        sentiment=[0.5, -0.25, 0.0, None][number % 4],
        genre_ids=() if number == 40 else _OF_MOVIES[number % 5],
        director_ids=(11 + number % 3, *((12,) if number % 6 == 2 else ())),
        company_ids=(7 + number % 2,),
        review_sentiments=(0.5, -0.1) if number % 10 == 0 else (),
        **known,
    )


def _observations(number: int) -> list[Measured]:
    """Two in the last days of most movies, and one of many weeks ago; popularity rises, falls, or stays."""
    days = [80, 20, 3, 1][number % 3 :] if number % 8 else [1]
    return [
        Measured(
            str(100 + number),
            AS_OF - timedelta(days=day, hours=number),
            f"{day}",
            popularity=10.0 + (number % 5 - 2) * place,
            rating=5.0 + 0.1 * place,
            vote_count=100 + place,
        )
        for place, day in enumerate(days)
    ]


def _lake() -> Lake:
    numbers = range(MOVIES)
    observations = [each for number in numbers for each in _observations(number)]
    known = Silver(
        sorted(map(_movie, numbers), key=lambda movie: movie.movie_id),
        sorted(observations, key=lambda each: (each.observed_at, each.payload_sha256)),
        dict(_GENRES),
        dict(_PEOPLE),
        dict(_COMPANIES),
    )
    return lake(known, AS_OF)


def _genre_movies(here: Lake, performance: list[Row]) -> list[Row]:
    """One row a released movie and genre, made from the movies and not, as the mart is, from their genres."""
    by_id = {row["movie_id"]: row for row in performance}
    return [
        {
            **by_id[movie.movie_id],
            "genre_movie_id": f"{movie.movie_id}-{genre_id}",
            "genre_id": genre_id,
            "genre_name": here.silver.genre_names[genre_id],
            "genre_count": len(movie.genre_ids),
        }
        for genre_id, movies in here.by_genre.items()
        for movie in movies
    ]


# 1-2-3 is a triangle, 4 hangs on 3, and 5 is alone.
_ACTORS: list[tuple[int, dict[str, Any]]] = [
    (
        person,
        {
            "degree": degree,
            "weighted_degree": weighted,
            "pagerank": pagerank,
            "weighted_pagerank": pagerank,
            "pagerank_rank": rank,
            "betweenness": 1 / 3 if person == 3 else 0.0,
            "betweenness_rank": {3: 1, 1: 2, 2: 3}.get(person, person),
            "betweenness_error": 0.0,
            "triangles": triangles,
            "clustering_coefficient": clustering,
            "component_id": 5 if person == 5 else 1,
            "community_id": 5 if person == 5 else 3,
            "total_movies": 3,
        },
    )
    for person, degree, weighted, pagerank, rank, triangles, clustering in [
        (1, 2, 4, 0.25, 2, 1, 1.0),
        (2, 2, 3, 0.22, 3, 1, 1.0),
        (3, 3, 4, 0.30, 1, 1, 1 / 3),
        (4, 1, 1, 0.15, 4, 0, 0.0),
        (5, 0, 0, 0.08, 5, 0, 0.0),
    ]
]
_YEARS = {"first_year": 2020, "last_year": 2024, "main_genres": ["Drama", "War"]}


def _network() -> dict[str, list[Row]]:
    people = [{"person_id": person, "person_name": _PEOPLE[person]} for person in (3, 1, 2, 4)]
    movies = [{"movie_id": f"10{number}", "title": f"Film {number}"} for number in (4, 1)]
    pair = {"shared_movies": 2, "latest_movies": movies, **_YEARS}
    decade = {"period_kind": "decade", "components": 1, "triangles": 1, "clustering": 0.6, "communities": 1}
    return {
        "actor_centrality": [
            {"person_id": person, "person_name": _PEOPLE[person], **_YEARS, **figures} for person, figures in _ACTORS
        ],
        "actor_collaborations": [
            {
                "actor_collaboration_id": f"1-{other}",
                "person_id_a": 1,
                "person_name_a": "Ann",
                "person_id_b": other,
                "person_name_b": _PEOPLE[other],
                **pair,
            }
            for other in (2, 3)
        ],
        "actor_communities": [
            {
                "community_id": 3,
                "community_name": "Cy, Ann, Bob",
                "actors": 4,
                "size_rank": 1,
                "edges": 4,
                "shared_movies": 6,
                "edges_to_others": 0,
                "density": 4 / 6,
                "movies": 3,
                "top_actors": people,
                **_YEARS,
            }
        ],
        "actor_distances": [
            {
                "person_id": person,
                "person_name": _PEOPLE[person],
                "distance": distance,
                "next_person_id": step,
                "next_person_name": _PEOPLE.get(step or 0),
                "target_person_id": 1,
                "target_person_name": "Ann",
            }
            for person, distance, step in [(1, 0, None), (2, 1, 1), (3, 1, 1), (4, 2, 3)]
        ],
        "network_evolution": [
            {
                **decade,
                "network_evolution_id": "decade-2010-2019",
                "first_year": 2010,
                "last_year": 2019,
                "movies": 2,
                "actors": 3,
                "edges": 3,
                "density": 1.0,
                "clustering": 1.0,
                "giant_component_share": 1.0,
                "mean_degree": 2.0,
                "best_entered": [],
                "best_left": [],
            },
            {
                **decade,
                "network_evolution_id": "decade-2020-2029",
                "first_year": 2020,
                "last_year": 2029,
                "movies": 5,
                "actors": 4,
                "edges": 4,
                "density": 4 / 6,
                "giant_component_share": 1.0,
                "mean_degree": 2.0,
                "entered_actors": 2,
                "left_actors": 1,
                "turnover": 3 / 5,
                "entered_top": 2,
                "left_top": 1,
                "best_entered": people[2:],
                "best_left": [{"person_id": 5, "person_name": "Ed"}],
            },
        ],
    }


def gold() -> dict[str, list[Row]]:
    """Every mart of Gold: its rows, each with the columns of the contract and values of their types."""
    here = _lake()
    return typed(here, {**gold_of(here), **_network()})


def gold_of(here: Lake) -> dict[str, list[Row]]:
    """The marts of a lake that need no network."""
    found = marts_of(here)
    return {**found, "genre_movies": _genre_movies(here, found["movie_performance"])}


def typed(here: Lake, marts: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """The same with the columns of the contracts and values of their types."""
    fields = {mart: _fields(schema(mart)) for mart in marts}
    return {
        mart: [_typed({**row, "computed_date": here.today}, fields[mart]) for row in rows]
        for mart, rows in marts.items()
    }


_KINDS: dict[str, Callable[[Any], Any]] = {"int": int, "bigint": int, "double": float}


def _typed(row: Row, fields: list[str]) -> Row:
    """The oracle's numbers are the contract's, but not always of its types."""
    named = (field.split(" ", 1) for field in fields)
    values = ((name, row.get(name), _KINDS.get(kind)) for name, kind in named)
    return {name: convert(value) if convert and value is not None else value for name, value, convert in values}


def neighbours(here: Lake) -> dict[str, tuple[str, list[tuple[Any, ...]]]]:
    """The tables that Gold is held against: `schema.table` -> columns as DDL, and rows."""
    known = here.silver
    some = [(1,)]
    return {
        "silver.movies": ("movie_id string", [(movie.movie_id,) for movie in known.movies]),
        "silver.genres": ("genre_id bigint", [(genre,) for genre in known.genre_names]),
        "silver.people": ("person_id bigint", [(person,) for person in known.person_names]),
        "silver.companies": ("company_id bigint", [(company,) for company in known.company_names]),
        "silver.as_of": ("as_of_at timestamp", [(here.as_of,)]),
        "graph.actor_metrics": ("person_id bigint", some),
        "graph.actor_distances": ("person_id bigint", some),
        "graph.network_periods": ("movies bigint", some),
    }


def write_gold(spark: "SparkSession", named: Callable[[str], str]) -> None:
    """Write the small lake as Parquet tables.

    Args:
        spark: a session with the databases that the tables are in.
        named: gives the table to write for `schema.table` as readers know it.
    """
    write(spark, named, gold(), neighbours(_lake()))


def write(
    spark: "SparkSession",
    named: Callable[[str], str],
    marts: Mapping[str, list[Row]],
    beside: Mapping[str, tuple[str, list[tuple[Any, ...]]]],
) -> None:
    """Write marts, and the tables that they are held against."""
    for mart, rows in marts.items():
        _write(spark, named(f"gold.{mart}"), schema(mart), [tuple(row.values()) for row in rows])
    for table, (ddl, values) in beside.items():
        _write(spark, named(table), ddl, values)


def _fields(ddl: str) -> list[str]:
    """The fields of DDL, those within a struct left out."""
    fields, depth = [""], 0
    for letter in ddl:
        depth += {"<": 1, ">": -1}.get(letter, 0)
        if letter == "," and not depth:
            fields.append("")
        else:
            fields[-1] += letter
    return [field.strip() for field in fields]


def _write(spark: "SparkSession", table: str, ddl: str, rows: list[tuple[Any, ...]]) -> None:
    spark.createDataFrame(rows, ddl).coalesce(1).write.format("parquet").mode("overwrite").saveAsTable(table)


def with_changed(columns: str, changes: Mapping[str, str], where: str) -> str:
    """Select items that change some columns in the rows where SQL holds, and keep the rest."""
    return ", ".join(
        f"case when {where} then cast({changes[name]} as {kind}) else {name} end as {name}" if name in changes else name
        for name, kind in (field.split(" ", 1) for field in _fields(columns))
    )
