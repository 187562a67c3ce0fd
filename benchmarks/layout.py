"""What the layout of silver.movies costs and saves: unpartitioned, partitioned in two ways, and liquid clustering.

`python -m benchmarks.layout [--movies 5000 100000] [--json PATH]` writes the same rows in every layout, in a Spark
session of its own on the local disk, and measures full writes, merges of 1 %, and typical reads, before and after
OPTIMIZE. Reads and merges go round the layouts, so that a machine that is busy for a while is busy for all of them:
compare the ratios.

Rows are those of the synthetic catalogue on its last day, without two things that a layout does not see: the score of
the overview is drawn, not computed, and names stand as the record has them.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.synthetic.catalogue import DEFAULT_DATES
from ingestion.synthetic.movie import movie_record
from lakehouse.artefacts import ensure_jars
from lakehouse.settings import load_settings
from lakehouse.spark import jvm_conf, sql_conf, start_session

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SEED = 20260101
HEAP_MB = 3072
ROUNDS = 5

LAYOUTS = {
    "unpartitioned": "",
    "by year": "partitioned by (release_year)",
    "by year and genre": "partitioned by (release_year, primary_genre)",
    "clustered": "cluster by (release_year, primary_genre)",
}
"""Name -> the clause of its `create table`. The last is the one in use (dbt_project/models/silver/movies.sql)."""

_MEASURES = "count(*), sum(revenue), avg(rating), max(title)"
READS = {
    "one year": f"select {_MEASURES} from {{table}} where release_year = 2019",
    "one year and genre": f"select {_MEASURES} from {{table}} where release_year = 2019 and primary_genre = 'Drama'",
    "a decade": f"select {_MEASURES} from {{table}} where release_year between 2000 and 2009",
    "one genre, all years": f"select {_MEASURES} from {{table}} where primary_genre = 'Western'",
    "one movie": f"select {_MEASURES} from {{table}} where movie_id = '{{movie_id}}'",
    "rating by genre, all": "select primary_genre, avg(rating) from {table} group by primary_genre",
}

_SCHEMA = pa.schema(
    [
        ("movie_id", pa.string()),
        ("title", pa.string()),
        ("clean_title", pa.string()),
        ("overview", pa.string()),
        ("release_date", pa.date32()),
        ("release_year", pa.int32()),
        ("release_month", pa.int32()),
        ("genres", pa.list_(pa.string())),
        ("primary_genre", pa.string()),
        ("rating", pa.float64()),
        ("vote_count", pa.int64()),
        ("popularity_score", pa.float64()),
        ("revenue", pa.int64()),
        ("budget", pa.int64()),
        ("profit", pa.int64()),
        ("roi", pa.float64()),
        ("runtime", pa.int32()),
        ("sentiment_score", pa.float64()),
        ("sentiment_category", pa.string()),
        ("director", pa.string()),
        ("directors", pa.list_(pa.string())),
        ("top_cast", pa.list_(pa.string())),
        ("original_language", pa.string()),
        ("status", pa.string()),
        ("observed_at", pa.timestamp("us", tz="UTC")),
        ("processing_timestamp", pa.timestamp("us", tz="UTC")),
    ]
)


def movie_row(index: int) -> dict[str, Any]:
    """The row of silver.movies for movie number `index`."""
    instant = DEFAULT_DATES[-1]
    record = movie_record(SEED, index, instant)
    credits = json.loads(bytes(record["credits"]))
    released = date.fromisoformat(record["release_date"]) if record["release_date"] else None
    genres = [genre["name"] for genre in record["genres"]]
    directors = [person["name"] for person in credits["crew"] if person["job"] == "Director"]
    budget, revenue = record["budget"] or None, record["revenue"] or None
    profit = revenue - budget if revenue and budget else None
    score = round(random.Random(f"{SEED}:score:{index}").uniform(-1, 1), 4) if record["overview"] else None
    return {
        "movie_id": str(record["id"]),
        "title": record["title"],
        "clean_title": record["title"].strip(),
        "overview": record["overview"] or None,
        "release_date": released,
        "release_year": released.year if released else None,
        "release_month": released.month if released else None,
        "genres": genres,
        "primary_genre": genres[0] if genres else None,
        "rating": float(record["vote_average"]) or None,
        "vote_count": record["vote_count"] or None,
        "popularity_score": float(record["popularity"]),
        "revenue": revenue,
        "budget": budget,
        "profit": profit,
        "roi": profit / budget if profit is not None and budget else None,
        "runtime": record["runtime"] or None,
        "sentiment_score": score,
        "sentiment_category": None if score is None else "positive" if score >= 0.05 else "negative",
        "director": directors[0] if directors else None,
        "directors": directors,
        "top_cast": [person["name"] for person in credits["cast"][:5]],
        "original_language": record["original_language"],
        "status": record["status"],
        "observed_at": instant,
        "processing_timestamp": datetime(2026, 2, 1, tzinfo=UTC),
    }


def write_rows(path: Path, movies: int) -> None:
    """The rows as one Parquet file, 1 % more of them than `movies`: the merges bring new movies too."""
    with pq.ParquetWriter(path, _SCHEMA) as file:
        for begin in range(0, movies + movies // 100, 5000):
            indexes = range(begin, min(begin + 5000, movies + movies // 100))
            file.write_table(pa.Table.from_pylist([movie_row(index) for index in indexes], _SCHEMA))


@contextmanager
def session(home: Path) -> "Iterator[SparkSession]":
    """A Delta session as the project's others, with its warehouse under `home` and no service."""
    settings = load_settings(home=str(home))
    conf = {
        "spark.master": "local[2]",
        **sql_conf(settings),
        **jvm_conf(settings, ensure_jars(settings.cache), home / "spark.log", HEAP_MB),
        "spark.sql.warehouse.dir": f"file:{home}/warehouse",
        "spark.hadoop.fs.defaultFS": "file:///",
    }
    spark = start_session(conf, "layout", settings, home / "spark.err")
    try:
        yield spark
    finally:
        spark.stop()


def timed(work: Callable[..., object], *arguments: Any) -> float:
    """Seconds that `work` takes."""
    begin = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - begin


def scanned(frame: "DataFrame") -> tuple[int, int]:
    """How many files the scan of an executed query read, and how many bytes they have."""
    waiting, files, size = [frame._jdf.queryExecution().executedPlan()], 0, 0
    while waiting:
        plan = waiting.pop()
        kind = plan.getClass().getSimpleName()
        if kind == "AdaptiveSparkPlanExec":
            waiting.append(plan.executedPlan())
        elif kind.endswith("QueryStageExec"):
            waiting.append(plan.plan())
        elif kind == "FileSourceScanExec":
            files += plan.metrics().apply("numFiles").value()
            size += plan.metrics().apply("filesSize").value()
        else:
            children = plan.children()
            waiting += [children.apply(number) for number in range(children.size())]
    return files, size


def read(spark: "SparkSession", sql: str) -> tuple[float, int, int]:
    """Seconds, files and bytes of one query."""
    frame = spark.sql(sql)
    seconds = timed(frame.collect)
    return (seconds, *scanned(frame))


def merge_sql(table: str, batch: str, columns: list[str]) -> str:
    """The MERGE of the incremental models (dbt_project/macros/incremental/merge.sql)."""
    same = " and ".join(f"target.{column} <=> source.{column}" for column in columns)
    update = ", ".join(f"target.{column} = source.{column}" for column in columns)
    values = ", ".join(f"source.{column}" for column in columns)
    return (
        f"merge into {table} as target using ({batch}) as source on target.movie_id = source.movie_id "
        f"when matched and not ({same}) then update set {update} "
        f"when not matched then insert ({', '.join(columns)}) values ({values})"
    )


def log_size(spark: "SparkSession", table: str) -> tuple[int, int]:
    """Files and bytes of the table's Delta log."""
    folder = Path(spark.sql(f"describe detail {table}").head()["location"].removeprefix("file:")) / "_delta_log"  # type: ignore[index]
    found = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".crc")]
    return len(found), sum(path.stat().st_size for path in found)


def size(spark: "SparkSession", table: str) -> dict[str, int]:
    """Files and bytes of a table, and bytes of its log."""
    detail = spark.sql(f"describe detail {table}").head()
    assert detail is not None
    return {"files": detail["numFiles"], "bytes": detail["sizeInBytes"], "log_bytes": log_size(spark, table)[1]}


def read_all(spark: "SparkSession", prefix: str, movie_id: str, rounds: int) -> dict[str, dict[str, dict[str, float]]]:
    """Every read of every layout, `rounds` times and once before: layout -> read -> files, bytes, median seconds."""
    taken: dict[tuple[str, str], list[tuple[float, int, int]]] = {}
    for _ in range(rounds + 1):
        for name, sql in READS.items():
            for number, layout in enumerate(LAYOUTS):
                asked = sql.format(table=f"{prefix}_{number}", movie_id=movie_id)
                taken.setdefault((layout, name), []).append(read(spark, asked))
    return {
        layout: {
            name: {
                "seconds": statistics.median(seconds for seconds, _, _ in taken[layout, name][1:]),
                "files": taken[layout, name][-1][1],
                "bytes": taken[layout, name][-1][2],
            }
            for name in READS
        }
        for layout in LAYOUTS
    }


def measure(spark: "SparkSession", rows: Path, movies: int, prefix: str, rounds: int = ROUNDS) -> dict[str, Any]:
    """Everything about one number of movies: layout -> figures."""
    source = spark.read.parquet(str(rows))
    source.createOrReplaceTempView("rows")
    columns = source.columns
    ids = [row[0] for row in source.orderBy("movie_id").select("movie_id").collect()]
    last = {str(movie_row(index)["movie_id"]) for index in range(movies, movies + movies // 100)}
    known = [movie_id for movie_id in ids if movie_id not in last]
    spark.createDataFrame([(movie_id,) for movie_id in known], "movie_id string").createOrReplaceTempView("known")
    tables = {layout: f"{prefix}_{number}" for number, layout in enumerate(LAYOUTS)}

    found: dict[str, Any] = {layout: {} for layout in LAYOUTS}
    for layout, table in tables.items():
        sql = (
            f"create or replace table {table} using delta {LAYOUTS[layout]} "
            # As the model's last join leaves them: hashed by movie, in as many tasks as adaptive execution finds right.
            "as select rows.* from rows left semi join known on rows.movie_id = known.movie_id distribute by movie_id"
        )
        found[layout]["write_seconds"] = timed(spark.sql, sql)
        found[layout]["built"] = size(spark, table)
        print(f"{movies} {layout}: written", found[layout], flush=True)

    movie_id = known[len(known) // 2]
    for layout, reads in read_all(spark, prefix, movie_id, rounds).items():
        found[layout]["built"]["reads"] = reads
    print(f"{movies}: read", flush=True)

    merges: dict[str, list[float]] = {layout: [] for layout in LAYOUTS}
    dice = random.Random(SEED)
    new = sorted(last)
    for turn in range(3):
        # Nine in ten are known and have another popularity; one in ten is new.
        chosen = dice.sample(known, max(1, movies // 100 * 9 // 10)) + new[turn::10][: max(1, movies // 1000)]
        spark.createDataFrame([(one,) for one in chosen], "movie_id string").createOrReplaceTempView("chosen")
        moved = ", ".join(
            f"popularity_score + {turn + 1} as popularity_score" if column == "popularity_score" else f"rows.{column}"
            for column in columns
        )
        batch = f"select {moved} from rows left semi join chosen on rows.movie_id = chosen.movie_id"
        for layout, table in tables.items():
            sql = merge_sql(table, batch, columns)
            merges[layout].append(timed(spark.sql, sql))
    for layout, table in tables.items():
        found[layout]["merge_seconds"] = statistics.median(merges[layout])
        found[layout]["merged"] = size(spark, table)
        print(f"{movies} {layout}: merged", merges[layout], found[layout]["merged"], flush=True)

    for layout, table in tables.items():
        found[layout]["optimize_seconds"] = timed(spark.sql, f"optimize {table}")
        found[layout]["optimized"] = size(spark, table)
        print(f"{movies} {layout}: optimized", found[layout]["optimize_seconds"], flush=True)
    for layout, reads in read_all(spark, prefix, movie_id, rounds).items():
        found[layout]["optimized"]["reads"] = reads
    for table in tables.values():
        spark.sql(f"drop table {table}")
    return found


def _ratio(value: float, base: float) -> str:
    return f"{value / base:.1f}" if base else "-"


def tables(found: dict[str, Any], movies: int) -> str:
    """The figures as Markdown; in brackets, how many times those of `unpartitioned`."""
    base = found["unpartitioned"]
    head = ["| " + " | ".join([f"{movies:,} movies", *LAYOUTS]) + " |", "|---|" + "---|" * len(LAYOUTS)]

    def line(title: str, *keys: str, unit: float = 1, form: str = "{:,.0f}") -> str:
        figures = {layout: reduce(getitem, keys, found[layout]) / unit for layout in LAYOUTS}
        cells = (f"{form.format(figure)} ({_ratio(figure, figures['unpartitioned'])})" for figure in figures.values())
        return f"| {title} | " + " | ".join(cells) + " |"

    lines = [
        *head,
        line("write, s", "write_seconds", form="{:.2f}"),
        line("merge of 1 %, s", "merge_seconds", form="{:.2f}"),
        line("OPTIMIZE, s", "optimize_seconds", form="{:.2f}"),
    ]
    for state, title in (("built", "built"), ("merged", "after three merges"), ("optimized", "optimized")):
        lines += [
            line(f"files, {title}", state, "files"),
            line(f"KiB, {title}", state, "bytes", unit=1024),
            line(f"log KiB, {title}", state, "log_bytes", unit=1024),
        ]
    for state in ("built", "optimized"):
        lines += ["", f"Reads, {state}: ms (times unpartitioned), files read, KiB of those files", "", *head]
        for name in READS:
            cells = []
            for layout in LAYOUTS:
                one, other = found[layout][state]["reads"][name], base[state]["reads"][name]
                ratio = _ratio(one["seconds"], other["seconds"])
                cells.append(f"{one['seconds'] * 1000:.0f} ({ratio}), {one['files']:,}, {one['bytes'] / 1024:,.0f}")
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run, print, and keep the figures where `--json` says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--movies", type=int, nargs="+", default=[5000, 100_000], help="how many, one after the other")
    parser.add_argument("--json", type=Path, help="where the figures are kept")
    asked = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="layout"))
    record: dict[str, Any] = {"load_before": os.getloadavg()[0], "movies": {}}
    try:
        with session(home) as spark:
            # The first of everything is slow in a new JVM: it is not measured.
            write_rows(home / "warm.parquet", 200)
            measure(spark, home / "warm.parquet", 200, "warm", rounds=2)
            for movies in asked.movies:
                rows = home / f"{movies}.parquet"
                write_rows(rows, movies)
                found = record["movies"][movies] = measure(spark, rows, movies, f"movies_{movies}")
                print(tables(found, movies), flush=True)
    finally:
        shutil.rmtree(home)
    record["load_after"] = os.getloadavg()[0]
    print(f"\nload of the machine: {record['load_before']:.1f} before, {record['load_after']:.1f} after")
    if asked.json:
        asked.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
