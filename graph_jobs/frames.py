"""The form in which graphs are given to GraphFrames, and the settings under which they are read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphframes import GraphFrame
    from pyspark.sql import Column, DataFrame, SparkSession

# On the default file system, which is HDFS: what was computed outlives the executor that did.
CHECKPOINTS = "/tmp/checkpoints"


@contextmanager
def plain_plans(spark: SparkSession, partitions: int) -> Iterator[None]:
    """Switch adaptive execution off for a while, and fix the number of shuffle partitions.

    Connected components have been wrong under adaptive execution, and it re-plans each of some hundred tiny jobs.
    """
    wanted = {"spark.sql.adaptive.enabled": "false", "spark.sql.shuffle.partitions": str(partitions)}
    before = {key: str(spark.conf.get(key)) for key in wanted}
    for key, value in wanted.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key, value in before.items():
            spark.conf.set(key, value)


@contextmanager
def durable_checkpoints(spark: SparkSession) -> Iterator[None]:
    """Checkpoint into `CHECKPOINTS`, or where `spark.checkpoint.dir` says, and leave nothing there at the end.

    What killed jobs have left is removed first. One job at a time: it holds the directory for itself. `CHECKPOINTS` is
    not a setting of the session, because Spark makes that directory at its start, when HDFS may still be starting.
    """
    context = spark.sparkContext
    if context.getCheckpointDir() is None:
        context.setCheckpointDir(CHECKPOINTS)
    assert context._jvm
    assert context._jsc
    own = context._jvm.org.apache.hadoop.fs.Path(context._jsc.sc().getCheckpointDir().get())
    files = own.getFileSystem(context._jsc.hadoopConfiguration())
    for left in files.listStatus(own.getParent()):
        if left.getPath().getName() != own.getName():
            files.delete(left.getPath(), True)
    try:
        yield
    finally:
        for found in files.listStatus(own):
            files.delete(found.getPath(), True)


def both_ways(links: DataFrame) -> DataFrame:
    """Give each edge (src, dst) in both directions."""
    return links.select("src", "dst").union(links.select("dst", "src"))


def graph_frame(nodes: DataFrame, links: DataFrame) -> GraphFrame:
    """Make a GraphFrame of vertices (id) and edges (src, dst)."""
    from graphframes import GraphFrame

    return GraphFrame(nodes, links)


def by_least_member(found: DataFrame, label: str, name: str) -> DataFrame:
    """Rename groups for their least member: from (id, `label`) to (id, `name`)."""
    least: Column = F.min("id").alias(name)
    return found.select("id", label).join(found.groupBy(label).agg(least), label).select("id", name)
