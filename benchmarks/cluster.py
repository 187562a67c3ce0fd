"""The same cycle on one machine's Spark, on Spark's own cluster and on YARN, with one and with two executors.

    make executor-env && python -m benchmarks.cluster [movies]

Each is a lake of its own: an HDFS of two DataNodes, a metastore, and drivers outside of the cluster; an executor has
one core. What each lake holds must be the same. It prints Markdown, which `docs/performance.md` holds. The executors
share the two cores with the drivers and all services, so that two cannot be twice as fast here: what scales is seen,
not how far.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any, get_args

from benchmarks.cycle import recorded
from lakehouse.settings import load_settings
from tests import lake
from tests.clusters import Engine, lake_on
from tests.instance import lakehouse, selected

_MOVIES = 20_000
_EXECUTORS = (1, 2)


def measured(engine: Engine, executors: int, movies: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a cycle from nothing took, and what it made."""
    run = ["run", "--source", "synthetic", "--movies", str(movies), "--as-of", "2026-02-01"]
    with tempfile.TemporaryDirectory(prefix="cluster-") as home, lake_on(engine, Path(home), executors) as instance:
        answer = lakehouse(instance, "up", timeout=600)
        if answer.returncode != 0:
            sys.exit(answer.stdout + answer.stderr)
        record = recorded(instance, run)
        with selected(instance):
            settings = load_settings()
            tables = lake.content(settings, "bronze", "staging", "silver", "graph", "gold")
            return record, {**tables, **lake.documents(settings)}


def main() -> None:
    """Run the cycle on each, compare, and print."""
    movies = int(sys.argv[1]) if len(sys.argv) > 1 else _MOVIES
    seconds: dict[str, dict[str, float]] = {}
    first: dict[str, Any] = {}
    for engine in get_args(Engine):
        for executors in _EXECUTORS:
            record, made = measured(engine, executors, movies)
            seconds[f"{engine}, {executors}"] = {**record["seconds"], "in all": record["elapsed"]}
            first = first or made
            if made != first:
                sys.exit(f"{engine}: {sorted(name for name in first if made.get(name) != first[name])} differ.")
    print(f"\n| {movies:,} movies: seconds | {' | '.join(seconds)} |\n|---|" + "---:|" * len(seconds))
    for step in next(iter(seconds.values())):
        print(f"| {step} | " + " | ".join(f"{one[step]:.1f}" for one in seconds.values()) + " |")
    print(f"\n{len(first)} tables and collections, each with the same rows in all.")


if __name__ == "__main__":
    main()
