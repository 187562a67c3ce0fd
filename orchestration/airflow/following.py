"""A run of a DAG and the runs that follow from it, watched until they have ended."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestration.airflow.client import DAGS, ENDED, Client

_POLL_SECONDS = 2.0
# Airflow queues a run of the next DAG some seconds after the task that gives it its asset.
_GRACE_SECONDS = 20.0


@dataclass(frozen=True)
class EndedRun:
    """How a run of a DAG ended.

    Args:
        dag: its DAG.
        run_id: its id there.
        state: success or failed.
        seconds: how long it took.
        failed: the tasks that failed, or could not run since others had.
    """

    dag: str
    run_id: str
    state: str
    seconds: float
    failed: tuple[str, ...]


def follow(
    asked: Client, dag: str, run_id: str, on_detail: Callable[[str], None] = lambda text: None
) -> list[EndedRun]:
    """Wait for a run, and for those that follow from it; give how each ended."""
    found = [_ended(asked, dag, run_id, on_detail)]
    for following in DAGS[DAGS.index(dag) + 1 :]:
        if found[-1].state != "success":
            break
        next_id = _follower(asked, following, found[-1])
        if next_id is None:
            break
        found.append(_ended(asked, following, next_id, on_detail))
    return found


def _ended(asked: Client, dag: str, run_id: str, on_detail: Callable[[str], None]) -> EndedRun:
    while True:
        run = asked.ask("GET", f"dags/{dag}/dagRuns/{run_id}")
        tasks = asked.tasks(dag, run_id)
        if run["state"] in ENDED:
            failed = sorted(task["task_id"] for task in tasks if task["state"] in ("failed", "upstream_failed"))
            return EndedRun(dag, run_id, run["state"], float(run["duration"] or 0), tuple(failed))
        done = sum(task["state"] in ("success", "skipped", "failed", "upstream_failed") for task in tasks)
        now = ", ".join(sorted(task["task_id"] for task in tasks if task["state"] in ("running", "deferred"))[:3])
        on_detail(f"{dag}: {done} of {len(tasks)} tasks done{f', now {now}' if now else ''}")
        time.sleep(_POLL_SECONDS)


def _follower(asked: Client, dag: str, before: EndedRun) -> str | None:
    """The run that an asset of the run before has started; None where there is none."""
    deadline = time.monotonic() + _GRACE_SECONDS
    while True:
        for run in asked.runs(dag):
            if _source(asked, dag, run) == before.run_id:
                return str(run["dag_run_id"])
        if time.monotonic() > deadline:
            return None
        time.sleep(_POLL_SECONDS)


def _source(asked: Client, dag: str, run: dict[str, Any]) -> str | None:
    if run["run_type"] != "asset_triggered":
        return None
    events = asked.ask("GET", f"dags/{dag}/dagRuns/{run['dag_run_id']}/upstreamAssetEvents")["asset_events"]
    return next((str(event["source_run_id"]) for event in events if event.get("source_run_id")), None)
