"""The oracle's formulas, worked out by hand."""

import math
from datetime import date
from fractions import Fraction

import pytest

from tests.oracle import arithmetic


def test_a_rating_is_weighted_by_its_votes() -> None:
    assert arithmetic.weighted_rating(8.0, 200, Fraction(6), 100) == 7.333333
    assert arithmetic.weighted_rating(8.0, None, Fraction(6), 100) is None
    assert arithmetic.weighted_rating(None, 200, Fraction(6), 100) is None


@pytest.mark.parametrize(
    ("value", "places", "result"), [(0.125, 2, 0.13), (-0.125, 2, -0.13), (2.675, 2, 2.68), (1 / 3, 3, 0.333)]
)
def test_halves_are_rounded_away_from_zero(value: float, places: int, result: float) -> None:
    assert arithmetic.rounded(value, places) == result


def test_percent_ranks_are_shared_by_equals() -> None:
    assert arithmetic.percent_ranks([10, 50, 100, 100, 200]) == [0, Fraction(1, 4), Fraction(1, 2), Fraction(1, 2), 1]
    assert arithmetic.percent_ranks([7.0]) == [0]


def test_quantiles_stand_between_values() -> None:
    assert arithmetic.quantile([4, 1, None, 2, 3], Fraction(1, 10)) == pytest.approx(1.3)
    assert arithmetic.quantile([4, 1, 2, 3], Fraction(9, 10)) == pytest.approx(3.7)
    assert arithmetic.median([1, 300, 800]) == 300
    assert arithmetic.median([]) is None


def test_means_are_exact() -> None:
    assert arithmetic.mean([0.1] * 3) == 0.1
    assert arithmetic.mean([1, None, 2]) == 1.5
    assert arithmetic.mean([None]) is None
    assert arithmetic.total([None]) is None


def test_correlations() -> None:
    # The deviations' products sum to 6, their squares to 10 and 5.2; those of the ranks 1, 2.5, 4, 2.5, 5 to 8 and 9.5.
    xs, ys = [1, 2, 3, 4, 5], [2, 3, 4, 3, 5]
    assert arithmetic.pearson(xs, ys) == pytest.approx(6 / math.sqrt(10 * 5.2), abs=1e-6)
    assert arithmetic.spearman(xs, ys) == pytest.approx(8 / math.sqrt(10 * 9.5), abs=1e-6)
    assert arithmetic.pearson(xs, [-y for y in xs]) == -1.0
    assert arithmetic.spearman([1, 2, 3], [1, 10, 1_000_000]) == 1.0
    assert arithmetic.pearson([1, 2, 3], [4, 4, 4]) is None
    assert arithmetic.spearman([4, 4, 4], [1, 2, 3]) is None


def test_diversity_is_a_number_of_equally_frequent_kinds() -> None:
    assert arithmetic.effective_number([3, 3]) == 2.0
    # p = 3/4 and 1/4: exp(-(0.75 ln 0.75 + 0.25 ln 0.25)) = 4 / 3^0.75.
    assert arithmetic.effective_number([3, 1]) == pytest.approx(4 / 3**0.75, abs=1e-8)
    assert arithmetic.effective_number([]) is None


def test_five_years_before_a_leap_day() -> None:
    assert arithmetic.years_before(date(2024, 2, 29), 5) == date(2019, 2, 28)
    assert arithmetic.years_before(date(2024, 2, 29), 4) == date(2020, 2, 29)
