"""A recorded run: what follows its end happens whatever went wrong, and hides nothing."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lakehouse.ops.journal import RunFacts, read_runs
from lakehouse.ops.lineage import lineage_file
from lakehouse.ops.metrics import metrics_file
from lakehouse.settings import Settings, load_settings
from orchestration import dbt, recording, steps
from orchestration.cycle import Cycle
from orchestration.progress import Progress
from orchestration.tasks import TASKS
from tests.instance import free_ports
from tests.unit.ops.sample_run import stage_log
from tests.unit.ops.test_lineage_events import MANIFEST

AT = datetime(2026, 2, 1, 8, tzinfo=UTC)
_NODE = dbt.Node(
    name="movies",
    kind="model",
    status="success",
    seconds=1.0,
    message="OK",
    unique_id="model.tmdb_lakehouse.movies",
    invocation_id="i1",
    started_at=AT,
    finished_at=AT + timedelta(seconds=1),
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=str(tmp_path), hdfs={"namenode_http_port": free_ports(1)[0]})


@pytest.fixture
def cycle(settings: Settings) -> Cycle:
    return Cycle(settings, "run-1", Progress(), (), None, lambda: AT)


@pytest.fixture(autouse=True)
def dbt_alone_has_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other tasks, and what is made ready for them, need Spark."""
    monkeypatch.setattr(steps, "TASKS", tuple(task for task in TASKS if task.name in ("silver", "network")))
    monkeypatch.setattr(Cycle, "make_ready", lambda cycle: None)


def _facts(settings: Settings) -> RunFacts:
    (facts,) = read_runs(settings.home)
    return facts


def test_steps_batches_nodes_and_what_was_used_are_in_the_journal(
    cycle: Cycle, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(*arguments: Any) -> list[dbt.Node]:
        return [_NODE]

    monkeypatch.setattr(dbt, "build", build)
    monkeypatch.setattr(steps, "TASKS", steps.TASKS[:1])
    (settings.home / "dbt" / "target").mkdir(parents=True)
    (settings.home / "dbt" / "target" / "manifest.json").write_text(json.dumps(MANIFEST))
    stage_log(settings.home, AT - timedelta(minutes=1), AT + timedelta(milliseconds=500), AT + timedelta(hours=1))
    with recording.recorded_cycle(cycle, "run", {"source": "file"}):
        steps.run(cycle)
    facts = _facts(settings)
    assert (facts.run["kind"], facts.run["status"]) == ("run", "succeeded")
    assert [(row["step"], row["findings"]) for row in facts.rows("steps")] == [("silver", ["1 models, 0 tests"])]
    assert [row["node_id"] for row in facts.rows("dbt_results")] == ["model.tmdb_lakehouse.movies"]
    assert {"cycle", "machine", "disk", "hdfs"} <= {row["resource"] for row in facts.rows("resources")}
    # Of the application's stages only the one that ended while the run went on.
    assert [row["stage_id"] for row in facts.rows("stage_metrics")] == [1]
    assert 'lakehouse_run_succeeded{kind="run"} 1.0' in metrics_file(settings.home).read_text()
    assert len(lineage_file(settings.home, "run-1").read_text().splitlines()) == 4
    assert [alert for alert in facts.rows("alerts") if alert["kind"] == "job"] == []


def test_a_failed_dbt_build_leaves_its_nodes_and_its_error_and_tells_a_person(
    cycle: Cycle, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = dbt.DbtFailed("dbt: 1 of 1 nodes failed.", "See the log.", [_NODE])

    def build(*arguments: Any) -> list[dbt.Node]:
        raise failure

    monkeypatch.setattr(dbt, "build", build)
    with pytest.raises(dbt.DbtFailed) as raised, recording.recorded_cycle(cycle, "run", {}):
        steps.run(cycle)
    assert raised.value is failure
    facts = _facts(settings)
    assert (facts.run["status"], facts.run["next_step"]) == ("failed", "See the log.")
    assert [(row["step"], row["status"]) for row in facts.rows("steps")] == [("silver", "failed")]
    assert [row["node_name"] for row in facts.rows("dbt_results")] == ["movies"]
    (alert,) = [alert for alert in facts.rows("alerts") if alert["kind"] == "job"]
    assert (alert["severity"], alert["subject"], alert["status"]) == ("critical", "run", "unheard")
    assert alert["command"] == "lakehouse history --run run-1"
    assert "dbt: 1 of 1 nodes failed." in alert["message"]
    assert 'lakehouse_run_succeeded{kind="run"} 0.0' in metrics_file(settings.home).read_text()
