"""What the whole cycle costs at growing sizes: seconds, shuffle, spill, memory and files of each step.

    python -m benchmarks.scale [movies ...]

Each size has an instance of its own, with nothing running and nothing made, and four runs on it:

- all: every movie, as observed on three dates;
- 1 %: a hundredth of the movies, observed once more, for which services have never merged anything;
- 1 %, next day: the same movies on the day after, as on any later day;
- none: the same again, of which nothing is new.

It prints Markdown and draws the growth of each step, both for `docs/performance.md`, and keeps all figures with the
content hash of each table in `benchmarks/scale.json`: what is faster after a change must hold the same. Sizes that are
not measured this time stand there as they were, with the commit that they were measured at.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np

from lakehouse.hive import query
from lakehouse.services import stack
from lakehouse.settings import Settings, load_settings
from tests import lake
from tests.instance import ROOT, lakehouse, selected, variables

SIZES = (5_000, 20_000, 100_000, 1_000_000)
# Of each run: on which part of the movies, the day that it is for, and when they were observed.
_RUNS = {
    "all": (1.0, "2026-02-01", "2026-01-02,2026-01-23,2026-01-29"),
    "1 %": (0.01, "2026-02-08", "2026-02-08"),
    "1 %, next day": (0.01, "2026-02-09", "2026-02-09"),
    "none": (0.01, "2026-02-09", "2026-02-09"),
}
_RESULTS = Path(__file__).with_name("scale.json")
_PLOT = Path(__file__).parent.parent / "docs" / "growth.svg"
_GIB = 1024**3

_SCHEMAS = ("bronze", "staging", "silver", "graph", "gold_build")
# 64 bits of a hash of all rows, in any order: what a run's clock or name is part of is left out.
_WITHOUT_CONTENT = ("bronze.requested_movies",)


def _heaps(movies: int) -> dict[str, str]:
    """Heaps in MiB that fit the size, and together the machine."""
    thrift, job = (10_240, 6_144) if movies > 300_000 else (4_096, 2_048)
    # The stand-in for MongoDB holds all documents twice while it is exported to: nine a movie, 2.3 KiB each.
    mongo = min(8_192, 768 + movies * 9 * 2 * 3 // 1_024)
    return {
        "LAKEHOUSE_THRIFT__DRIVER_MEMORY_MB": str(thrift),
        "LAKEHOUSE_SPARK__DRIVER_MEMORY_MB": str(job),
        "LAKEHOUSE_MONGO__HEAP_MB": str(mongo),
    }


@contextmanager
def _instance(movies: int) -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="scale-") as home:
        instance = {**variables(Path(home)), **_heaps(movies)}
        try:
            yield instance
        finally:
            with selected(instance):
                stack.down(load_settings())


def _asked(instance: Mapping[str, str], *arguments: str) -> None:
    answer = lakehouse(dict(instance), *arguments, timeout=4 * 3600)
    if answer.returncode != 0:
        sys.exit(answer.stdout + answer.stderr)


def _cycle(instance: Mapping[str, str], movies: int, day: str, dates: str) -> dict[str, Any]:
    synthetic = ("--source", "synthetic", "--movies", str(movies), "--dates", dates)
    _asked(instance, "run", *synthetic, "--as-of", day)
    with selected(dict(instance)):
        settings = load_settings()
        ((run_id,),) = query(settings, "select max_by(run_id, started_at) from ops.runs where kind = 'run'").rows
        return _costs(settings, str(run_id))


def _rows(settings: Settings, sql: str) -> list[dict[str, Any]]:
    answer = query(settings, sql)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def _costs(settings: Settings, run_id: str) -> dict[str, Any]:
    """What the run recorded of itself, and what the tables hold after it."""
    steps = _rows(
        settings,
        f"""
        select steps.step, any_value(steps.seconds) as seconds, any_value(steps.step_number) as step_number,
            sum(stages.cpu_seconds) as cpu_seconds, sum(stages.gc_seconds) as gc_seconds,
            sum(stages.input_bytes) as input_bytes, sum(stages.output_bytes) as output_bytes,
            sum(stages.shuffle_write_bytes) as shuffle_bytes, sum(stages.spilled_bytes) as spilled_bytes
        from ops.steps as steps
        left join ops.stage_metrics as stages
            on steps.run_id = stages.run_id and stages.submitted_at >= steps.started_at
            and stages.submitted_at < steps.finished_at
        where steps.run_id = '{run_id}'
        group by steps.step
        order by step_number
        """,
    )
    return {
        "run_id": run_id,
        "steps": {row.pop("step"): row for row in steps},
        "seconds": query(settings, f"select seconds from ops.runs where run_id = '{run_id}'").rows[0][0],
        "nodes": _rows(
            settings,
            f"""
            select node_name, kind, seconds from ops.dbt_results
            where run_id = '{run_id}' and seconds is not null order by seconds desc
            """,
        ),
        "memory_mb": dict(
            query(settings, f"select resource, peak_memory_mb from ops.resources where run_id = '{run_id}'").rows
        ),
        "tables": _tables(settings),
    }


def _tables(settings: Settings) -> dict[str, dict[str, Any]]:
    """Rows, content hash, files and bytes of each table."""
    found: dict[str, dict[str, Any]] = {}
    for name, (rows, content) in lake.content(settings, *_SCHEMAS, without=_WITHOUT_CONTENT).items():
        found[name] = {"rows": rows, "content": content}
        kind = query(settings, f"describe extended {name}").rows
        if not any(row[:2] == ("Type", "VIEW") for row in kind):
            ((files, size),) = [
                (row["numFiles"], row["sizeInBytes"]) for row in _rows(settings, f"describe detail {name}")
            ]
            found[name] |= {"files": files, "bytes": size}
    return found


def measured(movies: int) -> dict[str, Any]:
    """The runs of one size."""
    with _instance(movies) as instance:
        _asked(instance, "up")
        found: dict[str, Any] = {
            name: _cycle(instance, max(1, round(movies * part)), day, dates)
            for name, (part, day, dates) in _RUNS.items()
        }
        found["disk"] = {"free_gib": round(shutil.disk_usage(instance["LAKEHOUSE_HOME"]).free / _GIB, 1)}
        return found


def _commit() -> str:
    named = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return named.stdout.strip()


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """How the seconds grow with the size: 1 is in proportion (the slope of the logarithms)."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def _cell(value: float | None, unit: float = 1.0) -> str:
    return "" if value is None else f"{value / unit:,.1f}"


def report(results: Mapping[int, Mapping[str, Any]]) -> str:
    """The figures as Markdown."""
    sizes = sorted(results)
    large = [size for size in sizes if size >= 20_000]
    steps = list(results[sizes[0]]["all"]["steps"])
    lines = []
    for run in _RUNS:
        lines += [
            f"\n| {run}: seconds | {' | '.join(f'{size:,}' for size in sizes)} | exponent from {large[0]:,} |"
            if len(large) > 1
            else f"\n| {run}: seconds | {' | '.join(f'{size:,}' for size in sizes)} | |",
            "|---|" + "---:|" * (len(sizes) + 1),
        ]
        for step in [*steps, "in all"]:
            seconds = {
                size: results[size][run]["seconds"]
                if step == "in all"
                else results[size][run]["steps"].get(step, {}).get("seconds")
                for size in sizes
            }
            grown = [seconds[size] for size in large]
            slope = f"{exponent(large, grown):.2f}" if len(large) > 1 and all(grown) else ""
            lines.append(f"| {step} | {' | '.join(_cell(seconds[size]) for size in sizes)} | {slope} |")
    most = results[sizes[-1]]["all"]
    lines += [
        f"\n| {sizes[-1]:,} movies | CPU s in tasks | read GiB | written GiB | shuffled GiB | spilled GiB |",
        "|---|" + "---:|" * 5,
    ]
    for step, cost in most["steps"].items():
        sizes_of = [
            _cell(cost[name], _GIB) for name in ("input_bytes", "output_bytes", "shuffle_bytes", "spilled_bytes")
        ]
        lines.append(f"| {step} | {_cell(cost['cpu_seconds'])} | {' | '.join(sizes_of)} |")
    lines += ["\n| MiB at most | " + " | ".join(f"{size:,}" for size in sizes) + " |", "|---|" + "---:|" * len(sizes)]
    for name in most["memory_mb"]:
        lines.append(f"| {name} | {' | '.join(_cell(results[size]['all']['memory_mb'].get(name)) for size in sizes)} |")
    lines += ["\n| slowest nodes of dbt | seconds |", "|---|---:|"]
    lines += [f"| `{node['node_name']}` | {node['seconds']:.1f} |" for node in most["nodes"][:15]]
    return "\n".join(lines)


def draw(results: Mapping[int, Mapping[str, Any]], path: Path) -> None:
    """Seconds of each step over the number of movies, both logarithmic."""
    values = [
        {"movies": size, "seconds": cost["seconds"], "step": step}
        for size, runs in results.items()
        for step, cost in {**runs["all"]["steps"], "in all": {"seconds": runs["all"]["seconds"]}}.items()
    ]
    chart = (
        alt.Chart({"values": values})
        .mark_line(point=True)
        .encode(
            x=alt.X("movies:Q", scale=alt.Scale(type="log"), title="movies, each observed on three dates"),
            y=alt.Y("seconds:Q", scale=alt.Scale(type="log"), title="seconds"),
            color=alt.Color("step:N", sort=None, title="step"),
        )
        .properties(width=640, height=400)
    )
    chart.save(str(path))


def main() -> None:
    """Measure, print, draw, and keep the figures beside this file."""
    kept = json.loads(_RESULTS.read_text(encoding="utf-8")) if _RESULTS.exists() else {}
    results: dict[int, dict[str, Any]] = {int(size): found for size, found in kept.items()}
    for movies in [int(size) for size in sys.argv[1:]] or SIZES:
        results[movies] = {**measured(movies), "commit": _commit()}
        _RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(report(results))
    if len(results) > 1:
        draw(results, _PLOT)


if __name__ == "__main__":
    main()
