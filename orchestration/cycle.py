"""What the tasks of the cycle do, from the gate on Bronze to MongoDB; `orchestration.tasks` says which follows which.

Every one can be killed anywhere and run again: it lands on the same tables.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakehouse.background import in_background
from lakehouse.clock import instant_text
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings
from orchestration import dbt
from orchestration.progress import Progress

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from expectations.result import GateResult
    from expectations.suites import Layer
    from ingestion.batch import BatchSummary
    from ingestion.run import IngestRequest
    from ingestion.tmdb.probe import Sample
    from ingestion.tmdb.run import ApiRequest
    from lakehouse.ops.recorder import Recorder

APP_NAME = "cycle"


@dataclass
class Cycle:
    """What one run of the cycle was asked for, and what has come of it so far.

    Args:
        settings: the settings in force.
        run_id: names the run in MongoDB's publications and in the run's record.
        progress: what a person watches.
        requests: what to ingest, one after the other.
        gold_as_of: the instant that Gold looks back from; None: the latest one that the data itself states.
        clock: the wall clock, for start and end times in records only.
        turns_standin: whether the stand-in for TMDB shows each request the day that the request takes for today.
        makes_report: whether the report is made anew at the end; at a terminal, `lakehouse report` makes it.
        recorder: where the run is recorded, set by `orchestration.recording`; None: nowhere.
        request: the one of `requests` that is being ingested.
        audited: the marts that were audited, and the instant of the last commit of each.
        sample: what is to be looked at of the batch that has been planned.
    """

    settings: Settings
    run_id: str
    progress: Progress
    requests: "tuple[IngestRequest | ApiRequest, ...]"
    gold_as_of: datetime | None
    clock: Callable[[], datetime]
    turns_standin: bool = False
    makes_report: bool = False
    recorder: "Recorder | None" = None
    request: "IngestRequest | ApiRequest | None" = None
    batches: "list[BatchSummary]" = field(default_factory=list)
    nodes: list[dbt.Node] = field(default_factory=list)
    gates: "list[GateResult]" = field(default_factory=list)
    audited: "Mapping[str, datetime] | None" = None
    network: Any = None
    sample: "Sample | None" = None
    published: list[Any] = field(default_factory=list)
    _spark: "SparkSession | None" = None
    _starting: "Future[SparkSession] | None" = None
    _parsing: Future[Any] | None = None

    @property
    def spark(self) -> "SparkSession":
        """The job's session; the first call waits until it is ready."""
        from lakehouse.spark import spark_session

        if self._spark is None:
            if self._starting is not None:
                self._starting.result()
            self._spark = spark_session(self.settings, APP_NAME)
        return self._spark

    def start_spark(self) -> None:
        """Start the job's JVM while other things still happen."""
        from lakehouse.spark import start_job_jvm

        self._starting = in_background("start_job_jvm", start_job_jvm, self.settings, APP_NAME, is_learning=True)

    def await_spark(self) -> None:
        """Wait until the job's JVM has started, or could not: until then it has this process's standard error."""
        if self._starting is not None:
            self._starting.exception()

    def make_ready(self) -> None:
        """Wait for Spark; then let dbt read its project while other things happen."""
        self.progress.detail("starting Spark")
        _ = self.spark
        # Landing leaves a core half idle; starting the services, just before, does not.
        self._parsing = in_background("parse", dbt.parse, self.settings)

    def manifest(self) -> Any:
        """What dbt read of its project, waiting for it where it is still being read."""
        return self._parsing.result() if self._parsing is not None else None


def gate_bronze(cycle: Cycle, findings: list[str]) -> None:
    """Hold Bronze alone to its suites."""
    _require(_gate(cycle, "bronze"), findings)


def gate_silver(cycle: Cycle, findings: list[str]) -> None:
    """Hold Silver alone to its suites."""
    _require(_gate(cycle, "silver"), findings)


def _require(result: "GateResult", findings: list[str]) -> None:
    findings.append(result.summary())
    result.require_passed()


def compute_network(cycle: Cycle, findings: list[str]) -> None:
    """Compute the actor network from Silver."""
    from graph_jobs.commands import build_network

    cycle.network = network = build_network(cycle.spark, cycle.settings, cycle.progress.detail)
    findings.append(f"{network.actors:,} actors, {network.edges:,} edges, {network.communities:,} communities")


def audit(cycle: Cycle, findings: list[str]) -> None:
    """Hold the marts that were built to their suites; below a threshold readers keep what they see."""
    from serving.publication import newest

    cycle.audited = newest(cycle.spark)
    _require(_gate(cycle, "gold"), findings)


def publish(cycle: Cycle, findings: list[str]) -> None:
    """Let readers of `gold` see what was audited: all marts at once."""
    from serving.commands import gold_as_of
    from serving.publication import newest, publish_gold

    as_of = gold_as_of(cycle.spark, newest(cycle.spark) if cycle.audited is None else cycle.audited)
    published = publish_gold(cycle.spark, cycle.settings, cycle.run_id, as_of, cycle.clock(), cycle.audited)
    record(cycle, "publications", [published.row()])
    record(cycle, "runs", [{"as_of": as_of}])
    findings.append(f"{len(published.marts)} marts as {published.publication_id}")
    findings += [f"kept as {table}: a table of an older version" for table in published.put_aside]


def require_audited(cycle: Cycle, findings: list[str]) -> None:
    """Make sure that the marts are those that were audited; audit them again where one has changed, or nobody says.

    Raises:
        GateFailed: a mart is below a threshold.
    """
    from serving.publication import newest

    marts = newest(cycle.spark)
    known = cycle.audited or {}
    changed = [mart for mart, instant in marts.items() if known.get(mart) != instant]
    if marts and not changed and known.keys() == marts.keys():
        findings.append(f"{len(marts)} marts are as they were audited")
        return
    findings.append(f"{len(changed)} marts have changed since they were audited, or never were")
    audit(cycle, findings)


def export(cycle: Cycle, findings: list[str]) -> None:
    """Bring what is published to MongoDB."""
    from serving.commands import export_marts

    cycle.published = export_marts(cycle.spark, cycle.settings, cycle.run_id, cycle.progress.detail)
    findings.append(f"{sum(mart.rows for mart in cycle.published):,} documents in {len(cycle.published)} collections")


def validate_export(cycle: Cycle, findings: list[str]) -> None:
    """Count what MongoDB holds against what readers of `gold` see.

    Raises:
        ReconciliationError: a collection has another number of documents, or they are not all of one publication.
    """
    from serving.reconciliation import require_same

    findings.append(require_same(cycle.spark, cycle.settings))


def cleanup(cycle: Cycle, findings: list[str]) -> None:
    """Delete by age what earlier runs left behind, and store what the journals of ended runs say."""
    from lakehouse.ops.store import store
    from lakehouse.ops.upkeep import delete_rested

    store(cycle.spark, cycle.settings.home)
    findings += delete_rested(cycle.settings, cycle.clock(), dry_run=False)


def notify(cycle: Cycle, findings: list[str]) -> None:
    """Make the report, where that is wanted, and tell that new data is there; what is not delivered fails nothing."""
    from lakehouse import hive
    from lakehouse.alerts.send import say_done
    from orchestration.report.site import folder_of, make_site

    if cycle.makes_report:
        cycle.progress.detail("making the report")
        made = make_site(cycle.settings, lambda sql: hive.query(cycle.settings, sql), folder_of(cycle.settings))
        findings.append(f"the report is {made.index}")
    at = cycle.clock() if cycle.recorder is None else cycle.recorder.began_at
    what = f"new data is published ({cycle.run_id})"
    for channel, failure in say_done(cycle.settings, what, "See lakehouse status.", at).items():
        findings.append(f"told by {channel}" if not failure else f"not told by {channel}: {failure}")


def _gate(cycle: Cycle, layer: "Layer") -> "GateResult":
    from expectations.telling import run_gate_and_tell

    if cycle.recorder is None:
        raise LakehouseError("A gate keeps its scores with its run, and this cycle is not recorded.")
    result = run_gate_and_tell(
        cycle.spark, cycle.settings, [layer], cycle.recorder, cycle.gold_as_of, cycle.progress.detail
    )
    cycle.gates.append(result)
    return result


def record(cycle: Cycle, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Record facts of the run, where it is recorded."""
    if cycle.recorder is not None:
        cycle.recorder.facts(table, rows)


def build_models(cycle: Cycle, selector: str, findings: list[str]) -> None:
    """Have dbt build the models of a selector, each with its tests after it.

    Raises:
        DbtFailed: a model or a test failed.
    """
    detail = cycle.progress.detail
    detail("dbt reads its project")
    as_of = instant_text(cycle.gold_as_of) if cycle.gold_as_of else None
    nodes: Sequence[dbt.Node] = ()
    try:
        nodes = dbt.build(
            cycle.settings,
            ["--selector", selector],
            as_of,
            cycle.manifest(),
            lambda name, done: detail(f"{done} nodes done, now {name}"),
            cycle.run_id,
            cycle.progress.note,
        )
    except dbt.DbtFailed as failed:
        nodes = failed.nodes
        raise
    finally:
        cycle.nodes += nodes
        if cycle.recorder is not None:
            cycle.recorder.dbt(nodes)
    findings += _counted(nodes)


def _counted(nodes: Sequence[dbt.Node]) -> list[str]:
    models = sum(node.kind in ("model", "snapshot") for node in nodes)
    tests = sum(node.kind == "test" for node in nodes)
    return [f"{models} models, {tests} tests", *dbt.warnings(list(nodes))]
