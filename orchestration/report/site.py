"""The report as a folder of files, which need neither a network nor a server; it can be copied anywhere."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lakehouse.errors import ConfigurationError
from lakehouse.locks import exclusive
from lakehouse.settings import Settings
from orchestration.replaced import replaced
from orchestration.report.facts import Facts, Query, read_facts
from orchestration.report.pages import Link, render

MARKER = ".lakehouse-report"
"""The file by which a folder is known as one that holds a report, and so may be replaced."""


@dataclass(frozen=True)
class ExtraPages:
    """Pages that others make and the report takes in and links to.

    Args:
        link: the page to begin with, and what it is called; shown only where that page was made.
        make: writes them; gets the report's folder while it is being made.
    """

    link: Link
    make: Callable[[Path], None]


@dataclass(frozen=True)
class Report:
    """A report that was made.

    Args:
        folder: where its pages are; `index.html` is the first.
        facts: what it tells.
    """

    folder: Path
    facts: Facts

    @property
    def index(self) -> Path:
        """The first page."""
        return self.folder / "index.html"

    @property
    def at(self) -> datetime:
        """The instant that it tells of."""
        return self.facts.at


def folder_of(settings: Settings) -> Path:
    """Where the report is, unless somebody says otherwise."""
    return settings.home / "report"


def extra_pages(settings: Settings) -> tuple[ExtraPages, ...]:
    """What is taken in beside the report's own pages. Pages that another package makes are added here."""
    from orchestration.lineage import lock_of

    lineage = settings.home / "dbt" / "site"

    def copy_lineage(to: Path) -> None:
        with exclusive(lock_of(settings.home)):
            if (lineage / "index.html").is_file():
                shutil.copytree(lineage, to / "lineage")

    return (
        ExtraPages(
            Link("lineage/index.html", "Lineage", "where each column of Gold comes from, and what each table holds"),
            copy_lineage,
        ),
        ExtraPages(
            Link("data_docs/index.html", "Data Docs", "what each suite demands, and what each gate found"),
            lambda to: _write_data_docs(settings, to),
        ),
    )


def _write_data_docs(settings: Settings, to: Path) -> None:
    from expectations.data_docs import make_docs

    if any((settings.home / "quality").glob("*/*.json")):
        make_docs(settings, to / "data_docs")


def make_site(
    settings: Settings,
    query: Query,
    to: Path,
    run_id: str | None = None,
    extras: Sequence[ExtraPages] | None = None,
) -> Report:
    """Make the report; what was there is replaced when all of it is made.

    The same tables give the same bytes: nothing in it is of the moment at which it is made.

    Args:
        settings: the settings in force.
        query: runs one SQL statement, e.g. over Thrift or in a Spark session.
        to: its folder, e.g. `folder_of(settings)`.
        run_id: the run that it is about; None: the last cycle.
        extras: what else is taken in; None: `extra_pages`.

    Raises:
        ConfigurationError: `to` holds files that are no report.
        LakehouseError: there is no such run, or a statement was refused.
        OSError: the folder cannot be written.
    """
    to = to.expanduser().resolve()
    _require_own(to, settings)
    facts = read_facts(query, run_id)
    with replaced(to, settings.home / "run" / "report.lock") as draft:
        (draft / MARKER).write_text("A report of the lakehouse: it is replaced whole when it is made again.\n")
        # What is taken in may lead back to the first page, which names it and so is written after it.
        (draft / "index.html").touch()
        links = []
        for extra in extra_pages(settings) if extras is None else extras:
            extra.make(draft)
            if (draft / extra.link.address).is_file():
                links.append(extra.link)
        for name, html in render(facts, links).items():
            (draft / name).write_text(html, encoding="utf-8")
        # Somebody may have put files there meanwhile.
        _require_own(to, settings)
    return Report(to, facts)


def _require_own(to: Path, settings: Settings) -> None:
    """Make sure that nothing but a report is replaced."""
    is_free = not to.exists() or (to.is_dir() and ((to / MARKER).is_file() or not any(to.iterdir())))
    if not is_free and to != folder_of(settings).resolve():
        raise ConfigurationError(f"{to} holds files that are no report.", "Name an empty or a new folder with --to.")
