"""What the ways of writing Delta tables cost: codec, statistics, deletion vectors, file sizes, checkpoints.

    python -m benchmarks.delta [movies]

Of so many movies (20,000): Bronze's payloads appended, `silver.movies` merged with 1 % of changes, and small commits;
each in several ways, which take turns, in one session on the local disk. The first way of each table is the one in use.
It prints Markdown, which `docs/performance.md` holds.
"""

import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.layout import merge_sql, session, size, timed, write_rows
from ingestion.records import DefaultTime, Record, parse_record
from ingestion.synthetic.catalogue import DEFAULT_DATES, CatalogueSpec, catalogue

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MOVIES = 20_000
_ROUNDS = 3
_COMMITS = 40
_MIB = 1024**2

Cells = list[tuple[str, float, str]]
"""Of a way: what was measured, in the order of the columns: title, value, format."""

Way = Callable[["SparkSession", str], Cells]
"""Makes the table of that name, and measures."""


def _properties(**values: str) -> str:
    told = ", ".join(f"'delta.{name}' = '{value}'" for name, value in values.items())
    return f"tblproperties ({told})" if told else ""


def _payloads(path: Path, movies: int) -> None:
    default = DefaultTime(DEFAULT_DATES[0], is_assumed=True)
    with pq.ParquetWriter(path, _PAYLOADS) as file:
        rows = []
        for one in catalogue(CatalogueSpec(20260101, movies, dirty_rate=0)):
            record = parse_record(one, default)
            if isinstance(record, Record):
                rows.append({"movie_id": record.movie_id, "observed_at": record.observed_at, "payload": record.payload})
            if len(rows) == 2_000:
                file.write_table(pa.Table.from_pylist(rows, _PAYLOADS))
                rows.clear()
        file.write_table(pa.Table.from_pylist(rows, _PAYLOADS))


_PAYLOADS = pa.schema(
    [("movie_id", pa.string()), ("observed_at", pa.timestamp("us", tz="UTC")), ("payload", pa.string())]
)


def _appended(codec: str, indexed: str | None = None) -> Way:
    def way(spark: "SparkSession", table: str) -> Cells:
        told = _properties(**({"dataSkippingStatsColumns": indexed} if indexed else {}))
        spark.sql(f"create table {table} (movie_id string, observed_at timestamp, payload string) using delta {told}")
        spark.conf.set("spark.sql.parquet.compression.codec", codec)
        written = timed(spark.sql, f"insert into {table} select * from payloads")
        spark.conf.set("spark.sql.parquet.compression.codec", "snappy")
        read = timed(lambda: spark.sql(f"select sum(length(payload)) from {table}").collect())
        return [
            ("write s", written, "{:.2f}"),
            ("read s", read, "{:.2f}"),
            ("MiB", size(spark, table)["bytes"] / _MIB, "{:.1f}"),
        ]

    return way


def _merged(files: int = 1, **properties: str) -> Way:
    def way(spark: "SparkSession", table: str) -> Cells:
        spark.sql(
            f"create table {table} using delta {_properties(**properties)} "
            f"as select /*+ repartition({files}) */ * from rows"
        )
        columns = spark.table("rows").columns
        moved = ", ".join("popularity_score + 1" if name == "popularity_score" else name for name in columns)
        named = ", ".join(columns)
        batch = f"select {moved} from rows where pmod(xxhash64(movie_id), 100) = 7"
        batch = f"select * from ({batch}) as moved ({named})"
        before = size(spark, table)
        seconds = timed(spark.sql, merge_sql(table, batch, columns))
        operation = spark.sql(f"describe history {table} limit 1").select("operationMetrics").head()
        assert operation is not None
        written = int(operation[0]["numTargetBytesAdded"])
        read = timed(lambda: spark.sql(f"select count(*), sum(popularity_score), max(title) from {table}").collect())
        return [
            ("files before", before["files"], "{:.0f}"),
            ("merge s", seconds, "{:.2f}"),
            ("MiB written", written / _MIB, "{:.2f}"),
            ("read s", read, "{:.2f}"),
        ]

    return way


def _committed(interval: int) -> Way:
    def way(spark: "SparkSession", table: str) -> Cells:
        spark.sql(f"create table {table} (id bigint) using delta {_properties(checkpointInterval=str(interval))}")
        commits = [timed(spark.sql, f"insert into {table} values ({number})") for number in range(_COMMITS)]
        assert spark._jvm
        cleared = spark._jvm.org.apache.spark.sql.delta.DeltaLog
        cleared.clearCache()
        return [
            ("commit s, median", statistics.median(commits), "{:.2f}"),
            ("slowest", max(commits), "{:.2f}"),
            ("first read anew s", timed(lambda: spark.sql(f"select count(*) from {table}").collect()), "{:.2f}"),
        ]

    return way


TABLES: dict[str, dict[str, Way]] = {
    "payloads, appended": {
        "snappy": _appended("snappy"),
        "zstd": _appended("zstd"),
        "snappy, no statistics of the payload": _appended("snappy", "movie_id,observed_at"),
    },
    "`silver.movies`, 1 % merged": {
        "as it is": _merged(),
        "with deletion vectors": _merged(enableDeletionVectors="true"),
        "eight files": _merged(8),
        "eight files, deletion vectors": _merged(8, enableDeletionVectors="true"),
        "statistics of the key only": _merged(dataSkippingStatsColumns="movie_id"),
        "change data feed": _merged(enableChangeDataFeed="true"),
    },
    f"{_COMMITS} small commits": {
        "a checkpoint every 10": _committed(10),
        "every 100": _committed(100),
        "every 5": _committed(5),
    },
}


def _medians(spark: "SparkSession", ways: Mapping[str, Way], rounds: int) -> dict[str, Cells]:
    """Each way's figures, the median of its rounds; what the first round compiles is not counted."""
    taken: dict[str, list[Cells]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for number, (name, way) in enumerate(ways.items()):
            table = f"t_{turn}_{number}"
            cells = way(spark, table)
            spark.sql(f"drop table {table}")
            if turn:
                taken[name].append(cells)
    return {
        name: [
            (title, statistics.median(cells[place][1] for cells in turns), form)
            for place, (title, _, form) in enumerate(turns[0])
        ]
        for name, turns in taken.items()
    }


def main() -> None:
    """Print a table for each kind of write."""
    movies = int(sys.argv[1]) if len(sys.argv) > 1 else _MOVIES
    with tempfile.TemporaryDirectory(prefix="delta-") as folder:
        home = Path(folder)
        _payloads(home / "payloads.parquet", movies)
        write_rows(home / "rows.parquet", movies)
        with session(home) as spark:
            spark.read.parquet(f"file:{home}/payloads.parquet").createOrReplaceTempView("payloads")
            spark.read.parquet(f"file:{home}/rows.parquet").createOrReplaceTempView("rows")
            for title, ways in TABLES.items():
                found = _medians(spark, ways, _ROUNDS)
                heads = [name for name, _, _ in next(iter(found.values()))]
                print(f"\n| {title} | {' | '.join(heads)} |\n|---|{'---:|' * len(heads)}")
                for name, cells in found.items():
                    print(f"| {name} | {' | '.join(form.format(value) for _, value, form in cells)} |", flush=True)


if __name__ == "__main__":
    main()
