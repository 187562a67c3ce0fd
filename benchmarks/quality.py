"""What a checkpoint of `silver.movies` costs: Great Expectations' own execution on Spark, and counting first.

    python -m benchmarks.quality [rows ...]

Without arguments: 5,000, 100,000 and 1,000,000 rows, in Delta tables on the local disk. Both ways run in one process on
the same tables, each twice; the second time is told. The first way is Great Expectations over a Spark frame with 14
expectations; the second counts and judges the whole suite of the table, with its references; the third also reads the
history and keeps what was found in `ops`. It prints Markdown, which `docs/quality.md` holds.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from expectations.gate import run_gate
from expectations.judge import great_expectations
from expectations.suites import read_suites
from lakehouse.artefacts import ensure_jars
from lakehouse.ops.tables import ensure_tables
from lakehouse.settings import Settings, load_settings
from lakehouse.spark import jvm_conf, sql_conf, start_session

SIZES = (5_000, 100_000, 1_000_000)
TABLE = "silver.movies"
AT = datetime(2026, 1, 15, 6, 30, tzinfo=UTC)

_MOVIES = """
    cast(id as string) as movie_id, concat('Title ', id) as title, concat('Title ', id) as clean_title,
    concat('A story of ', sha2(cast(id as string), 256)) as overview,
    date_add('1950-01-01', cast(id % 27000 as int)) as release_date,
    year(date_add('1950-01-01', cast(id % 27000 as int))) as release_year,
    month(date_add('1950-01-01', cast(id % 27000 as int))) as release_month,
    array('Drama', 'War') as genres, 'Drama' as primary_genre, id % 100 / 10D + 0.05 as rating,
    id % 997 + 1 as vote_count, id % 313 / 7D as popularity_score, 300000 + id as revenue, 100000 + id as budget,
    200000L as profit, 200000D / (100000 + id) as roi, cast(60 + id % 90 as int) as runtime,
    0.5D as sentiment_score, 'positive' as sentiment_category, concat('Director ', id % 999) as director,
    array(concat('Director ', id % 999)) as directors, array('Actor 1', 'Actor 2') as top_cast,
    'en' as original_language, 'Released' as status, timestamp '2026-01-15 06:00:00' as observed_at,
    timestamp '2026-01-15 06:00:00' as processing_timestamp
"""
# What the rules of the table refer to.
_AROUND = {
    "silver.movie_records": "select movie_id from silver.movies",
    "silver.crew_members": "select movie_id, 'Director' as job from silver.movies",
    "bronze.movies": "select '1' as movie_id",
    "bronze.batches": "select 'b' as batch_id, 'succeeded' as status, 1 as landed, "
    "timestamp '2026-01-15 06:10:00' as finished_at",
}
# 14 expectations, each a boolean column; the aggregate functions of Great Expectations count them.
_FLAGS = {
    "id_is_known": "movie_id is not null",
    "title_is_known": "length(trim(title)) > 0",
    "overview_is_known": "length(trim(overview)) > 0",
    "date_is_known": "release_date is not null",
    "genres_are_known": "size(genres) > 0",
    "rating_is_known": "rating is not null",
    "language_is_known": "original_language is not null",
    "year_is_that_of_date": "release_year <=> year(release_date) and release_month <=> month(release_date)",
    "profit_is_right": "profit <=> revenue - budget",
    "amounts_are_positive": "coalesce(budget, 1) > 0 and coalesce(revenue, 1) > 0",
    "sentiment_is_in_range": "sentiment_score between -1 and 1",
    "genre_is_among_genres": "array_contains(genres, primary_genre)",
    "director_is_among_directors": "array_contains(directors, director)",
}


def _session(home: Path) -> tuple[SparkSession, Settings]:
    settings = load_settings(home=str(home))
    conf = {
        "spark.master": "local[2]",
        **sql_conf(settings),
        **jvm_conf(settings, ensure_jars(settings.cache), home / "spark.log", 3072),
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": f"file:{home}/warehouse",
        "spark.hadoop.fs.defaultFS": "file:///",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={home}/metastore;create=true",
        "spark.hadoop.datanucleus.schema.autoCreateAll": "true",
        "spark.hadoop.hive.metastore.schema.verification": "false",
    }
    return start_session(conf, "benchmark", settings, home / "spark.err"), settings


def _make(spark: SparkSession, rows: int) -> None:
    for schema in ("bronze", "silver"):
        spark.sql(f"create database if not exists {schema}")
    movies = spark.range(1, rows + 1).selectExpr(f"struct({_MOVIES}) as movie").select("movie.*")
    movies.write.format("delta").mode("overwrite").saveAsTable(TABLE)
    for name, query in _AROUND.items():
        spark.sql(query).write.format("delta").mode("overwrite").saveAsTable(name)


def _on_spark(frame: DataFrame) -> bool:
    gx, gxe = great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_spark(name="spark", persist=False).add_dataframe_asset(name=TABLE)
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(name=TABLE)
    suite.add_expectation(gxe.ExpectTableRowCountToBeBetween(min_value=1))
    for name in _FLAGS:
        suite.add_expectation(gxe.ExpectColumnValuesToBeInSet(column=name, value_set=[True], mostly=0.95))
    return bool(batch.validate(suite, result_format={"result_format": "BASIC", "partial_unexpected_count": 0}).success)


def _measured(spark: SparkSession, work: Callable[[int], Any]) -> tuple[float, int]:
    """Seconds and Spark jobs of the second time."""
    work(0)
    scheduler = spark._jsc.sc().dagScheduler()  # type: ignore[union-attr]
    jobs = scheduler.numTotalJobs()
    began = time.monotonic()
    work(1)
    return time.monotonic() - began, scheduler.numTotalJobs() - jobs


def main(sizes: tuple[int, ...]) -> None:
    (suite,) = [suite for suite in read_suites(["silver"]) if suite.table == TABLE]
    print(f"| rows | Great Expectations on Spark, {len(_FLAGS) + 1} expectations | jobs | counted first, ", end="")
    print(f"{len(suite.rules)} rules | jobs | in all | jobs |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYSPARK_PYTHON"] = sys.executable
        spark, settings = _session(Path(folder))
        ensure_tables(spark)
        great_expectations()
        for rows in sizes:
            _make(spark, rows)
            flags = [f"coalesce({condition}, false) as {name}" for name, condition in _FLAGS.items()]

            def on_spark(time_: int, flags: list[str] = flags) -> None:
                assert _on_spark(spark.table(TABLE).selectExpr(*flags))

            def gate(time_: int, rows: int = rows, is_kept: bool = True) -> None:
                at = AT + timedelta(minutes=time_)
                found = run_gate(spark, settings, ["silver"], f"{rows}-{time_}", at, tables=(TABLE,), is_kept=is_kept)
                assert found.rows == {TABLE: rows}
                assert found.passed, found.failures

            cells = [_measured(spark, on_spark), _measured(spark, lambda time_: gate(time_, is_kept=False))]
            cells.append(_measured(spark, gate))
            told = " | ".join(f"{seconds:.1f} s | {jobs}" for seconds, jobs in cells)
            print(f"| {rows:,} | {told} |", flush=True)
        spark.stop()


if __name__ == "__main__":
    main(tuple(int(each) for each in sys.argv[1:]) or SIZES)
