"""What the same work costs with other tools: models in DuckDB, documents from one process, and the naive forms.

    python -m benchmarks.peers [movies]

One lake of so many movies (20,000), each observed on three dates, in an instance of its own. Its Silver and Gold are
built anew by dbt, one thread, with everything warm; the same Bronze goes through DuckDB in a process of its own. Rows
of each model must be as many in both. It prints Markdown, which `docs/performance.md` holds.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo

from benchmarks.duckdb_peer import build, connected
from benchmarks.watching import watched
from ingestion.records import DefaultTime, Record, parse_record
from ingestion.synthetic.catalogue import DEFAULT_DATES, CatalogueSpec, catalogue
from lakehouse.hive import query
from lakehouse.services import stack
from lakehouse.settings import Settings, load_settings
from tests.instance import lakehouse, selected, variables

_MOVIES = 20_000
_AS_OF = "2026-02-01"
_PARSED = 3_000
"""Records that are parsed in the naive way: one core has done with them in some seconds."""

_ONE_BY_ONE = 2_000
"""Documents that are inserted one at a time."""

_THREADS, _MEMORY_GIB = 2, 4


def _asked(instance: dict[str, str], *arguments: str) -> None:
    answer = lakehouse(instance, *arguments, timeout=3 * 3600)
    if answer.returncode != 0:
        sys.exit(answer.stdout + answer.stderr)


def _duckdb(folder: Path) -> None:
    """The tool's own process: a line of JSON a model."""
    for built in build(connected(_THREADS, _MEMORY_GIB, folder / "peer.db"), folder / "compiled", folder / "bronze"):
        print(json.dumps({built.model: [built.layer, built.rows, built.seconds]}), flush=True)


def _export_bronze(settings: Settings, folder: Path) -> None:
    for table in ("movies", "batches"):
        query(
            settings,
            f"insert overwrite directory 'file:{folder / 'bronze' / table}' using parquet select * from bronze.{table}",
        )


def _nodes(settings: Settings) -> dict[str, float]:
    """Seconds of each model in the last build."""
    rows = query(
        settings,
        """
        select node_name, seconds from ops.dbt_results
        where kind = 'model' and run_id = (select max_by(run_id, started_at) from ops.runs where kind = 'build')
        """,
    ).rows
    return dict(rows)


def _against_duckdb(settings: Settings, folder: Path) -> str:
    compiled = settings.home / "dbt" / "target" / "compiled" / "tmdb_lakehouse" / "models"
    (folder / "compiled").symlink_to(compiled)
    _export_bronze(settings, folder)
    theirs, most = watched("benchmarks.peers", ["--duckdb", str(folder)])
    ours = _nodes(settings)
    lines = ["| model | rows | here s | DuckDB s | DuckDB / here |", "|---|" + "---:|" * 4]
    sums: dict[str, list[float]] = {}
    for model, (layer, rows, seconds) in theirs.items():
        schema = {"gold": "gold_build"}.get(layer, layer)
        ((own_rows,),) = query(settings, f"select count(*) from {schema}.{model}").rows
        if own_rows != rows:
            sys.exit(f"{model} has {own_rows:,} rows, and {rows:,} in DuckDB.")
        if model not in ours:
            continue
        lines.append(f"| `{model}` | {rows:,} | {ours[model]:.2f} | {seconds:.2f} | {seconds / ours[model]:.2f} |")
        for name in (layer, "in all"):
            total = sums.setdefault(name, [0.0, 0.0])
            total[0] += ours[model]
            total[1] += seconds
    for name, (here, there) in sums.items():
        lines.append(f"| {name} | | {here:.1f} | {there:.1f} | {there / here:.2f} |")
    return "\n".join([*lines, f"\nDuckDB held {most:,} MiB at most."])


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def _collection(settings: Settings) -> Iterator["pymongo.collection.Collection[dict[str, Any]]"]:
    client: pymongo.MongoClient[dict[str, Any]]
    with pymongo.MongoClient(settings.mongo.uri.get_secret_value()) as client:
        yield client["peer"]["documents"]
        client.drop_database("peer")


def _documents(settings: Settings) -> Sequence[dict[str, Any]]:
    """The documents of the largest mart, as they are published."""
    client: pymongo.MongoClient[dict[str, Any]]
    with pymongo.MongoClient(settings.mongo.uri.get_secret_value()) as client:
        database: pymongo.database.Database[dict[str, Any]] = client[settings.mongo.database]
        names = [name for name in database.list_collection_names() if not name.startswith("_")]
        largest = max(names, key=lambda name: database[name].estimated_document_count())
        return list(database[largest].find())


def _against_mongo(settings: Settings, run: dict[str, Any]) -> str:
    documents = _documents(settings)
    with _collection(settings) as collection:
        many = _seconds(lambda: collection.insert_many(documents, ordered=False)) / len(documents)
    with _collection(settings) as collection:
        few = documents[:_ONE_BY_ONE]
        single = _seconds(lambda: [collection.insert_one(document) for document in few]) / len(few)
    published = sum(run["rows"][name] for name in run["rows"] if name.startswith("gold."))
    here = run["seconds"]["export"] / published
    rows = (
        ("here: staged, indexed, read back and reconciled, swapped in", here),
        ("pymongo in one process, `insert_many`, nothing checked", many),
        ("`insert_one`, a document at a time", single),
    )
    return "\n".join(
        ["| documents | µs each | / here |", "|---|---:|---:|"]
        + [f"| {name} | {seconds * 1e6:,.0f} | {seconds / here:.2f} |" for name, seconds in rows]
    )


def _naive_rows(payload: str) -> list[tuple[Any, ...]]:
    """A record's rows, as a loop over records makes them: parsed once for the movie, and again for each list."""
    movie = json.loads(payload)
    rows: list[tuple[Any, ...]] = [tuple(movie.get(name) for name in ("id", "title", "overview", "release_date"))]
    for name in ("cast", "crew"):
        rows += [(movie["id"], one["id"], one["name"]) for one in json.loads(payload).get("credits", {}).get(name, [])]
    for name in ("genres", "production_companies"):
        rows += [(movie["id"], one["id"], one["name"]) for one in json.loads(payload).get(name) or []]
    return rows


def _against_row_at_a_time(staging_seconds: float, movies: int) -> str:
    default = DefaultTime(DEFAULT_DATES[0], is_assumed=True)
    raw = catalogue(CatalogueSpec(20260101, _PARSED // len(DEFAULT_DATES), dirty_rate=0))
    payloads = [record.payload for one in raw if isinstance(record := parse_record(one, default), Record)]
    naive = _seconds(lambda: [_naive_rows(payload) for payload in payloads]) / len(payloads)
    here = staging_seconds / (movies * len(DEFAULT_DATES))
    return (
        f"| parsing | µs a record | / here |\n|---|---:|---:|\n| here: `stg_tmdb__observations`, written as Delta | "
        f"{here * 1e6:,.0f} | 1.00 |\n| a loop in Python, a record at a time, nothing written | {naive * 1e6:,.0f} | "
        f"{naive / here:.2f} |"
    )


def main() -> None:
    """Build the lake, and print a table for each peer."""
    movies = int(sys.argv[1]) if len(sys.argv) > 1 else _MOVIES
    with tempfile.TemporaryDirectory(prefix="peers-") as home:
        instance = {name: value for name, value in variables(Path(home) / "lake").items() if "MEMORY" not in name}
        try:
            _asked(instance, "up")
            _asked(instance, "run", "--source", "synthetic", "--movies", str(movies), "--as-of", _AS_OF)
            alone = {**instance, "LAKEHOUSE_DBT__THREADS": "1"}
            # The first time compiles what the run has not.
            for _ in range(2):
                _asked(alone, "build", "--selector", "bronze_to_silver", "--full-refresh", "--as-of", _AS_OF)
            with selected(instance):
                settings = load_settings()
                (made,) = (settings.home / "runs").glob("*.json")
                run = json.loads(made.read_text())
                print(_against_duckdb(settings, Path(home)), end="\n\n")
                print(_against_row_at_a_time(_nodes(settings)["stg_tmdb__observations"], movies), end="\n\n")
                print(_against_mongo(settings, run))
        finally:
            with selected(instance):
                stack.down(load_settings())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--duckdb"]:
        _duckdb(Path(sys.argv[2]))
    else:
        main()
