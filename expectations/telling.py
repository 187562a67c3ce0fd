"""A gate within a run: what it found goes into the run's journal, and people are told of what is wrong."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from expectations.gate import run_gate
from expectations.result import GateResult
from lakehouse.alerts.send import tell
from lakehouse.ops.journal import BULKY, read_runs
from lakehouse.ops.recorder import Recorder
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def run_gate_and_tell(
    spark: "SparkSession",
    settings: Settings,
    layers: Sequence[str],
    recorder: Recorder,
    as_of: datetime | None = None,
    on_detail: Callable[[str], None] = lambda text: None,
) -> GateResult:
    """Hold layers to their suites as part of a recorded run; see `run_gate` for what is kept and raised.

    People are told before this returns, within `alerts.at_most_seconds`.
    """
    at = recorder.now()
    before = silver_built_before(settings.home, recorder.run_id, recorder.began_at)
    result = run_gate(spark, settings, layers, recorder.run_id, at, as_of, on_detail, measured_before=before)
    recorder.facts("quality_metrics", map(result.row, result.scores))
    alerts = result.alerts()
    if alerts:
        recorder.facts("alerts", [told.row() for told in tell(settings, alerts, recorder.run_id, at)])
    return result


def silver_built_before(home: Path, run_id: str, began_at: datetime) -> datetime | None:
    """When the newest earlier run that built Silver began to, so that what it has read arrived before.

    Neither a gate by itself nor a run that was killed, maybe before it told of what was late, is such a run.

    Args:
        home: the instance's home, where the journals are.
        run_id: this run.
        began_at: when it began.

    Returns:
        None where the journals hold no such run.
    """
    for facts in read_runs(home, (*BULKY, "quality_metrics", "alerts", "resources")):
        if facts.run_id == run_id or facts.run["started_at"] >= began_at:
            continue
        if facts.run.get("status") in ("running", "killed"):
            continue
        for step in facts.rows("steps"):
            if step["step"] == "silver" and step["status"] == "succeeded":
                started: datetime = step["started_at"]
                return started
    return None
