from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from expectations.history import TableHistory
from expectations.result import GateFailed, GateResult, Score
from expectations.suites import Suite
from expectations.verdict import Counts, Share, measured
from lakehouse.scores import score_text
from lakehouse.thresholds import Thresholds, read_thresholds
from tests.instance import ROOT

AT = datetime(2026, 1, 15, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def thresholds() -> Thresholds:
    return read_thresholds(ROOT / "expectations" / "thresholds.yaml")


def score(rule: str, status: str, value: float = 0.5, **more: Any) -> Score:
    whole = Score(
        layer="silver",
        table_name="silver.movies",
        rule=rule,
        dimension="consistency",
        severity="critical",
        numerator=50,
        denominator=100,
        score=value,
        threshold=0.98,
        status=status,  # type: ignore[arg-type]
        detail="50 of 100: odd",
        look=f"select {rule}",
        examples=("1: {}", "2: {}", "3: {}", "4: {}"),
    )
    return replace(whole, **more)


def result(thresholds: Thresholds, *scores: Score) -> GateResult:
    return GateResult(("silver",), "run", AT, AT, scores, {"silver.movies": 100}, thresholds)


def test_what_shuts_the_gate_is_named_with_score_bound_and_a_query(thresholds: Thresholds) -> None:
    shut = result(thresholds, score("table_consistency", "fail"), score("profit", "fail"), score("roi", "warn"))
    assert not shut.passed
    with pytest.raises(GateFailed, match=r"silver\.movies profit is 0\.5000, the bound is 0\.98 \(50 of 100") as caught:
        shut.require_passed()
    assert caught.value.next_step == 'Look closer: lakehouse sql "select profit"'
    assert caught.value.is_told, "by the alerts of the gate"
    assert "table_consistency" not in caught.value.message, "the rule beneath it is named instead"


def test_many_failures_are_counted(thresholds: Thresholds) -> None:
    shut = result(thresholds, *(score(f"rule_{number}", "fail") for number in range(9)))
    with pytest.raises(GateFailed, match="and 4 more, which `lakehouse gate` lists"):
        shut.require_passed()


def test_an_emptied_table_is_to_be_built_again(thresholds: Thresholds) -> None:
    shut = result(thresholds, score("has_rows", "fail", dimension="volume"))
    with pytest.raises(GateFailed, match=r"has_rows") as caught:
        shut.require_passed()
    assert caught.value.next_step == "Build the layer again: `lakehouse build`."


def test_bronze_is_not_built_again_but_looked_at(thresholds: Thresholds) -> None:
    emptied = score("has_rows", "fail", dimension="volume", layer="bronze", table_name="bronze.batches")
    with pytest.raises(GateFailed, match=r"has_rows") as caught:
        result(thresholds, emptied).require_passed()
    assert caught.value.next_step.endswith('lakehouse sql "describe history bronze.batches"')


def test_a_score_is_never_rounded_up_to_one() -> None:
    scores = (1.0, 1, 59_999 / 60_000, 0.5, 0.57, 7.25, 0, None, float("nan"), float("inf"))
    assert [score_text(each) for each in scores] == [
        *("1", "1", "0.9999", "0.5000", "0.5700", "7.2500", "0.0000", "-", "-", "-")
    ]


@pytest.mark.parametrize(
    ("value", "threshold", "status", "told"),
    [
        (59_999 / 60_000, 1.0, "fail", "0.9999"),
        (0.97999, 0.98, "fail", "0.9799"),
        (2.00001, 2.0, "fail", "2.0001"),
        (1.99999, 2.0, "pass", "1.9999"),
        (0.98001, 0.98, "pass", "0.9800"),
    ],
)
def test_a_broken_bound_is_not_told_as_met(
    thresholds: Thresholds, value: float, threshold: float, status: str, told: str
) -> None:
    found = score("profit", status, value, threshold=threshold)
    assert found.told == told
    if status == "fail":
        with pytest.raises(GateFailed, match=f"profit is {told}, the bound is {threshold:g} "):
            result(thresholds, found).require_passed()


def test_warnings_let_pass_and_are_told_lowest_first(thresholds: Thresholds) -> None:
    found = result(thresholds, score("a", "warn", 0.9), score("b", "warn", 0.2), score("c", "pass", 1.0))
    assert found.require_passed() is found
    assert [each.rule for each in found.warnings] == ["b", "a"]
    assert [(alert.severity, alert.kind, alert.rule) for alert in found.alerts()] == [
        ("warning", "score", "b"),
        ("warning", "score", "a"),
    ]


def test_an_alert_says_what_where_and_how_to_look_closer(thresholds: Thresholds) -> None:
    (alert,) = result(thresholds, score("table_consistency", "fail"), score("profit", "fail")).alerts()
    assert (alert.severity, alert.kind, alert.subject, alert.rule) == ("critical", "gate", "silver.movies", "profit")
    assert (alert.score, alert.threshold, alert.command) == (0.5, 0.98, 'lakehouse sql "select profit"')
    assert len(alert.examples) == 3


@pytest.mark.parametrize(
    ("found", "severity", "kind"),
    [
        (score("volume_is_usual", "warn", 9, dimension="volume"), "warning", "volume"),
        (score("as_before", "warn", 0.4, dimension="drift"), "warning", "drift"),
        (score("in_time", "warn", 1.5, dimension="timeliness"), "warning", "delay"),
        (score("in_time", "warn", 2.5, dimension="timeliness"), "critical", "delay"),
        (score("table_completeness", "pass", 0.93), "warning", "score"),
        (score("table_completeness", "pass", 0.89), "critical", "score"),
    ],
)
def test_what_is_told_at_once(thresholds: Thresholds, found: Score, severity: str, kind: str) -> None:
    (alert,) = result(thresholds, found).alerts()
    assert (alert.severity, alert.kind) == (severity, kind)


def test_a_good_score_is_told_to_nobody(thresholds: Thresholds) -> None:
    assert result(thresholds, score("table_completeness", "pass", 0.95), score("rating", "pass", 0.5)).alerts() == ()


def test_the_summary_is_one_line(thresholds: Thresholds) -> None:
    found = result(thresholds, score("table_consistency", "pass"), score("profit", "warn"))
    assert found.summary() == (
        "open: completeness 1, consistency 0.5000, accuracy 1; 1 rules on 1 tables, 0 broken, 1 to look at"
    )
    assert found.whole("consistency") == (50, 100)


RULE = {"dimension": "consistency", "holds": "true", "reason": "odd"}
SUITE = Suite.model_validate(
    {
        "table": "silver.movies",
        "key": ["movie_id"],
        "description": "Movies.",
        "fed_by": "bronze.movies",
        "rules": [
            {**RULE, "name": "summed"},
            {**RULE, "name": "low"},
            {**RULE, "name": "own_bound", "least": 1.0},
            {**RULE, "name": "told", "severity": "warning"},
            {"name": "unique", "dimension": "uniqueness", "unique": ["movie_id"]},
            {"name": "in_time", "dimension": "timeliness", "hours": "max(a)"},
        ],
    }
)


def counts(hours: float | None = 0.5, is_starved: bool = False) -> Counts:
    shares = {"summed": Share(100, 100), "low": Share(30, 50), "own_bound": Share(10, 10), "told": Share(0, 100)}
    return Counts(0 if is_starved else 100, {**shares, "unique": Share(99, 100)}, {"in_time": hours}, {}, is_starved)


def test_the_sum_is_of_critical_rules_and_names_the_worst(thresholds: Thresholds) -> None:
    by_rule = {each.rule: each for each in measured(SUITE, counts(), TableHistory(), thresholds, AT)}
    whole = by_rule["table_consistency"]
    assert (whole.numerator, whole.denominator, whole.measure) == (140, 160, 140 / 160)
    assert whole.worst == "low"
    assert whole.says == "worst is low with 0.6000 (30 of 50)"
    assert "table_completeness" not in by_rule, "there is no rule of it"
    assert [name for name, each in by_rule.items() if each.is_summed] == ["summed", "low"]


def test_bounds_are_the_rules_own_or_those_of_the_dimension(thresholds: Thresholds) -> None:
    by_rule = {each.rule: each.bounds for each in measured(SUITE, counts(), TableHistory(), thresholds, AT)}
    least = {name: bounds[0].value for name, bounds in by_rule.items() if len(bounds) == 1}
    assert least == {
        "has_rows": 1.0,
        "table_consistency": 0.98,
        "summed": 0.98,
        "low": 0.98,
        "own_bound": 1.0,
        "told": 0.98,
        "unique": 1.0,
    }
    assert [(bound.value, bound.severity) for bound in by_rule["in_time"]] == [(1, "warning"), (2, "critical")]


@pytest.mark.parametrize(("hours", "decisive"), [(None, 1), (0.5, 1), (1.5, 1), (2.5, 2)])
def test_the_hardest_broken_bound_decides(thresholds: Thresholds, hours: float | None, decisive: float) -> None:
    late = measured(SUITE, counts(hours), TableHistory(), thresholds, AT)[-1]
    assert late.decisive().value == decisive


def test_a_table_without_a_row_is_starved_only_where_its_source_has_some(thresholds: Thresholds) -> None:
    first = measured(SUITE, counts(is_starved=True), TableHistory(), thresholds, AT)[0]
    assert (first.measure, first.says) == (0.0, "it has no row, though bronze.movies has")
    assert measured(SUITE, counts(), TableHistory(), thresholds, AT)[0].measure == 1.0


def test_nothing_scores_one() -> None:
    assert Share(0, 0).score == 1.0
