"""What the report tells, read from the lake; what is not there says how to get it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lakehouse.errors import LakehouseError
from lakehouse.hive import Answer
from orchestration.report.questions import GOLD, OPS, RUN, Question

Row = dict[str, Any]
Query = Callable[[str], Answer]

_HOW = {
    "ops": "`lakehouse run` and `lakehouse demo` keep what they did there.",
    "gold": "`lakehouse run` or `lakehouse demo` publishes it.",
}


@dataclass(frozen=True)
class Found:
    """What a question found.

    Args:
        rows: in the question's order; a column each key.
        missing: why there are none, and how to get some; empty where there are.
    """

    rows: tuple[Row, ...]
    missing: str = ""


@dataclass(frozen=True)
class Facts:
    """Everything that the pages are made of.

    Args:
        run: the run that the report is about; None where none is known.
        found: the answers, by the questions' names.
        missing: why there is no run.
    """

    run: Row | None
    found: dict[str, Found]
    missing: str = ""

    def __getitem__(self, name: str) -> Found:
        """The answer to a question."""
        return self.found[name]

    def rows(self, name: str) -> tuple[Row, ...]:
        """The rows of an answer."""
        return self.found[name].rows

    @property
    def at(self) -> datetime:
        """The instant that the report tells of: when the run ended, or else began."""
        run = self.run or {}
        return datetime.fromtimestamp((run.get("finished_ms") or run.get("started_ms") or 0) / 1000, UTC)


def read_facts(query: Query, run_id: str | None = None) -> Facts:
    """Ask everything that the pages need.

    Args:
        query: runs one SQL statement.
        run_id: the run to tell of; None: the last cycle.

    Raises:
        LakehouseError: `run_id` is no run that `ops.runs` knows, or a statement was refused.
    """
    tables = _tables(query, ("ops", "gold"))
    where = f"where run_id = {_quoted(run_id)}" if run_id else ""
    chosen = _ask(query, RUN, RUN.sql.format(where=where), tables)
    if run_id and not chosen.rows:
        raise LakehouseError(
            f"ops.runs knows no run {run_id!r}.", "`lakehouse history` lists the runs; one that runs is not stored yet."
        )
    run = chosen.rows[0] if chosen.rows else None
    named = _quoted(run["run_id"] if run else "")
    found = {
        question.name: _ask(query, question, question.sql.replace("{run}", named), tables, run)
        for question in (*OPS, *GOLD)
    }
    return Facts(run, found, chosen.missing)


def _tables(query: Query, schemas: Iterable[str]) -> set[str]:
    """The tables and views of those schemas that are there."""
    there = {str(row[0]) for row in query("show databases").rows}
    return {
        f"{schema}.{row[1]}" for schema in schemas if schema in there for row in query(f"show tables in {schema}").rows
    }


def _ask(query: Query, question: Question, sql: str, tables: set[str], run: Row | None = None) -> Found:
    how = _HOW[question.table.split(".")[0]]
    if question.table not in tables:
        return Found((), f"There is no table {question.table} yet. {how}")
    answer = query(sql)
    rows = tuple(dict(zip(answer.columns, row, strict=True)) for row in answer.rows)
    if rows:
        return Found(rows)
    if run is not None and "{run}" in question.sql:
        return Found((), question.none or f"{question.table} holds nothing of the run {run['run_id']}.")
    return Found((), f"{question.table} is empty. {how}")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
