"""Upkeep of the files of real Bronze tables: no reader sees a difference, and a kill between two steps is made good."""

from contextlib import AbstractContextManager
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from ingestion.tables import BronzeTables
from lakehouse.lease import Lease
from tests.integration.ingestion.conftest import Killed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


from tests.integration.ingestion.maintenance.conftest import (
    AS_OF,
    KEPT,
    OLD,
    Land,
    Maintain,
    Silver,
    done_to,
    history,
    kill_after,
    movies,
    plan_of_batches,
)

pytestmark = pytest.mark.spark


def test_a_batch_goes_on_over_an_optimize_commit(
    spark: "SparkSession",
    tables: BronzeTables,
    land: Land,
    maintain: Maintain,
    silver: Silver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = range(1, 10)
    land(KEPT, 100)
    silver.read()
    kill_after(monkeypatch, 3)
    with pytest.raises(Killed):
        land(KEPT, *ids, batch_id="big")
    monkeypatch.undo()
    assert silver.read() == list("123456")
    assert done_to(maintain(), tables.movies) == ("optimized",)
    assert history(spark, tables.movies)[-1] == "OPTIMIZE"
    summary = land(KEPT, *ids, batch_id="big")
    assert (summary.requested, summary.landed, summary.duplicates) == (9, 9, 0)
    assert movies(spark, tables) == [*"1", "100", *"23456789"]
    assert silver.read() == list("789")


def test_old_files_stay_until_silver_has_read_them(
    spark: "SparkSession", tables: BronzeTables, land: Land, maintain: Maintain, silver: Silver
) -> None:
    land(KEPT, 1, 2, 3)
    silver.read()
    land(AS_OF, 4, 5, 6)
    check = "spark.databricks.delta.retentionDurationCheck.enabled"
    spark.conf.set(check, "false")
    try:
        first = maintain(retain_hours=0)
        assert done_to(first, tables.movies) == (
            "optimized",
            f"keeps old files until {silver.staged} has read them",
        )
        assert silver.read() == ["4", "5", "6"]
        (deleted,) = done_to(maintain(retain_hours=0), tables.movies)
        assert deleted == "deleted old files: 4"
        assert silver.read() == []
        land(AS_OF, 7)
        assert silver.read() == ["7"]
        assert movies(spark, tables) == list("1234567")
    finally:
        spark.conf.set(check, "true")


def test_killed_between_two_steps_the_next_run_does_the_rest(
    spark: "SparkSession", tables: BronzeTables, land: Land, maintain: Maintain, silver: Silver
) -> None:
    land(OLD, 1, 2, 3)
    land(KEPT, 4, 5, 6)
    plan_of_batches(spark, tables)
    silver.read()
    steps, kept = 0, Lease.kept
    for kill_at in count():
        calls = count()

        def kept_or_killed(self: Lease, calls: Any = calls, kill_at: int = kill_at) -> AbstractContextManager[None]:
            if next(calls) == kill_at:
                raise Killed
            return kept(self)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Lease, "kept", kept_or_killed)
            try:
                maintain()
                break
            except Killed:
                steps += 1
    # Each run was killed one step later than the one before: at the first thing that it had left to do, or further on.
    assert steps >= 2
    assert movies(spark, tables) == ["4", "5", "6"]
    assert spark.read.table(tables.requested_movies).select("batch_id").distinct().count() == 3
    last = maintain()
    assert (last.plan.partitions, last.plan.plans) == ((), 0)
    assert [one.done for one in last.tables] == [()] * 5
