"""Validation results as gates leave them, judged and kept by the gate's own code."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import yaml

from expectations.judge import Judge
from expectations.keeping import keep_verdict
from expectations.suites import Suite
from expectations.verdict import Bound, Measured

HOSTILE = "<script>alert('x')</script> & ${column} of $1"

MOVIES_SUITE = """
table: silver.movies
key: [movie_id]
description: What silver.movies must hold to.
fed_by: bronze.movies
rules:
  - name: title_is_known
    dimension: completeness
    holds: trim(title) <> ''
    where: status = 'Released'
    reason: the title is missing or blank
  - {name: overview_is_known, dimension: completeness, holds: overview is not null, reason: the overview is missing}
  - name: profit_is_revenue_less_budget
    dimension: consistency
    holds: profit = revenue - budget
    reason: the profit is another
  - {name: key_is_unique, dimension: uniqueness, unique: [movie_id]}
  - {name: volume_is_usual, dimension: volume}
  - {name: processed_in_time, dimension: timeliness, hours: "max(hours)"}
"""


def small_suite(table: str) -> Suite:
    """A suite of one rule."""
    rule = {"name": "name_is_known", "dimension": "completeness", "holds": "name is not null", "reason": "no name"}
    return Suite.model_validate({"table": table, "key": ["id"], "description": f"About {table}.", "rules": [rule]})


MOVIES = Suite.model_validate(yaml.safe_load(MOVIES_SUITE))


def _share(
    rule: str, dimension: str, holds: int, about: int, least: float, says: str = "", is_summed: bool = False
) -> Measured:
    bounds = (Bound(least, "critical"),)
    return Measured(rule, dimension, "critical", holds / about, bounds, holds, about, is_summed, says=says)


def passed(rule: str, dimension: str) -> Measured:
    """A rule that holds in all of ten rows."""
    return _share(rule, dimension, 10, 10, 1.0)


def _measure(rule: str, dimension: str, value: float, says: str, *bounds: Bound) -> Measured:
    return Measured(rule, dimension, bounds[0].severity, value, bounds, None, None, says=says)


BAD_MOVIES = (
    Measured("has_rows", "volume", "critical", 1.0, (Bound(1.0, "critical"),), 450, None),
    _share("table_completeness", "completeness", 871, 900, 0.95, "worst is title_is_known"),
    _share("table_consistency", "consistency", 430, 450, 0.98, "worst is profit_is_revenue_less_budget"),
    _share("title_is_known", "completeness", 421, 450, 0.95, "29 of 450: the title is missing or blank", True),
    _share("overview_is_known", "completeness", 450, 450, 0.95, is_summed=True),
    _share("profit_is_revenue_less_budget", "consistency", 430, 450, 0.98, HOSTILE, True),
    _share("key_is_unique", "uniqueness", 450, 450, 1.0),
    _measure("volume_is_usual", "volume", 7.25, "450 rows, 5,000 are usual", Bound(4.0, "warning", is_least=False)),
    _measure(
        "processed_in_time",
        "timeliness",
        1.5,
        "1.50 h",
        Bound(1.0, "warning", is_least=False),
        Bound(2.0, "critical", is_least=False),
    ),
)
GOOD = (
    _share("table_completeness", "completeness", 20, 20, 0.95),
    _share("name_is_known", "completeness", 20, 20, 0.95, is_summed=True),
)
# The one rule is below its bound, but the table's sum, of more rules than are shown, is not.
LOW = (
    _share("table_completeness", "completeness", 198, 200, 0.95),
    _share("name_is_known", "completeness", 18, 20, 0.95, "2 of 20: no name", is_summed=True),
)


def keep(home: Path, run_id: str, suite: Suite, at: datetime, rules: Sequence[Measured]) -> None:
    """Judge the scores of a table and write what a gate writes."""
    keep_verdict(home, run_id, suite, Judge().judge(suite, rules), at)


def write_suites(folder: Path, *suites: Suite) -> Path:
    """Declare suites as files."""
    for suite in suites:
        path = folder / (suite.table.replace(".", "/") + ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(suite.model_dump(mode="json", exclude_defaults=True)))
    return folder
