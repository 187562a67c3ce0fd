"""The journal of a run: what happened, appended as it happens, so that a run which is killed has told what it knew.

One file a run, `home/ops/journal/<run_id>.jsonl`; each line is `{"table": ..., "row": {...}}`. `lakehouse.ops.store`
moves what belongs to the tables of `ops` into Delta; `status` and `history` read the journals themselves.
"""

import contextlib
import errno
import itertools
import json
import logging
import os
import platform
import re
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from lakehouse.errors import ConfigurationError
from lakehouse.ops.schema import RUNS, TABLES
from lakehouse.services.process import Running, is_alive

_log = logging.getLogger(__name__)

Row = dict[str, Any]

_TABLES = {table.name: table for table in TABLES}
# Told of a run, but no table of `ops`: whose process it is, rows of each table when it ended, what was ingested.
_NOTES: dict[str, tuple[str, ...]] = {"process": ("pid",), "table_rows": ("table_name",), "batches": ("batch_id",)}
BULKY = ("stage_metrics", "dbt_results", "quality_failures")
"""The tables that a run has hundreds of rows of; who lists runs needs none."""
OUTLINE = tuple(name for name in (*_TABLES, *_NOTES) if name not in (RUNS.name, "process"))
"""All that is passed over where only that, when and how runs ended is asked."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def folder(home: Path) -> Path:
    """Where the journals of an instance are."""
    return home / "ops" / "journal"


def new_run_id(home: Path, kind: str, at: datetime) -> str:
    """Name a run after what it is and when it began: `demo-20260201T080000Z`; no other run gets that name.

    The name is taken by an empty journal. Where none can be made, the run goes on without one, as `Journal` does.
    """
    name = f"{kind}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    for candidate in itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2))):
        path = folder(home) / f"{candidate}.jsonl"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.open("x").close()
        except FileExistsError:
            if path.is_file():
                continue
        except OSError:
            pass
        return candidate
    raise AssertionError("unreachable")


class Journal:
    """Appends what is known of a run to its journal. Threads and processes may write to the same one.

    A disk that takes nothing does not stop the run: it is told once in the log, and the facts are lost.

    Args:
        home: the instance's home.
        run_id: letters, digits, `_`, `.` and `-`.

    Raises:
        ConfigurationError: the run id cannot name a file.
    """

    def __init__(self, home: Path, run_id: str) -> None:
        if not _SAFE_NAME.fullmatch(run_id):
            raise ConfigurationError(
                f"The run id {run_id!r} cannot name a file.",
                "Give --run-id letters, digits, `_`, `.` and `-`, a letter or digit first.",
            )
        self.run_id = run_id
        self.path = folder(home) / f"{run_id}.jsonl"
        self._lock = threading.Lock()
        self._is_checked = False
        self._has_complained = False

    def write(self, table: str, row: Mapping[str, Any]) -> None:
        """Append a row of `table`. One with the key of an earlier row replaces the columns that it has.

        Raises:
            ValueError: there is no such table or column, or a column of the key is missing.
        """
        whole = dict(row)
        declared = _TABLES.get(table)
        if declared is not None:
            if any(column.name == "run_id" for column in declared.columns):
                whole.setdefault("run_id", self.run_id)
            unknown = set(whole) - {column.name for column in declared.columns}
            missing = [name for name in declared.key if whole.get(name) is None]
        elif table in _NOTES:
            unknown, missing = set(), [name for name in _NOTES[table] if whole.get(name) is None]
        else:
            raise ValueError(f"the journal knows no table {table!r}")
        if unknown or missing:
            raise ValueError(f"a row of {table} has unknown columns {sorted(unknown)}, or lacks {missing} of its key")
        line = json.dumps({"table": table, "row": whole}, default=_text, ensure_ascii=False)
        try:
            self._append(line.encode("utf-8", "replace") + b"\n")
        except OSError as error:
            self._complain(error)

    def write_process(self) -> None:
        """Note that this process makes the run: when it is gone and the run has not ended, the run was killed."""
        mine = psutil.Process()
        self.write("process", {"pid": mine.pid, "started": mine.create_time(), "host": platform.node()})

    def sync(self) -> None:
        """Have the disk keep what was written, also when the machine loses its power."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            self._complain(error)

    def _append(self, line: bytes) -> None:
        with self._lock:
            if not self._is_checked:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                if not self._is_checked and (size := os.fstat(descriptor).st_size):
                    # A line that a kill tore must not take the next one with it.
                    line = line if os.pread(descriptor, 1, size - 1) == b"\n" else b"\n" + line
                self._is_checked = os.write(descriptor, line) == len(line)
                if not self._is_checked:
                    raise OSError(errno.ENOSPC, "only a part of a line could be written")
            finally:
                os.close(descriptor)

    def _complain(self, error: OSError) -> None:
        if not self._has_complained:
            self._has_complained = True
            _log.warning("The journal %s cannot be written (%s): the run goes on without it.", self.path, error)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)


@dataclass(frozen=True)
class RunFacts:
    """What the journal of a run holds.

    Args:
        run_id: the run's name.
        path: its journal.
        tables: table -> its rows, in the order in which they were first told; times are UTC.
    """

    run_id: str
    path: Path
    tables: Mapping[str, list[Row]]

    @property
    def run(self) -> Row:
        """The row of `runs`; empty where the journal holds facts of something that is no run by itself."""
        rows = self.rows("runs")
        return rows[-1] if rows else {}

    def rows(self, table: str) -> list[Row]:
        """The rows of a table; none where nothing was told."""
        return self.tables.get(table, [])


def read_run(path: Path, without: Collection[str] = ()) -> RunFacts:
    """Read one journal. A line that is torn is passed over; a run whose process is gone without a word was killed.

    Args:
        path: the journal.
        without: tables that are passed over unread; most lines of a journal are of `BULKY` ones.
    """
    merged: dict[str, dict[tuple[Any, ...], Row]] = {}
    passed_over = tuple(f'{{"table": "{table}"'.encode() for table in without)
    with path.open("rb") as lines:
        for line in lines:
            told = None if line.startswith(passed_over) else _read_line(line)
            if told is None:
                continue
            table, row = told
            key = _TABLES[table].key if table in _TABLES else _NOTES[table]
            merged.setdefault(table, {}).setdefault(tuple(row.get(name) for name in key), {}).update(row)
    facts = RunFacts(path.stem, path, {table: list(rows.values()) for table, rows in merged.items()})
    return _marked_killed(facts) if _is_killed(facts) else facts


def read_alerts(home: Path) -> list[Row]:
    """The alerts of all journals, also of those that are no run's (a digest); each as it was told last."""
    found: dict[str, Row] = {}
    for facts in reversed(list(_read_all(home, BULKY))):
        for row in facts.rows("alerts"):
            former = found.setdefault(row["alert_id"], {})
            if replaces(former, row):
                former.update(row)
    return sorted(found.values(), key=lambda row: str(row.get("raised_at")), reverse=True)


def replaces(former: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether a row of `ops.alerts` may take the place of a former one: what was delivered does not wait again."""
    return bool(row.get("channels")) or not former.get("channels")


def journals(home: Path) -> list[tuple[Path, os.stat_result]]:
    """The journals with their size and time, those that were written to last first; one that goes meanwhile is out."""
    found = []
    for path in folder(home).glob("*.jsonl"):
        with contextlib.suppress(FileNotFoundError):
            found.append((path, path.stat()))
    return sorted(found, key=lambda one: (one[1].st_mtime_ns, one[0].stem), reverse=True)


def _read_all(home: Path, without: Collection[str]) -> Iterator[RunFacts]:
    for path, _ in journals(home):
        with contextlib.suppress(FileNotFoundError):
            yield read_run(path, without)


def read_runs(home: Path, without: Collection[str] = ()) -> list[RunFacts]:
    """The runs whose journals are there, those that began last first.

    Args:
        home: the instance's home.
        without: tables that are passed over unread.
    """
    runs = [facts for facts in _read_all(home, without) if facts.run]
    return sorted(runs, key=lambda facts: (facts.run["started_at"], facts.run_id), reverse=True)


def _read_line(line: bytes) -> tuple[str, Row] | None:
    try:
        told = json.loads(line)
        table, row = told["table"], told["row"]
        if table in _NOTES:
            return table, dict(row)
        kinds = {column.name: column.kind for column in _TABLES[table].columns}
        return table, {name: _value(kinds[name], value) for name, value in row.items()}
    except (ValueError, KeyError, TypeError):
        # Torn, or of a version with other columns.
        return None


def _value(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "timestamp":
        return datetime.fromisoformat(value)
    if kind == "map<string, timestamp>":
        return {name: datetime.fromisoformat(instant) for name, instant in value.items()}
    return value


def _is_killed(facts: RunFacts) -> bool:
    if facts.run.get("status") != "running":
        return False
    here = [row for row in facts.rows("process") if row.get("host") == platform.node()]
    return bool(here) and not any(is_alive(Running(row["pid"], row["started"])) for row in here)


def _marked_killed(facts: RunFacts) -> RunFacts:
    """The run as killed, ended when it last wrote; so did the step that it was in."""
    last = datetime.fromtimestamp(facts.path.stat().st_mtime, UTC)

    def ended(row: Row) -> Row:
        if row.get("status") != "running":
            return row
        seconds = max(0.0, (last - row["started_at"]).total_seconds())
        return {**row, "status": "killed", "finished_at": last, "seconds": seconds}

    changed = {table: [ended(row) for row in facts.rows(table)] for table in ("runs", "steps")}
    return replace(facts, tables={**facts.tables, **changed})
