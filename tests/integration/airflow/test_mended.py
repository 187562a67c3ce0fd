"""Faults under a real scheduler: the right state of each task, the right alert, and the same tables in the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestration.airflow.following import EndedRun, follow
from tests.instance import lakehouse, selected
from tests.integration.airflow.conftest import World, content

pytestmark = [pytest.mark.stack, pytest.mark.timeout(2400)]


@pytest.fixture(autouse=True)
def its_settings(world: World) -> Iterator[None]:
    with selected(world.airflow.instance):
        yield


@contextmanager
def _broken(path: Path, text: str) -> Iterator[None]:
    good = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(good, encoding="utf-8")


def _told(world: World) -> str:
    return "\n".join(str(payload) for payload in world.slack.payloads)


def _require_built_and_published(runs: list[EndedRun], world: World, good: dict[str, Any]) -> None:
    assert [(run.dag, run.state) for run in runs] == [("tmdb_transform", "success"), ("tmdb_aggregate", "success")]
    assert content(world) == good


def test_a_model_that_fails_is_told_and_its_followers_wait(world: World, good: dict[str, Any]) -> None:
    world.slack.payloads.clear()
    people = world.project / "models" / "silver" / "people.sql"
    # Before the model itself, which runs nothing where it has nothing new to read.
    fails = "{{ config(pre_hook='select no_such_column') }}\n"
    with _broken(people, fails + people.read_text(encoding="utf-8")):
        (run,) = world.airflow.run("tmdb_transform")
    assert run.state == "failed"
    states = world.airflow.states(run)
    assert states["silver.people.run"] == "failed"
    assert states["silver.people.test"] == "upstream_failed"
    assert states["silver.movies.run"] == "success"
    assert states["data_quality_validation"] == "upstream_failed"
    assert states["quality_report_generation"] == "upstream_failed"
    assert "model people" in _told(world)
    assert "no_such_column" in _told(world)
    assert content(world) == good
    _require_built_and_published(world.airflow.clear(run), world, good)


def test_a_test_that_fails_is_told_with_its_rows(world: World, good: dict[str, Any]) -> None:
    world.slack.payloads.clear()
    planted = "select movie_id, 'planted' as reason from {{ ref('movies') }} order by movie_id limit 2"
    with _broken(world.project / "tests" / "rows_are_kept.sql", planted):
        (run,) = world.airflow.run("tmdb_transform")
    assert run.state == "failed"
    states = world.airflow.states(run)
    assert states["silver.movies.run"] == "success"
    assert states["silver.movies.test"] == "failed"
    assert states["data_quality_validation"] == "upstream_failed"
    assert "test rows_are_kept" in _told(world)
    assert "reason=planted" in _told(world)
    _require_built_and_published(world.airflow.clear(run), world, good)


def test_a_thrift_server_that_is_killed_while_dbt_builds_is_started_anew(world: World, good: dict[str, Any]) -> None:
    run_id = world.airflow.start("tmdb_transform")
    # dbt has begun, and has most of Silver before it.
    world.airflow.await_task("tmdb_transform", run_id, "silver.stg_tmdb__observations.run", ("success",))
    world.airflow.kill("thrift")
    runs = follow(world.airflow.client, "tmdb_transform", run_id)
    tries = {task["task_id"]: task["try_number"] for task in world.airflow.client.tasks("tmdb_transform", run_id)}
    assert max(tries.values()) > 1
    _require_built_and_published(runs, world, good)


def test_a_scheduler_that_is_killed_goes_on_where_it_was(world: World, good: dict[str, Any]) -> None:
    run_id = world.airflow.start("tmdb_transform")
    world.airflow.await_task("tmdb_transform", run_id, "data_quality_validation")
    world.airflow.kill("airflow-scheduler")
    answer = lakehouse(world.airflow.instance, "airflow", "up", timeout=300)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    _require_built_and_published(follow(world.airflow.client, "tmdb_transform", run_id), world, good)


def test_mongodb_that_is_down_at_export_is_filled_by_the_next_attempt(world: World, good: dict[str, Any]) -> None:
    run_id = world.airflow.start("tmdb_aggregate")
    world.airflow.await_task("tmdb_aggregate", run_id, "export_to_mongodb")
    world.airflow.kill("mongo")
    (run,) = follow(world.airflow.client, "tmdb_aggregate", run_id)
    assert run.state == "success"
    assert content(world) == good


def test_tmdb_that_answers_500_is_asked_again_later(world: World) -> None:
    world.tmdb.set_today("2026-01-26T08:00:00Z")
    world.tmdb.set_faults([{"kind": "internal_error", "rate": 1.0}])
    world.slack.payloads.clear()
    try:
        run_id = world.airflow.start(as_of="2026-01-26T08:00:00Z")
        world.airflow.await_task("tmdb_ingest", run_id, "validate_api_connectivity", ("up_for_retry",))
    finally:
        world.tmdb.set_faults([])
    runs = follow(world.airflow.client, "tmdb_ingest", run_id)
    assert [run.state for run in runs] == ["success"] * 3
    assert "validate_api_connectivity" not in _told(world)
