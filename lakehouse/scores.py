"""How a score of quality is written."""

import math


def floored(score: float) -> str:
    """A score with four digits, never rounded up, so that one below its bound does not look like it: `0.9499`."""
    if 0.9999 < score < 1:
        return ">0.9999"
    # What is a hair below four digits is so only as a binary number.
    return f"{math.floor(round(score * 10_000, 6)) / 10_000:.4f}"
