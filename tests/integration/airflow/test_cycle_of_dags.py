"""A real scheduler: from an empty lake to documents in MongoDB; then with nothing new, and with a day's changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.hive import query
from lakehouse.ops.journal import read_runs
from tests import lake
from tests.instance import selected
from tests.integration.airflow.conftest import FIRST_DAY, MOVIES, NEXT_DAY, World
from tests.scheduler import Scheduler

pytestmark = [pytest.mark.stack, pytest.mark.timeout(3600)]


@pytest.fixture(autouse=True)
def its_settings(world: World) -> Iterator[None]:
    with selected(world.airflow.instance):
        yield


def _versions(airflow: Scheduler, *schemas: str) -> dict[str, int]:
    """The number of commits of each table."""
    views = {
        f"{row[0]}.{row[1]}" for schema in schemas for row in query(airflow.settings, f"show views in {schema}").rows
    }
    return {
        name: len(query(airflow.settings, f"describe history {name}").rows)
        for name in lake.tables(airflow.settings, *schemas)
        if name not in views
    }


def test_one_trigger_leads_from_an_empty_lake_to_mongodb(world: World) -> None:
    runs = world.airflow.run(as_of=FIRST_DAY)
    assert [(run.dag, run.state, run.failed) for run in runs] == [
        (dag, "success", ()) for dag in ("tmdb_ingest", "tmdb_transform", "tmdb_aggregate")
    ]
    for run in runs:
        assert set(world.airflow.states(run).values()) == {"success"}
        print(f"{run.dag}: {run.seconds:.0f} s, {len(world.airflow.states(run))} tasks")
    settings = world.airflow.settings
    movies = query(settings, "select count(*) from silver.movies").rows[0][0]
    assert 0.9 * MOVIES < movies <= MOVIES
    documents = lake.documents(settings)
    performance = query(settings, "select count(*) from gold.movie_performance").rows[0][0]
    assert documents["movie_performance"][0] == performance > 0
    facts = {facts.run["kind"]: facts for facts in read_runs(settings.home)}
    assert {kind: one.run["status"] for kind, one in facts.items()} == {run.dag: "succeeded" for run in runs}
    assert facts["tmdb_aggregate"].rows("steps")[0]["step"] == "validate_silver_data"
    told = [str(payload) for payload in world.slack.payloads]
    assert any("new data is published" in payload for payload in told)
    assert any("tmdb_transform" in payload and "not ended within 3 minutes" in payload for payload in told)


def test_the_airflow_state_of_each_node_is_dbt_s(world: World) -> None:
    (run,) = (one for one in read_runs(world.airflow.settings.home) if one.run["kind"] == "tmdb_transform")
    nodes = {row["node_id"]: row for row in run.rows("dbt_results")}
    last = world.airflow.client.runs("tmdb_transform", 1)[0]
    tasks = {
        task["task_id"]: task["state"] for task in world.airflow.client.tasks("tmdb_transform", last["dag_run_id"])
    }
    models = [row for row in nodes.values() if row["kind"] == "model"]
    assert len(models) > 40
    for row in models:
        # A model without tests is a task; one with tests is a group of two.
        names = (f".{row['node_name']}.run", f".{row['node_name']}_run")
        (state,) = [state for task, state in tasks.items() if task.endswith(names)]
        assert (row["status"], state) == ("success", "success"), row["node_name"]


def test_nothing_new_skips(world: World) -> None:
    before = lake.content(world.airflow.settings)
    (run,) = world.airflow.run(as_of=FIRST_DAY.replace("08:00", "12:00"))
    assert run.state == "success"
    states = world.airflow.states(run)
    assert states["store_to_bronze_layer"] == "skipped"
    assert states["cleanup_old_partitions"] == "success"
    after = lake.content(world.airflow.settings)
    # That it was asked is told, and nothing else: a view shows the batches.
    told = {"bronze.batches", "bronze.requested_movies", "staging.stg_tmdb__batches"}
    assert {name for name in after if after[name] != before[name]} <= told


def test_a_day_s_changes_build_what_they_touch(world: World, tmp_path: Path) -> None:
    settings = world.airflow.settings
    before = _versions(world.airflow, "silver", "graph", "gold_build")
    documents = lake.documents(settings)
    world.tmdb.set_today(NEXT_DAY)
    runs = world.airflow.run(as_of=NEXT_DAY)
    assert [run.state for run in runs] == ["success"] * 3
    after = _versions(world.airflow, "silver", "graph", "gold_build")
    changed = {name for name in after if after[name] != before.get(name)}
    print(f"{len(changed)} of {len(after)} tables have a new version: {', '.join(sorted(changed))}")
    assert "silver.movie_observations" in changed
    assert len(changed) < len(after)
    assert lake.documents(settings) != documents


def test_a_backfill_asks_for_its_span_and_lands_nothing_twice(world: World) -> None:
    settings = world.airflow.settings
    landed = lake.content(settings, "bronze")["bronze.movies"]
    span = {"from": "2026-01-20T00:00:00Z", "to": "2026-01-22T00:00:00Z"}
    (run,) = world.airflow.run(as_of=NEXT_DAY.replace("08:00", "12:00"), **span)
    assert run.state == "success"
    asked = "select date_format(window_start, 'yyyy-MM-dd'), date_format(window_end, 'yyyy-MM-dd'), requested, landed"
    ((begin, end, requested, new),) = query(
        settings, f"{asked} from bronze.batches order by started_at desc limit 1"
    ).rows
    assert (begin, end, new) == ("2026-01-20", "2026-01-22", 0)
    assert requested > 0
    assert lake.content(settings, "bronze")["bronze.movies"] == landed
