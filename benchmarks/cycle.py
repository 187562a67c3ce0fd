"""What the demo costs: seconds a step and a dbt node, and the memory of each process.

The demo runs three times on an instance of its own: with nothing running (services start, tables are made); warm, where
services have run a cycle before and every table has been dropped; and again on that lake, with nothing new to land. It
prints Markdown tables, which `docs/performance.md` holds, and keeps the figures as JSON.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from lakehouse.services import stack
from lakehouse.settings import load_settings
from tests import lake
from tests.instance import lakehouse, selected, variables

_FROM_NOTHING, _WARM, _AGAIN = "from nothing", "warm, no tables", "again, nothing new"
_RUNS = {
    _FROM_NOTHING: ["demo", "--as-of", "2026-02-01"],
    _WARM: ["demo", "--as-of", "2026-02-01"],
    _AGAIN: ["demo", "--as-of", "2026-02-02"],
}


def recorded(instance: dict[str, str], arguments: list[str]) -> dict[str, Any]:
    """Run a command of the main job; give what it recorded of itself."""
    runs = Path(instance["LAKEHOUSE_HOME"]) / "runs"
    known = set(runs.glob("*.json"))
    answer = lakehouse(instance, *arguments, timeout=1800)
    if answer.returncode != 0:
        sys.exit(answer.stdout + answer.stderr)
    (made,) = set(runs.glob("*.json")) - known
    found: dict[str, Any] = json.loads(made.read_text())
    return found


def _nodes(record: dict[str, Any], kind: str) -> str:
    seconds = [node["seconds"] for node in record["nodes"] if node["kind"] == kind]
    worst = next(node for node in record["nodes"] if node["kind"] == kind)
    return f"{len(seconds)}: median {statistics.median(seconds):.1f}, worst {worst['seconds']:.1f} (`{worst['name']}`)"


def tables(records: dict[str, dict[str, Any]]) -> str:
    """The figures as Markdown."""
    names = list(records)
    steps = list(next(iter(records.values()))["seconds"])
    lines = ["| seconds | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for step in steps:
        lines.append(f"| {step} | " + " | ".join(f"{records[name]['seconds'][step]:.1f}" for name in names) + " |")
    lines.append("| in all | " + " | ".join(f"{records[name]['elapsed']:.1f}" for name in names) + " |")
    for kind in ("model", "test"):
        lines.append(f"| dbt {kind}s | " + " | ".join(_nodes(records[name], kind) for name in names) + " |")
    lines += ["", "| process | MiB after the run |", "|---|---|"]
    lines += [f"| {name} | {memory:,} |" for name, memory in records[names[0]]["memory_mb"].items()]
    lines += ["", f"| slowest dbt nodes, {_WARM} | seconds |", "|---|---|"]
    lines += [f"| `{node['name']}` | {node['seconds']:.1f} |" for node in records[_WARM]["nodes"][:10]]
    return "\n".join(lines)


def main() -> None:
    """Run, print, and keep the figures beside this file."""
    with tempfile.TemporaryDirectory() as home:
        # The demo's own sizes, on ports of its own.
        instance = {name: value for name, value in variables(Path(home)).items() if "MEMORY" not in name}
        try:
            records = {}
            for name, arguments in _RUNS.items():
                if name == _WARM:
                    with selected(instance):
                        lake.drop(load_settings())
                        lake.drop_documents(load_settings())
                records[name] = recorded(instance, arguments)
        finally:
            with selected(instance):
                stack.down(load_settings())
    print(tables(records))
    (Path(__file__).parent / "cycle.json").write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
