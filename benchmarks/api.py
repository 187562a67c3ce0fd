"""What ingestion from the API costs: the rate that is kept, movies a second into Bronze, where the time goes, memory.

    python -m benchmarks.api [rate] [faults] [speed] [memory]

Each part starts the stand-in for TMDB as a process of its own and `lakehouse ingest` as a person would, on an instance
whose services it starts. It prints Markdown, which `docs/performance.md` holds.
"""

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from lakehouse.hive import query
from lakehouse.services import stack
from lakehouse.settings import load_settings
from tests.instance import ROOT, environment, selected, variables
from tests.standin import TOKEN, RunningStandin, standin

_DAY = "2026-01-23"
_INGEST = ["ingest", "--source", "api", "--from-export", "--as-of", f"{_DAY}T12:00:00Z"]


def busiest_second(arrivals: Sequence[float]) -> int:
    """The most requests that arrived in any second, wherever it begins."""
    most = first = 0
    for last, at in enumerate(arrivals):
        while at - arrivals[first] >= 1:
            first += 1
        most = max(most, last - first + 1)
    return most


def _pointed_at(instance: dict[str, str], server: RunningStandin, **settings: object) -> dict[str, str]:
    return {
        **instance,
        "LAKEHOUSE_TMDB__URL": f"{server.url}/3",
        "LAKEHOUSE_TMDB__EXPORT_URL": f"{server.url}/p/exports",
        "LAKEHOUSE_TMDB__TOKEN": TOKEN,
        **{f"LAKEHOUSE_TMDB__{name.upper()}": str(value) for name, value in settings.items()},
    }


def _ingest(instance: dict[str, str], *more: str) -> tuple[str, float, int]:
    """Run the command; give what it said, its seconds, and the most memory of its Python process, MiB."""
    began = time.monotonic()
    most = 0
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(
            [sys.executable, "-m", "lakehouse.cli", *_INGEST, *more],
            env=environment(instance),
            cwd=ROOT,
            stdout=said,
            stderr=subprocess.STDOUT,
            text=True,
        )
        process = psutil.Process(child.pid)
        while child.poll() is None:
            most = max(most, process.memory_info().rss if process.is_running() else 0)
            time.sleep(0.2)
        said.seek(0)
        text = said.read()
    if child.returncode != 0:
        sys.exit(text)
    return text, time.monotonic() - began, most // 2**20


def _empty(instance: dict[str, str]) -> None:
    with selected(instance):
        settings = load_settings()
        for table in ("movies", "quarantine", "batches", "requested_movies", "fields"):
            query(settings, f"drop table if exists bronze.{table}")


def _landed(instance: dict[str, str]) -> int:
    with selected(instance):
        return int(query(load_settings(), "select count(*) from bronze.movies").rows[0][0])


def _fetches(server: RunningStandin) -> list[dict[str, Any]]:
    return [one for one in server.requests() if one["path"].rpartition("/")[2].isdigit()]


def rate(instance: dict[str, str]) -> None:
    """The default pace: how many requests a second TMDB sees."""
    with standin(movies=2_400) as server:
        _ingest(_pointed_at(instance, server))
        arrivals = [one["at"] for one in server.requests()]
        fetched = [one["at"] for one in _fetches(server)]
    middle = fetched[40:-40]
    mean = (len(middle) - 1) / (middle[-1] - middle[0])
    print(f"| 40 a second, 2,400 movies | mean {mean:.1f} a second, busiest second {busiest_second(arrivals)} |")
    _empty(instance)


def faults(instance: dict[str, str]) -> None:
    """Ten thousand movies while a fifth of the requests go wrong."""
    with standin("--faults", "all20", movies=10_000) as server:
        pace = {"rate_per_second": 0, "timeout_seconds": 3, "backoff_seconds": 0.1, "chunk_movies": 1000}
        text, seconds, _ = _ingest(_pointed_at(instance, server, attempts=10, concurrency=32, **pace))
        met = Counter(one["fault"] for one in server.requests() if one["fault"])
    print(f"| 10,000 movies, 20 % faults | {_landed(instance):,} landed in {seconds:.0f} s; {met.total():,} faults |")
    print(f"\n```\n{text.strip()}\n```\n\nfaults met: {dict(met.most_common())}\n", file=sys.stderr)
    _empty(instance)


def speed(instance: dict[str, str]) -> None:
    """No limit: movies a second into Bronze."""
    for chunk in (400, 2_000):
        with standin(movies=10_000) as server:
            _, seconds, _ = _ingest(_pointed_at(instance, server, rate_per_second=0, chunk_movies=chunk))
            at = [one["at"] for one in _fetches(server)]
        span = at[-1] - at[0]
        print(
            f"| no limit, 10,000 movies, {chunk:,} a commit | {len(at) / span:,.0f} movies a second landed, "
            f"{seconds:.0f} s with Spark's start |"
        )
        _empty(instance)


def memory(instance: dict[str, str]) -> None:
    """The Python process at few and at many movies."""
    for movies in (1_000, 10_000, 100_000):
        with standin("--log-size", "1000", movies=movies) as server:
            _, seconds, most = _ingest(_pointed_at(instance, server, rate_per_second=0, chunk_movies=1000))
        print(f"| {movies:,} movies | {most} MiB of Python at most, {seconds:.0f} s |")
        _empty(instance)


@contextmanager
def _instance() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as home:
        instance = variables(Path(home))
        with selected(instance):
            stack.up(load_settings())
        try:
            yield instance
        finally:
            with selected(instance):
                stack.down(load_settings())


def main() -> None:
    """Run the parts that are named, all without any."""
    parts = {"rate": rate, "faults": faults, "speed": speed, "memory": memory}
    with _instance() as instance:
        for name in sys.argv[1:] or parts:
            parts[name](instance)


if __name__ == "__main__":
    main()
