"""What a person sees: one console, and the way that steps, tables and failures look."""

import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lakehouse.errors import LakehouseError

# A pipe has no width of its own; tables in a log are not folded at 80 columns.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
errors = Console(stderr=True, highlight=False)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], right: Sequence[str] = ()) -> Table:
    """A table for the terminal; the columns named in `right` are set flush right."""
    made = Table(title=title or None, title_justify="left", title_style="bold", header_style="bold", box=None)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*("" if value is None else str(value) for value in row))
    return made


def say_failure(error: LakehouseError) -> None:
    """Print an error as a sentence and the next step, to standard error."""
    errors.print(f"[bold red]error[/] {_plain(error.message)}", soft_wrap=True)
    if error.next_step:
        errors.print(f"      {_plain(error.next_step)}", soft_wrap=True)


def _plain(text: str) -> str:
    return escape(text)


def is_interactive() -> bool:
    """Whether a person watches: live progress is drawn only then."""
    return sys.stdout.isatty()
