"""The cycle, from source to MongoDB: which step follows which. The CLI runs it; a scheduler can run it step by step.

Every step can be killed anywhere and run again: it lands on the same tables.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
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
        recorder: where the run is recorded, set by `orchestration.recording`; None: nowhere.
    """

    settings: Settings
    run_id: str
    progress: Progress
    requests: "tuple[IngestRequest | ApiRequest, ...]"
    gold_as_of: datetime | None
    clock: Callable[[], datetime]
    turns_standin: bool = False
    recorder: "Recorder | None" = None
    batches: "list[BatchSummary]" = field(default_factory=list)
    nodes: list[dbt.Node] = field(default_factory=list)
    gates: "list[GateResult]" = field(default_factory=list)
    audited: "Mapping[str, datetime] | None" = None
    network: Any = None
    published: list[Any] = field(default_factory=list)
    _spark: "SparkSession | None" = None
    _starting: "Future[SparkSession] | None" = None
    _parsing: Future[Any] | None = None
    _bronze: "Future[GateResult] | None" = None
    _marts: Future[list[dbt.Node]] | None = None

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

        self._starting = in_background("start_job_jvm", start_job_jvm, self.settings, APP_NAME)

    def await_spark(self) -> None:
        """Wait until the job's JVM has started, or could not: until then it has this process's standard error."""
        if self._starting is not None:
            self._starting.exception()

    def start_parsing(self) -> None:
        """Let dbt read its project while other things still happen."""
        self._parsing = in_background("parse", dbt.parse, self.settings)

    def manifest(self) -> Any:
        """What dbt read of its project, waiting for it where it is still being read."""
        return self._parsing.result() if self._parsing is not None else None

    def start_bronze_gate(self) -> None:
        """Let Bronze be measured while Silver is built from it."""
        self._bronze = in_background("bronze_gate", _gate, self, "bronze")

    def bronze_gate(self) -> "GateResult":
        """What Bronze was measured at, waiting for it where it is still being measured."""
        if self._bronze is None:
            self.start_bronze_gate()
        assert self._bronze is not None
        return self._bronze.result()

    def start_marts(self) -> None:
        """Let dbt build the marts that do not need the network while the network is still computed."""
        self._marts = in_background("marts", _dbt, self, "marts")

    def marts(self) -> list[dbt.Node]:
        """What became of those marts, waiting for them where they are still being built."""
        if self._marts is None:
            self.start_marts()
        assert self._marts is not None
        return self._marts.result()


def ingest(cycle: Cycle, findings: list[str]) -> None:
    """Land what was asked for in Bronze; end where TMDB no longer gives what Silver needs."""
    from ingestion.drift import needed_fields, require_fields

    cycle.progress.detail("starting Spark")
    spark = cycle.spark
    # Landing leaves a core half idle; starting the services, just before, does not.
    cycle.start_parsing()
    needed = needed_fields(cycle.settings.dbt.project_dir)
    # A batch is compared with the one before it while the next one is fetched: one after the other.
    with ThreadPoolExecutor(1, thread_name_prefix="fields") as pool:
        compared = []
        for request in cycle.requests:
            batch = _land(cycle, spark, request)
            cycle.batches.append(batch)
            _record(cycle, "batches", [asdict(batch)])
            findings.append(_told(batch))
            if batch.landed:
                compared.append(pool.submit(require_fields, spark, batch.batch_id, needed))
        cycle.progress.detail("comparing fields with the batch before")
        for found in compared:
            findings += found.result()


def _told(batch: "BatchSummary") -> str:
    """What came of a batch, in a line; what did not occur is left out."""
    names = ("landed", "unchanged", "duplicates", "quarantined", "missing")
    counts = [f"{count:,} {name}" for name in names if (count := getattr(batch, name))]
    return f"{batch.batch_id}: {batch.requested:,} records, {', '.join(counts) or 'nothing new'}"


def _land(cycle: Cycle, spark: "SparkSession", request: "IngestRequest | ApiRequest") -> "BatchSummary":
    from ingestion.run import IngestRequest
    from ingestion.run import ingest as land
    from ingestion.standin.control import show_day
    from ingestion.tmdb.run import ingest_api
    from ingestion.tmdb.tally import Tally

    def on_records(done: Any) -> None:
        cycle.progress.detail(f"{done.requested:,} records read, {done.landed:,} landed")

    def on_movies(batch_id: str, done: Any, movies: int) -> None:
        cycle.progress.detail(f"{batch_id}: {done.requested:,} of {movies:,} movies, {done.landed:,} landed")

    if isinstance(request, IngestRequest):
        return land(spark, cycle.settings.ingest, request, cycle.clock, on_records)
    if cycle.turns_standin:
        show_day(cycle.settings.tmdb.url, request.as_of)
    return ingest_api(spark, cycle.settings, request, cycle.clock, Tally(), on_movies)


def silver(cycle: Cycle, findings: list[str]) -> None:
    """Build staging and Silver, with their tests.

    dbt works in the Thrift server's JVM; the job's own, which would be idle, measures Bronze meanwhile.
    """
    cycle.start_bronze_gate()
    findings += _counted(_dbt(cycle, "bronze_to_silver", cycle.progress.detail))


def gate(cycle: Cycle, findings: list[str]) -> None:
    """Hold Bronze and Silver to their suites; below a threshold nothing further is built."""
    for result in (cycle.bronze_gate(), _gate(cycle, "silver", cycle.progress.detail)):
        findings.append(result.summary())
        result.require_passed()


def graph(cycle: Cycle, findings: list[str]) -> None:
    """Compute the actor network from Silver.

    It and dbt, each in a JVM of its own, leave half of the machine idle; the marts that need no network are begun here.
    """
    from graph_jobs.commands import build_network

    cycle.start_marts()
    cycle.network = build_network(cycle.spark, cycle.settings, cycle.progress.detail)
    network = cycle.network
    findings.append(f"{network.actors:,} actors, {network.edges:,} edges, {network.communities:,} communities")


def gold(cycle: Cycle, findings: list[str]) -> None:
    """Build what is left of Gold, the marts over the network, with the tests; all marts stand when it ends."""
    cycle.progress.detail("dbt builds the marts that need no network")
    nodes = cycle.marts() + _dbt(cycle, "network", cycle.progress.detail)
    findings += _counted(nodes)


def audit(cycle: Cycle, findings: list[str]) -> None:
    """Hold the marts that were built to their suites; below a threshold readers keep what they see."""
    from serving.publication import newest

    cycle.audited = newest(cycle.spark)
    result = _gate(cycle, "gold", cycle.progress.detail)
    findings.append(result.summary())
    result.require_passed()


def publish(cycle: Cycle, findings: list[str]) -> None:
    """Let readers of `gold` see what was audited: all marts at once."""
    from serving.commands import gold_as_of
    from serving.publication import newest, publish_gold

    as_of = gold_as_of(cycle.spark, newest(cycle.spark) if cycle.audited is None else cycle.audited)
    published = publish_gold(cycle.spark, cycle.settings, cycle.run_id, as_of, cycle.clock(), cycle.audited)
    _record(cycle, "publications", [published.row()])
    _record(cycle, "runs", [{"as_of": as_of}])
    findings.append(f"{len(published.marts)} marts as {published.publication_id}")
    findings += [f"kept as {table}: a table of an older version" for table in published.put_aside]


def export(cycle: Cycle, findings: list[str]) -> None:
    """Bring what is published to MongoDB."""
    from serving.commands import export_marts

    cycle.published = export_marts(cycle.spark, cycle.settings, cycle.run_id, cycle.progress.detail)
    findings.append(f"{sum(mart.rows for mart in cycle.published):,} documents in {len(cycle.published)} collections")


def _gate(cycle: Cycle, layer: "Layer", on_detail: Callable[[str], None] = lambda text: None) -> "GateResult":
    from expectations.telling import run_gate_and_tell

    if cycle.recorder is None:
        raise LakehouseError("A gate keeps its scores with its run, and this cycle is not recorded.")
    result = run_gate_and_tell(cycle.spark, cycle.settings, [layer], cycle.recorder, cycle.gold_as_of, on_detail)
    cycle.gates.append(result)
    return result


def _record(cycle: Cycle, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if cycle.recorder is not None:
        cycle.recorder.facts(table, rows)


def _dbt(cycle: Cycle, selector: str, on_detail: Callable[[str], None] = lambda text: None) -> list[dbt.Node]:
    on_detail("dbt reads its project")
    as_of = instant_text(cycle.gold_as_of) if cycle.gold_as_of else None
    nodes: Sequence[dbt.Node] = ()
    try:
        nodes = dbt.build(
            cycle.settings,
            ["--selector", selector],
            as_of,
            cycle.manifest(),
            lambda name, done: on_detail(f"{done} nodes done, now {name}"),
        )
    except dbt.DbtFailed as failed:
        nodes = failed.nodes
        raise
    finally:
        cycle.nodes += nodes
        if cycle.recorder is not None:
            cycle.recorder.dbt(nodes)
    return list(nodes)


def _counted(nodes: list[dbt.Node]) -> list[str]:
    models = sum(node.kind in ("model", "snapshot") for node in nodes)
    tests = sum(node.kind == "test" for node in nodes)
    return [f"{models} models, {tests} tests", *dbt.warnings(nodes)]


STEPS: tuple[tuple[str, Callable[[Cycle, list[str]], None]], ...] = (
    ("ingest", ingest),
    ("silver", silver),
    ("gate", gate),
    ("graph", graph),
    ("gold", gold),
    ("audit", audit),
    ("publish", publish),
    ("export", export),
)
"""The one definition of the cycle's order."""


def run(cycle: Cycle) -> None:
    """Run every step in order; the first that fails ends the cycle."""
    for name, step in STEPS:
        with cycle.progress.step(name) as findings, recorded_step(cycle, name, findings):
            step(cycle, findings)


def recorded_step(cycle: Cycle, name: str, findings: list[str]) -> AbstractContextManager[object]:
    """Record a step where the run is recorded."""
    return nullcontext() if cycle.recorder is None else cycle.recorder.step(name, findings)
