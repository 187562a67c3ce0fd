"""Metrics of the last runs in Prometheus' text format, as node_exporter's textfile collector takes them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest, write_to_textfile

from lakehouse.ops.journal import BULKY, RunFacts, read_run, read_runs

_MIB = 1024 * 1024
_OUTCOMES = ("landed", "unchanged", "duplicates", "quarantined", "missing")


def metrics_file(home: Path) -> Path:
    """Where the metrics are written after each run."""
    return home / "ops" / "metrics.prom"


def recent_runs(home: Path) -> list[RunFacts]:
    """The runs that metrics are made of, newest first: the last that ended of each kind whole, others in outline."""
    runs = read_runs(home, BULKY)
    whole = {facts.run_id for facts in _last(runs).values()}
    return [read_run(facts.path) if facts.run_id in whole else facts for facts in runs]


def _last(runs: Iterable[RunFacts]) -> dict[str, RunFacts]:
    last: dict[str, RunFacts] = {}
    for facts in runs:
        if facts.run.get("status") != "running":
            last.setdefault(facts.run["kind"], facts)
    return last


def registry_of(runs: Sequence[RunFacts]) -> CollectorRegistry:
    """The metrics of the last run of each kind that has ended.

    Args:
        runs: newest first.
    """
    registry = CollectorRegistry()
    ended = [facts for facts in runs if facts.run.get("status") != "running"]
    last = _last(ended)
    _runs(registry, last.values(), ended)
    _steps(registry, last)
    _dbt(registry, last)
    _tables(registry, ended)
    _quality(registry, ended)
    _resources(registry, last)
    _alerts(registry, last)
    _batches(registry, ended)
    _stages(registry, last)
    return registry


def metrics_text(runs: Sequence[RunFacts]) -> str:
    """The metrics as text."""
    return str(generate_latest(registry_of(runs)).decode())


def write_metrics(runs: Sequence[RunFacts], path: Path) -> None:
    """Write the metrics to a file, which is the old or the new one whole at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_to_textfile(str(path), registry_of(runs))


def _gauge(registry: CollectorRegistry, name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(f"lakehouse_{name}", meaning, labels, registry=registry)


def _newest(runs: Iterable[RunFacts], table: str) -> list[dict[str, Any]]:
    """The rows of the newest run that told any of that table."""
    return next((rows for facts in runs if (rows := facts.rows(table))), [])


def _runs(registry: CollectorRegistry, last: Iterable[RunFacts], ended: Sequence[RunFacts]) -> None:
    succeeded = _gauge(registry, "run_succeeded", "whether the last run ended well", "kind")
    seconds = _gauge(registry, "run_seconds", "how long the last run took", "kind")
    finished = _gauge(registry, "run_finished_timestamp_seconds", "when the last run ended", "kind")
    good = _gauge(registry, "run_last_success_timestamp_seconds", "when a run last ended well", "kind")
    for facts in last:
        run = facts.run
        succeeded.labels(run["kind"]).set(run["status"] == "succeeded")
        if run.get("finished_at"):
            seconds.labels(run["kind"]).set(run["seconds"])
            finished.labels(run["kind"]).set(run["finished_at"].timestamp())
    for facts in reversed(ended):
        if facts.run["status"] == "succeeded":
            good.labels(facts.run["kind"]).set(facts.run["finished_at"].timestamp())


def _steps(registry: CollectorRegistry, last: dict[str, RunFacts]) -> None:
    seconds = _gauge(registry, "step_seconds", "how long a step of the last run took", "kind", "step")
    for kind, facts in last.items():
        for row in facts.rows("steps"):
            if row.get("seconds") is not None:
                seconds.labels(kind, row["step"]).set(row["seconds"])


def _dbt(registry: CollectorRegistry, last: dict[str, RunFacts]) -> None:
    nodes = _gauge(registry, "dbt_nodes", "dbt nodes of the last run", "kind", "node_kind", "status")
    seconds = _gauge(registry, "dbt_model_seconds", "how long a model took in the last run", "kind", "model")
    for kind, facts in last.items():
        rows = facts.rows("dbt_results")
        for (node_kind, status), count in Counter((row["kind"], row["status"]) for row in rows).items():
            nodes.labels(kind, node_kind, status).set(count)
        for row in rows:
            if row["kind"] == "model" and row.get("started_at"):
                seconds.labels(kind, row["node_name"]).set(row["seconds"])


def _tables(registry: CollectorRegistry, ended: Sequence[RunFacts]) -> None:
    rows = _gauge(registry, "table_rows", "rows of a table after the last run", "table")
    for row in _newest(ended, "table_rows"):
        rows.labels(row["table_name"]).set(row["rows"])


def _quality(registry: CollectorRegistry, ended: Sequence[RunFacts]) -> None:
    score = _gauge(registry, "quality_score", "a table's score in a dimension, 0 to 1", "table", "dimension")
    threshold = _gauge(registry, "quality_threshold", "the least that the score may be", "table", "dimension")
    rules = _gauge(registry, "quality_rules", "rules by how they ended in the last gate", "table", "status")
    rows = _newest(ended, "quality_metrics")
    for row in rows:
        if row["rule"] == f"table_{row.get('dimension')}" and row.get("score") is not None:
            score.labels(row["table_name"], row["dimension"]).set(row["score"])
            if row.get("threshold") is not None:
                threshold.labels(row["table_name"], row["dimension"]).set(row["threshold"])
    counts = Counter((row["table_name"], row.get("status")) for row in rows if not row["rule"].startswith("table_"))
    for (table, status), count in counts.items():
        rules.labels(table, status).set(count)


def _resources(registry: CollectorRegistry, last: dict[str, RunFacts]) -> None:
    memory = _gauge(registry, "peak_memory_bytes", "largest resident memory in the last run", "kind", "resource")
    cpu = _gauge(registry, "cpu_seconds", "CPU time that the last run used", "kind", "resource")
    share = _gauge(registry, "used_share", "memory, disk or HDFS in use at the end of the last run", "kind", "resource")
    for kind, facts in last.items():
        for row in facts.rows("resources"):
            if row.get("peak_memory_mb") is not None:
                memory.labels(kind, row["resource"]).set(row["peak_memory_mb"] * _MIB)
            if row.get("cpu_seconds") is not None:
                cpu.labels(kind, row["resource"]).set(row["cpu_seconds"])
            if row.get("used_share") is not None:
                share.labels(kind, row["resource"]).set(row["used_share"])


def _alerts(registry: CollectorRegistry, last: dict[str, RunFacts]) -> None:
    alerts = _gauge(registry, "alerts", "alerts that the last run raised", "kind", "severity")
    for kind, facts in last.items():
        counts = Counter(row.get("severity") for row in facts.rows("alerts"))
        for severity in ("critical", "warning"):
            alerts.labels(kind, severity).set(counts[severity])


def _batches(registry: CollectorRegistry, ended: Sequence[RunFacts]) -> None:
    records = _gauge(registry, "ingested_records", "records of the last ingestion by outcome", "source", "outcome")
    totals: Counter[tuple[str, str]] = Counter()
    for row in _newest(ended, "batches"):
        for outcome in _OUTCOMES:
            totals[row["source"], outcome] += row.get(outcome) or 0
    for (source, outcome), count in totals.items():
        records.labels(source, outcome).set(count)


def _stages(registry: CollectorRegistry, last: dict[str, RunFacts]) -> None:
    labels = ("kind", "application")
    task_seconds = _gauge(registry, "spark_task_seconds", "time in Spark's tasks, summed over the last run", *labels)
    failed = _gauge(registry, "spark_failed_tasks", "tasks of the last run that failed and were tried again", *labels)
    spilled = _gauge(registry, "spark_spilled_bytes", "bytes that the last run spilled to disk", *labels)
    for kind, facts in last.items():
        for gauge, column in ((task_seconds, "run_seconds"), (failed, "failed_tasks"), (spilled, "spilled_bytes")):
            sums: Counter[str] = Counter()
            for row in facts.rows("stage_metrics"):
                sums[row["application_name"]] += row[column]
            for application, total in sums.items():
                gauge.labels(kind, application).set(total)
