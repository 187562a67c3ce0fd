"""A task of a DAG run, done: what it is asked for as plain values, and what came of it.

Nothing here knows Airflow: the task's own process does it, or the one that keeps a Spark driver for all tasks
(`orchestration.airflow.driver`).
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from ingestion.tmdb.ask import Ask
from ingestion.tmdb.probe import Sample
from ingestion.tmdb.run import ApiRequest
from lakehouse.clock import instant_text, now, parse_instant
from lakehouse.ops.recorder import Recorder
from lakehouse.ops.recording import attached
from lakehouse.settings import Settings
from orchestration.cycle import Cycle
from orchestration.progress import LoggedProgress
from orchestration.tasks import BRONZE, BY_NAME


@dataclass(frozen=True)
class Asked:
    """What a task is asked to do.

    Args:
        task: its name in `orchestration.tasks`.
        run_id: the DAG run, as `ops.runs` calls it.
        run_after: the instant that the run takes for now.
        started_at: when the run began.
        params: of the run.
        given: what the asset that started the run says, and the tasks before this one.
        sample: what the task before has chosen to be looked at, as `outcome` gives it.
    """

    task: str
    run_id: str
    run_after: datetime
    started_at: datetime
    params: Mapping[str, Any]
    given: Mapping[str, Any] = field(default_factory=dict)
    sample: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values, which `read` takes."""
        return {
            **asdict(self),
            "run_after": self.run_after.isoformat(),
            "started_at": self.started_at.isoformat(),
        }


def read(told: Mapping[str, Any]) -> Asked:
    """What `as_json` gave."""
    instants = {name: parse_instant(told[name]) for name in ("run_after", "started_at")}
    return Asked(**{**told, **instants})


def perform(settings: Settings, asked: Asked, log: logging.Logger) -> dict[str, Any]:
    """Do a task's work; give what came of it, for people and for the tasks and DAGs that follow.

    Args:
        settings: with what Airflow's connections say.
        asked: what to do.
        log: is told what it does, batch by batch and table by table.

    Raises:
        LakehouseError: the work failed.
    """
    task = BY_NAME[asked.task]
    assert task.work is not None
    findings: list[str] = []
    arguments = {name: value for name, value in asked.params.items() if value not in (None, False)}
    with attached(settings, asked.run_id, task.dag, arguments, asked.started_at, now) as recorder:
        cycle = _cycle(settings, asked, task.dag, recorder, LoggedProgress(log))
        with recorder.step(task.name, findings):
            task.work(cycle, findings)
    for line in findings:
        log.info("%s", line)
    told = outcome(cycle, findings)
    told["is_new"] = task.gives != BRONZE or bool(told["rows"]) or _is_waiting(cycle)
    return told


def outcome(cycle: Cycle, findings: list[str]) -> dict[str, Any]:
    """What a task has done, as JSON can hold it."""
    sample = cycle.sample
    return {
        "run_id": cycle.run_id,
        "batch_ids": [batch.batch_id for batch in cycle.batches],
        "rows": sum(batch.landed for batch in cycle.batches),
        "marts": {mart: at.isoformat() for mart, at in (cycle.audited or {}).items()},
        "findings": findings,
        "sample": {**asdict(sample), "as_of": instant_text(sample.as_of)} if sample else None,
    }


def _cycle(settings: Settings, asked: Asked, dag: str, recorder: Recorder, progress: LoggedProgress) -> Cycle:
    """The cycle that the run asks for, as far as it has come."""
    since, until = (parse_instant(asked.params[name]) if asked.params[name] else None for name in ("from", "to"))
    request = ApiRequest(Ask("changes", since=since, until=until), asked.run_after) if dag == "tmdb_ingest" else None
    return Cycle(
        settings=settings,
        run_id=str(asked.given.get("run_id") or asked.run_id),
        progress=progress,
        requests=(request,) if request else (),
        request=request,
        gold_as_of=None,
        clock=now,
        turns_standin=settings.runs_own_tmdb,
        makes_report=True,
        recorder=recorder,
        audited={mart: parse_instant(text) for mart, text in asked.given.get("marts", {}).items()} or None,
        sample=_sample(asked.sample) if asked.sample else None,
    )


def _sample(told: Mapping[str, Any]) -> Sample:
    return Sample(
        told["batch_id"],
        parse_instant(told["as_of"]),
        told["movies"],
        tuple(told["movie_ids"]),
        tuple(told["usual"]),
    )


def _is_waiting(cycle: Cycle) -> bool:
    """Whether Bronze holds what Silver has not read: a run before this one may have failed on its way."""
    from ingestion.retention import bronze_state, is_behind

    state = bronze_state(cycle.spark)
    return is_behind(state.reading, state.commits)
