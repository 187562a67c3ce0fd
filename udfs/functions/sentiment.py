"""Sentiment of free text (overviews, reviews)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from udfs.registry import sql_function

if TYPE_CHECKING:
    from udfs.vader import LinearTimeAnalyzer

# The usual VADER thresholds (Hutto & Gilbert 2014; the package's own README).
POSITIVE_FROM = 0.05
NEGATIVE_FROM = -0.05


@sql_function(returns="double")
def vader_compound(text: str | None) -> float | None:
    """Return VADER's compound score of a text, from -1 (most negative) to 1 (most positive), in steps of 0.0001.

    Equal to the last bit to ``vaderSentiment``'s own score. Text beyond `udfs.vader.MAX_SCORED_CHARS` is cut first.

    Returns:
        The score; None for None and for text that is empty or only white space.
    """
    if text is None or not text.strip():
        return None
    return _analyzer().compound(text)


@sql_function(returns="string")
def vader_category(score: float | None) -> str | None:
    """Return what a compound score means: ``positive`` (>= 0.05), ``negative`` (<= -0.05) or ``neutral``.

    It takes the score, not the text, so that a row is analysed once: ``vader_category(sentiment_score)``.

    Returns:
        The category; None where there is no score (None or NaN).
    """
    if score is None or score != score:
        return None
    if score >= POSITIVE_FROM:
        return "positive"
    return "negative" if score <= NEGATIVE_FROM else "neutral"


@cache
def _analyzer() -> LinearTimeAnalyzer:
    # Built once a worker process: reading the lexicon for each row would make scoring some two hundred times slower.
    # Imported here so that a worker that runs another function does not pay for it.
    from udfs.vader import LinearTimeAnalyzer

    return LinearTimeAnalyzer()
