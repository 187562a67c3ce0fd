"""What lies in the folder of a lease: who took which number, when it was renewed, and whether it was given back.

`lakehouse.lease` says what it means.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from lakehouse.clock import instant_text

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Holder(msgspec.Struct, frozen=True):
    """Who took a lease: the content of `lease.json`.

    `processes` names the host's set of process ids (a container has its own); `started` is the start of process
    `pid`, seconds since 1970; `nonce` tells two attempts of one process apart.
    """

    host: str
    processes: str
    pid: int
    started: float
    purpose: str
    taken_at: datetime
    seconds: float
    nonce: str

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.purpose} (process {self.pid} on {self.host}, since {instant_text(self.taken_at)})"


class Entry(NamedTuple):
    """A lease as found. `holder` is None where its file cannot be read."""

    number: int
    holder: Holder | None
    renewed_at: datetime
    is_released: bool


class Entries(Protocol):
    """The leases of one name, wherever they lie."""

    def numbers(self) -> list[int]:
        """The numbers that were taken, lowest first."""

    def look(self, number: int) -> Entry | None:
        """The lease of that number; None where it is gone."""

    def claim(self, number: int, holder: Holder) -> bool:
        """Take a number, as of `holder.taken_at`. False where another has it."""

    def renew(self, number: int, now: datetime) -> None:
        """Note a sign of life; nothing happens where the lease is gone."""

    def release(self, number: int) -> None:
        """Give a number back; nothing happens where the lease is gone."""

    def remove(self, number: int) -> None:
        """Remove a number."""

    def clean(self, below: int, before: datetime) -> None:
        """Remove the numbers below `below`, and what was left by attempts that were killed before `before`."""


class HadoopEntries:
    """The leases in a folder of any file system that Hadoop knows."""

    def __init__(self, spark: "SparkSession", folder: str) -> None:
        context = spark.sparkContext
        assert context._jvm
        assert context._jsc
        self._path: Any = context._jvm.org.apache.hadoop.fs.Path
        self._folder = folder
        self._files: Any = self._path(folder).getFileSystem(context._jsc.hadoopConfiguration())

    def numbers(self) -> list[int]:
        """See `Entries`."""
        return sorted(int(name) for name in self._names() if name.isdigit())

    def look(self, number: int) -> Entry | None:
        """See `Entries`."""
        folder = self._at(number)
        status = self._status(folder)
        if status is None:
            return None
        file_status = self._status(f"{folder}/lease.json")
        renewed_at = _instant((file_status or status).getModificationTime())
        is_released = self._status(f"{folder}/released") is not None
        return Entry(number, self._read(folder), renewed_at, is_released)

    def claim(self, number: int, holder: Holder) -> bool:
        """See `Entries`."""
        staged = f"taking-{holder.nonce}"
        source, target = f"{self._folder}/{staged}", self._at(number)
        stream = self._files.create(self._path(f"{source}/lease.json"), False)
        stream.write(bytearray(msgspec.json.encode(holder)))
        stream.close()
        # The time of a lease is always its holder's, not the file system's.
        self._set_time(source, holder.taken_at)
        _unless_missing(self._files.rename, self._path(source), self._path(target))
        found = self._read(target)
        is_mine = found is not None and found.nonce == holder.nonce
        if not is_mine:
            for left in (f"{target}/{staged}", source):
                self._files.delete(self._path(left), True)
        return is_mine

    def renew(self, number: int, now: datetime) -> None:
        """See `Entries`."""
        _unless_missing(self._set_time, self._at(number), now)

    def release(self, number: int) -> None:
        """See `Entries`."""
        if self._status(self._at(number)) is not None:
            self._files.create(self._path(f"{self._at(number)}/released"), True).close()

    def remove(self, number: int) -> None:
        """See `Entries`."""
        self._files.delete(self._path(self._at(number)), True)

    def clean(self, below: int, before: datetime) -> None:
        """See `Entries`."""
        for name in self._names():
            path = f"{self._folder}/{name}"
            if name.isdigit():
                is_over = int(name) < below
            else:
                status = self._status(path)
                is_over = status is not None and _instant(status.getModificationTime()) < before
            if is_over:
                self._files.delete(self._path(path), True)

    def _at(self, number: int) -> str:
        return f"{self._folder}/{number:06d}"

    def _names(self) -> list[str]:
        found = _unless_missing(self._files.listStatus, self._path(self._folder))
        return [status.getPath().getName() for status in found or []]

    def _status(self, path: str) -> Any:
        return _unless_missing(self._files.getFileStatus, self._path(path))

    def _read(self, folder: str) -> Holder | None:
        stream = _unless_missing(self._files.open, self._path(f"{folder}/lease.json"))
        if stream is None:
            return None
        try:
            return msgspec.json.decode(stream.readAllBytes(), type=Holder)
        except msgspec.MsgspecError:
            return None
        finally:
            stream.close()

    def _set_time(self, folder: str, instant: datetime) -> None:
        self._files.setTimes(self._path(f"{folder}/lease.json"), round(instant.timestamp() * 1000), -1)


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _unless_missing(call: Callable[..., Any], *arguments: Any) -> Any:
    """What `call` gives, or None where a file or folder is not there: another process may have removed it just now."""
    from py4j.protocol import Py4JJavaError

    try:
        return call(*arguments)
    except Py4JJavaError as error:
        if error.java_exception.getClass().getSimpleName() == "FileNotFoundException":
            return None
        raise
