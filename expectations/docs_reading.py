"""Reads the validation results that gates left in `home/quality`, a folder a run and a file a table."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lakehouse.clock import parse_instant
from lakehouse.errors import ConfigurationError

_LAYERS = ("bronze", "silver", "gold")


@dataclass(frozen=True)
class Judged:
    """What Great Expectations said of a table in a run.

    Args:
        run_id: the run.
        layer: bronze, silver or gold.
        table: schema.table.
        measured_at: when.
        suite: its suite, as JSON.
        result: its validation result, as JSON.
    """

    run_id: str
    layer: str
    table: str
    measured_at: datetime
    suite: dict[str, Any]
    result: dict[str, Any]


@dataclass(frozen=True)
class GateRun:
    """A run's gates: its tables by layer and name, and the latest instant of them."""

    run_id: str
    measured_at: datetime
    tables: tuple[Judged, ...]


@dataclass(frozen=True)
class Found:
    """The runs, the newest first, the files that could not be read, with why, and how many older runs were not read."""

    runs: tuple[GateRun, ...]
    unreadable: tuple[str, ...]
    older: int = 0


def read_runs(home: Path, most: int) -> Found:
    """Read what the latest gates left behind; a damaged file is named and passed over.

    Args:
        home: the instance's home.
        most: so many runs are read, those whose folders were written to last.
    """
    runs: list[GateRun] = []
    unreadable: list[str] = []
    folders = [path for path in (home / "quality").glob("*") if path.is_dir()]
    folders.sort(key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
    for folder in folders[:most]:
        tables: list[Judged] = []
        for path in sorted(folder.glob("[!.]*.json")):
            try:
                tables.append(_read(path))
            except (OSError, ValueError, KeyError, TypeError, AttributeError, ConfigurationError) as error:
                unreadable.append(f"{path.relative_to(home)}: {type(error).__name__}: {error}")
        if tables:
            tables.sort(key=lambda one: (_LAYERS.index(one.layer), one.table))
            runs.append(GateRun(folder.name, max(one.measured_at for one in tables), tuple(tables)))
    runs.sort(key=lambda run: (run.measured_at, run.run_id), reverse=True)
    return Found(tuple(runs), tuple(sorted(unreadable)), max(0, len(folders) - most))


def _read(path: Path) -> Judged:
    content = json.loads(path.read_text(encoding="utf-8"))
    judged = Judged(
        content["run_id"],
        content["layer"],
        content["table_name"],
        parse_instant(content["measured_at"]),
        content["suite"],
        content["result"],
    )
    if judged.layer not in _LAYERS or path.stem != judged.table:
        raise ValueError(f"it is about {judged.table} in {judged.layer}")
    if not (isinstance(judged.suite["expectations"], list) and isinstance(judged.result["results"], list)):
        raise TypeError("it holds no suite and result")
    return judged
