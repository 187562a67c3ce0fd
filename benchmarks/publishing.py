"""What it costs to publish, and to read through the readers' views: both against reading the tables themselves.

    python -m benchmarks.publishing [marts] [rows]

It starts the services of an instance of its own, fills `gold_build` with small marts, and prints Markdown, which ADR
0009 holds. Ratios are of one run.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lakehouse.hive import connect
from lakehouse.services import stack
from lakehouse.settings import load_settings
from lakehouse.spark import spark_session
from serving.publication import publish_gold, roll_back
from tests.instance import selected, variables

_AT = datetime(2026, 2, 1, tzinfo=UTC)
_REPEATS = 7


def _median(work: Callable[[], object], repeats: int = _REPEATS) -> float:
    work()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def _report(marts: int, rows: int) -> Sequence[str]:
    settings = load_settings()
    stack.up(settings)
    spark = spark_session(settings, "benchmark")
    spark.sql("create database if not exists gold_build")
    names = [f"mart_{number:02}" for number in range(marts)]

    def build() -> None:
        for name in names:
            spark.sql(f"insert overwrite gold_build.{name} select id, rand() as score from range({rows})")

    for name in names:
        spark.sql(
            f"create table gold_build.{name} (id bigint, score double) using delta "
            "tblproperties ('delta.enableInCommitTimestamps' = 'true')"
        )
    build()
    began = time.perf_counter()
    publish_gold(spark, settings, "first", _AT, _AT)
    first = time.perf_counter() - began
    again = []
    for number in range(3):
        build()
        began = time.perf_counter()
        publish_gold(spark, settings, f"run-{number}", _AT, _AT + timedelta(hours=number))
        again.append(time.perf_counter() - began)

    with connect(settings) as connection:
        cursor = connection.cursor()

        def read(schema: str, tables: Sequence[str]) -> Callable[[], object]:
            union = " union all ".join(f"select count(*), sum(score) from {schema}.{name}" for name in tables)

            def ask() -> object:
                cursor.execute(union)
                return cursor.fetchall()

            return ask

        lines = [
            "| | table, s | view, s | ratio |",
            "|---|---|---|---|",
        ]
        for title, tables in (("one mart", names[:1]), (f"{marts} marts in one query", names)):
            table, view = _median(read("gold_build", tables)), _median(read("gold", tables))
            lines.append(f"| {title}, the newest version | {table:.2f} | {view:.2f} | {view / table:.1f} |")
        began = time.perf_counter()
        roll_back(spark, settings, None, _AT + timedelta(days=1))
        back = time.perf_counter() - began
        table, view = _median(read("gold_build", names[:1])), _median(read("gold", names[:1]))
        lines.append(f"| one mart, an older version | {table:.2f} | {view:.2f} | {view / table:.1f} |")
    spark.stop()
    stack.down(settings)
    return [
        f"{marts} marts of {rows:,} rows: the first publication {first:.1f} s (it makes the views), later ones "
        f"{statistics.median(again):.1f} s (median of {len(again)}), a rollback {back:.1f} s.",
        "",
        *lines,
    ]


def main() -> None:
    marts, rows = (int(text) for text in (sys.argv[1:] + ["20", "2000"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as home, selected(variables(Path(home))):
        print("\n".join(_report(marts, rows)))


if __name__ == "__main__":
    main()
