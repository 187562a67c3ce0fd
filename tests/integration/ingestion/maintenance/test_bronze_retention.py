"""Retention of real Bronze tables: what Silver has not read stays, and what expired goes in whole days."""

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ingestion.maintenance import maintain_bronze
from ingestion.run import IngestRequest, ingest
from ingestion.tables import BronzeTables
from lakehouse.lease import LeaseLost, held
from tests.integration.ingestion.conftest import Killed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


from tests.integration.ingestion.maintenance.conftest import (
    AS_OF,
    KEPT,
    OLD,
    Expire,
    Land,
    Limits,
    Maintain,
    Silver,
    clock,
    content,
    done_to,
    fates,
    history,
    kill_after,
    movies,
    plan_of_batches,
)

pytestmark = pytest.mark.spark


def test_a_dry_run_names_what_has_expired_and_does_nothing(
    spark: "SparkSession", tables: BronzeTables, land: Land, maintain: Maintain, silver: Silver
) -> None:
    land(OLD - timedelta(days=1), 1, 2, 3)
    land(OLD, 4)
    land(KEPT, 5)
    silver.read()
    before = {name: history(spark, f"{tables.database}.{name}") for name in ("movies", "batches", "quarantine")}
    told = maintain(dry_run=True)
    assert [(one.partition.date, one.partition.rows) for one in told.plan.partitions] == [
        (date(2024, 1, 28), 3),
        (date(2024, 1, 29), 1),
    ]
    files = {
        (row.day, row.path): row.size
        for row in spark.sql(
            f"select day, _metadata.file_path as path, _metadata.file_size as size from {tables.movies}"
        ).collect()
    }
    assert [one.partition.bytes_ for one in told.plan.partitions] == [
        sum(size for (day, _), size in files.items() if day == wanted) for wanted in (28, 29)
    ]
    assert fates(told.plan) == {date(2024, 1, 28): "", date(2024, 1, 29): ""}
    assert not told.is_deleted
    assert done_to(told, tables.movies) == ("would optimize",)
    assert before == {name: history(spark, f"{tables.database}.{name}") for name in before}


def test_whole_days_go_when_asked_for_and_silver_reads_nothing_again(
    spark: "SparkSession", tables: BronzeTables, land: Land, maintain: Maintain, silver: Silver
) -> None:
    land(OLD - timedelta(days=400), 1)
    land(OLD, 2, 3, 4)
    land(KEPT, 5, 6, 7)
    assert len(silver.read()) == 7

    named = maintain(deletes=False)
    assert not named.is_deleted
    assert movies(spark, tables) == list("1234567")
    assert done_to(named, tables.movies) == ("optimized",)
    assert silver.read() == []

    assert maintain().is_deleted
    assert movies(spark, tables) == ["5", "6", "7"]
    assert silver.read() == []
    land(AS_OF, 8)
    assert silver.read() == ["8"]


def test_a_deletion_and_a_batch_between_two_readings_are_read_as_the_batch(
    spark: "SparkSession", tables: BronzeTables, land: Land, maintain: Maintain, silver: Silver
) -> None:
    land(OLD, 1, 2, 3)
    land(KEPT, 4, 5, 6)
    silver.read()
    land(AS_OF, 7, 8, 9)
    maintain()
    assert history(spark, tables.movies)[-2:] == ["DELETE", "OPTIMIZE"]
    assert movies(spark, tables) == list("456789")
    land(AS_OF + timedelta(days=1), 10)
    assert silver.read() == ["10", "7", "8", "9"]


def test_what_silver_has_not_read_stays_until_it_has(
    spark: "SparkSession", tables: BronzeTables, land: Land, maintain: Maintain, expire: Expire, silver: Silver
) -> None:
    land(OLD, 1)
    land(OLD - timedelta(days=1), 2)
    silver.read()
    land(OLD + timedelta(hours=1), 3)
    # Files are put together first: what was not read is recognised all the same.
    maintain(deletes=False)
    assert fates(expire()) == {date(2024, 1, 28): "", date(2024, 1, 29): "Silver has not read all of it"}
    assert movies(spark, tables) == ["1", "3"]
    assert silver.read() == ["3"]
    expire()
    assert movies(spark, tables) == []


@pytest.mark.parametrize("position", [None, "", "9999@2026-01-29T00:00:00", "1@2020-01-29T00:00:00"])
def test_nothing_goes_where_it_is_unknown_what_silver_has_read(
    spark: "SparkSession",
    tables: BronzeTables,
    land: Land,
    expire: Expire,
    silver: Silver,
    position: str | None,
) -> None:
    land(OLD, 1)
    if position is not None:
        silver.read()
        property_ = f"lakehouse.read.{tables.movies}"
        if position:
            silver.note(position)
        else:
            spark.sql(f"alter table {silver.staged} unset tblproperties ('{property_}')")
    (why,) = fates(expire()).values()
    assert silver.staged in why
    assert ("has not read Bronze yet" if not position else f"up to commit {position}") in why
    assert movies(spark, tables) == ["1"]


def test_the_day_of_a_batch_that_may_go_on_stays(
    spark: "SparkSession",
    tables: BronzeTables,
    land: Land,
    expire: Expire,
    silver: Silver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    land(OLD - timedelta(days=1), 9)
    kill_after(monkeypatch, 1)
    with pytest.raises(Killed):
        land(OLD, 1, 2, 3, batch_id="backfill")
    monkeypatch.undo()
    silver.read()
    assert fates(expire()) == {date(2024, 1, 28): "", date(2024, 1, 29): "not finished: backfill"}
    assert land(OLD, 1, 2, 3, batch_id="backfill").landed == 3
    assert silver.read() == ["3"]
    expire()
    assert movies(spark, tables) == []


def test_a_batch_that_has_expired_does_not_come_back_when_it_is_run_again(
    spark: "SparkSession", tables: BronzeTables, land: Land, expire: Expire, silver: Silver
) -> None:
    first = land(OLD, 1, 2, 3)
    land(KEPT, 4)
    silver.read()
    expire()
    before = content(spark, tables)
    assert land(OLD, 1, 2, 3) == first
    assert content(spark, tables) == before


def test_texts_that_were_replayed_go_with_their_time(
    spark: "SparkSession", tables: BronzeTables, land: Land, expire: Expire, tmp_path: Path
) -> None:
    for as_of, texts in ((OLD, ("{1", "{2")), (KEPT, ("{3", "{4"))):
        path = tmp_path / f"{as_of:%Y%m%d}.jsonl"
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        ingest(spark, Limits(), IngestRequest("file", as_of, path=path), clock, tables=tables)
    spark.sql(f"update {tables.quarantine} set replayed_at = timestamp'2026-01-01' where raw in ('{{1', '{{3')")
    assert expire().replayed == 1
    assert sorted(row.raw for row in spark.read.table(tables.quarantine).collect()) == ["{2", "{3", "{4"]


def test_plans_go_a_month_after_their_batch_succeeded(
    spark: "SparkSession", tables: BronzeTables, expire: Expire
) -> None:
    plan_of_batches(spark, tables)
    assert expire().plans == 3
    left = {row.batch_id for row in spark.read.table(tables.requested_movies).collect()}
    assert left == {"lately", "failed", "running"}
    assert spark.read.table(tables.batches).count() == 3


def test_whoever_lost_the_lease_deletes_nothing(
    spark: "SparkSession", tables: BronzeTables, land: Land, silver: Silver, tmp_path: Path
) -> None:
    land(OLD, 1)
    silver.read()
    times = [AS_OF]
    with held(spark, f"file:{tmp_path}", "bronze", "the first", lambda: times[-1]) as lease:
        later = AS_OF + timedelta(seconds=301)
        with held(spark, f"file:{tmp_path}", "bronze", "the second", lambda: later), pytest.raises(LeaseLost):
            maintain_bronze(spark, lease, AS_OF, 730, deletes=True, tables=tables, reader=silver.staged)
    assert movies(spark, tables) == ["1"]
