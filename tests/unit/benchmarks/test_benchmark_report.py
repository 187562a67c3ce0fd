"""What benchmarks say: where it goes, and how growth is told."""

import pytest

from benchmarks.__main__ import placed
from benchmarks.scale import exponent


def test_figures_take_the_place_of_those_before_and_leave_the_words() -> None:
    document = "Words.\n<!-- one -->\nold\nold\n<!-- /one -->\nWords.\n<!-- two -->\n<!-- /two -->\n"
    once = placed(document, "one", "| a |\n| b |")
    assert once == "Words.\n<!-- one -->\n| a |\n| b |\n<!-- /one -->\nWords.\n<!-- two -->\n<!-- /two -->\n"
    assert placed(once, "two", "c").endswith("<!-- two -->\nc\n<!-- /two -->\n")
    assert placed(document, "three", "nowhere") == document


@pytest.mark.parametrize(("seconds", "slope"), [([1, 4, 16], 1.0), ([3, 3, 3], 0.0), ([1, 16, 256], 2.0)])
def test_growth_is_the_slope_of_logarithms(seconds: list[float], slope: float) -> None:
    assert exponent([1_000, 4_000, 16_000], seconds) == pytest.approx(slope)
