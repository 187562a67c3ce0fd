"""The formulas over plain numbers. Exact fractions inside, doubles at the very end.

So no order of values and no rounding on the way decides anything.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any, TypeVar

Key = TypeVar("Key", bound=Hashable)

Entry = TypeVar("Entry")

_LAST_PLACE = 10**8

_DAY = timedelta(days=1)

_MICROSECOND = timedelta(microseconds=1)


def exact(value: float) -> Fraction:
    """The number that a double is written as: 0.1 is one tenth."""
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value))


def rounded(value: Fraction | float, places: int) -> float:
    """Round half away from zero, as SQL does."""
    scaled = abs(value if isinstance(value, Fraction) else exact(value)) * 10**places
    whole = math.floor(scaled + Fraction(1, 2))
    return math.copysign(float(Fraction(whole, 10**places)), value)


def total(values: Iterable[int | None]) -> int | None:
    """Sum of the known; None where nothing is."""
    known = known_of(values)
    return sum(known) if known else None


def exact_mean(values: Iterable[float | None]) -> Fraction | None:
    """Mean of the known, each taken with eight decimal places; None where nothing is."""
    known = known_of(values)
    if not known:
        return None
    return Fraction(sum(_in_last_place(value) for value in known), len(known) * _LAST_PLACE)


def mean(values: Iterable[float | None]) -> float | None:
    """`exact_mean` as a double."""
    return double(exact_mean(values))


def quantile(values: Iterable[float | None], share: Fraction) -> float | None:
    """Of n known values the one at position 1 + share (n - 1), between two of them linearly; None where nothing is."""
    known = sorted(known_of(values))
    if not known:
        return None
    position = share * (len(known) - 1)
    below = math.floor(position)
    above = math.ceil(position)
    return float(exact(known[below]) + (exact(known[above]) - exact(known[below])) * (position - below))


def median(values: Iterable[float | None]) -> float | None:
    """The middle one of the known, or the mean of the two in the middle; None where nothing is."""
    return quantile(values, Fraction(1, 2))


def weighted_rating(
    rating: float | None, votes: int | None, mean_rating: Fraction | None, prior_votes: int
) -> float | None:
    """v / (v + m) * R + m / (v + m) * C, to 6 places; None where rating or votes are not known."""
    if rating is None or votes is None or mean_rating is None:
        return None
    return rounded((votes * exact(rating) + prior_votes * mean_rating) / (votes + prior_votes), 6)


def percent_ranks(values: Sequence[float]) -> list[Fraction]:
    """(rank - 1) / (n - 1) of each value, counted from the lowest; equal ones have the same; the only one has 0."""
    in_order = sorted(values)
    return [Fraction(bisect_left(in_order, value), max(1, len(values) - 1)) for value in values]


def velocity(instants: Sequence[datetime], popularities: Sequence[float]) -> float:
    """Least-squares slope of ln(1 + popularity) over days, to 8 places."""
    days = [Fraction((instant - instants[0]) // _MICROSECOND, _DAY // _MICROSECOND) for instant in instants]
    logs = [Fraction(math.log(1 + popularity)) for popularity in popularities]
    count = len(days)
    products = sum(x * y for x, y in zip(days, logs, strict=True))
    squares = sum(x * x for x in days)
    return rounded((count * products - sum(days) * sum(logs)) / (count * squares - sum(days) ** 2), 8)


def pearson(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Pearson's correlation, to 6 places, after each measure is brought to whole numbers from 0 to 10^9."""
    return _correlation(_whole_numbers(xs), _whole_numbers(ys))


def spearman(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Spearman's: the correlation of the ranks, to 6 places; equal values share the mean of their ranks."""
    return _correlation(_doubled_ranks(xs), _doubled_ranks(ys))


def effective_number(weights: Iterable[int | Fraction]) -> float | None:
    """exp(-sum of p ln p), to 8 places: how many equally frequent kinds are as diverse; None where there are none."""
    known = list(weights)
    if not known:
        return None
    shares = [float(Fraction(weight) / sum(known)) for weight in known]
    return rounded(math.exp(-math.fsum(share * math.log(share) for share in shares)), 8)


def years_before(day: date, years: int) -> date:
    """The same day so many years earlier; of 29 February the 28th where there is no other."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def known_of(values: Iterable[Entry | None]) -> list[Entry]:
    return [value for value in values if value is not None]


def grouped(entries: Iterable[tuple[Key, Entry]]) -> dict[Key, list[Entry]]:
    groups: dict[Key, list[Entry]] = {}
    for key, entry in entries:
        groups.setdefault(key, []).append(entry)
    return groups


def ranks_of(order: Mapping[Key, Any]) -> dict[Key, int]:
    """Rank of each key by what it is mapped to, 1 for the least."""
    return {key: rank for rank, key in enumerate(sorted(order, key=order.__getitem__), 1)}


def descending(value: Fraction | None) -> tuple[bool, Fraction]:
    """Sorts the greatest first, and what is not known last."""
    return (value is None, -(value or Fraction(0)))


def double(value: Fraction | float | None) -> float | None:
    return None if value is None else float(value)


def ratio(part: Fraction | float | None, whole: Fraction | float | None) -> float | None:
    """Part over whole; None where either is not known or the whole is 0."""
    return None if part is None or not whole else float(part / whole)


def growth_of(now: float | None, before: float | None) -> float | None:
    return None if now is None or not before else now / before - 1


def difference_of(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


def months_since_zero(day: date) -> int:
    """Months since the year 0, so that months without gaps are a range."""
    return 12 * day.year + day.month - 1


def year_and_month(month_number: int) -> tuple[int, int]:
    return month_number // 12, month_number % 12 + 1


def _in_last_place(value: float) -> int:
    """The number in units of the eighth decimal place."""
    if isinstance(value, int):
        return value * _LAST_PLACE
    return int(Decimal(repr(value)).scaleb(8).to_integral_value(ROUND_HALF_UP))


def _whole_numbers(values: Sequence[float]) -> list[int]:
    """The values brought to whole numbers, the least to 0 and the greatest to 10^9; all to 0 where they are equal."""
    numbers = [exact(value) for value in values]
    least, greatest = min(numbers), max(numbers)
    if least == greatest:
        return [0] * len(numbers)
    scale = Fraction(10**9) / (greatest - least)
    return [math.floor((number - least) * scale + Fraction(1, 2)) for number in numbers]


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Twice the rank of each value from the lowest, so that the mean of two ranks is a whole number too."""
    in_order = sorted(values)
    return [bisect_left(in_order, value) + bisect_right(in_order, value) + 1 for value in values]


def _correlation(xs: Sequence[int], ys: Sequence[int]) -> float | None:
    count = len(xs)
    spread_x = count * sum(x * x for x in xs) - sum(xs) ** 2
    spread_y = count * sum(y * y for y in ys) - sum(ys) ** 2
    if not spread_x or not spread_y:
        return None
    together = count * sum(x * y for x, y in zip(xs, ys, strict=True)) - sum(xs) * sum(ys)
    with localcontext() as context:
        context.prec = 60
        return rounded(Fraction(Decimal(together) / (Decimal(spread_x).sqrt() * Decimal(spread_y).sqrt())), 6)
