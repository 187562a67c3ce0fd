"""From counts to scores: what each rule comes to, and the bounds that it is held to. Great Expectations then judges."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from expectations.history import Found, TableHistory, deviations, stability_index
from expectations.suites import (
    SUMMED,
    DriftRule,
    NeverFallsRule,
    ReferenceRule,
    Rule,
    Severity,
    Suite,
    TimelinessRule,
    UniqueRule,
    VolumeRule,
)
from lakehouse.scores import score_text
from lakehouse.thresholds import Thresholds

HAS_ROWS = "has_rows"


@dataclass(frozen=True)
class Share:
    """In how many rows a rule holds, of those that it is about."""

    holds: int
    about: int

    @property
    def score(self) -> float:
        """Holds over about; 1 of nothing."""
        return self.holds / self.about if self.about else 1.0


@dataclass(frozen=True)
class Counts:
    """What was counted of a table.

    Args:
        rows: of the table.
        shares: rule -> its count.
        hours: timeliness rule -> hours, None where there was nothing to measure.
        bins: drift rule -> bin -> rows.
        is_starved: it has no row, though the table that it is fed by has.
    """

    rows: int
    shares: Mapping[str, Share] = field(default_factory=dict)
    hours: Mapping[str, float | None] = field(default_factory=dict)
    bins: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    is_starved: bool = False


@dataclass(frozen=True)
class Bound:
    """A bound of a measure: the least that it may be, or else the most."""

    value: float
    severity: Severity
    is_least: bool = True

    def is_met(self, measure: float) -> bool:
        """Whether a measure is within it."""
        return measure >= self.value if self.is_least else measure <= self.value


@dataclass(frozen=True)
class Measured:
    """A rule with its measure, before it is judged.

    Args:
        rule: its name.
        bounds: what the measure is held to, the hardest last.
        is_summed: whether a low score shuts the gate only through the table's sum.
        worst: of a sum, the rule with the lowest score.
        says: what was found, in words.
    """

    rule: str
    dimension: str
    severity: Severity
    measure: float
    bounds: tuple[Bound, ...]
    numerator: int | None
    denominator: int | None
    is_summed: bool = False
    worst: str = ""
    says: str = ""

    @property
    def is_sum(self) -> bool:
        """Whether it is the sum of a table's rules in a dimension."""
        return self.rule.startswith("table_")

    def decisive(self) -> Bound:
        """The hardest bound that is broken, else the first."""
        broken = [bound for bound in self.bounds if not bound.is_met(self.measure)]
        return (broken or self.bounds)[-1 if broken else 0]


def measured(
    suite: Suite, counts: Counts, history: TableHistory, thresholds: Thresholds, at: datetime
) -> tuple[Measured, ...]:
    """Every rule of a suite with its measure and its bounds, after the sums of the table.

    Args:
        suite: the rules.
        counts: what was counted.
        history: what the runs before counted.
        thresholds: the bounds.
        at: when the counts were made.
    """
    rules = tuple(_measured(rule, counts, history, thresholds, at) for rule in suite.rules)
    starved = (_fed(suite, counts),) if suite.fed_by else ()
    return (*starved, *_sums(rules, thresholds), *rules)


def _fed(suite: Suite, counts: Counts) -> Measured:
    return Measured(
        HAS_ROWS,
        "volume",
        "critical",
        0.0 if counts.is_starved else 1.0,
        (Bound(1.0, "critical"),),
        counts.rows,
        None,
        says=f"it has no row, though {suite.fed_by} has" if counts.is_starved else "",
    )


def _sums(rules: tuple[Measured, ...], thresholds: Thresholds) -> Iterator[Measured]:
    for dimension in SUMMED:
        parts = [rule for rule in rules if rule.dimension == dimension and rule.severity == "critical"]
        if not parts:
            continue
        whole = Share(sum(part.numerator or 0 for part in parts), sum(part.denominator or 0 for part in parts))
        worst = min(parts, key=lambda part: part.measure)
        holds = f"{worst.numerator:,} of {worst.denominator:,}"
        yield Measured(
            f"table_{dimension}",
            dimension,
            "critical",
            whole.score,
            (Bound(getattr(thresholds.scores, dimension), "critical"),),
            whole.holds,
            whole.about,
            worst=worst.rule,
            says=f"worst is {worst.rule} with {score_text(worst.measure)} ({holds})",
        )


def _measured(rule: Rule, counts: Counts, history: TableHistory, thresholds: Thresholds, at: datetime) -> Measured:
    match rule:
        case VolumeRule():
            found = deviations(counts.rows, at, history.volumes, thresholds.volume)
            most = Bound(thresholds.volume.warning_deviations, rule.severity, is_least=False)
            return _whole(rule, found, most, counts.rows, found.usual)
        case DriftRule():
            bins = counts.bins[rule.name]
            found = stability_index(bins, history.distributions.get(rule.name, ()), thresholds.drift)
            most = Bound(thresholds.drift.warning_index, rule.severity, is_least=False)
            return _whole(rule, found, most, None, sum(bins.values()))
        case TimelinessRule():
            hours = counts.hours[rule.name]
            told = "nothing to measure since Silver was built before" if hours is None else f"{hours:.2f} h"
            soon = Bound(thresholds.timeliness.warning_hours, "warning", is_least=False)
            late = Bound(thresholds.timeliness.critical_hours, rule.severity, is_least=False)
            whole = _whole(rule, Found(hours or 0.0, told), soon, None, None)
            return replace(whole, bounds=(soon, late))
        case _:
            share = counts.shares[rule.name]
            broken = share.about - share.holds
            least = getattr(thresholds.scores, rule.dimension) if rule.least is None else rule.least
            return Measured(
                rule.name,
                rule.dimension,
                rule.severity,
                share.score,
                (Bound(least, rule.severity),),
                share.holds,
                share.about,
                is_summed=rule.dimension in SUMMED and rule.least is None and rule.severity == "critical",
                says=f"{broken:,} of {share.about:,}: {reason_of(rule)}" if broken else "",
            )


def _whole(rule: Rule, found: Found, most: Bound, numerator: int | None, denominator: int | None) -> Measured:
    return Measured(
        rule.name, rule.dimension, rule.severity, found.measure, (most,), numerator, denominator, says=found.detail
    )


def reason_of(rule: Rule) -> str:
    """What is wrong with a row that breaks the rule, in words."""
    if rule.reason:
        return rule.reason
    match rule:
        case UniqueRule():
            return f"{', '.join(rule.unique)} is not known, or another row has the same"
        case ReferenceRule():
            return f"{rule.column} is not known, or no {rule.of_column} of {rule.of}"
        case NeverFallsRule():
            return f"{rule.never_falls} is less than it was before"
        case _:
            return rule.name.replace("_", " ") + " does not hold"
