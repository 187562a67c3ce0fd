"""What must be there before Airflow starts: its database, the pool, the connections, and dbt's manifest.

`python -m orchestration.airflow.prepare`, in Airflow's environment. All in one process: each call of Airflow's command
takes seconds to import.
"""

import json
import tempfile
from collections.abc import Container, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from lakehouse.settings import Settings, load_settings
from orchestration import dbt
from orchestration.airflow.connections import declared
from orchestration.airflow.instance import POOL, manifest_file, write_private
from orchestration.tasks import TASKS

_UNREAD = ("raw_code", "columns", "docs", "patch_path", "unrendered_config", "checksum", "refs", "sources")
"""What Cosmos does not look at, of a node."""


def main() -> None:
    """Prepare; can be run again at any time."""
    settings = load_settings()
    write_manifests(settings)
    _airflow("db", "migrate")
    _airflow("pools", "set", POOL, "1", "What writes to the lake: one at a time")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "connections.json")
        path.write_text(json.dumps(declared(settings)), encoding="utf-8")
        # What somebody has set in Airflow stays.
        _airflow("connections", "import", str(path))


def write_manifests(settings: Settings) -> None:
    """Have dbt read its project; put a manifest for each group of models where the DAGs look for it."""
    manifest = dbt.parse(settings)
    whole = json.loads((settings.home / "dbt" / "target" / "manifest.json").read_text(encoding="utf-8"))
    for selector in sorted({task.selector for task in TASKS if task.selector}):
        chosen = set(dbt.selected(settings, selector, manifest))
        write_private(manifest_file(settings, selector), json.dumps(reduced(whole, chosen)))


def reduced(manifest: Mapping[str, Any], chosen: Container[str]) -> dict[str, Any]:
    """A manifest of the chosen nodes, with what Cosmos looks at of each; a DAG file is parsed again and again.

    Cosmos has a test run, and wait, with every model that it reads. Here it belongs to one, the last of these that is
    built; dbt does the same: what is built from that one waits for the test, the models before it do not. A task that
    asks dbt for the tests of a model leaves out those that belong to others.
    """
    nodes = manifest["nodes"]
    inner = {name: [one for one in node["depends_on"]["nodes"] if one in nodes] for name, node in nodes.items()}
    place = {name: number for number, name in enumerate(TopologicalSorter(inner).static_order())}
    readers: dict[str, list[str]] = {}
    owners: dict[str, str] = {}
    for name, node in nodes.items():
        if node["resource_type"] == "test":
            for one in inner[name]:
                readers.setdefault(one, []).append(name)
            read = [one for one in inner[name] if one in chosen]
            if name in chosen and read:
                owners[name] = max(read, key=place.__getitem__)

    def slim(name: str) -> dict[str, Any]:
        node = {field: value for field, value in nodes[name].items() if field not in _UNREAD}
        if name in owners:
            others = sorted(nodes[one]["name"] for one in readers[owners[name]] if owners.get(one) != owners[name])
            node["depends_on"] = {**node["depends_on"], "nodes": [owners[name]]}
            flags = {"dbt_cmd_flags": ["--exclude", *others, "resource_type:unit_test"]}
            node["config"] = {**node["config"], "meta": {"cosmos": {"operator_kwargs": flags}}}
        return node

    return {
        "metadata": manifest["metadata"],
        "selectors": manifest["selectors"],
        "sources": manifest["sources"],
        "exposures": {},
        "nodes": {name: slim(name) for name in nodes if name in chosen},
    }


def _airflow(*arguments: str) -> None:
    from airflow.cli.cli_parser import get_parser

    parsed = get_parser().parse_args(list(arguments))
    parsed.func(parsed)


if __name__ == "__main__":
    main()
