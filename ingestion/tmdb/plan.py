"""Which movies a batch asks for: found once and kept in `bronze.requested_movies`; a killed batch goes on with them."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingestion import notes
from ingestion.batch import Batch
from ingestion.tables import REQUESTED_MOVIES_SCHEMA, BronzeTables

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Ids = npt.NDArray[np.int64]


class Planned(msgspec.Struct, frozen=True):
    """How far the plan of a batch has come.

    `until` is the end of the last window of changes that it holds, None before the first and for other asks.
    """

    part: int = 0
    movies: int = 0
    is_whole: bool = False
    until: datetime | None = None


def load(spark: "SparkSession", tables: BronzeTables, batch: Batch) -> tuple[Planned, Ids]:
    """Read what has been planned; nothing where planning has not begun. Eight bytes a movie."""
    from pyspark.sql.functions import col

    planned = notes.last(spark, tables.requested_movies, batch.batch_id, Planned) or Planned()
    if not planned.movies:
        return planned, np.empty(0, np.int64)
    rows = (
        spark.read.table(tables.requested_movies)
        .where(col("batch_id") == batch.batch_id)
        .select("position", "movie_id")
        .toArrow()
    )
    order = np.argsort(rows.column("position").to_numpy())
    return planned, rows.column("movie_id").to_numpy()[order]


def extend(
    spark: "SparkSession",
    tables: BronzeTables,
    batch: Batch,
    planned: Planned,
    known: Ids,
    more: Iterable[int],
    is_whole: bool,
    until: datetime | None = None,
) -> tuple[Planned, Ids]:
    """Add movies to a plan in one commit; one that it holds already is not asked for twice.

    Args:
        spark: the session.
        tables: where the plan is kept.
        batch: whose plan it is.
        planned: how far it has come.
        known: what it holds.
        more: what is added, in the order of asking; eight bytes a movie are held.
        is_whole: nothing comes after it.
        until: the end of the window of changes that it is.
    """
    new = np.fromiter(more, np.int64)
    _, first = np.unique(new, return_index=True)
    new = new[np.sort(first)]
    new = new[~np.isin(new, known)]
    told = Planned(planned.part + 1, planned.movies + len(new), is_whole, until)
    rows = pa.table(
        {
            "batch_id": pa.array([batch.batch_id] * len(new), pa.string()),
            "position": pa.array(np.arange(planned.movies, told.movies)),
            "movie_id": pa.array(new),
        },
        REQUESTED_MOVIES_SCHEMA,
    )
    notes.append(spark, tables.requested_movies, rows, batch.batch_id, told.part, told, "plan")
    return told, np.concatenate([known, new])
