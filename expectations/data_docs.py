"""Data Docs: what each gate demanded and found, as pages that need neither a network nor a server.

Great Expectations' own renderers say what an expectation demands and what was observed; the pages around them are ours
(ADR 0011), for its own load styles, scripts and fonts from elsewhere and are blank without a network.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from expectations.docs_pages import Pages
from expectations.docs_reading import GateRun, Judged, read_runs
from expectations.docs_rendered import Line, RenderedValidation, Unrenderable, rendered_suite, rendered_validation
from expectations.suites import SUITES, Suite, read_suite
from lakehouse.errors import ConfigurationError
from lakehouse.settings import Settings

MOST_RUNS = 30
"""So many of the latest runs are read and get pages; the index says how many are older."""


def make_docs(settings: Settings, to: Path, suites: Path = SUITES) -> Path:
    """Write the pages: an index, a page a run and table, a page a suite.

    Args:
        settings: `home` holds the validation results that gates left behind.
        to: the folder to write to; made where it is missing. What else is in it stays.
        suites: the folder of suites, which give reason and SQL of a rule.

    Returns:
        The index. It leads back to `../index.html` where that is there.

    Raises:
        OSError: the folder cannot be written.
    """
    found = read_runs(settings.home, MOST_RUNS)
    declared = _declared(found.runs, suites)
    rendered = _rendered(found.runs, declared)
    report = "../index.html" if (to.parent / "index.html").is_file() else ""
    pages = Pages(to, report, frozenset(rendered.suites))
    for run in rendered.runs:
        for one in run.tables:
            pages.write_validation(run, one, rendered.validations[run.run_id, one.table], declared.get(one.table))
    for table, (one, lines) in sorted(rendered.suites.items()):
        runs = [(run, its) for run in rendered.runs for its in run.tables if its.table == table]
        pages.write_suite(one, lines, declared.get(table), runs)
    return pages.write_index(rendered.runs, declared, found.older, (*found.unreadable, *rendered.unreadable))


@dataclass(frozen=True)
class _Rendered:
    """What could be rendered.

    Args:
        runs: the runs with the tables whose result could be.
        validations: (run, table) -> its result.
        suites: table -> the latest of its suites that could be, with its lines.
        unreadable: the files that could not be, with why.
    """

    runs: tuple[GateRun, ...]
    validations: Mapping[tuple[str, str], RenderedValidation]
    suites: Mapping[str, tuple[Judged, tuple[Line, ...]]]
    unreadable: tuple[str, ...]


def _rendered(runs: Sequence[GateRun], declared: Mapping[str, Suite]) -> _Rendered:
    """Render results and suites of the runs, the newest first; one that cannot be is named and passed over."""
    shown: list[GateRun] = []
    validations: dict[tuple[str, str], RenderedValidation] = {}
    suites: dict[str, tuple[Judged, tuple[Line, ...]]] = {}
    unreadable: list[str] = []
    for run in runs:
        tables: list[Judged] = []
        for one in run.tables:
            suite = declared.get(one.table)
            try:
                validation = rendered_validation(one, suite)
                if one.table not in suites:
                    suites[one.table] = (one, rendered_suite(one, suite))
            except Unrenderable as error:
                unreadable.append(f"quality/{run.run_id}/{one.table}.json: {error}")
                continue
            validations[run.run_id, one.table] = validation
            tables.append(one)
        if tables:
            shown.append(replace(run, tables=tuple(tables)))
    return _Rendered(tuple(shown), validations, suites, tuple(unreadable))


def _declared(runs: Sequence[GateRun], suites: Path) -> Mapping[str, Suite]:
    """The suites of the tables as they are declared now, of those that still are."""
    declared: dict[str, Suite] = {}
    for table in {one.table for run in runs for one in run.tables}:
        path = suites / table.replace(".", "/", 1)
        try:
            declared[table] = read_suite(path.with_name(f"{path.name}.yaml"))
        except ConfigurationError:
            # The table has no suite any more, or one that the gate itself will refuse: what was found stands.
            continue
    return declared
