"""A part of a page: its charts and tables, or why there are none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from orchestration.report.charts import Chart, Column, Table
from orchestration.report.facts import Facts, Row


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Args:
        key: its anchor; unique in the page.
        title: its heading.
        lead: what to know before looking.
        charts: what is drawn.
        tables: what is told in figures alone.
        missing: what is not there, and how to get it; a sentence each.
        calm: what it means that there is nothing to show.
    """

    key: str
    title: str
    lead: str = ""
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    missing: tuple[str, ...] = ()
    calm: str = ""


def section(
    facts: Facts,
    key: str,
    title: str,
    lead: str,
    parts: Sequence[tuple[str, Callable[[tuple[Row, ...]], Sequence[Chart | Table]]]],
    calm: str = "",
) -> Section:
    """Make a section of what several questions found.

    Args:
        facts: what was found.
        key: the anchor.
        title: the heading.
        lead: what to know before looking.
        parts: (the question's name, what makes charts and tables of its rows).
        calm: what it means that nothing is missing and there is nothing to show.
    """
    made: list[Chart | Table] = []
    missing: list[str] = []
    for name, make in parts:
        found = facts[name]
        if found.rows:
            made += make(found.rows)
        else:
            missing.append(found.missing)
    return Section(
        key,
        title,
        lead,
        tuple(part for part in made if isinstance(part, Chart)),
        tuple(part for part in made if isinstance(part, Table)),
        tuple(dict.fromkeys(missing)),
        calm,
    )


def table_of(
    caption: str,
    rows: Sequence[Row],
    columns: Sequence[tuple[str, str | Callable[[Row], Any], Callable[[Any], str] | None]],
) -> Table:
    """A table of rows.

    Args:
        caption: what it is about.
        rows: what it shows.
        columns: (heading, key of a row or what takes a value out of it, how a figure is written; None for text).
    """
    return Table(
        caption,
        tuple(Column(label, write is not None) for label, _, write in columns),
        tuple(
            tuple(_cell(row[take] if isinstance(take, str) else take(row), write) for _, take, write in columns)
            for row in rows
        ),
    )


def as_it_is(value: Any) -> Any:
    """A figure that is written already."""
    return value


def pivot(
    caption: str,
    corner: str,
    down: Sequence[Any],
    across: Sequence[str],
    cells: dict[tuple[Any, str], Any],
    write: Callable[[Any], str],
) -> Table:
    """A table with a row each `down` and a column each `across`."""
    return Table(
        caption,
        (Column(corner), *(Column(name, True) for name in across)),
        tuple((str(at), *(write(cells.get((at, name))) for name in across)) for at in down),
    )


def _cell(value: Any, write: Callable[[Any], str] | None) -> Any:
    if write is not None:
        return write(value)
    return "" if value is None else value
