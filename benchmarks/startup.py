"""What it takes until work can begin: services, the command line, a job's session, its first query.

    python -m benchmarks.startup

On an instance of its own, with nothing else running, each way in turn: with the cache of classes (decision 16) and
without it. The cache is one that a run before has left; where there is none, only the second column has figures. It
prints Markdown, which `docs/performance.md` holds.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.watching import watched
from lakehouse.hive import query
from lakehouse.services import stack
from lakehouse.settings import Settings, load_settings
from tests.instance import lakehouse, selected, variables

_WITHOUT = "-XX:AOTMode=off"
"""What makes a JVM leave its cache aside; before Java 25 there is none."""

_READ = "select count(*) from ops.runs"


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _session() -> None:
    """The job's own process: its session, its first query and one more."""
    import json

    from lakehouse.spark import spark_session

    settings = load_settings()
    found: dict[str, float] = {}

    def read() -> None:
        spark_session(settings, "startup").sql(_READ).collect()

    found["a job's session"] = _seconds(lambda: spark_session(settings, "startup"))
    found["a job's first query"] = _seconds(read)
    found["a job's second query"] = _seconds(read)
    print(json.dumps(found), flush=True)


def _healthy(settings: Settings, found: dict[str, float]) -> None:
    """Start the services, and note when each was ready."""
    began = time.perf_counter()

    def heard(service: str, event: str) -> None:
        if event.startswith("ready"):
            found[f"`up`: {service}"] = time.perf_counter() - began

    found["`up`"] = _seconds(lambda: stack.up(settings, heard))


def _measured(home: Path) -> dict[str, float]:
    instance = variables(home)
    found: dict[str, float] = {}
    with selected(instance):
        settings = load_settings()
        try:
            found["`lakehouse --help`"] = _seconds(lambda: lakehouse(instance, "--help"))
            _healthy(settings, found)
            found["first query over Thrift"] = _seconds(lambda: query(settings, "show schemas"))
            found["`lakehouse status`"] = _seconds(lambda: lakehouse(instance, "status"))
            # It makes the tables that the job reads.
            lakehouse(instance, "ingest", "--source", "synthetic", "--movies", "1")
            found |= watched("benchmarks.startup", ["--session"])[0]
            found["`down`"] = _seconds(lambda: stack.down(settings))
            again: dict[str, float] = {}
            _healthy(settings, again)
            found["`up` again, HDFS formatted and the metastore made"] = again["`up`"]
        finally:
            stack.down(settings)
    return found


def _has_cache() -> bool:
    return any((load_settings().cache / "classes").glob("*.aot"))


def main() -> None:
    """Measure both ways, and print a row for each piece."""
    ways: dict[str, dict[str, float]] = {}
    before = os.environ.get("JAVA_TOOL_OPTIONS", "")
    for way, options in (("with the cache", before), ("without it", f"{before} {_WITHOUT}".strip())):
        if way == "with the cache" and not _has_cache():
            continue
        os.environ["JAVA_TOOL_OPTIONS"] = options
        with tempfile.TemporaryDirectory(prefix="startup-") as home:
            ways[way] = _measured(Path(home))
    names = list(ways["without it"])
    print(f"| seconds | {' | '.join(ways)} |\n|---|{'---:|' * len(ways)}")
    for name in names:
        print(f"| {name} | {' | '.join(f'{found[name]:.1f}' for found in ways.values())} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--session"]:
        _session()
    else:
        main()
