"""A run, recorded: what it did, what it used, and what is told to others when it has ended.

What comes after the end is bounded in time and never fails the run: what could not be done is noted in the log.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from lakehouse.alerts.alert import Alert
from lakehouse.alerts.send import job_failed, tell
from lakehouse.background import in_background
from lakehouse.errors import LakehouseError
from lakehouse.locks import exclusive
from lakehouse.ops import event_logs, lineage, metrics, resources
from lakehouse.ops.journal import OUTLINE, Journal, Row, RunFacts, read_run, read_runs
from lakehouse.ops.recorder import Recorder
from lakehouse.settings import Settings
from lakehouse.thresholds import read_thresholds

_log = logging.getLogger(__name__)

_BOUND_SECONDS = 20.0
_STORE_SECONDS = 120.0


@contextmanager
def recorded(
    settings: Settings,
    run_id: str,
    kind: str,
    arguments: Mapping[str, Any],
    clock: Callable[[], datetime],
    as_of: datetime | None = None,
) -> Iterator[Recorder]:
    """Record a run, and see to what follows its end, well or not: see `afterwards`. Any error passes on as it is.

    Args:
        settings: the settings in force.
        run_id: names the run.
        kind: demo, run, build, ...
        arguments: what it was asked for; no secret.
        clock: the wall clock.
        as_of: the instant that Gold is computed for, where it is known already.

    Raises:
        ConfigurationError: the run id cannot name a file.
    """
    recorder = Recorder(Journal(settings.home, run_id), clock())
    sampler = resources.Sampler(settings.home)
    sampler.start()
    try:
        with recorder.run(kind, arguments, as_of):
            yield recorder
    finally:
        sampler.stop()
        afterwards(settings, recorder, sampler)


@contextmanager
def attached(
    settings: Settings,
    run_id: str,
    kind: str,
    arguments: Mapping[str, Any],
    started_at: datetime,
    clock: Callable[[], datetime],
) -> Iterator[Recorder]:
    """Record a part of a run that goes on in several processes, one after the other; `ended` says how it ended.

    Args:
        settings: the settings in force.
        run_id: names the run.
        kind: the DAG.
        arguments: what it was asked for; no secret.
        started_at: when the run began, the same for each part.
        clock: the wall clock.
    """
    journal = Journal(settings.home, run_id)
    recorder = Recorder(journal, clock())
    recorder.join(kind, arguments, started_at)
    sampler = resources.Sampler(settings.home)
    sampler.start()
    try:
        yield recorder
    finally:
        sampler.stop()
        _bounded("what the run used", lambda: _write_resources(settings, journal, sampler, recorder.now()))


def ended(settings: Settings, run_id: str, status: str, error: str | None, at: datetime) -> None:
    """Record how a run ended of which parts were `attached`, and see to what follows it, as far as that needs no Spark.

    Args:
        settings: the settings in force.
        run_id: names the run.
        status: succeeded or failed.
        error: what ended it.
        at: now.
    """
    journal = Journal(settings.home, run_id)
    run = read_run(journal.path).run
    seconds = max(0.0, (at - run["started_at"]).total_seconds())
    journal.write("runs", {"finished_at": at, "seconds": round(seconds, 3), "status": status, "error": error})
    journal.sync()
    if settings.ops.event_logs:
        _bounded("the Spark stages", lambda: write_stages(settings, journal, run["started_at"], at))
    _bounded("lineage events", lambda: _emit(settings, read_run(journal.path)))
    _bounded(
        "the metrics",
        lambda: metrics.write_metrics(metrics.recent_runs(settings.home), metrics.metrics_file(settings.home)),
    )


def afterwards(settings: Settings, recorder: Recorder, sampler: resources.Sampler) -> None:
    """What follows a run's end: resources, stages, alerts, lineage and metrics; then its journal goes into Delta."""
    journal, at = recorder.journal, recorder.now()

    def facts() -> RunFacts:
        return read_run(journal.path)

    _bounded("what the run used", lambda: _write_resources(settings, journal, sampler, at))
    if settings.ops.event_logs:
        _bounded("the Spark stages", lambda: write_stages(settings, journal, recorder.began_at, at))
    _bounded("alerts", lambda: _tell(settings, recorder, at), settings.alerts.at_most_seconds + _BOUND_SECONDS)
    _bounded("lineage events", lambda: _emit(settings, facts()))
    _bounded(
        "the metrics",
        lambda: metrics.write_metrics(metrics.recent_runs(settings.home), metrics.metrics_file(settings.home)),
    )
    _bounded("the tables of ops", lambda: _store(settings), _STORE_SECONDS)


def _bounded(what: str, work: Callable[[], object], seconds: float = _BOUND_SECONDS) -> None:
    """Do it, for so long; an error, or that it took longer, is noted in the log."""
    future = in_background("afterwards", work)
    try:
        error = future.exception(timeout=seconds)
    except TimeoutError:
        _log.warning("After the run, %s took more than %.0f s and is not waited for.", what, seconds)
        return
    if error is not None:
        said = str(error).strip().splitlines()
        _log.warning("After the run, %s failed: %s: %s", what, type(error).__name__, said[0] if said else "")


def _write_resources(settings: Settings, journal: Journal, sampler: resources.Sampler, at: datetime) -> None:
    for row in (*sampler.rows(at), *resources.storage(settings, at)):
        journal.write("resources", row)


def write_stages(settings: Settings, journal: Journal, began_at: datetime, ended_at: datetime) -> None:
    """Write the stages that ended while the run went on, whichever application they are of, into its journal.

    What is read is not read again, so it takes those of runs at the same time as well.
    """
    with exclusive(settings.home / "run" / "event-logs.lock"):
        found = event_logs.new_stages(settings.home)
        others = [
            facts.run
            for facts in read_runs(settings.home, OUTLINE)
            if facts.run_id != journal.run_id and _overlaps(facts.run, began_at)
        ]
        since = min([began_at, *(run["started_at"] for run in others)])
        # The clock counts whole seconds, Spark milliseconds. What ends after this run may be of one that goes on.
        goes_on = any(run["status"] == "running" for run in others)
        until = None if goes_on else ended_at + timedelta(seconds=1)
        for row in found.rows:
            if since <= row["completed_at"] and (until is None or row["completed_at"] <= until):
                journal.write("stage_metrics", row)
        found.keep()


def _overlaps(run: Row, began_at: datetime) -> bool:
    """Whether a run goes on, or has ended after another began and may not have read its stages yet."""
    if run.get("status") == "running":
        return True
    return run.get("status") in ("succeeded", "failed") and (run.get("finished_at") or began_at) > began_at


def alerts_of(facts: RunFacts, settings: Settings, error: BaseException | None) -> tuple[Alert, ...]:
    """The alerts that a run itself gives: that it failed, unless a gate told why, and what it used above the bounds.

    Args:
        facts: the run.
        settings: name the bounds.
        error: what ended the run, where it failed.
    """
    found = resources.alerts(facts.rows("resources"), read_thresholds(settings.gate.thresholds).alerts)
    is_told = isinstance(error, LakehouseError) and error.is_told
    run = facts.run
    if run.get("status") != "failed" or is_told:
        return found
    return (job_failed(run["kind"], run.get("error") or "unknown", facts.run_id), *found)


def _tell(settings: Settings, recorder: Recorder, at: datetime) -> None:
    """Tell what the run gives; also where that is nothing, since a digest may be due."""
    journal = recorder.journal
    for told in tell(settings, alerts_of(read_run(journal.path), settings, recorder.error), journal.run_id, at):
        journal.write("alerts", told.row())


def _emit(settings: Settings, facts: RunFacts) -> None:
    nodes = facts.rows("dbt_results")
    manifest = settings.home / "dbt" / "target" / "manifest.json"
    if nodes and manifest.is_file():
        project = lineage.read_project(json.loads(manifest.read_text(encoding="utf-8")))
        lineage.emit(settings, facts.run_id, lineage.lineage_events(settings, facts.run, nodes, project))


def _store(settings: Settings) -> None:
    """Store in the session that this process has; without one, the next run that has one stores it."""
    from lakehouse.ops.store import store
    from lakehouse.services.health import require
    from lakehouse.spark import running_session

    spark = running_session()
    if spark is None:
        return
    try:
        require(settings, "hdfs", "metastore")
    except LakehouseError as error:
        _log.warning("The tables of ops are not written: %s The next run does it.", error.message)
        return
    store(spark, settings.home)
