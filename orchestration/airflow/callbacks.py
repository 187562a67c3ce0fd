"""Whom a failure in Airflow is told, and what a DAG run leaves in its record: all through `lakehouse.alerts`.

Nothing here raises: a callback that fails would hide what it was called for.
"""

import logging
from collections.abc import Iterable
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from lakehouse.alerts.alert import Alert
from lakehouse.alerts.send import job_failed, tell
from lakehouse.clock import now
from lakehouse.hive import plain_message
from lakehouse.ops.journal import Journal, Row, read_run
from lakehouse.settings import Settings, load_settings
from orchestration.dbt import FAILED

_log = logging.getLogger(__name__)


def on_task_failure(context: Any) -> None:
    """Tell that a task has failed at its last attempt; a gate that was shut has told of each rule itself."""
    from orchestration.airflow.running import run_id_of

    task = context["ti"]
    error = context.get("exception")
    if isinstance(error, AirflowFailException):
        # It stands for what failed, so that it is not tried again.
        error = error.__cause__ or error
    if getattr(error, "is_told", False):
        return
    try:
        settings, run_id = load_settings(), run_id_of(context["dag_run"])
        found: tuple[Alert, ...] = ()
        if "." in task.task_id:
            found = nodes_failed(task.dag_id, read_run(Journal(settings.home, run_id).path).rows("dbt_results"), run_id)
        _tell(settings, run_id, found or (job_failed(f"{task.dag_id}.{task.task_id}", error or "unknown", run_id),))
    except Exception:  # noqa: BLE001
        _log.exception("That %s failed cannot be told.", task.task_id)


def nodes_failed(dag: str, results: Iterable[Row], run_id: str) -> tuple[Alert, ...]:
    """An alert for each dbt node whose last result is a failure, with the rows that a test found.

    Each task that waits for such a node fails; what they tell is the same, and so is told once.

    Args:
        dag: the DAG.
        results: of `ops.dbt_results`, in the order in which they were written; further lines of a message are rows.
        run_id: the run, which the command shows.
    """
    last = {row["node_id"]: row for row in results}
    found = []
    for row in last.values():
        if row["status"] in FAILED:
            message, *examples = (row["message"] or "unknown").splitlines()
            # What Spark says comes after a hundred words of where it was said.
            alert = job_failed(f"{dag}: {row['kind']} {row['node_name']}", plain_message(message), run_id)
            found.append(Alert(**{**vars(alert), "examples": tuple(examples)}))
    return tuple(found)


def on_missed_deadline(context: Any = None, **arguments: Any) -> None:
    """Tell that a run has taken longer than it may."""
    run = (context or {}).get("dag_run") or {}
    dag = run.get("dag_id", "a DAG") if isinstance(run, dict) else run.dag_id
    try:
        settings = load_settings()
        late = f"The run has not ended within {settings.airflow.deadline_minutes:g} minutes."
        _tell(settings, "airflow", (Alert("critical", "delay", dag, late, "lakehouse airflow status"),))
    except Exception:  # noqa: BLE001
        _log.exception("That %s is late cannot be told.", dag)


def on_run_end(context: Any) -> None:
    """Record how a DAG run has ended."""
    from lakehouse.ops.recording import ended
    from orchestration.airflow.running import run_id_of

    run = context["dag_run"]
    is_good = str(run.state) == "success"
    reason = None if is_good else str(context.get("reason") or "a task failed")
    try:
        ended(load_settings(), run_id_of(run), "succeeded" if is_good else "failed", reason, now())
    except Exception:  # noqa: BLE001
        _log.exception("How %s ended cannot be recorded.", run.run_id)


def _tell(settings: Settings, run_id: str, alerts: Iterable[Alert]) -> None:
    journal = Journal(settings.home, run_id)
    for told in tell(settings, tuple(alerts), run_id, now()):
        journal.write("alerts", told.row())
