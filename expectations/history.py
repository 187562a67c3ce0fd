"""What is usual: rows and distributions of a table against those of its runs before.

A run's rows are kept as the numerator of its volume rule; the bins of a distribution as rows of their own, of the
dimension `distribution`, called `<rule>: <bin>`, with the rows of the bin over all that were counted.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean, median

from lakehouse.thresholds import Drift, Volume

# A MAD is this much of a normal distribution's standard deviation: 1 / 1.4826.
_SIGMAS_OF_MAD = 1.4826
# A bin that nobody is in has this share, so that its logarithm is one.
_LEAST_SHARE = 1e-4
_TOLD_BINS = 3


@dataclass(frozen=True)
class CountedBefore:
    """Rows of a table in a run before."""

    measured_at: datetime
    rows: int


@dataclass(frozen=True)
class TableHistory:
    """What runs before said of a table, the latest first.

    Args:
        volumes: its rows.
        distributions: rule -> the bins of each run.
        measured_before: when it was measured last.
    """

    volumes: tuple[CountedBefore, ...] = ()
    distributions: Mapping[str, Sequence[Mapping[str, int]]] = field(default_factory=dict)
    measured_before: datetime | None = None


@dataclass(frozen=True)
class Found:
    """A measure, and what was found in words."""

    measure: float
    detail: str
    usual: int | None = None


def deviations(rows: int, measured_at: datetime, before: Sequence[CountedBefore], bounds: Volume) -> Found:
    """How far a table's rows are from the usual: a robust z-score, 0 with too few runs before.

    The distance from the median, in MADs scaled to a normal's sigma (Iglewicz and Hoaglin, How to Detect and Handle
    Outliers, 1993). Runs of the same weekday are compared with, where there are enough of them.

    Args:
        rows: of this run.
        measured_at: of this run.
        before: the runs before, the latest first.
        bounds: how many of them count, and the least spread.
    """
    weekday = measured_at.weekday()
    same_day = [run.rows for run in before if run.measured_at.weekday() == weekday][: bounds.recent_runs]
    recent = [run.rows for run in before][: bounds.recent_runs]
    is_seasonal = len(same_day) >= bounds.minimum_runs
    counted = same_day if is_seasonal else recent
    if len(counted) < bounds.minimum_runs:
        return Found(0.0, f"{rows:,} rows; {len(counted)} runs before, {bounds.minimum_runs} are needed to compare")
    middle = median(counted)
    spread = _SIGMAS_OF_MAD * median(abs(each - middle) for each in counted)
    spread = max(spread, bounds.least_spread * middle, 1.0)
    told = f"{len(counted)} runs of a {measured_at:%A}" if is_seasonal else f"{len(counted)} runs"
    return Found(
        abs(rows - middle) / spread,
        f"{rows:,} rows; the median of {told} is {middle:,.0f}, the spread {spread:,.1f}",
        round(middle),
    )


def stability_index(bins: Mapping[str, int], before: Sequence[Mapping[str, int]], bounds: Drift) -> Found:
    """How far a distribution moved: the population stability index, 0 with too few runs or rows.

    The sum over bins of (share - share before) * ln(share / share before); the shares before are means over the runs.

    Args:
        bins: bin -> rows, of this run.
        before: the same of the runs before, the latest first.
        bounds: how many runs and rows it takes.
    """
    runs = [counts for counts in before if sum(counts.values()) >= bounds.minimum_rows][: bounds.recent_runs]
    rows = sum(bins.values())
    if len(runs) < bounds.minimum_runs:
        return Found(0.0, f"{len(runs)} runs before, {bounds.minimum_runs} are needed to compare")
    if rows < bounds.minimum_rows:
        return Found(0.0, f"{rows:,} rows, {bounds.minimum_rows:,} are needed to compare")
    moves = []
    for name in sorted({*bins, *(name for counts in runs for name in counts)}):
        share = bins.get(name, 0) / rows
        usual = fmean(counts.get(name, 0) / sum(counts.values()) for counts in runs)
        now, then = max(share, _LEAST_SHARE), max(usual, _LEAST_SHARE)
        moves.append(((now - then) * math.log(now / then), name, share, usual))
    moves.sort(key=lambda move: (-move[0], move[1]))
    told = ", ".join(f"{name} {share:.3f} (was {usual:.3f})" for _, name, share, usual in moves[:_TOLD_BINS])
    return Found(sum(move[0] for move in moves), f"against {len(runs)} runs; moved most: {told}")
