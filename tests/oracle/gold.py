"""The marts of Gold: all of them, and what identifies and makes up a row of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import yaml

from tests.instance import ROOT
from tests.oracle import gold_genres, gold_movies, gold_people, gold_time
from tests.oracle.lake import DEFAULTS, Lake, Row, Variables, lake
from tests.oracle.observations import Observation
from tests.oracle.silver import silver

_MARTS: dict[str, Callable[[Lake], list[Row]]] = {
    "genre_analytics": gold_genres.genre_analytics,
    "movie_performance": gold_movies.movie_performance,
    "trending_scores": gold_movies.trending_scores,
    "director_rankings": gold_people.director_rankings,
    "genre_trends": gold_genres.genre_trends,
    "genre_seasonality": gold_genres.genre_seasonality,
    "genre_market_share": gold_genres.genre_market_share,
    "emerging_genre_pairs": gold_genres.emerging_genre_pairs,
    "cross_genre_performance": gold_genres.cross_genre_performance,
    "performance_correlations": gold_movies.performance_correlations,
    "studio_rankings": gold_people.studio_rankings,
    "yoy_growth": gold_time.yoy_growth,
    "release_seasonality": gold_time.release_seasonality,
    "box_office_trends": gold_time.box_office_trends,
    "industry_indicators": gold_time.industry_indicators,
}


def _contract(mart: str) -> dict[str, Any]:
    """What the mart's YAML promises: names are no logic, so the oracle may take them from there."""
    (path,) = (ROOT / "dbt_project" / "models" / "gold").glob(f"*/{mart}.yml")
    (model,) = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    return dict(model)


COLUMNS = {mart: tuple(column["name"] for column in _contract(mart)["columns"]) for mart in _MARTS}
"""Mart -> its columns."""

KEYS = {
    mart: (next(test["keys"]["arguments"]["primary"] for test in _contract(mart)["data_tests"] if "keys" in test),)
    for mart in _MARTS
}
"""Mart -> the columns that tell its rows apart."""


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
    return marts_of(lake(silver(observations), as_of, variables))


def marts_of(here: Lake) -> dict[str, list[Row]]:
    """The same of a lake that is there already."""
    return {mart: [_row(mart, here, row) for row in rows(here)] for mart, rows in _MARTS.items()}


def _row(mart: str, lake: Lake, row: Row) -> Row:
    row = {**row, "computed_date": lake.today}
    return {column: row[column] for column in COLUMNS[mart]}
