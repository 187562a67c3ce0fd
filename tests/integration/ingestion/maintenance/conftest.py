"""A lake whose Bronze is maintained, and what stands for Silver, which reads it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from ingestion import bronze
from ingestion.maintenance import BronzeMaintained, maintain_bronze
from ingestion.retention import RetentionPlan, bronze_state, delete_expired, plan_retention
from ingestion.run import IngestRequest, ingest
from ingestion.tables import BATCHES_SCHEMA, REQUESTED_MOVIES_SCHEMA, BronzeTables
from lakehouse.lease import Lease, held
from tests.integration.ingestion.conftest import Killed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from ingestion.batch import BatchSummary

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


def kill_after(monkeypatch: pytest.MonkeyPatch, commits: int) -> None:
    """Let the ingester be killed after so many commits."""
    append, left = bronze._append, iter(range(commits))

    def killed(*arguments: Any) -> None:
        if next(left, None) is None:
            raise Killed
        append(*arguments)

    monkeypatch.setattr(bronze, "_append", killed)


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
