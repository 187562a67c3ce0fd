"""What a node of dbt costs on a small lake, where next to nothing is read: `python -m benchmarks.nodes [movies]`.

The marts and their tests are built again and again on a Thrift server that has built them before, each time for another
instant, so that none is as it was; with one, two and four threads. It prints Markdown for `docs/performance.md`.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from lakehouse.services import stack
from lakehouse.settings import Settings, load_settings
from orchestration import dbt
from tests.instance import lakehouse, selected, variables

_MOVIES = 5_000
_THREADS = (1, 2, 4)
_ROUNDS = 3


def _built(settings: Settings, threads: int, as_of: str) -> tuple[float, Sequence[dbt.Node]]:
    settings.dbt.threads = threads
    began = time.perf_counter()
    nodes = dbt.build(settings, ["--select", "as_of+", "--exclude-resource-type", "unit_test"], as_of)
    return time.perf_counter() - began, nodes


def _median(nodes: Sequence[dbt.Node], kind: str) -> float:
    return statistics.median(node.seconds for node in nodes if node.kind == kind)


def measured(settings: Settings) -> list[str]:
    """The table's lines."""
    lines = [
        "| threads | seconds in all | a node | median of models | median of tests | median of both |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    minutes = iter(range(60))
    _built(settings, 2, f"2026-02-01 00:{next(minutes):02}:00")
    for threads in _THREADS:
        rounds = [_built(settings, threads, f"2026-02-01 00:{next(minutes):02}:00") for _ in range(_ROUNDS)]
        seconds, nodes = sorted(rounds, key=lambda each: each[0])[_ROUNDS // 2]
        done = [node for node in nodes if node.kind in ("model", "test")]
        both = statistics.median(node.seconds for node in done)
        figures = (seconds / len(done), _median(nodes, "model"), _median(nodes, "test"), both)
        lines.append(f"| {threads} | {seconds:.1f} | {' | '.join(f'{each:.2f}' for each in figures)} |")
    return lines


def main() -> None:
    """Make a lake, measure on it, print."""
    movies = sys.argv[1] if len(sys.argv) > 1 else str(_MOVIES)
    with tempfile.TemporaryDirectory(prefix="nodes-") as home:
        instance = {name: value for name, value in variables(Path(home)).items() if "MEMORY" not in name}
        with selected(instance):
            settings = load_settings()
            try:
                for command in (["up"], ["run", "--source", "synthetic", "--movies", movies, "--as-of", "2026-02-01"]):
                    answer = lakehouse(instance, *command, timeout=1800)
                    if answer.returncode != 0:
                        sys.exit(answer.stdout + answer.stderr)
                print("\n".join(measured(settings)))
            finally:
                stack.down(settings)


if __name__ == "__main__":
    main()
