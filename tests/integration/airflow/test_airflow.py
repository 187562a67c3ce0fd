"""A real Airflow over the tests' instance: what it knows of the DAGs, who is let in, and a dry run of each."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from orchestration.airflow.client import DAGS
from orchestration.airflow.instance import POOL, environment
from orchestration.airflow.server import address
from orchestration.tasks import BRONZE, GOLD, TASKS
from tests.instance import lakehouse, selected
from tests.scheduler import Scheduler, scheduler

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

GROUPS = {task.name: task for task in TASKS if task.selector}


@pytest.fixture(scope="module")
def airflow(stack: dict[str, str]) -> Iterator[Scheduler]:
    with scheduler(stack) as running:
        yield running


@pytest.fixture(scope="module")
def tasks(airflow: Scheduler) -> dict[str, dict[str, Any]]:
    """Each task of each DAG, by `dag.task`, as Airflow knows it."""
    return {
        f"{dag}.{task['task_id']}": task
        for dag in DAGS
        for task in airflow.client.ask("GET", f"dags/{dag}/tasks")["tasks"]
    }


def test_no_file_fails_to_import(airflow: Scheduler) -> None:
    with selected(airflow.instance):
        variables = environment(airflow.settings)
    said = subprocess.run(
        [sys.executable, "-m", "airflow", "dags", "list-import-errors", "--output", "json"],
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    # What Airflow warns of goes before it.
    assert said.strip().splitlines()[-1] == "[]"


@pytest.mark.parametrize(("dag", "timetable"), zip(DAGS, ("0 */4 * * *", "Asset", "Asset"), strict=True))
def test_a_dag_has_its_schedule_limits_and_documentation(airflow: Scheduler, dag: str, timetable: str) -> None:
    found = airflow.client.ask("GET", f"dags/{dag}/details")
    assert found["timetable_summary"] == timetable
    assert found["max_active_runs"] == 1
    assert found["catchup"] is False
    assert {tag["name"] for tag in found["tags"]} == {"tmdb", dag.removeprefix("tmdb_")}
    assert set(found["params"]) == {"from", "to", "full_refresh", "dry_run"}
    assert found["doc_md"].startswith(found["description"])
    assert found["default_args"]["retries"] == 3
    assert found["default_args"]["retry_exponential_backoff"]


def test_the_tasks_are_those_of_the_definition_in_its_order(tasks: dict[str, dict[str, Any]]) -> None:
    for task in TASKS:
        if task.selector:
            continue
        found = tasks[f"{task.dag}.{task.name}"]
        assert found["retries"] == 3, task.name
        assert found["pool"] == (POOL if task.uses_spark else "default_pool"), task.name
        followers = {other.name for other in TASKS if other.dag == task.dag and task.name in other.after}
        assert {name.partition(".")[0] for name in found["downstream_task_ids"]} == followers, task.name


def test_each_model_is_a_task_with_its_tests_after_it(tasks: dict[str, dict[str, Any]]) -> None:
    for group, models in {
        "silver": {"movies", "people", "cast_members", "reviews"},
        "gold": {"movie_performance", "genre_trends"},
        "network": {"actor_centrality", "network_evolution"},
    }.items():
        for model in models:
            run = tasks[f"tmdb_transform.{group}.{model}.run"]
            assert f"{group}.{model}.test" in run["downstream_task_ids"], model
    records = tasks["tmdb_transform.silver.movie_records.test"]
    assert "silver.movies.run" in records["downstream_task_ids"]


def test_one_call_of_dbt_writes_at_a_time(tasks: dict[str, dict[str, Any]], airflow: Scheduler) -> None:
    writers = {name for name, task in tasks.items() if task["pool"] == POOL}
    assert {f"tmdb_transform.{group}.dbt_producer_watcher" for group in GROUPS} <= writers
    assert airflow.client.ask("GET", f"pools/{POOL}")["slots"] == 1


def test_the_dags_are_chained_by_assets(airflow: Scheduler) -> None:
    assets = {one["name"]: one for one in airflow.client.ask("GET", "assets")["assets"]}
    for name, source, target in ((BRONZE, *DAGS[:2]), (GOLD, *DAGS[1:])):
        assert [one["dag_id"] for one in assets[name]["producing_tasks"]] == [source]
        assert [one["dag_id"] for one in assets[name]["scheduled_dags"]] == [target]


def test_pages_and_api_are_for_who_has_logged_in(airflow: Scheduler) -> None:
    with httpx.Client(base_url=address(airflow.settings)) as nobody:
        assert nobody.get("/api/v2/dags").status_code == 401
        assert nobody.get("/lakehouse/report/index.html").status_code == 401
        asked = nobody.get("/lakehouse/report/index.html", headers={"accept": "text/html"})
        assert (asked.status_code, asked.headers["location"].startswith("/auth/login")) == (307, True)


def test_a_dry_run_says_what_it_would_do_and_starts_no_other_dag(airflow: Scheduler) -> None:
    (ended,) = airflow.run("tmdb_ingest", dry_run=True)
    assert ended.state == "success"
    states = airflow.states(ended)
    assert states.pop("store_to_bronze_layer") == "skipped"
    assert set(states.values()) == {"success"}
    assert "A dry run. Without it: Which movies have changed" in airflow.log(ended, "fetch_recent_movies")


def test_status_names_the_processes_and_the_last_runs(airflow: Scheduler) -> None:
    answer = lakehouse(airflow.instance, "airflow", "status")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    for said in ("airflow-scheduler", "healthy", "tmdb_ingest", "success"):
        assert said in answer.stdout
