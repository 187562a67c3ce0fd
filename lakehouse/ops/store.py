"""Moves what journals hold into the Delta tables of `ops`. Run twice, or killed in between, it gives the same rows.

A small Delta commit takes about a second, so what is known to be new is appended without looking. A file beside the
journal says how far that has come: `<run_id>.storing` from before the first commit, `<run_id>.stored` (holding the size
that the journal had) after the last. Where a journal has either, rows are compared with those that are there.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.locks import exclusive
from lakehouse.ops.journal import BULKY, Row, RunFacts, folder, journals, read_run, read_runs, replaces
from lakehouse.ops.schema import ALERTS, PUBLICATIONS, QUALITY_FAILURES, QUALITY_METRICS, TABLES, OpsTable

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# The gate and the publication write these themselves, at once; in the journal they are for the terminal.
_WRITTEN_BY_OTHERS = {QUALITY_METRICS.name, QUALITY_FAILURES.name, PUBLICATIONS.name}
# What became of an alert changes when the digest tells it.
_CHANGING = {ALERTS.name}
# What `status` and the metrics tell of the run that said it last.
_LASTING = (QUALITY_METRICS.name, PUBLICATIONS.name, "table_rows", "batches")


def spark_schema(table: OpsTable) -> str:
    """The columns of a table and their types, as Spark reads a schema from text."""
    return ", ".join(f"{column.name} {column.kind}" for column in table.columns)


def store(spark: "SparkSession", home: Path) -> dict[str, int]:
    """Store every journal that has ended and is not stored whole; give the rows written by table.

    Args:
        spark: a session that sees the `ops` tables.
        home: the instance's home.
    """
    with exclusive(_lock(home)):
        pending = [_Pending(facts, size) for facts, size in _unstored(home)]
        if not pending:
            return {}
        seen_before = any(one.is_begun for one in pending)
        for one in pending:
            one.mark_begun()
        # A killed run tells nothing more of itself; all that is new goes in one commit a table.
        with ThreadPoolExecutor(2, thread_name_prefix="ops-store") as pool:
            work = [
                (table, pool.submit(_write, spark, table, rows, seen_before or table.name in _CHANGING))
                for table in TABLES
                if table.name not in _WRITTEN_BY_OTHERS
                and (rows := [row for one in pending for row in one.facts.rows(table.name)])
            ]
            written = {table.full_name: done.result() for table, done in work}
        for one in pending:
            one.mark_stored()
        return {name: count for name, count in written.items() if count}


def _lock(home: Path) -> Path:
    return home / "run" / "ops-store.lock"


class _Pending:
    """A journal that is to be stored, and the files beside it that say how far that has come."""

    def __init__(self, facts: RunFacts, size: int) -> None:
        self.facts = facts
        self._size = size
        self._begun = facts.path.with_suffix(".storing")
        self._stored = facts.path.with_suffix(".stored")

    @property
    def is_begun(self) -> bool:
        return self._begun.exists() or self._stored.exists()

    def mark_begun(self) -> None:
        self._begun.touch()

    def mark_stored(self) -> None:
        draft = self._stored.with_suffix(".draft")
        draft.write_text(str(self._size), encoding="utf-8")
        draft.replace(self._stored)
        self._begun.unlink(missing_ok=True)


def _unstored(home: Path) -> Iterable[tuple[RunFacts, int]]:
    """Those that were written to last come last: of rows with the same key, theirs counts."""
    for path, state in reversed(journals(home)):
        # Taken before it is read: what is appended meanwhile is stored the next time.
        size = state.st_size
        # One without a line is but a name that a run has taken.
        if not size or _stored_size(path) == size:
            continue
        with contextlib.suppress(FileNotFoundError):
            facts = read_run(path)
            if facts.run.get("status") != "running":
                yield facts, size


def _stored_size(path: Path) -> int | None:
    try:
        return int(path.with_suffix(".stored").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def _write(spark: "SparkSession", table: OpsTable, rows: Sequence[Row], compares: bool) -> int:
    by_key = newest_rows(table, rows)
    new, changed = list(by_key.values()), []
    if compares:
        there = _there(spark, table, by_key)
        new = [row for key, row in by_key.items() if key not in there]
        changed = [
            row
            for key, row in by_key.items()
            if key in there and there[key] != row and _may_replace(table, there[key], row)
        ]
    if changed:
        _replace(spark, table, changed)
    if new:
        frame_of(spark, table, new).write.format("delta").mode("append").saveAsTable(table.full_name)
    return len(new) + len(changed)


def newest_rows(table: OpsTable, rows: Iterable[Row]) -> dict[tuple[Any, ...], Row]:
    """Of rows with the same key the last, with all columns; an alert that was delivered stays as it is."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = _key(table, row)
        if key not in found or _may_replace(table, found[key], row):
            found[key] = _whole(table, row)
    return found


def _may_replace(table: OpsTable, former: Row, row: Row) -> bool:
    return table is not ALERTS or replaces(former, row)


def _key(table: OpsTable, row: Row) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in table.key)


def _whole(table: OpsTable, row: Row) -> Row:
    """The row with all columns of its table, numbers of the kind that Spark demands."""
    return {column.name: _number(column.kind, row.get(column.name)) for column in table.columns}


def _number(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "double":
        return float(value)
    return int(value) if kind in ("int", "bigint") else value


def frame_of(spark: "SparkSession", table: OpsTable, rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows that have every column of a table, as a frame of one partition."""
    values = [tuple(row[column.name] for column in table.columns) for row in rows]
    return spark.createDataFrame(values, spark_schema(table)).coalesce(1)


def _there(spark: "SparkSession", table: OpsTable, by_key: dict[tuple[Any, ...], Row]) -> dict[tuple[Any, ...], Row]:
    """The stored rows that share the first column of a key with those to be stored."""
    from pyspark.sql import functions as f

    first = table.key[0]
    frame = spark.read.table(table.full_name).where(f.col(first).isin(sorted({str(key[0]) for key in by_key})))
    # Spark gives instants without a zone, in the local one, which may have the same hour twice.
    instants = [column.name for column in table.columns if column.kind == "timestamp"]
    for name in instants:
        frame = frame.withColumn(name, f.unix_micros(name))
    found = {}
    for stored in frame.collect():
        row = stored.asDict(recursive=True)
        for name in instants:
            if row[name] is not None:
                row[name] = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row[name])
        found[_key(table, row)] = row
    return found


def _replace(spark: "SparkSession", table: OpsTable, rows: Sequence[Row]) -> None:
    from delta.tables import DeltaTable

    same = " and ".join(f"t.{name} <=> s.{name}" for name in table.key)
    target = DeltaTable.forName(spark, table.full_name).alias("t")
    target.merge(frame_of(spark, table, rows).alias("s"), same).whenMatchedUpdateAll().execute()


def delete_old(home: Path, days: int, as_of: datetime, dry_run: bool = False) -> list[str]:
    """Delete the journals that are stored whole and were not written to for so many days; give their names.

    Those that `status` and the metrics still tell of stay: see `_needed`.
    """
    before = (as_of.astimezone(UTC) - timedelta(days=days)).timestamp()
    gone = []
    # Who stores journals would write beside what goes.
    with exclusive(_lock(home)):
        needed = _needed(home)
        for path, state in sorted(journals(home)):
            is_stored = not state.st_size or _stored_size(path) == state.st_size
            if state.st_mtime < before and is_stored and path.stem not in needed:
                if not dry_run:
                    path.unlink(missing_ok=True)
                gone.append(path.stem)
        if not dry_run:
            _sweep(home)
    return gone


def _needed(home: Path) -> set[str]:
    """The runs that ended last, and that ended well last, of each kind; and those that told last of what is kept.

    Without them, what a run that no longer takes place left behind would vanish, and with it the alert on its absence.
    """
    needed: dict[tuple[str, ...], str] = {}
    for facts in read_runs(home, BULKY):
        if facts.run.get("status") == "running":
            continue
        told = [("ended", facts.run["kind"]), *(("told", name) for name in _LASTING if facts.rows(name))]
        if facts.run.get("status") == "succeeded":
            told.append(("succeeded", facts.run["kind"]))
        for what in told:
            needed.setdefault(what, facts.run_id)
    return set(needed.values())


def _sweep(home: Path) -> None:
    """Delete what stands beside journals that are gone."""
    for ending in ("stored", "storing", "draft"):
        for path in folder(home).glob(f"*.{ending}"):
            if not path.with_suffix(".jsonl").exists():
                path.unlink(missing_ok=True)
