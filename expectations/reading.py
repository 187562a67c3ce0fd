"""Runs the counting SQL, and reads what earlier runs counted."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from expectations.counting import Instants, broken_together, failing_rows, passed_in_one
from expectations.history import CountedBefore, TableHistory
from expectations.naming import Where
from expectations.suites import DriftRule, Rule, Suite, TimelinessRule, VolumeRule
from expectations.verdict import Counts, Share, reason_of
from lakehouse.ops.schema import QUALITY_METRICS
from lakehouse.thresholds import Thresholds

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DISTRIBUTION = "distribution"
"""The dimension of the rows that keep bins: no rules, so no part of a result."""


# Rows of so few bytes are counted before Java code for them is compiled.
_INTERPRETED_BYTES = 16 * 1024 * 1024


class Sessions:
    """The sessions that count: one compiles a query to Java code, the other goes through its expressions row by row.

    A suite's counts are dozens of expressions, of which each table has its own: to compile them takes longer than to
    count the rows of a small table.
    """

    def __init__(self, spark: "SparkSession") -> None:
        self._compiling = spark
        # It has what the session has: settings, temporary views, functions.
        self._interpreting = type(spark)(spark.sparkContext, spark._jsparkSession.cloneSession())
        self._interpreting.conf.set("spark.sql.codegen.wholeStage", "false")
        self._interpreting.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")

    def fit_for(self, tables: Sequence[str]) -> "SparkSession":
        """The session for a query over these tables."""
        plans = [self._interpreting.read.table(table)._jdf.queryExecution().optimizedPlan() for table in tables]
        is_small = sum(plan.stats().sizeInBytes() for plan in plans) <= _INTERPRETED_BYTES
        return self._interpreting if is_small else self._compiling


def count(spark: "SparkSession", suite: Suite, where: Where, instants: Instants) -> Counts:
    """Count everything that a suite asks for of its table."""
    passed = spark.sql(passed_in_one(suite, where, instants)).collect()[0].asDict()
    rows = passed["counted"]
    shares: dict[str, Share] = {}
    hours: dict[str, float | None] = {}
    bins: dict[str, Mapping[str, int]] = {}
    for place, rule in enumerate(suite.rules):
        if f"holds_{place}" in passed:
            shares[rule.name] = Share(passed[f"holds_{place}"], passed[f"about_{place}"])
        elif isinstance(rule, TimelinessRule):
            hours[rule.name] = passed[f"hours_{place}"]
        elif isinstance(rule, DriftRule):
            found = ((each["item"], each["count"]) for each in passed[f"bins_{place}"] or ())
            bins[rule.name] = {item: number for item, number in found if item is not None}
    together = broken_together(suite, where, instants)
    if together:
        for place, broken, about in spark.sql(together).collect():
            total = passed.get(f"about_{place}", rows if about is None else about)
            shares[suite.rules[place].name] = Share(total - broken, total)
    is_starved = bool(suite.fed_by and not rows and _has_rows(spark, where(suite.fed_by)))
    return Counts(rows, shares, hours, bins, is_starved)


def _has_rows(spark: "SparkSession", table: str) -> bool:
    return bool(spark.sql(f"select 1 from {table} limit 1").collect())


def examples(
    spark: "SparkSession", suite: Suite, names: Sequence[str], where: Where, instants: Instants, limit: int
) -> list[dict[str, str]]:
    """Up to `limit` rows for each of these rules that break it: rule, row_key, reason, row_values; each key once."""
    rules: dict[str, Rule] = {
        rule.name: rule
        for rule in suite.rules
        if rule.name in names and not isinstance(rule, (VolumeRule, TimelinessRule, DriftRule))
    }
    if not rules or not limit:
        return []
    found = spark.sql(failing_rows(suite, list(rules.values()), where, instants, limit)).collect()
    rows = {(row["rule"], row["row_key"]): row["row_values"] for row in found}
    return [
        {"rule": rule, "row_key": key, "reason": reason_of(rules[rule]), "row_values": values}
        for (rule, key), values in sorted(rows.items())
    ]


def read_history(
    spark: "SparkSession", tables: Sequence[str], run_id: str, measured_at: datetime, thresholds: Thresholds
) -> dict[str, TableHistory]:
    """What other runs, measured before, counted of each of these tables.

    Of each weekday as many runs as count are read, so that a weekday's own median can be taken.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    most = max(thresholds.volume.recent_runs, thresholds.drift.recent_runs)
    counted = f.col("dimension").isin("volume", DISTRIBUTION) & f.col("numerator").isNotNull()
    others = (f.col("run_id") != run_id) & (f.col("measured_at") < f.lit(measured_at))
    # Not by SQL with named parameters: Delta's parser loses them.
    latest_first = Window.partitionBy("table_name", "dimension", f.weekday("measured_at")).orderBy(
        f.desc("measured_at"), "run_id"
    )
    found = (
        spark.read.table(QUALITY_METRICS.full_name)
        .where(f.col("table_name").isin(list(tables)) & others & counted)
        .withColumn("place", f.dense_rank().over(latest_first))
        .where(f.col("place") <= most)
        .select("table_name", "rule", "dimension", "numerator", "run_id", "measured_at")
        .collect()
    )
    by_table = defaultdict(list)
    for row in found:
        by_table[row["table_name"]].append(row)
    return {table: _history(rows) for table, rows in by_table.items()}


def _history(rows: Iterable[Any]) -> TableHistory:
    """Rows of `ops.quality_metrics` of one table, as its history, the latest run first."""
    volumes: dict[tuple[datetime, str], int] = {}
    bins: dict[str, dict[tuple[datetime, str], dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        run = (row["measured_at"].astimezone(UTC), row["run_id"])
        if row["dimension"] == DISTRIBUTION:
            rule, _, name = row["rule"].partition(": ")
            bins[rule][run][name] = row["numerator"]
        else:
            volumes[run] = row["numerator"]
    latest_first = sorted(volumes, reverse=True)
    return TableHistory(
        tuple(CountedBefore(run[0], volumes[run]) for run in latest_first),
        {rule: [runs[run] for run in sorted(runs, reverse=True)] for rule, runs in bins.items()},
        latest_first[0][0] if latest_first else None,
    )
