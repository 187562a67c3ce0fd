"""The gate: counts what the suites ask for, has Great Expectations judge the scores, and keeps what was found.

**Completeness**, **consistency** and **accuracy** are sums: rows in which a critical rule holds over rows that it is
about, added up over a table's rules of the dimension; a sum below its threshold shuts the gate. A single rule below it,
while the sum is not, is told and lets pass: real TMDB data lacks ratings of new films, for one. A rule with a bound of
its own (`least`), uniqueness, and references shut the gate by themselves. Volume, drift and rules that are warnings
never do.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from expectations.counting import Instants, breaking, tables_of
from expectations.history import TableHistory
from expectations.keeping import keep_rows, keep_verdict
from expectations.naming import Where, built
from expectations.reading import DISTRIBUTION, Sessions, count, examples, read_history
from expectations.refusals import refusals_told
from expectations.result import GateFailed, GateResult, Score, Status
from expectations.suites import Suite, read_suites
from expectations.verdict import Bound, Counts, Measured, measured
from lakehouse.errors import ConfigurationError
from lakehouse.locks import exclusive
from lakehouse.ops.schema import QUALITY_FAILURES, QUALITY_METRICS
from lakehouse.settings import Settings
from lakehouse.thresholds import read_thresholds

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from expectations.judge import Judge

__all__ = ["GateFailed", "GateResult", "Score", "run_gate"]

_log = logging.getLogger(__name__)

# Tables that are measured at once: Spark plans one while it reads another.
_AT_ONCE = 2
_LOOK_ROWS = 20
_LINE = 240


def run_gate(
    spark: "SparkSession",
    settings: Settings,
    layers: Sequence[str],
    run_id: str,
    measured_at: datetime,
    as_of: datetime | None = None,
    on_detail: Callable[[str], None] = lambda text: None,
    tables: Sequence[str] = (),
    where: Where = built,
    is_kept: bool = True,
    measured_before: datetime | None = None,
) -> GateResult:
    """Hold layers to their suites; says what it found, and raises for no low score.

    Scores go to `ops.quality_metrics`, rows that broke a rule to `ops.quality_failures`: what the same run had there of
    these tables is replaced. Great Expectations' results go to `home/quality/<run_id>/`.

    Args:
        spark: a session that sees the tables.
        settings: where thresholds and home are, and how many failing rows are kept.
        layers: of bronze, silver, gold.
        run_id: the run that it belongs to.
        measured_at: now.
        as_of: the instant that rules look back from; `measured_at` by default.
        on_detail: told which table is measured.
        tables: if any, only these tables of the layers.
        where: gives the table that is read for one that readers know by name.
        is_kept: whether history is read, and scores, failing rows and results are kept.
        measured_before: since when arrivals are looked at for their lateness; by default since a gate last kept scores
            of the table.

    Raises:
        GateFailed: a table is not there.
        ConfigurationError: the suites or the thresholds cannot be used, or Spark refuses the SQL of a suite.
    """
    layers = tuple(dict.fromkeys(layers))
    thresholds = read_thresholds(settings.gate.thresholds)
    suites = [suite for suite in read_suites(layers) if not tables or suite.table in tables]
    if not suites:
        raise ConfigurationError(f"No suite of {', '.join(layers)} is about {', '.join(tables)}.")
    _require_tables(spark, suites, where)
    names = [suite.table for suite in suites]
    as_of = as_of or measured_at
    sessions = Sessions(spark)
    with ThreadPoolExecutor(_AT_ONCE) as pool, ThreadPoolExecutor(1) as aside:
        # Great Expectations takes seconds to import: meanwhile Spark counts.
        judge = aside.submit(_judge)
        history = read_history(spark, names, run_id, measured_at, thresholds) if is_kept else {}

        def counted(suite: Suite) -> _Counted:
            on_detail(suite.table)
            before = history.get(suite.table, TableHistory())
            instants = Instants(measured_at, as_of, measured_before or before.measured_before)
            session = sessions.fit_for([where(table) for table in tables_of(suite)])
            with refusals_told(suite):
                return _Counted(suite, instants, before, session, count(session, suite, where, instants))

        def broken_rows(found: _Counted, scores: Sequence[Score]) -> list[dict[str, str]]:
            broken = [score.rule for score in scores if score.status != "pass"]
            try:
                with refusals_told(found.suite):
                    kept = examples(
                        found.session, found.suite, broken, where, found.instants, settings.gate.failing_rows
                    )
            except ConfigurationError as error:
                # The scores stand without them.
                _log.warning("No rows that break a rule of %s are kept. %s", found.suite.table, error)
                return []
            return [{"layer": found.suite.layer, "table_name": found.suite.table, **row} for row in kept]

        measures = list(pool.map(counted, suites))
        scored = []
        for found in measures:
            rules = measured(found.suite, found.counts, found.history, thresholds, measured_at)
            verdict = judge.result().judge(found.suite, rules)
            if is_kept:
                keep_verdict(settings.home, run_id, found.suite, verdict, measured_at)
            scored.append(tuple(_scores(found, rules, verdict.broken, where)))
        failing = [row for rows in pool.map(broken_rows, measures, scored) for row in rows]
        shown = tuple(_with_examples(score, failing) for scores in scored for score in scores)
        rows = {found.suite.table: found.counts.rows for found in measures}
        result = GateResult(layers, run_id, measured_at, as_of, shown, rows, thresholds)
        if is_kept:
            metrics = [*map(result.row, shown), *map(result.of_run, chain(*map(_distributions, measures)))]
            failures = list(map(result.of_run, failing))
            # Two gates may end at once, as those of Bronze and Silver do; Delta lets one of two writers through.
            with exclusive(settings.home / "run" / "quality.lock"):
                kept = [
                    pool.submit(keep_rows, spark, QUALITY_METRICS, run_id, names, metrics),
                    pool.submit(keep_rows, spark, QUALITY_FAILURES, run_id, names, failures),
                ]
                for each in kept:
                    each.result()
    return result


@dataclass(frozen=True)
class _Counted:
    suite: Suite
    instants: Instants
    history: TableHistory
    session: "SparkSession"
    counts: Counts


@cache
def _judge() -> "Judge":
    """One a process: a context takes as long to make as ten tables to judge."""
    from expectations.judge import Judge

    return Judge()


def _require_tables(spark: "SparkSession", suites: Sequence[Suite], where: Where) -> None:
    for name in dict.fromkeys(where(table) for suite in suites for table in tables_of(suite)):
        if not spark.catalog.tableExists(name):
            raise GateFailed(f"{name} does not exist.", "Run `lakehouse build` first.")


def _scores(
    found: _Counted, rules: Sequence[Measured], broken: Mapping[str, Sequence[Bound]], where: Where
) -> Iterator[Score]:
    declared = {rule.name: rule for rule in found.suite.rules}
    low_sums = {rule.dimension for rule in rules if rule.is_sum and rule.rule in broken}
    for rule in rules:
        status: Status = "pass"
        if rule.rule in broken:
            is_carried = rule.is_summed and rule.dimension not in low_sums
            is_critical = any(bound.severity == "critical" for bound in broken[rule.rule])
            status = "fail" if is_critical and not is_carried else "warn"
        shown = declared.get(rule.worst or rule.rule)
        look = f"{breaking(found.suite, shown, where, found.instants)} limit {_LOOK_ROWS}" if shown else ""
        yield Score(
            found.suite.layer,
            found.suite.table,
            rule.rule,
            rule.dimension,
            rule.severity,
            rule.numerator,
            rule.denominator,
            rule.measure,
            rule.decisive().value,
            status,
            rule.says,
            " ".join(look.split()),
        )


def _with_examples(score: Score, failing: Sequence[Mapping[str, str]]) -> Score:
    lines = (
        f"{row['row_key']}: {row['row_values']}"[:_LINE]
        for row in failing
        if (row["table_name"], row["rule"]) == (score.table_name, score.rule)
    )
    return replace(score, examples=tuple(lines))


def _distributions(found: _Counted) -> Iterator[dict[str, Any]]:
    """The bins of each drift rule, for the runs after: rows of `ops.quality_metrics` that are no scores."""
    for rule, bins in found.counts.bins.items():
        whole = sum(bins.values())
        for name, rows in bins.items():
            yield {
                "layer": found.suite.layer,
                "table_name": found.suite.table,
                "rule": f"{rule}: {name}",
                "dimension": DISTRIBUTION,
                "severity": "warning",
                "numerator": rows,
                "denominator": whole,
                "score": rows / whole,
                "threshold": None,
                "status": "pass",
                "detail": "share of the rows that were counted",
            }
