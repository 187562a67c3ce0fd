"""Records a run in its journal: that it began, its steps, and how it ended."""

import json
import os
import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

from lakehouse.errors import LakehouseError
from lakehouse.ops.journal import BULKY, Journal, read_run


class DbtNode(Protocol):
    """What is recorded of a dbt node: see `orchestration.dbt.Node`."""

    @property
    def unique_id(self) -> str:
        """E.g. `model.tmdb_lakehouse.movies`."""

    @property
    def name(self) -> str:
        """The node's name."""

    @property
    def kind(self) -> str:
        """Model, test, unit_test, snapshot, seed, operation."""

    @property
    def status(self) -> str:
        """dbt's own word."""

    @property
    def seconds(self) -> float:
        """How long it ran."""

    @property
    def message(self) -> str:
        """dbt's message."""

    @property
    def invocation_id(self) -> str:
        """dbt's id of the call."""

    @property
    def thread(self) -> str:
        """dbt's thread."""

    @property
    def started_at(self) -> datetime | None:
        """None where it was skipped."""

    @property
    def finished_at(self) -> datetime | None:
        """None where it was skipped."""

    @property
    def failures(self) -> int | None:
        """Rows that a test found."""


class Recorder:
    """Writes what a run does into its journal.

    Args:
        journal: the run's.
        began_at: when the run began; later instants are that and what has passed since.
    """

    def __init__(self, journal: Journal, began_at: datetime) -> None:
        self.journal = journal
        self.run_id = journal.run_id
        self.began_at = began_at
        self.error: BaseException | None = None
        """What ended the run, once it has failed."""
        self._began = time.monotonic()
        self._steps = 0

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began

    def now(self) -> datetime:
        """The instant, by the run's clock."""
        return self.began_at + timedelta(seconds=self.elapsed)

    @contextmanager
    def run(self, kind: str, arguments: Mapping[str, Any], as_of: datetime | None = None) -> Iterator[None]:
        """Record that the run goes on, then how it ended; see `lakehouse.ops.recording.recorded`, which uses it."""
        self.journal.write_process()
        self.journal.write("runs", {**_begun(kind, arguments, self.began_at), "as_of": as_of})

        def end(status: str, error: str | None, next_step: str | None) -> None:
            ended = {"finished_at": self.now(), "seconds": round(self.elapsed, 3)}
            self.journal.write("runs", {**ended, "status": status, "error": error, "next_step": next_step})
            self.journal.sync()

        try:
            yield
        except BaseException as error:
            self.error = error
            end("failed", *story(error))
            raise
        end("succeeded", None, None)

    def join(self, kind: str, arguments: Mapping[str, Any], started_at: datetime) -> None:
        """Record that a run goes on which several processes make, one after the other; this is one of them."""
        self.journal.write("runs", _begun(kind, arguments, started_at))
        self._steps = len(read_run(self.journal.path, BULKY).rows("steps"))

    @contextmanager
    def step(self, name: str, findings: list[str] | None = None) -> Iterator[list[str]]:
        """Record a step; what is put into the list that it gives (`findings`, where that is given) is kept."""
        told = [] if findings is None else findings
        self._steps += 1
        number, began, began_at = self._steps, time.monotonic(), self.now()
        begun = {"step_number": number, "step": name, "started_at": began_at}
        self.journal.write("steps", {**begun, "status": "running"})

        def end(status: str, error: str | None) -> None:
            seconds = time.monotonic() - began
            ended = {"finished_at": began_at + timedelta(seconds=seconds), "seconds": round(seconds, 3)}
            self.journal.write("steps", {**begun, **ended, "status": status, "findings": list(told), "error": error})

        try:
            yield told
        except BaseException as error:
            end("failed", story(error)[0])
            raise
        end("succeeded", None)

    def dbt(self, nodes: Iterable[DbtNode]) -> None:
        """Record what became of dbt's nodes."""
        for node in nodes:
            self.journal.write(
                "dbt_results",
                {
                    "invocation_id": node.invocation_id,
                    "node_id": node.unique_id,
                    "node_name": node.name,
                    "kind": node.kind,
                    "status": node.status,
                    "started_at": node.started_at,
                    "finished_at": node.finished_at,
                    "seconds": round(node.seconds, 3),
                    "thread": node.thread,
                    "failures": node.failures,
                    "message": node.message,
                },
            )

    def facts(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Record rows of a table of `ops`."""
        for row in rows:
            self.journal.write(table, row)


def _begun(kind: str, arguments: Mapping[str, Any], started_at: datetime) -> dict[str, Any]:
    return {
        "kind": kind,
        "started_at": started_at,
        "host": platform.node(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "arguments": json.dumps(dict(arguments), default=str, ensure_ascii=False),
        "status": "running",
    }


def story(error: BaseException) -> tuple[str, str]:
    """What an error says, and what to do about it."""
    if isinstance(error, LakehouseError):
        return error.message, error.next_step
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted.", "Run it again."
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}: {said[0][:500]}" if said else type(error).__name__, "See the logs."
