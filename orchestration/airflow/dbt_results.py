"""What a dbt call of Cosmos leaves behind: recorded with its DAG run, and told where a node failed.

Cosmos runs dbt in a copy of the project that is gone afterwards; it calls `keep` while the copy is there.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakehouse.clock import now
from lakehouse.errors import LakehouseError
from lakehouse.hive import query
from lakehouse.settings import Settings, load_settings
from orchestration.dbt import FAILED, Node

_log = logging.getLogger(__name__)

EXAMPLES = 5
"""So many rows of a test that failed are told."""


def keep(project_dir: str, context: Mapping[str, Any]) -> None:
    """Record what became of each node; rows that a failed test found follow its message, a line each.

    Args:
        project_dir: Cosmos' copy of the project.
        context: Airflow's.
    """
    from lakehouse.ops.journal import Journal
    from lakehouse.ops.recorder import Recorder
    from orchestration.airflow.running import run_id_of

    target = Path(project_dir, "target")
    try:
        settings = load_settings()
        nodes = [with_examples(settings, target, node) for node in read_nodes(target)]
        Recorder(Journal(settings.home, run_id_of(context["dag_run"])), now()).dbt(nodes)
        for node in nodes:
            if node.status in FAILED:
                _log.error("%s %s: %s", node.kind, node.name, node.message)
    except Exception:  # noqa: BLE001
        _log.exception("What dbt has done cannot be recorded.")


def read_nodes(target: Path) -> Iterator[Node]:
    """The nodes of the last call, from `run_results.json`; none where dbt stopped before its first."""
    path = target / "run_results.json"
    if not path.is_file():
        return
    found = json.loads(path.read_text(encoding="utf-8"))
    invocation = found["metadata"]["invocation_id"]
    for result in found["results"]:
        kind, _, name = result["unique_id"].split(".")[:3]
        times = {one["name"]: one for one in result["timing"]}
        begun = [_utc(one["started_at"]) for one in times.values() if one.get("started_at")]
        ended = [_utc(one["completed_at"]) for one in times.values() if one.get("completed_at")]
        yield Node(
            name=name,
            kind=kind,
            status=result["status"],
            seconds=float(result["execution_time"]),
            message=" ".join(str(result.get("message") or "").split()),
            unique_id=result["unique_id"],
            invocation_id=invocation,
            thread=str(result.get("thread_id") or ""),
            started_at=min(begun, default=None),
            finished_at=max(ended, default=None),
            failures=result.get("failures"),
        )


def with_examples(settings: Settings, target: Path, node: Node) -> Node:
    """The node, with some of the rows that it found where it is a test that failed."""
    if node.status != "fail":
        return node
    try:
        rows = examples(settings, target, node)
    except LakehouseError as error:
        rows = [f"the rows cannot be asked for: {error.message}"]
    return replace(node, message="\n".join((node.message, *rows)))


def examples(settings: Settings, target: Path, node: Node) -> list[str]:
    """Some of the rows that a failed test found, a line each."""
    compiled = next(target.glob(f"compiled/**/{node.name}.sql"), None)
    if compiled is None:
        return []
    found = query(settings, f"select * from ({compiled.read_text(encoding='utf-8')}\n) as failing limit {EXAMPLES}")
    return [", ".join(f"{name}={value}" for name, value in zip(found.columns, row, strict=True)) for row in found.rows]


def _utc(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
