"""Data Docs: what each gate demanded and found, as pages that need neither a network nor a server.

Great Expectations' own renderers say what an expectation demands and what was observed; the pages around them are ours
(ADR 0011), for its own load styles, scripts and fonts from elsewhere and are blank without a network.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from expectations.docs_pages import Pages
from expectations.docs_reading import GateRun, read_runs
from expectations.docs_rendered import rendered_suite, rendered_validation
from expectations.suites import SUITES, Suite, read_suite
from lakehouse.errors import ConfigurationError
from lakehouse.settings import Settings

MOST_RUNS = 30
"""So many of the latest runs get pages; the index says how many are older."""


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
    found = read_runs(settings.home)
    shown = found.runs[:MOST_RUNS]
    declared = _declared(shown, suites)
    latest = {one.table: one for run in reversed(shown) for one in run.tables}
    report = "../index.html" if (to.parent / "index.html").is_file() else ""
    pages = Pages(to, report, frozenset(latest))
    for run in shown:
        for one in run.tables:
            pages.write_validation(run, one, rendered_validation(one, declared.get(one.table)), declared.get(one.table))
    for table, one in sorted(latest.items()):
        runs = [(run, its) for run in shown for its in run.tables if its.table == table]
        pages.write_suite(one, rendered_suite(one, declared.get(table)), declared.get(table), runs)
    return pages.write_index(shown, declared, len(found.runs) - len(shown), found.unreadable)


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
