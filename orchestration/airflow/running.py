"""A task of the cycle, run by Airflow: its context becomes what is asked for, what came of it an asset's metadata."""

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from typing import Any

from lakehouse.settings import load_settings

_log = logging.getLogger(__name__)

_CHATTY = ("py4j.clientserver", "pyrate_limiter")


def run_task(name: str, **context: Any) -> dict[str, Any]:
    """Do a task's work; give what came of it, for people and for the DAGs that follow.

    Args:
        name: of `orchestration.tasks.TASKS`.
        context: Airflow's.

    Raises:
        LakehouseError: the work failed; Airflow tries again.
        AirflowFailException: it failed, and would again.
        AirflowSkipException: nothing has landed that another DAG could go on with, or it is a dry run.
    """
    from airflow.sdk.exceptions import AirflowSkipException

    from orchestration.airflow import driver
    from orchestration.airflow.connections import applied, found_in, of_airflow
    from orchestration.airflow.performing import perform
    from orchestration.tasks import BY_NAME

    task = BY_NAME[name]
    if context["params"]["dry_run"]:
        _log.info("A dry run. Without it: %s", task.about)
        if task.gives:
            raise AirflowSkipException("a dry run: no DAG follows")
        return {}
    for noise in _CHATTY:
        logging.getLogger(noise).setLevel(logging.WARNING)
    mend_services()
    settings, asked = load_settings(), asked_of(name, context)
    with _without_vain_retries():
        if task.uses_spark and settings.airflow.keeps_driver:
            told = driver.perform(settings, asked, found_in(of_airflow), _log)
        else:
            told = perform(applied(settings, of_airflow), asked, _log)
    if task.gives:
        if not told["is_new"]:
            raise AirflowSkipException("nothing landed, and Silver has read all that is in Bronze")
        _give(context, task.gives, told)
    return told


@contextmanager
def _without_vain_retries() -> Iterator[None]:
    """Fail for good where trying again gives the same: a gate is shut, a field is gone, a setting is wrong."""
    from airflow.sdk.exceptions import AirflowFailException

    from lakehouse.errors import LakehouseError

    try:
        yield
    except LakehouseError as error:
        if error.is_final:
            raise AirflowFailException(str(error)) from error
        raise


def before_dbt(context: Any) -> None:
    """What comes before a task of Cosmos does its work.

    Raises:
        AirflowSkipException: it is a dry run.
        WriterBusy: a dbt run that is not of this DAG run builds Silver and Gold, and does not end.
    """
    from airflow.sdk.exceptions import AirflowSkipException
    from cosmos.constants import PRODUCER_WATCHER_TASK_ID

    from orchestration import writer_lock

    if context["params"]["dry_run"]:
        raise AirflowSkipException("a dry run: nothing is built")
    mend_services()
    settings, ti, run_id = load_settings(), context["ti"], run_id_of(context["dag_run"])
    os.environ.update(writer_lock.variable(run_id))
    # At its first attempt a task that watches a model starts no dbt.
    is_watching = settings.airflow.execution_mode == "watcher" and not ti.task_id.endswith(PRODUCER_WATCHER_TASK_ID)
    if ti.try_number > 1 or not is_watching:
        writer_lock.wait_for_turn(settings, run_id, _log.info)


def mend_services() -> None:
    """Start anew a service of this machine that has died since `lakehouse up`: a retry then finds it."""
    from lakehouse.services import stack

    for name in stack.mend(load_settings()):
        _log.warning("%s had died; it runs again.", name)


def run_id_of(dag_run: Any) -> str:
    """How a DAG run is called in `ops.runs`: the same for each task and each attempt."""
    digest = hashlib.sha256(str(dag_run.run_id).encode()).hexdigest()[:6]
    return f"{dag_run.dag_id}-{dag_run.run_after.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest}"


def asked_of(name: str, context: Mapping[str, Any]) -> Any:
    """What a task of a DAG run is asked to do: `orchestration.airflow.performing.Asked`."""
    from orchestration.airflow.performing import Asked

    run, ti = context["dag_run"], context["ti"]
    events = context.get("triggering_asset_events") or {}
    extras = [event.extra or {} for found in events.values() for event in found]
    return Asked(
        task=name,
        run_id=run_id_of(run),
        run_after=run.run_after.astimezone(UTC),
        started_at=run.start_date.astimezone(UTC),
        params=dict(context["params"]),
        given={**(extras[-1] if extras else {}), **(ti.xcom_pull(task_ids="validate_silver_data") or {})},
        sample=(ti.xcom_pull(task_ids="fetch_recent_movies") or {}).get("sample"),
    )


def _give(context: Mapping[str, Any], name: str, told: Mapping[str, Any]) -> None:
    from airflow.sdk import Asset

    context["outlet_events"][Asset(name)].extra = dict(told)
