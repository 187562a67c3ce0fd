"""What a gate found: scores, the verdict, and whom to tell."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from expectations.suites import SUMMED, Layer, Severity
from lakehouse.alerts.alert import Alert, Kind
from lakehouse.errors import LakehouseError
from lakehouse.scores import score_text, told_score
from lakehouse.thresholds import Thresholds

Status = Literal["pass", "warn", "fail"]

_TOLD_FAILURES = 5
_TOLD_EXAMPLES = 3
_KINDS: dict[str, Kind] = {"volume": "volume", "drift": "drift", "timeliness": "delay"}


class GateFailed(LakehouseError):
    """What was measured is below a threshold, or a key is broken; nothing may be built from it or published."""

    is_final = True


@dataclass(frozen=True)
class Score:
    """A rule and what it came to, as `ops.quality_metrics` keeps it.

    Args:
        table_name: as readers know it.
        rule: the rule's name, or table_<dimension> for the sum of a table's critical rules.
        numerator: rows in which it holds; of a volume rule, the table's rows; None where there is none.
        denominator: rows that it is about; of a volume rule, the usual rows.
        score: numerator over denominator, 1 of nothing; or the measure itself (deviations, hours, index).
        threshold: the bound that decided: the least score, or the most of a measure.
        detail: what was found, in words.
        look: SQL that shows the rows that break it; empty for a sum.
        examples: some of them, in a line each.
    """

    layer: Layer
    table_name: str
    rule: str
    dimension: str
    severity: Severity
    numerator: int | None
    denominator: int | None
    score: float
    threshold: float
    status: Status
    detail: str
    look: str = ""
    examples: tuple[str, ...] = ()

    @property
    def is_sum(self) -> bool:
        """Whether it is the sum of a table's rules in a dimension."""
        return self.rule.startswith("table_")

    @property
    def told(self) -> str:
        """The score to four digits; one that breaks its bound never looks as if it met it."""
        return told_score(self.score, self.threshold, self.status == "pass")


@dataclass(frozen=True)
class GateResult:
    """What a gate found.

    Args:
        layers: what was measured.
        run_id: the run that it belongs to.
        measured_at: when.
        as_of: the instant that it looks back from.
        scores: of every rule and sum, by layer, table and place in the suite.
        rows: table -> its rows.
        thresholds: what the scores were held to.
    """

    layers: tuple[str, ...]
    run_id: str
    measured_at: datetime
    as_of: datetime
    scores: tuple[Score, ...]
    rows: Mapping[str, int]
    thresholds: Thresholds = field(repr=False)

    @property
    def passed(self) -> bool:
        """Whether what was measured may be built on and published."""
        return not self.failures

    @property
    def failures(self) -> tuple[Score, ...]:
        """What keeps the gate shut."""
        return tuple(score for score in self.scores if score.status == "fail")

    @property
    def warnings(self) -> tuple[Score, ...]:
        """What is told though the gate is open, the lowest score first."""
        return tuple(sorted((s for s in self.scores if s.status == "warn"), key=lambda score: score.score))

    def whole(self, dimension: str) -> tuple[int, int]:
        """Numerator and denominator of a dimension, over the sums of all tables."""
        sums = [score for score in self.scores if score.rule == f"table_{dimension}"]
        return sum(score.numerator or 0 for score in sums), sum(score.denominator or 0 for score in sums)

    def score_of(self, dimension: str) -> float:
        """The score of a dimension over all tables; 1 of nothing."""
        holds, about = self.whole(dimension)
        return holds / about if about else 1.0

    def row(self, score: Score) -> dict[str, Any]:
        """Give a score as a row of `ops.quality_metrics`."""
        kept = {name: value for name, value in asdict(score).items() if name not in ("look", "examples")}
        return self.of_run(kept)

    def of_run(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Give a row with what each row that a gate keeps has: the run and its instants."""
        return {**row, "run_id": self.run_id, "measured_at": self.measured_at, "as_of": self.as_of}

    def of(self, table: str) -> tuple[Score, ...]:
        """The scores of one table."""
        return tuple(score for score in self.scores if score.table_name == table)

    def summary(self) -> str:
        """The result in one line."""
        scored = ", ".join(f"{dimension} {score_text(self.score_of(dimension))}" for dimension in SUMMED)
        rules = sum(not score.is_sum for score in self.scores)
        told = f"{len(self.failures)} broken, {len(self.warnings)} to look at"
        return f"{'open' if self.passed else 'shut'}: {scored}; {rules} rules on {len(self.rows)} tables, {told}"

    def require_passed(self) -> "GateResult":
        """Give the result itself.

        Raises:
            GateFailed: the gate is shut; the message has scores and thresholds, the next step is a query.
        """
        if self.passed:
            return self
        told = list(self._told_failures())
        clauses = [_clause(score) for score in told[:_TOLD_FAILURES]]
        if len(told) > _TOLD_FAILURES:
            clauses.append(f"and {len(told) - _TOLD_FAILURES} more, which `lakehouse gate` lists")
        shut = GateFailed(
            f"The gate on {' and '.join(self.layers)} is shut, nothing further was built: {'; '.join(clauses)}.",
            _next_step(told[0]),
        )
        # By `alerts`, each rule by itself.
        shut.is_told = True
        raise shut

    def alerts(self) -> tuple[Alert, ...]:
        """What a person must know: what keeps the gate shut, low sums, and warnings."""
        failed = [_alert(score, "critical", "gate") for score in self._told_failures()]
        return (*failed, *self._low_sums(), *(self._warned(score) for score in self.warnings))

    def _told_failures(self) -> Iterator[Score]:
        """Failures without the sums, where rules beneath them are named already."""
        named = {(score.table_name, score.dimension) for score in self.failures if not score.is_sum}
        for score in self.failures:
            if not (score.is_sum and (score.table_name, score.dimension) in named):
                yield score

    def _low_sums(self) -> Iterator[Alert]:
        low = self.thresholds.alerts.score
        for score in self.scores:
            if score.is_sum and score.status == "pass" and score.score < low.warning:
                yield _alert(score, "critical" if score.score < low.critical else "warning", "score")

    def _warned(self, score: Score) -> Alert:
        kind = _KINDS.get(score.dimension, "score")
        is_late = kind == "delay" and score.score > self.thresholds.timeliness.critical_hours
        return _alert(score, "critical" if is_late else "warning", kind)


def _clause(score: Score) -> str:
    return f"{score.table_name} {score.rule} is {score.told}, the bound is {score.threshold:g} ({score.detail})"


def _next_step(score: Score) -> str:
    if score.rule == "has_rows" and score.layer == "bronze":
        return f'Look at what emptied it: lakehouse sql "describe history {score.table_name}"'
    if score.rule == "has_rows":
        return "Build the layer again: `lakehouse build`."
    return f'Look closer: lakehouse sql "{score.look}"'


def _alert(score: Score, severity: Severity, kind: Kind) -> Alert:
    command = f'lakehouse sql "{score.look}"' if score.look else f"lakehouse gate --layer {score.layer}"
    return Alert(
        severity,
        kind,
        score.table_name,
        f"{score.rule.replace('_', ' ')}: {score.detail or 'below its bound'}",
        command,
        score.rule,
        score.score,
        score.threshold,
        score.examples[:_TOLD_EXAMPLES],
    )
