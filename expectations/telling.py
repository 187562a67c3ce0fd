"""A gate within a run: what it found goes into the run's journal, and people are told of what is wrong."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from expectations.gate import run_gate
from expectations.result import GateResult
from lakehouse.alerts.send import tell
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
    result = run_gate(spark, settings, layers, recorder.run_id, at, as_of, on_detail)
    recorder.facts("quality_metrics", map(result.row, result.scores))
    alerts = result.alerts()
    if alerts:
        recorder.facts("alerts", [told.row() for told in tell(settings, alerts, recorder.run_id, at)])
    return result
