"""The three DAGs, made of the tasks in `orchestration.tasks`: which follows which, when they run, and who is told."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, Asset, CronTriggerTimetable, Param, TriggerRule
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert
from airflow.sdk.definitions.param import ParamsDict

from lakehouse.settings import Settings, load_settings
from orchestration.airflow import callbacks
from orchestration.airflow.deadlines import RunQueued
from orchestration.airflow.instance import POOL
from orchestration.airflow.running import run_task
from orchestration.tasks import BRONZE, GOLD, TASKS, Task

RETRIES = 3

_ASSETS = {"tmdb_transform": BRONZE, "tmdb_aggregate": GOLD}


def build_dag(name: str, about: str) -> DAG:
    """Make one of the DAGs.

    Args:
        name: tmdb_ingest, tmdb_transform or tmdb_aggregate.
        about: Markdown, shown on the DAG's page; its first line is the description.
    """
    settings = load_settings()
    scheduled: Any = [Asset(_ASSETS[name])] if name in _ASSETS else _timetable(settings)
    with DAG(
        name,
        description=about.strip().splitlines()[0],
        doc_md=about,
        schedule=scheduled,
        catchup=False,
        max_active_runs=1,
        tags=["tmdb", name.removeprefix("tmdb_")],
        default_args={
            "owner": "lakehouse",
            "retries": RETRIES,
            "retry_delay": timedelta(seconds=settings.airflow.retry_seconds),
            "retry_exponential_backoff": 2.0,
            "max_retry_delay": timedelta(minutes=15),
            "on_failure_callback": callbacks.on_task_failure,
        },
        on_success_callback=callbacks.on_run_end,
        on_failure_callback=callbacks.on_run_end,
        deadline=DeadlineAlert(
            reference=RunQueued(),
            interval=timedelta(minutes=settings.airflow.deadline_minutes),
            callback=SyncCallback("orchestration.airflow.callbacks.on_missed_deadline"),
        ),
        render_template_as_native_obj=False,
    ) as dag:
        made: dict[str, Any] = {}
        for task in tasks_of(name):
            made[task.name] = _made(settings, task)
            for before in task.after:
                made[before] >> made[task.name]
    # Given before, each task would carry a copy, to be checked at each parse. Airflow joins those of the DAG to a
    # task's when it runs.
    dag.params = ParamsDict(_params())
    return dag


def _timetable(settings: Settings) -> CronTriggerTimetable:
    # Unpaused between two times, it waits for the next one: what was missed is in the next batch anyway.
    return CronTriggerTimetable(settings.airflow.schedule, timezone="UTC", run_immediately=timedelta(0))


def tasks_of(dag: str) -> Iterable[Task]:
    """The tasks of a DAG, in an order in which they can run."""
    return (task for task in TASKS if task.dag == dag)


def _made(settings: Settings, task: Task) -> Any:
    if task.selector:
        # Cosmos takes a second to import, and two of the three DAGs have no use for it.
        from orchestration.airflow.rendering import dbt_group

        return dbt_group(settings, task.name, task.selector, task.about)
    return PythonOperator(
        task_id=task.name,
        python_callable=run_task,
        op_kwargs={"name": task.name},
        doc_md=task.about,
        pool=POOL if task.uses_spark else "default_pool",
        outlets=[Asset(task.gives)] if task.gives else [],
        trigger_rule=TriggerRule.NONE_FAILED if task.runs_anyway else TriggerRule.ALL_SUCCESS,
    )


def _params() -> dict[str, Param]:
    def instant(title: str, description: str) -> Param:
        return Param(None, title=title, description=description, type=["null", "string"], format="date-time")

    return {
        "from": instant("Backfill from", "changes from this instant on, UTC"),
        "to": instant("Backfill to", "changes until this instant, UTC"),
        "full_refresh": Param(False, type="boolean", description="build incremental models anew"),
        "dry_run": Param(False, type="boolean", description="say what would be done; write nothing"),
    }
