"""How the network changed: its shape in each decade and in each rolling window of years.

The network of a period is small beside the whole, and there are many: each is one group of a Spark task, in compact
arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pyspark.sql import Window
from pyspark.sql import functions as F

from graph_jobs.arrays import communities, components, count_triangles, weighted_adjacency

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

# The people of a period who are followed from one to the next.
TOP = 100

_PERIOD = ["period_kind", "first_year", "last_year"]
_TOP = "place int, person_id bigint, degree int, weighted_degree bigint"
_SHAPE = (
    "movies bigint, actors bigint, edges bigint, shared_movies bigint, components bigint, largest_component bigint, "
    "communities bigint, triangles bigint, connected_triples bigint"
)
_KEY = "period_kind string, first_year int, last_year int"
_FOUND = f"{_KEY}, {_SHAPE}, top array<struct<{_TOP}>>"

PERIODS_SCHEMA = f"{_KEY}, {_SHAPE}, kept_actors bigint, previous_actors bigint"
TOP_SCHEMA = f"{_KEY}, {_TOP}"


def in_periods(billed: DataFrame, window_years: int) -> DataFrame:
    """Say of each movie in which periods it counts: its decade, and each window of `window_years` that holds its year.

    Windows end in every year from the first in which a whole one fits to the last; a span of years that is shorter than
    one has one window. Movies without a year count in none.

    Args:
        billed: as `graph_jobs.pairs.billed_people` gives it.
        window_years: how long a window is.

    Returns:
        period_kind ('decade' or 'window'), first_year, last_year, people; one row a movie and period.
    """
    known = billed.where("release_year is not null").select("release_year", "people")
    span = known.agg(F.min("release_year").alias("low"), F.max("release_year").alias("high"))
    decade = F.floor(F.col("release_year") / 10).cast("int") * 10
    decades = known.select(
        F.lit("decade").alias("period_kind"), decade.alias("first_year"), (decade + 9).alias("last_year"), "people"
    )
    more = window_years - 1
    ends = F.sequence(
        F.greatest("release_year", F.least(F.col("low") + more, "high")), F.least(F.col("release_year") + more, "high")
    )
    windows = (
        known.crossJoin(F.broadcast(span))
        .select(F.explode(ends).alias("last_year"), "people")
        .select(
            F.lit("window").alias("period_kind"), (F.col("last_year") - more).alias("first_year"), "last_year", "people"
        )
    )
    return decades.union(windows)


def evolution(billed: DataFrame, window_years: int) -> tuple[DataFrame, DataFrame]:
    """Give the shape of each period's network, and its top actors.

    Args:
        billed: as `graph_jobs.pairs.billed_people` gives it.
        window_years: how long a rolling window is.

    Returns:
        Periods: see `PERIODS_SCHEMA`. `kept_actors` of the `previous_actors`, those of the period before of the same
        kind (NULL for the first), act in this one too. Top actors: see `TOP_SCHEMA`; the first `TOP` by weighted
        degree, then degree, then the lesser id.
    """
    movies = in_periods(billed, window_years)
    # A hundred rows or two: gathered, so that they are computed once.
    shapes = billed.sparkSession.createDataFrame(movies.groupBy(*_PERIOD).applyInPandas(_period, _FOUND).toArrow())
    in_order = Window.partitionBy("period_kind").orderBy("first_year")
    periods = shapes.select(
        *_PERIOD,
        F.lag("first_year").over(in_order).alias("previous_year"),
        F.lag("actors").over(in_order).alias("previous_actors"),
    )
    present = movies.select("period_kind", "first_year", F.explode("people").alias("person_id")).distinct()
    kept = (
        present.join(F.broadcast(periods), ["period_kind", "first_year"])
        .join(present.withColumnRenamed("first_year", "previous_year"), ["period_kind", "previous_year", "person_id"])
        .groupBy("period_kind", "first_year")
        .agg(F.count("*").alias("kept"))
    )
    shape = (
        shapes.join(periods, _PERIOD)
        .join(kept, ["period_kind", "first_year"], "left")
        .withColumn("kept_actors", F.when(F.col("previous_actors").isNotNull(), F.coalesce("kept", F.lit(0))))
        .select(*(field.split()[0] for field in PERIODS_SCHEMA.split(", ")))
    )
    return shape, shapes.select(*_PERIOD, F.inline("top"))


def _period(key: tuple[Any, ...], movies: pd.DataFrame) -> pd.DataFrame:
    """The network of one period's movies: one row."""
    casts = [np.asarray(people, dtype=np.int64) for people in movies["people"]]
    one, other, shared = pairs_of(casts)
    graph, weights = weighted_adjacency(np.unique(np.concatenate(casts)), one, other, shared)
    degrees = graph.degrees
    strength = weights.sum(axis=1)
    first = [actor for actor in np.lexsort((graph.ids, -degrees, -strength))[:TOP] if degrees[actor]]
    return pd.DataFrame(
        [
            {
                **dict(zip(_PERIOD, key, strict=True)),
                "movies": len(casts),
                "actors": len(graph.ids),
                "edges": len(one),
                "shared_movies": int(shared.sum()),
                "components": len(np.unique(found := components(graph))),
                "largest_component": int(np.bincount(found).max()),
                "communities": len(np.unique(communities(graph))),
                "triangles": count_triangles(graph),
                "connected_triples": int((degrees * (degrees - 1) // 2).sum()),
                "top": [
                    {
                        "place": place,
                        "person_id": int(graph.ids[actor]),
                        "degree": int(degrees[actor]),
                        "weighted_degree": int(strength[actor]),
                    }
                    for place, actor in enumerate(first, 1)
                ],
            }
        ]
    )


def pairs_of(casts: list[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Give each pair of people who shared a movie, the lesser id first, and how many they shared.

    Args:
        casts: of each movie, the ids of its people, distinct, ascending.
    """
    ids, numbers = np.unique(np.concatenate(casts), return_inverse=True)
    sizes = np.array([len(cast) for cast in casts])
    firsts = np.cumsum(sizes) - sizes
    pairs = [np.empty(0, dtype=np.int64)]
    for size in np.unique(sizes).tolist():
        cast = numbers[firsts[sizes == size][:, None] + np.arange(size)]
        low, high = np.triu_indices(size, 1)
        pairs.append((cast[:, low] * len(ids) + cast[:, high]).ravel())
    found, times = np.unique(np.concatenate(pairs), return_counts=True)
    low, high = np.divmod(found, len(ids))
    return ids[low], ids[high], times
