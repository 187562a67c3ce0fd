"""What a sentiment score costs: `udfs.vader` against vaderSentiment, alone on one core and over a pool of processes.

    python -m benchmarks.sentiment [texts]

Each column scores the same texts in the same run, and the scores are compared to the last bit. Then one text of growing
length, for how the cost grows. It prints Markdown, which `docs/performance.md` holds.
"""

import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import numpy as np
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from ingestion.synthetic.catalogue import DEFAULT_DATES
from ingestion.synthetic.movie import movie_record
from ingestion.synthetic.words import REVIEW_SENTENCES
from udfs.vader import LinearTimeAnalyzer

_SEED = 20260101
_REVIEW_WORDS = 250
_LENGTHS = (125, 250, 500, 1_000, 2_000, 4_000)
_EACH = 20
"""Texts of each length: one alone would be too short to time."""

_CORES = os.cpu_count() or 1


def overviews(count: int) -> list[str]:
    """Overviews of the synthetic catalogue, all different."""
    found: dict[str, None] = {}
    index = 0
    while len(found) < count:
        found[movie_record(_SEED, index, DEFAULT_DATES[0])["overview"]] = None
        index += 1
    return list(found)


def reviews(count: int, words: int, seed: int = _SEED) -> list[str]:
    """Texts of about so many words, put together from the catalogue's sentences."""
    chance = random.Random(seed)
    texts = []
    for _ in range(count):
        sentences: list[str] = []
        while sum(sentence.count(" ") + 1 for sentence in sentences) < words:
            sentences.append(chance.choice(REVIEW_SENTENCES))
        texts.append(" ".join(sentences))
    return texts


@cache
def _original() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()


def _by_original(text: str) -> float:
    return float(_original().polarity_scores(text)["compound"])


def _by_new_analyser(text: str) -> float:
    """As a function that somebody writes for a row."""
    return float(SentimentIntensityAnalyzer().polarity_scores(text)["compound"])


def _timed(score: Callable[[Sequence[str]], list[float]], texts: Sequence[str]) -> tuple[float, list[float]]:
    """Seconds a text, and the scores."""
    began = time.perf_counter()
    scores = score(texts)
    return (time.perf_counter() - began) / len(texts), scores


def _row(name: str, texts: Sequence[str], pool: ProcessPoolExecutor) -> str:
    ours = LinearTimeAnalyzer()
    here, scores = _timed(lambda texts: [ours.compound(text) for text in texts], texts)
    one, of_one = _timed(lambda texts: [_by_original(text) for text in texts], texts)
    pooled, of_pool = _timed(lambda texts: list(pool.map(_by_original, texts, chunksize=200)), texts)
    few = texts[:50]
    naive, _ = _timed(lambda texts: [_by_new_analyser(text) for text in texts], few)
    equal = "yes" if scores == of_one == of_pool else "NO"
    words = sum(text.count(" ") + 1 for text in texts) / len(texts)
    cells = [f"{seconds * 1e6:,.0f}" for seconds in (here, one, pooled, naive)]
    ratios = [f"{seconds / here:,.1f}" for seconds in (one, pooled, naive)]
    return f"| {name} | {len(texts):,} | {words:.0f} | {' | '.join(cells)} | {' | '.join(ratios)} | {equal} |"


def growth(analyse: Callable[[str], float], lengths: Sequence[int] = _LENGTHS) -> tuple[list[float], float]:
    """Seconds a text of each length in words, and the exponent of their growth (the slope of the logarithms)."""
    seconds = [
        _timed(lambda texts: [analyse(text) for text in texts], reviews(_EACH, length, seed=length))[0]
        for length in lengths
    ]
    return seconds, float(np.polyfit(np.log(lengths), np.log(seconds), 1)[0])


def main() -> None:
    """Print both tables."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    heads = ["here", "vaderSentiment", f"a pool of {_CORES}", "an analyser a row"]
    ratios = " | ".join(f"{head} / here" for head in heads[1:])
    print(f"| µs a text | texts | words | {' | '.join(heads)} | {ratios} | equal |")
    print("|---|" + "---:|" * 10)
    with ProcessPoolExecutor() as pool:
        list(pool.map(_by_original, ["warm"] * _CORES))
        print(_row("overviews", overviews(count), pool))
        print(_row(f"reviews of {_REVIEW_WORDS} words", reviews(count // 10, _REVIEW_WORDS), pool))
    ours = LinearTimeAnalyzer()
    print(f"\n| ms a text of so many words | {' | '.join(f'{length:,}' for length in _LENGTHS)} | exponent |")
    print("|---|" + "---:|" * (len(_LENGTHS) + 1))
    for name, analyse in (("here", ours.compound), ("vaderSentiment", _by_original)):
        seconds, exponent = growth(analyse)
        print(f"| {name} | {' | '.join(f'{one * 1000:,.2f}' for one in seconds)} | {exponent:.2f} |")


if __name__ == "__main__":
    main()
