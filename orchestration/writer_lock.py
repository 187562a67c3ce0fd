"""Who builds Silver and Gold: the lock that `dbt_project/macros/lock.sql` takes, seen from the programs that start dbt.

dbt can refuse to run beside another, but not wait: it has no way to sleep. Here is the waiting.
"""

import os
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import psutil

from lakehouse.clock import now, parse_instant
from lakehouse.errors import LakehouseError
from lakehouse.hive import query
from lakehouse.services.process import Running, is_alive
from lakehouse.settings import Settings

VARIABLE = "LAKEHOUSE_WRITER"
"""The environment variable by which dbt is told who it runs for: `<run>|<process>`, as `Writer` has it."""

_HELD = re.compile(r"\(lakehouse\.writer,([^|)]+)\|([^|)]*)\|([^|)]*)\|([^|)]+)\)")
_SCHEMA = "silver"
_POLL_SECONDS = 2.0


class WriterBusy(LakehouseError):
    """Another dbt run builds Silver and Gold, and went on for longer than one wants to wait."""


@dataclass(frozen=True)
class Writer:
    """Who holds the lock.

    Args:
        who: a run, e.g. `tmdb_transform-20260124T080000Z-1f2e3d`, or a person's call of dbt.
        process: its process, `<pid>/<start, seconds since 1970>@<host>`; empty where that is not known.
        since: when it took the lock, UTC.
        until: from when on the lock is free, unless it is renewed.
    """

    who: str
    process: str
    since: str
    until: datetime

    def __str__(self) -> str:
        """Say who it is."""
        place = f" (process {self.process.partition('/')[0]})" if self.process else ""
        return f"{self.who}{place}, since {self.since}"


def variable(who: str) -> dict[str, str]:
    """The environment variable for a dbt call of this process."""
    pid = os.getpid()
    return {VARIABLE: f"{who}|{pid}/{psutil.Process(pid).create_time()}@{socket.gethostname()}"}


def current_writer(settings: Settings, at: datetime) -> Writer | None:
    """Who holds the lock now.

    Raises:
        ServiceError: the Thrift server does not answer.
    """
    return read_writer(_properties(settings), at)


def read_writer(properties: str, at: datetime) -> Writer | None:
    """Who holds the lock at an instant, as the schema's properties have it: `((lakehouse.writer,...), ...)`."""
    found = _HELD.search(properties)
    if found is None:
        return None
    who, process, since, until = found.groups()
    writer = Writer(who, process, since, parse_instant(until))
    return writer if writer.until > at and not _is_gone(writer) else None


def wait_for_turn(
    settings: Settings,
    who: str,
    on_wait: Callable[[str], None],
    clock: Callable[[], datetime] = now,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until no other dbt run holds the lock; what a dead process of this machine has left is taken away.

    Args:
        settings: names the Thrift server, and how long to wait.
        who: who waits. What an attempt of the same run holds is waited for while its process is seen to work.
        on_wait: told who holds the lock, once for each who does.
        clock: the wall clock.
        sleep: waits so many seconds.

    Raises:
        WriterBusy: it was still held after `dbt.wait_minutes`.
        ServiceError: the Thrift server does not answer.
    """
    began, told_of = clock(), ""
    while True:
        properties = _properties(settings)
        writer = read_writer(properties, clock())
        if writer is None:
            if _HELD.search(properties):
                query(settings, f"alter schema {_SCHEMA} set dbproperties ('lakehouse.writer' = '')")
            return
        if _is_own(writer, who):
            return
        if (clock() - began).total_seconds() >= 60 * settings.dbt.wait_minutes:
            raise WriterBusy(
                f"Waited {settings.dbt.wait_minutes} minutes in vain: {writer} is building Silver and Gold.",
                "Run again when it has ended. If it is dead: dbt run-operation release_lock --args '{force: true}'",
            )
        if writer.who != told_of:
            told_of = writer.who
            on_wait(f"waiting for {writer}, which is building Silver and Gold")
        sleep(_POLL_SECONDS)


def _properties(settings: Settings) -> str:
    """The properties of the schema that carries the lock; nothing where there is no such schema yet."""
    if not query(settings, f"show schemas like '{_SCHEMA}'").rows:
        return ""
    rows = query(settings, f"describe schema extended {_SCHEMA}").rows
    return next((str(value) for name, value in rows if name == "Properties"), "")


def _is_gone(writer: Writer) -> bool:
    """Whether its process ran on this machine and has ended."""
    process = _process_here(writer)
    return process is not None and not is_alive(process)


def _is_own(writer: Writer, who: str) -> bool:
    """Whether it is the run that asks, and not another process of that run which still works here."""
    process = _process_here(writer)
    return writer.who == who and (process is None or process.pid == os.getpid())


def _process_here(writer: Writer) -> Running | None:
    """The process of a writer, where it is one of this machine."""
    found = re.fullmatch(r"(\d+)/([\d.]+)@(.*)", writer.process)
    if found is None or found[3] != socket.gethostname():
        return None
    return Running(int(found[1]), float(found[2]))
