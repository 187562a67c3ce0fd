"""One process at a time, whatever machine it runs on: a lease that lies on the warehouse's file system.

`{warehouse}/_leases/{name}/` holds one folder a lease, `000007/`, and the highest number holds. In it stand
`lease.json`, which says who took it and is never rewritten, and, once it was given back, `released`.

- To take number n+1, a folder with everything in it is renamed to that number. A file would not do: `file:` lets a
  rename replace one, and looks before it creates. Neither `file:` nor HDFS lets a folder replace one that is not
  empty (both put it inside), so exactly one process finds itself in `lease.json` afterwards, and a kill leaves no
  lease half written.
- A lease is free when it was released, when its process ran on this host and is gone, or when it was not renewed for
  its `seconds`. The time of `lease.json` is that of the last renewal, by the holder's clock: clocks of two machines
  must agree to within a small part of `seconds`.
- The number is a fencing token: `Lease.check` raises once there is a higher one, so a process that slept through the
  end of its lease does not commit. What happens between a check and the commit after it, nothing here can see.
- The highest number is only removed by the process that has just taken it, and finds that it should not have.
"""

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from lakehouse.clock import instant_text
from lakehouse.errors import LakehouseError
from lakehouse.lease_entries import Entries, Entry, HadoopEntries, Holder
from lakehouse.services.process import Running, is_alive

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_POLL_SECONDS = 1.0


class LeaseHeld(LakehouseError):
    """Another process holds the lease."""


class LeaseLost(LakehouseError):
    """The lease has gone to another process while this one thought that it held it."""


class Lease:
    """A lease that this process holds; `number` is its fencing token."""

    def __init__(self, entries: Entries, name: str, number: int, holder: Holder, clock: Callable[[], datetime]) -> None:
        self.number = number
        self._entries = entries
        self._name = name
        self._clock = clock
        self._seconds = holder.seconds
        self._renewed_at = holder.taken_at

    def check(self) -> None:
        """Make sure that the lease is still this process's, and renew it where a third of its time has passed.

        To be called before each commit. Cost: a few milliseconds.

        Raises:
            LeaseLost: another process has taken it.
        """
        now = self._clock()
        # Renewed before it looks: one who takes the lease meanwhile looks at the renewal after taking, and one of the
        # two steps back.
        if (now - self._renewed_at).total_seconds() >= self._seconds / 3:
            self._entries.renew(self.number, now)
            self._renewed_at = now
        if self._entries.numbers()[-1:] != [self.number]:
            other = _who(_highest(self._entries))
            raise LeaseLost(
                f"The lease {self._name!r} (number {self.number}) has gone to {other}; it was not renewed for "
                f"{self._seconds:.0f} s, or was taken away.",
                "Nothing was written after that. Run the same command again when the other has ended.",
            )

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew the lease while one long statement runs, which leaves no moment to check; check before and after.

        Raises:
            LeaseLost: another process has taken it.
        """
        from py4j.protocol import Py4JError

        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(self._seconds / 3):
                # Whoever waits for the statement gets to know by the check after it.
                with suppress(LeaseLost, Py4JError):
                    self.check()

        self.check()
        thread = threading.Thread(target=renew, name=f"lease-{self._name}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
        self.check()


@contextmanager
def held(
    spark: "SparkSession",
    folder: str,
    name: str,
    purpose: str,
    clock: Callable[[], datetime],
    seconds: float = 300,
    wait_seconds: float = 0,
    on_wait: Callable[[str], None] = lambda sentence: None,
) -> Iterator[Lease]:
    """Hold the lease `name` for as long as the context lasts. It cannot be taken twice, not by one process either.

    Args:
        spark: a session, whose Hadoop file systems are used.
        folder: the warehouse, e.g. `hdfs://host:9000/warehouse`; leases lie in `_leases` below it.
        name: what is leased, e.g. `bronze`.
        purpose: what the holder does, for those who are refused: "lakehouse maintain".
        clock: the wall clock.
        seconds: a lease that was not renewed for so long is free; `Lease.check` renews it.
        wait_seconds: how long to wait for one that another holds.
        on_wait: told who holds it, about once a second of waiting.

    Raises:
        LeaseHeld: another process holds it, and held it until the wait was over.
    """
    lease = take(HadoopEntries(spark, f"{folder}/_leases/{name}"), name, purpose, clock, seconds, wait_seconds, on_wait)
    try:
        yield lease
    finally:
        lease._entries.release(lease.number)


def take(
    entries: Entries,
    name: str,
    purpose: str,
    clock: Callable[[], datetime],
    seconds: float,
    wait_seconds: float = 0,
    on_wait: Callable[[str], None] = lambda sentence: None,
) -> Lease:
    """Take a lease, without giving it back; see `held`.

    Raises:
        LeaseHeld: another process holds it, and held it until the wait was over.
    """
    until = time.monotonic() + wait_seconds
    while True:
        me = _this_process(purpose, clock(), seconds)
        taken = _attempt(entries, me)
        if isinstance(taken, int):
            return Lease(entries, name, taken, me, clock)
        refusal = LeaseHeld(f"{name!r} is in use by {_who(taken)}.", _next_step(taken, seconds))
        left = until - time.monotonic()
        if left <= 0:
            raise refusal
        on_wait(refusal.message)
        time.sleep(min(_POLL_SECONDS, left))


def _attempt(entries: Entries, me: Holder) -> int | Entry | None:
    """Take the next number and give it; else give the lease that is in the way (None: gone again meanwhile)."""
    numbers = entries.numbers()
    last = numbers[-1] if numbers else 0
    before = entries.look(last) if last else None
    if before and not is_free(before, me):
        return before
    number = last + 1
    if not entries.claim(number, me):
        return _highest(entries)
    if entries.numbers()[-1:] != [number]:
        # Others have come and gone since the first look, and have cleaned up behind them.
        entries.remove(number)
        return _highest(entries)
    before = entries.look(last) if last else None
    if before and not is_free(before, me):
        # Its holder woke up and renewed it at the last moment: `Lease.check`.
        entries.remove(number)
        return before
    entries.clean(number, me.taken_at - timedelta(seconds=me.seconds))
    return number


def is_free(entry: Entry, me: Holder, is_alive: Callable[[Running], bool] = is_alive) -> bool:
    """Whether a lease that was found may be taken over, at the instant `me.taken_at`.

    Args:
        entry: what was found.
        me: who wants it. Where it cannot be read who holds it, `me.seconds` say when it ends.
        is_alive: whether a process of this host runs.
    """
    if entry.is_released:
        return True
    holder = entry.holder
    age = (me.taken_at - entry.renewed_at).total_seconds()
    if age > (holder or me).seconds:
        return True
    if holder is None or (holder.host, holder.processes) != (me.host, me.processes):
        return False
    return not is_alive(Running(holder.pid, holder.started))


def _this_process(purpose: str, now: datetime, seconds: float) -> Holder:
    pid = os.getpid()
    # Containers may share a host name, and number their processes apart.
    processes = Path("/proc/self/ns/pid")
    return Holder(
        host=socket.gethostname(),
        processes=str(processes.readlink()) if processes.is_symlink() else "",
        pid=pid,
        started=psutil.Process(pid).create_time(),
        purpose=purpose,
        taken_at=now,
        seconds=seconds,
        nonce=uuid.uuid4().hex,
    )


def _highest(entries: Entries) -> Entry | None:
    numbers = entries.numbers()
    return entries.look(numbers[-1]) if numbers else None


def _who(entry: Entry | None) -> str:
    if entry is None:
        return "another process"
    return str(entry.holder or f"a process that cannot be told (lease {entry.number})")


def _next_step(entry: Entry | None, seconds: float) -> str:
    if entry is None:
        return "Run again."
    ends = entry.renewed_at + timedelta(seconds=(entry.holder.seconds if entry.holder else seconds))
    return f"Run again when it has ended; if it is dead, the lease is free from {instant_text(ends)} on."
