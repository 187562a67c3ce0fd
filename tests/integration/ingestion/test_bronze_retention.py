"""Retention and upkeep of real Bronze tables: what Silver has not read stays, and no reader sees a difference."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from ingestion import bronze
from ingestion.maintenance import BronzeMaintained, maintain_bronze
from ingestion.retention import RetentionPlan, bronze_state, delete_expired, plan_retention
from ingestion.run import IngestRequest, ingest
from ingestion.tables import BATCHES_SCHEMA, REQUESTED_MOVIES_SCHEMA, BronzeTables
from lakehouse.lease import Lease, LeaseLost, held
from tests.integration.ingestion.conftest import Killed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from ingestion.batch import BatchSummary

pytestmark = pytest.mark.spark

AS_OF = datetime(2026, 1, 29, 6, tzinfo=UTC)
# The last day that is too old, and the first that is kept.
OLD, KEPT = datetime(2024, 1, 29, 12, tzinfo=UTC), datetime(2024, 1, 30, tzinfo=UTC)

Land = Callable[..., "BatchSummary"]
Maintain = Callable[..., BronzeMaintained]
Expire = Callable[[], RetentionPlan]


@dataclass(frozen=True)
class Limits:
    chunk_rows: int = 2
    chunk_bytes: int = 1024 * 1024
    max_record_bytes: int = 1024 * 1024


def clock() -> datetime:
    return AS_OF


@pytest.fixture
def land(spark: "SparkSession", tables: BronzeTables, tmp_path: Path) -> Land:
    """Land movies of these ids, in commits of two."""

    def land(as_of: datetime, *ids: int, **rest: Any) -> "BatchSummary":
        path = tmp_path / f"{as_of:%Y%m%d%H}-{'-'.join(map(str, ids))}.jsonl"
        lines = [json.dumps({"id": number, "title": f"Seen {as_of}"}) for number in ids]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return ingest(spark, Limits(), IngestRequest("file", as_of, path=path, **rest), clock, tables=tables)

    return land


@pytest.fixture
def maintain(spark: "SparkSession", tables: BronzeTables, tmp_path: Path) -> Maintain:
    def maintain(dry_run: bool = False, deletes: bool = True, **rest: Any) -> BronzeMaintained:
        def run(lease: Lease | None) -> BronzeMaintained:
            return maintain_bronze(
                spark, lease, AS_OF, 730, deletes, tables=tables, reader=f"{tables.database}.staged", **rest
            )

        if dry_run:
            return run(None)
        with held(spark, f"file:{tmp_path}", "bronze", "a test", clock) as lease:
            return run(lease)

    return maintain


@pytest.fixture
def expire(spark: "SparkSession", tables: BronzeTables, tmp_path: Path) -> Expire:
    """Delete what has expired, and leave the files as they are."""

    def expire() -> RetentionPlan:
        with held(spark, f"file:{tmp_path}", "bronze", "a test", clock) as lease:
            state = bronze_state(spark, tables, f"{tables.database}.staged")
            plan = plan_retention(spark, state, AS_OF, 730, tables)
            delete_expired(spark, plan, lease, tables)
        return plan

    return expire


@dataclass
class Silver:
    """Reads Bronze as `new_rows` of the dbt project does, and notes as it does how far it has read."""

    spark: "SparkSession"
    tables: BronzeTables

    @property
    def staged(self) -> str:
        return f"{self.tables.database}.staged"

    def read(self) -> list[str]:
        """The ids of the movies that are new, one for each row."""
        movies = self.tables.movies
        history = self.spark.sql(f"describe history {movies} limit 1").selectExpr(
            "version", "date_format(timestamp, \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS\") as at"
        )
        last = history.collect()[0]
        self.spark.sql(f"create table if not exists {self.staged} (id string) using delta")
        properties = {row.key: row.value for row in self.spark.sql(f"show tblproperties {self.staged}").collect()}
        noted = properties.get(f"lakehouse.read.{movies}")
        rows = movies
        if noted:
            since = int(noted.split("@")[0]) + 1
            if since > last.version:
                return []
            rows = (
                f"(select * from table_changes('{movies}', {since}, {last.version}) "
                "where _change_type in ('insert', 'update_postimage'))"
            )
        found = [row.movie_id for row in self.spark.sql(f"select movie_id, payload from {rows}").collect()]
        self.note(f"{last.version}@{last.at}")
        return sorted(found)

    def note(self, position: str) -> None:
        self.spark.sql(
            f"alter table {self.staged} set tblproperties ('lakehouse.read.{self.tables.movies}' = '{position}')"
        )


@pytest.fixture
def silver(spark: "SparkSession", tables: BronzeTables) -> Silver:
    return Silver(spark, tables)


def movies(spark: "SparkSession", tables: BronzeTables) -> list[str]:
    return sorted(row.movie_id for row in spark.read.table(tables.movies).select("movie_id").collect())


def content(spark: "SparkSession", tables: BronzeTables) -> dict[str, list[str]]:
    names = ("movies", "quarantine", "batches", "requested_movies")
    return {name: sorted(map(repr, spark.read.table(f"{tables.database}.{name}").collect())) for name in names}


def history(spark: "SparkSession", name: str) -> list[str]:
    """The operations on a table, oldest first."""
    return [row.operation for row in spark.sql(f"describe history {name}").orderBy("version").collect()]


def fates(plan: RetentionPlan) -> dict[date, str]:
    return {one.partition.date: one.kept_because for one in plan.partitions}


def done_to(done: BronzeMaintained, name: str) -> tuple[str, ...]:
    return {one.table: one.done for one in done.tables}[name]


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


def kill_after(monkeypatch: pytest.MonkeyPatch, commits: int) -> None:
    """Let the ingester be killed after so many commits."""
    append, left = bronze._append, iter(range(commits))

    def killed(*arguments: Any) -> None:
        if next(left, None) is None:
            raise Killed
        append(*arguments)

    monkeypatch.setattr(bronze, "_append", killed)


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
    assert [one.done for one in last.tables] == [()] * 4


def plan_of_batches(spark: "SparkSession", tables: BronzeTables) -> None:
    """Batches that asked for movies: one that succeeded long ago, one lately, one that failed, one without an end."""
    ended = {
        "long-ago": ("succeeded", AS_OF - timedelta(days=31)),
        "lately": ("succeeded", AS_OF - timedelta(days=29)),
        "failed": ("failed", AS_OF - timedelta(days=31)),
    }
    rows = [
        dict.fromkeys(BATCHES_SCHEMA.names) | {"batch_id": name, "status": status, "finished_at": at}
        for name, (status, at) in ended.items()
    ]
    spark.createDataFrame(pa.Table.from_pylist(rows, BATCHES_SCHEMA)).write.format("delta").mode("append").saveAsTable(
        tables.batches
    )
    asked = [
        {"batch_id": name, "position": position, "movie_id": position + 1}
        for name in (*ended, "running")
        for position in range(3)
    ]
    spark.createDataFrame(pa.Table.from_pylist(asked, REQUESTED_MOVIES_SCHEMA)).write.format("delta").mode(
        "append"
    ).saveAsTable(tables.requested_movies)


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
