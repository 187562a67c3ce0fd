"""Shortest paths to one actor: how many movies away everybody is, and through whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from graph_jobs import arrays
from graph_jobs.frames import both_ways, graph_frame

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DISTANCES_SCHEMA = "person_id bigint, target_person_id bigint, distance int, next_person_id bigint"


def distances(nodes: DataFrame, links: DataFrame, target: int) -> DataFrame:
    """Return how far each actor is from `target`; who is in another component is left out.

    Args:
        nodes: id.
        links: src, dst; every edge once, in either direction.
        target: the id of an actor among `nodes`.

    Returns:
        See `DISTANCES_SCHEMA`. `distance` counts edges; `next_person_id` is the first step of a shortest path: of the
        neighbours who are one nearer the one with the least id; None for the target itself.
    """
    ways = both_ways(links)
    reached: DataFrame = (
        graph_frame(nodes, ways)
        .shortestPaths(landmarks=[target])
        .select("id", F.try_element_at("distances", F.lit(target).cast("bigint")).cast("int").alias("distance"))
        .where("distance is not null")
    )
    nearer = (
        ways.join(reached.toDF("src", "src_distance"), "src")
        .join(reached.toDF("dst", "dst_distance"), "dst")
        .where("dst_distance = src_distance - 1")
        .groupBy(F.col("src").alias("id"))
        .agg(F.min("dst").alias("next_person_id"))
    )
    return reached.join(nearer, "id", "left").select(
        F.col("id").alias("person_id"),
        F.lit(target).cast("bigint").alias("target_person_id"),
        "distance",
        "next_person_id",
    )


def distances_in_arrays(spark: SparkSession, graph: arrays.Adjacency, target: int) -> DataFrame:
    """Return the same as `distances`, of a network that fits into arrays.

    Args:
        spark: which holds the result.
        graph: the network.
        target: the id of an actor in it.
    """
    far, nearer = arrays.distances(graph, int(np.searchsorted(graph.ids, target)))
    reached = np.flatnonzero(far >= 0)
    columns = {
        "person_id": graph.ids[reached],
        "target_person_id": np.full(len(reached), target, dtype=np.int64),
        "distance": far[reached],
        "next_person_id": pa.array(graph.ids[nearer[reached]], mask=nearer[reached] < 0),
    }
    return spark.createDataFrame(pa.table(columns))
