"""A run that told everything, and one that failed, as their journals hold them; an event log of stages."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lakehouse.ops import event_logs
from lakehouse.ops.journal import Journal

AT = datetime(2026, 2, 1, 8, tzinfo=UTC)


def good_run(home: Path, run_id: str = "demo-1", at: datetime = AT) -> Journal:
    journal = Journal(home, run_id)
    end = at + timedelta(seconds=200)
    journal.write(
        "runs",
        {
            "kind": "demo",
            "status": "succeeded",
            "started_at": at,
            "finished_at": end,
            "seconds": 200.0,
            "as_of": at,
            "arguments": '{"movies": 5000}',
        },
    )
    for number, (step, seconds) in enumerate((("ingest", 60.0), ("gold", 110.5), ("export", 20.0)), start=1):
        row = {"step_number": number, "step": step, "status": "succeeded", "started_at": at, "seconds": seconds}
        journal.write("steps", {**row, "findings": [f"{step} is done"]})
    for name, kind, status, seconds in (
        ("movies", "model", "success", 12.5),
        ("trending_scores", "model", "success", 30.0),
        ("keys_are_unique", "test", "pass", 1.0),
        ("genres_are_known", "test", "warn", 2.0),
    ):
        journal.write(
            "dbt_results",
            {
                "invocation_id": "i1",
                "node_id": f"{kind}.tmdb_lakehouse.{name}",
                "node_name": name,
                "kind": kind,
                "status": status,
                "started_at": at + timedelta(seconds=60),
                "finished_at": at + timedelta(seconds=60 + seconds),
                "seconds": seconds,
                "message": "Got 1 result" if status == "warn" else "OK",
            },
        )
    for table, dimension, score, least in (
        ("silver.movies", "completeness", 0.97, 0.95),
        ("silver.people", "completeness", 0.99, 0.95),
        ("silver.movies", "consistency", 0.991, 0.98),
        ("gold.movies", "completeness", 0.92, 0.95),
    ):
        journal.write(
            "quality_metrics",
            {
                "layer": table.partition(".")[0],
                "table_name": table,
                "rule": f"table_{dimension}",
                "dimension": dimension,
                "severity": "critical",
                "numerator": int(score * 1000),
                "denominator": 1000,
                "score": score,
                "threshold": least,
                "status": "pass" if score >= least else "fail",
                "measured_at": end,
            },
        )
    journal.write(
        "quality_metrics",
        {"table_name": "silver.movies", "rule": "title_is_known", "dimension": "completeness", "status": "pass"},
    )
    journal.write(
        "resources", {"resource": "thrift", "measured_at": end, "peak_memory_mb": 2048.0, "cpu_seconds": 90.0}
    )
    journal.write("resources", {"resource": "disk", "measured_at": end, "used_share": 0.83, "capacity_bytes": 10**11})
    journal.write("resources", {"resource": "hdfs", "measured_at": end})
    alert = {"severity": "warning", "kind": "storage", "subject": "disk", "message": "The disk is in use to 83 %."}
    journal.write("alerts", {**alert, "alert_id": "a1", "status": "waiting", "channels": [], "raised_at": end})
    stage = {"application_id": "local-1", "application_name": "thrift", "attempt": 0, "name": "save", "seconds": 4.0}
    for number in (1, 2):
        figures = {"run_seconds": 6.0, "tasks": 8, "failed_tasks": number - 1, "spilled_bytes": 0}
        journal.write("stage_metrics", {**stage, **figures, "stage_id": number, "completed_at": end})
    journal.write("publications", {"publication_id": run_id, "action": "publish", "as_of": at, "published_at": end})
    journal.write("table_rows", {"table_name": "silver.movies", "rows": 5000})
    journal.write("batches", {"batch_id": "b1", "source": "api", "landed": 5000, "quarantined": 7})
    journal.write("batches", {"batch_id": "b2", "source": "api", "landed": 40, "unchanged": 2})
    return journal


def failed_run(home: Path, run_id: str = "demo-2", at: datetime = AT + timedelta(days=1)) -> Journal:
    journal = Journal(home, run_id)
    end = at + timedelta(seconds=30)
    error = {"error": "Silver is [below] its thresholds.", "next_step": "lakehouse gate shows the scores."}
    journal.write("runs", {"kind": "demo", "status": "failed", "started_at": at, "finished_at": end, "seconds": 30.0})
    journal.write("runs", error)
    step = {"started_at": at, "seconds": 30.0, "error": error["error"]}
    journal.write("steps", {"step_number": 1, "step": "gate", "status": "failed", **step})
    journal.write(
        "dbt_results",
        {
            "invocation_id": "i2",
            "node_id": "model.tmdb_lakehouse.movies",
            "node_name": "movies",
            "kind": "model",
            "status": "error",
            "started_at": at,
            "finished_at": end,
            "seconds": 30.0,
            "message": "Column [x] cannot be resolved",
        },
    )
    return journal


def stage_log(home: Path, *completed_at: datetime) -> None:
    log = event_logs.folder(home) / "eventlog_v2_local-1" / "events_1_local-1"
    log.parent.mkdir(parents=True)
    lines: list[dict[str, Any]] = [
        {"Event": "SparkListenerApplicationStart", "App Name": "thrift", "App ID": "local-1"}
    ]
    for number, at in enumerate(completed_at):
        milliseconds = int(at.timestamp() * 1000)
        info = {"Stage ID": number, "Stage Attempt ID": 0, "Stage Name": "save", "Accumulables": []}
        times = {"Submission Time": milliseconds - 10, "Completion Time": milliseconds}
        lines.append({"Event": "SparkListenerStageCompleted", "Stage Info": {**info, **times}})
    log.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
