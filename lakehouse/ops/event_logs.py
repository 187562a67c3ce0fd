"""Spark's event logs: where they are written, what is new in them, and when they go.

Each Spark application writes a folder under `home/ops/events`, in parts, compressed. That of the Thrift server grows as
long as it runs, so what has been read of each is remembered, in `home/ops/event_logs.json`.
"""

import contextlib
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.ops.stages import Application, stages
from lakehouse.services import process

if TYPE_CHECKING:
    from lakehouse.settings import Settings

_PREFIX = "eventlog_v2_"
# The file that Spark makes when an application begins, and renames when it ends.
_STATUS, _GOES_ON = "appstatus_", ".inprogress"
# Where a frame is cut off, the read that meets the end gives nothing: so much of what stands before it is lost.
_BUFFER = 4096


def folder(home: Path) -> Path:
    """Where the event logs of an instance are."""
    return home / "ops" / "events"


def conf(settings: "Settings") -> dict[str, str]:
    """What makes Spark write an event log, where `ops.event_logs` is on; the folder is there afterwards."""
    if not settings.ops.event_logs:
        return {}
    place = folder(settings.home)
    place.mkdir(parents=True, exist_ok=True)
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": place.as_uri(),
        "spark.eventLog.compress": "true",
        "spark.eventLog.compression.codec": "zstd",
        # The last part is read anew from its beginning after each run: it stays small.
        "spark.eventLog.rolling.enabled": "true",
        "spark.eventLog.rolling.maxFileSize": "16m",
        "spark.eventLog.logStageExecutorMetrics": "false",
    }


@dataclass
class _Place:
    """How far an application's log has been read: up to `offset` of the bytes, uncompressed, of part `part`."""

    part: int = 1
    offset: int = 0


@dataclass(frozen=True)
class NewStages:
    """Stages that ended since the last reading.

    Args:
        rows: as `ops.stage_metrics` has them, without the run.
        state: how far each log has been read now.
        file: where that is kept.
    """

    rows: list[dict[str, Any]]
    state: dict[str, Any]
    file: Path

    def keep(self) -> None:
        """Remember how far was read, so that the next reading goes on there."""
        draft = self.file.with_suffix(".draft")
        draft.write_text(json.dumps(self.state), encoding="utf-8")
        draft.replace(self.file)


def new_stages(home: Path) -> NewStages:
    """Read what the event logs tell since the last reading that was kept; one reader at a time."""
    file = home / "ops" / "event_logs.json"
    before = _state(file)
    rows: list[dict[str, Any]] = []
    after: dict[str, Any] = {}
    for log in sorted(folder(home).glob(f"{_PREFIX}*")):
        known = before.get(log.name, {})
        place, application = _Place(**known.get("place", {})), Application(**known.get("application", {}))
        rows += stages(_new_lines(log, place), application)
        after[log.name] = {"place": asdict(place), "application": asdict(application)}
    return NewStages(rows, after, file)


def _state(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return {}


def _new_lines(log: Path, place: _Place) -> Iterator[bytes]:
    """The whole lines behind `place`, which moves along."""
    parts = {int(path.name.split("_")[1]): path for path in log.glob("events_*")}
    for number in sorted(part for part in parts if part >= place.part):
        if number > place.part:
            place.part, place.offset = number, 0
        # One that is deleted meanwhile has rested too long for anybody.
        with contextlib.suppress(FileNotFoundError), _opened(parts[number]) as stream:
            for line in _lines(stream, place.offset):
                place.offset += len(line)
                yield line


def _lines(stream: io.BufferedReader, offset: int) -> Iterator[bytes]:
    """The whole lines from `offset` on; what is still being written comes the next time."""
    try:
        while offset > 0 and (gone := len(stream.read(min(offset, _BUFFER)))):
            offset -= gone
        for line in stream:
            if line.endswith(b"\n"):
                yield line
    except OSError as error:
        if "Truncated" not in str(error):
            raise


def _opened(path: Path) -> io.BufferedReader:
    import pyarrow as pa

    if path.suffix != ".zstd":
        return path.open("rb")
    # Spark ends a frame whenever it flushes, so what is there of a growing file can be read.
    return io.BufferedReader(pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"), _BUFFER)


def delete_old(home: Path, days: int, as_of: datetime, dry_run: bool = False) -> list[str]:
    """Delete the logs that nothing was written to for so many days; give their names.

    One that the Thrift server may still write to stays, however long nobody has asked it anything.
    """
    before = (as_of.astimezone(UTC) - timedelta(days=days)).timestamp()
    server = process.seen(home, "thrift")
    gone = []
    for log in sorted(folder(home).glob(f"{_PREFIX}*")):
        with contextlib.suppress(FileNotFoundError):
            written = {path.name: path.stat().st_mtime for path in log.iterdir()}
            if max(written.values(), default=log.stat().st_mtime) >= before:
                continue
            begun = [at for name, at in written.items() if name.startswith(_STATUS) and name.endswith(_GOES_ON)]
            if server is not None and any(at >= server.started for at in begun):
                continue
            if not dry_run:
                shutil.rmtree(log)
            gone.append(log.name.removeprefix(_PREFIX))
    return gone
