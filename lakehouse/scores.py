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


def told_score(score: Any, threshold: float | None, is_held: bool) -> str:
    """A score as it is told beside its bound: one that breaks it never looks as if it met it.

    Args:
        score: the number, if it is one.
        threshold: the bound, if there is one; least of a share, most of any other measure.
        is_held: whether the score holds it.
    """
    is_too_much = not is_held and score is not None and threshold is not None and score > threshold
    return score_text(score, is_rounded_up=is_too_much)
