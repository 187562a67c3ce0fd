"""How a score of quality is written."""

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any


def score_text(score: Any, is_rounded_up: bool = False) -> str:
    """A score to four digits, rounded down, so that one below 1 is never told as 1; a hyphen where there is none.

    Args:
        score: the number, if it is one.
        is_rounded_up: rather up: a measure that is more than it may be.
    """
    if not isinstance(score, int | float) or not math.isfinite(score):
        return "-"
    if score == 1:
        return "1"
    # of the digits as they are written: 0.57 * 10,000 is less than 5,700
    written = Decimal(repr(float(score)))
    return str(written.quantize(Decimal("0.0001"), ROUND_CEILING if is_rounded_up else ROUND_FLOOR))
