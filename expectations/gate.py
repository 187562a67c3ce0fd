"""The gate between Silver and Gold.

**Completeness** is known cells over required cells; **consistency** is rows where a rule holds over rows where it
applies, added up over the rules. Either below its threshold, or any key or foreign key broken, and the gate fails:
Gold and MongoDB then keep what they have. A single column or rule below the threshold, while the sum is not, is
reported and lets pass: real TMDB data lacks ratings of new films, for one.

An empty Silver passes, with no score, where Bronze is empty too; where Bronze has rows, it fails.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from expectations.engine import Expected, validate
from expectations.rules import ConsistencyRule, KeyRule, Rules
from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class GateFailed(LakehouseError):
    """Silver is below a threshold, or a key is broken; nothing may be built from it or published."""


@dataclass(frozen=True)
class Thresholds:
    """The least scores with which the gate opens, from 0 to 1."""

    completeness: float = 0.95
    consistency: float = 0.98


@dataclass(frozen=True)
class Measure:
    """`passed` of `total`; `look` is SQL that shows those that did not pass."""

    name: str
    passed: int
    total: int
    look: str = ""

    @property
    def score(self) -> float:
        """Passed over total; 1 of nothing."""
        return self.passed / self.total if self.total else 1.0


@dataclass(frozen=True)
class KeyFinding:
    """How many rows break a primary key (no key, or another's) or a foreign key; `look` is SQL that shows them."""

    name: str
    violations: int
    look: str


@dataclass(frozen=True)
class GateResult:
    """What the gate found.

    Args:
        table: the table that was measured.
        rows: its rows.
        columns: completeness, column by column.
        rules: consistency, rule by rule.
        keys: primary and foreign keys.
        thresholds: what the scores are held to.
        starved_by: the table that has rows though this one has none; else "".
    """

    table: str
    rows: int
    columns: tuple[Measure, ...]
    rules: tuple[Measure, ...]
    keys: tuple[KeyFinding, ...]
    thresholds: Thresholds
    starved_by: str = ""

    @property
    def completeness(self) -> Measure:
        """Known cells over required cells."""
        return _sum("completeness", self.columns)

    @property
    def consistency(self) -> Measure:
        """Rows where a rule holds over rows where it applies."""
        return _sum("consistency", self.rules)

    @property
    def failures(self) -> tuple[str, ...]:
        """What keeps the gate shut, a clause each; empty where it opens."""
        found: list[str] = []
        if self.starved_by:
            found.append(f"it has no row, though {self.starved_by} has")
        for whole, parts, least in self._scored():
            if whole.score < least:
                worst = min(parts, key=lambda part: part.score)
                found.append(
                    f"{whole.name} is {whole.score:.4f} ({whole.passed:,} of {whole.total:,}), at least {least} "
                    f"is needed; worst is {worst.name} with {worst.score:.4f} ({worst.passed:,} of {worst.total:,})"
                )
        found += [f"{key.violations:,} rows break {key.name}" for key in self.keys if key.violations]
        return tuple(found)

    @property
    def warnings(self) -> tuple[Measure, ...]:
        """Single columns and rules below the threshold of their sum, the worst first."""
        low = [part for _, parts, least in self._scored() for part in parts if part.score < least]
        return tuple(sorted(low, key=lambda part: part.score))

    @property
    def passed(self) -> bool:
        """Whether Gold may be built."""
        return not self.failures

    def require_passed(self) -> "GateResult":
        """Give the result itself.

        Raises:
            GateFailed: the gate is shut; the message has scores, thresholds and the worst rule, the next step a query.
        """
        if self.passed:
            return self
        raise GateFailed(
            f"The gate on {self.table} is shut, nothing further was built: {'; '.join(self.failures)}.",
            self._next_step(),
        )

    def _next_step(self) -> str:
        if self.starved_by:
            return "Build Silver again: `lakehouse build`."
        looks = [key.look for key in self.keys if key.violations]
        for whole, parts, least in self._scored():
            if whole.score < least:
                looks.append(min(parts, key=lambda part: part.score).look)
        return f'Look closer: lakehouse sql "{looks[0]}"'

    def _scored(self) -> Iterator[tuple[Measure, tuple[Measure, ...], float]]:
        yield self.completeness, self.columns, self.thresholds.completeness
        yield self.consistency, self.rules, self.thresholds.consistency


def _sum(name: str, parts: tuple[Measure, ...]) -> Measure:
    return Measure(name, sum(part.passed for part in parts), sum(part.total for part in parts))


def evaluate(spark: "SparkSession", rules: Rules, thresholds: Thresholds) -> GateResult:
    """Measure a table against its rules, and its keys; says what it found and raises for none of it.

    Args:
        spark: a session that sees the tables.
        rules: what is checked.
        thresholds: the least scores.

    Raises:
        GateFailed: a table that the rules name is not there.
    """
    for name in dict.fromkeys([rules.table, *_key_tables(rules)]):
        if not spark.catalog.tableExists(name):
            raise GateFailed(f"{name} does not exist.", "Run `lakehouse build` first.")
    keys = _key_findings(spark, rules.keys)
    measured = validate(_flags(spark, rules), rules.table, _expected(rules, thresholds))
    rows = measured["rows"].observed
    columns = tuple(
        Measure(
            column.column,
            rows - measured[_required(column.column)].failed,
            rows,
            f"select {rules.key}, {column.column} from {rules.table} "
            f"where not coalesce({column.condition}, false) limit 20",
        )
        for column in rules.required
    )
    consistency = tuple(
        Measure(
            rule.name,
            measured[rule.name].total - measured[rule.name].failed,
            measured[rule.name].total,
            _look(rules, rule),
        )
        for rule in rules.consistency
    )
    starved = rules.fed_by if rows == 0 and _has_rows(spark, rules.fed_by) else ""
    return GateResult(rules.table, rows, columns, consistency, keys, thresholds, starved)


def _look(rules: Rules, rule: ConsistencyRule) -> str:
    shown = ", ".join(dict.fromkeys([rules.key, *rule.columns]))
    return (
        f"select {shown} from {rules.table} where ({rule.applies_when}) "
        f"and not coalesce({rule.holds_when}, false) limit 20"
    )


def _required(column: str) -> str:
    return f"required_{column}"


def _flags(spark: "SparkSession", rules: Rules) -> "DataFrame":
    """A boolean column a rule, so that all are counted in one pass; NULL where a rule does not apply."""
    flags = [f"coalesce({column.condition}, false) as {_required(column.column)}" for column in rules.required] + [
        f"case when {rule.applies_when} then coalesce({rule.holds_when}, false) end as {rule.name}"
        for rule in rules.consistency
    ]
    return spark.table(rules.table).selectExpr(*flags)


def _expected(rules: Rules, thresholds: Thresholds) -> list[Expected]:
    least = [(_required(column.column), thresholds.completeness) for column in rules.required]
    least += [(rule.name, thresholds.consistency) for rule in rules.consistency]
    return [
        Expected("rows", "ExpectTableRowCountToBeBetween", {"min_value": 1}),
        *(
            Expected(name, "ExpectColumnValuesToBeInSet", {"column": name, "value_set": [True], "mostly": mostly})
            for name, mostly in least
        ),
    ]


def _key_tables(rules: Rules) -> Iterator[str]:
    for key in rules.keys:
        yield key.table
        yield from (reference.table for reference in key.references)


def _key_findings(spark: "SparkSession", keys: tuple[KeyRule, ...]) -> tuple[KeyFinding, ...]:
    """One query that counts the violations of every key, and one expectation a key that there are none."""
    checks = list(_key_checks(keys))
    counts = ", ".join(f"({count}) as violations_{place}" for place, (_, count, _) in enumerate(checks))
    frame = spark.sql(f"select {counts}")
    expected = [
        Expected(name, "ExpectColumnMaxToBeBetween", {"column": f"violations_{place}", "max_value": 0})
        for place, (name, _, _) in enumerate(checks)
    ]
    counted = validate(frame, "keys", expected)
    return tuple(KeyFinding(name, int(counted[name].observed), look) for name, _, look in checks)


def _key_checks(keys: tuple[KeyRule, ...]) -> Iterator[tuple[str, str, str]]:
    """Name, counting query and showing query of each primary and foreign key."""
    for rule in keys:
        table, key = rule.table, rule.key
        yield (
            f"the key {table}.{key}",
            # NULL is left out of the distinct count, so a row without a key is a violation too
            f"select count(*) - count(distinct {key}) from {table}",
            f"select {key}, count(*) as times from {table} group by {key} "
            f"having {key} is null or count(*) > 1 limit 20",
        )
        for reference in rule.references:
            orphans = (
                f"from {table} as child left anti join {reference.table} as parent "
                f"on child.{reference.column} = parent.{reference.key}"
            )
            yield (
                f"the foreign key {table}.{reference.column} to {reference.table}.{reference.key}",
                f"select count(*) {orphans}",
                f"select child.{key}, child.{reference.column} {orphans} limit 20",
            )


def _has_rows(spark: "SparkSession", table: str) -> bool:
    return bool(spark.catalog.tableExists(table)) and not spark.table(table).limit(1).isEmpty()
