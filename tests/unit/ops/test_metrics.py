"""What a scraper reads of the last runs."""

from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lakehouse.ops.journal import Journal
from lakehouse.ops.metrics import metrics_file, metrics_text, recent_runs, write_metrics
from tests.unit.ops.sample_run import AT, failed_run, good_run

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def _samples(text: str) -> Samples:
    return {
        (sample.name.removeprefix("lakehouse_"), tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    good_run(tmp_path)
    return _samples(metrics_text(recent_runs(tmp_path)))


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("run_succeeded", {"kind": "demo"}, 1),
        ("run_seconds", {"kind": "demo"}, 200),
        ("run_finished_timestamp_seconds", {"kind": "demo"}, AT.timestamp() + 200),
        ("run_last_success_timestamp_seconds", {"kind": "demo"}, AT.timestamp() + 200),
        ("step_seconds", {"kind": "demo", "step": "gold"}, 110.5),
        ("dbt_nodes", {"kind": "demo", "node_kind": "test", "status": "warn"}, 1),
        ("dbt_nodes", {"kind": "demo", "node_kind": "model", "status": "success"}, 2),
        ("dbt_model_seconds", {"kind": "demo", "model": "trending_scores"}, 30),
        ("table_rows", {"table": "silver.movies"}, 5000),
        ("quality_score", {"table": "gold.movies", "dimension": "completeness"}, 0.92),
        ("quality_threshold", {"table": "gold.movies", "dimension": "completeness"}, 0.95),
        ("quality_rules", {"table": "silver.movies", "status": "pass"}, 1),
        ("peak_memory_bytes", {"kind": "demo", "resource": "thrift"}, 2048 * 2**20),
        ("cpu_seconds", {"kind": "demo", "resource": "thrift"}, 90),
        ("used_share", {"kind": "demo", "resource": "disk"}, 0.83),
        ("alerts", {"kind": "demo", "severity": "warning"}, 1),
        ("alerts", {"kind": "demo", "severity": "critical"}, 0),
        ("ingested_records", {"source": "api", "outcome": "landed"}, 5040),
        ("ingested_records", {"source": "api", "outcome": "quarantined"}, 7),
        ("spark_task_seconds", {"kind": "demo", "application": "thrift"}, 12),
        ("spark_failed_tasks", {"kind": "demo", "application": "thrift"}, 1),
    ],
)
def test_each_figure_of_the_last_run_is_there(
    samples: Samples, name: str, labels: dict[str, str], value: float
) -> None:
    assert samples[name, tuple(sorted(labels.items()))] == value


def test_what_is_not_known_is_not_made_up(samples: Samples) -> None:
    assert ("used_share", (("kind", "demo"), ("resource", "hdfs"))) not in samples


def test_after_a_failure_the_last_success_stays_and_one_that_runs_does_not_count(tmp_path: Path) -> None:
    good_run(tmp_path)
    failed_run(tmp_path)
    running = {"kind": "demo", "status": "running", "started_at": AT.replace(year=2027)}
    Journal(tmp_path, "demo-3").write("runs", running)
    samples = _samples(metrics_text(recent_runs(tmp_path)))
    demo = (("kind", "demo"),)
    assert samples["run_succeeded", demo] == 0
    assert samples["run_seconds", demo] == 30
    assert samples["run_last_success_timestamp_seconds", demo] == AT.timestamp() + 200
    # Quality was last measured by the run before.
    assert samples["quality_score", (("dimension", "completeness"), ("table", "silver.movies"))] == 0.97


def test_the_last_success_stays_however_much_ran_since(tmp_path: Path) -> None:
    good_run(tmp_path)
    for number in range(80):
        ended = {"kind": "gate", "status": "failed", "started_at": AT + timedelta(hours=number)}
        Journal(tmp_path, f"gate-{number}").write("runs", ended)
    demo = (("kind", "demo"),)
    found = _samples(metrics_text(recent_runs(tmp_path)))
    assert found["run_last_success_timestamp_seconds", demo] == AT.timestamp() + 200


def test_the_file_is_replaced_whole(tmp_path: Path) -> None:
    good_run(tmp_path)
    path = metrics_file(tmp_path)
    write_metrics(recent_runs(tmp_path), path)
    write_metrics(recent_runs(tmp_path), path)
    assert _samples(path.read_text())["run_succeeded", (("kind", "demo"),)] == 1
    assert [file.name for file in path.parent.glob("metrics*")] == ["metrics.prom"]


def test_without_a_run_there_are_no_figures(tmp_path: Path) -> None:
    assert _samples(metrics_text(recent_runs(tmp_path))) == {}
