import pytest

from expectations.gate import GateFailed, GateResult, KeyFinding, Measure, Thresholds


def result(
    columns: tuple[Measure, ...] = (Measure("title", 95, 100, "q1"),),
    rules: tuple[Measure, ...] = (Measure("profit", 98, 100, "q2"),),
    violations: int = 0,
    starved_by: str = "",
) -> GateResult:
    keys = (KeyFinding("the key t.k", violations, "q3"),)
    return GateResult("t", 100, columns, rules, keys, Thresholds(), starved_by)


def test_at_the_thresholds_the_gate_is_open() -> None:
    assert result().passed
    assert result().require_passed() == result()


@pytest.mark.parametrize(
    ("shut", "said", "query"),
    [
        (
            result(columns=(Measure("title", 100, 100, "q0"), Measure("overview", 89, 100, "q1"))),
            r"completeness is 0\.9450 \(189 of 200\), at least 0\.95 is needed; "
            r"worst is overview with 0\.8900 \(89 of 100\)",
            "q1",
        ),
        (result(rules=(Measure("profit", 979, 1000, "q2"),)), r"consistency is 0\.9790", "q2"),
        (result(violations=3), "3 rows break the key t.k", "q3"),
    ],
)
def test_below_a_threshold_scores_worst_rule_and_a_query_are_given(shut: GateResult, said: str, query: str) -> None:
    with pytest.raises(GateFailed, match=said) as caught:
        shut.require_passed()
    assert caught.value.next_step == f'Look closer: lakehouse sql "{query}"'


def test_a_column_below_the_threshold_that_the_sum_carries_is_a_warning() -> None:
    low = Measure("rating", 90, 100)
    found = result(columns=(Measure("title", 100, 100), low, Measure("overview", 100, 100)))
    assert found.passed
    assert found.warnings == (low,)


def test_nothing_scores_one() -> None:
    assert Measure("any", 0, 0).score == 1.0
    assert result(columns=(), rules=()).passed


def test_an_emptied_table_shuts_the_gate() -> None:
    with pytest.raises(GateFailed, match=r"no row, though bronze\.movies has"):
        result(columns=(), rules=(), starved_by="bronze.movies").require_passed()
