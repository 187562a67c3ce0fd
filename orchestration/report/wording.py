"""Figures and instants as a person reads them. Nothing is a dash."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import markupsafe

from lakehouse.scores import score_text, told_score

NOTHING = "–"  # noqa: RUF001

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def count(value: Any) -> str:
    """A whole number: `12,345`."""
    return NOTHING if value is None else f"{round(value):,}"


def large(value: Any) -> str:
    """A number that may be very large: `1.2 billion`, `34.5 million`, `812,000`."""
    if value is None:
        return NOTHING
    for least, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if abs(value) >= least:
            return f"{value / least:,.1f} {name}"
    return f"{value:,.0f}"


def dollars(value: Any) -> str:
    """US dollars: `$1.2 billion`."""
    if value is None:
        return NOTHING
    return f"−${large(-value)}" if value < 0 else f"${large(value)}"  # noqa: RUF001


def decimal(value: Any, places: int = 2) -> str:
    """A number with so many places: `7.42`."""
    # Without a minus before nothing but zeros.
    return NOTHING if value is None else f"{round(value, places) + 0.0:,.{places}f}".replace("-", "−")  # noqa: RUF001


def signed(value: Any, places: int = 2) -> str:
    """A change, with its sign: `+0.31`."""
    return NOTHING if value is None else f"{value:+,.{places}f}".replace("-", "−")  # noqa: RUF001


def share(value: Any, places: int = 1) -> str:
    """A share as per cent: `97.4 %`."""
    return NOTHING if value is None else f"{100 * value:,.{places}f} %".replace("-", "−")  # noqa: RUF001


def change(value: Any) -> str:
    """A change as per cent, with its sign: `+12.0 %`; what grew manifold, as a factor."""
    if value is None:
        return NOTHING
    return f"×{value + 1:,.0f}" if value >= 10 else f"{100 * value:+,.1f} %".replace("-", "−")  # noqa: RUF001


def score(value: Any) -> str:
    """A score, never rounded up: `0.9499`."""
    return NOTHING if value is None else score_text(value)


def held_score(row: Mapping[str, Any]) -> str:
    """The score of a row with its threshold and status: one that breaks its bound does not look as if it met it."""
    value = row["score"]
    return NOTHING if value is None else told_score(value, row["threshold"], row["status"] == "pass")


def bound(value: Any) -> str:
    """A threshold, as the file of thresholds writes it: `0.95`."""
    return NOTHING if value is None else f"{value:g}"


def seconds(value: Any) -> str:
    """A duration: `4.2 s`, `3 min 12 s`, `1 h 04 min`."""
    if value is None:
        return NOTHING
    if value < 59.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60:02} min"


def size(value: Any) -> str:
    """Bytes: `1.4 GiB`."""
    if value is None:
        return NOTHING
    for least, name in ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if value >= least:
            return f"{value / least:,.1f} {name}"
    return f"{value:,.0f} B"


def instant(milliseconds: Any) -> str:
    """An instant: `26 Nov 2026, 18:04 UTC`."""
    if milliseconds is None:
        return NOTHING
    at = _at(milliseconds)
    return f"{at.day} {_MONTHS[at.month - 1][:3]} {at.year}, {at:%H:%M} UTC"


def moment(milliseconds: Any) -> markupsafe.Markup:
    """An instant for a table, kept in one line."""
    if milliseconds is None:
        return markupsafe.Markup(NOTHING)
    return markupsafe.Markup('<time datetime="{}">{}</time>').format(
        machine_instant(milliseconds), instant(milliseconds)
    )


def identifier(text: str) -> markupsafe.Markup:
    """An id for a table, kept in one line."""
    return markupsafe.Markup('<code class="id">{}</code>').format(text)


def rule(name: Any) -> markupsafe.Markup:
    """A rule's name, as it is asked for in SQL."""
    return markupsafe.Markup('<code class="id">{}</code>').format(name or "")


def short_instant(milliseconds: Any) -> str:
    """An instant where there is little room: `11-26 18:04`."""
    return NOTHING if milliseconds is None else f"{_at(milliseconds):%m-%d %H:%M}"


def time_of_day(milliseconds: Any) -> str:
    """The time of an instant, UTC: `18:04:05`."""
    return NOTHING if milliseconds is None else f"{_at(milliseconds):%H:%M:%S}"


def machine_instant(milliseconds: Any) -> str:
    """An instant for the `datetime` attribute."""
    return "" if milliseconds is None else f"{_at(milliseconds):%Y-%m-%dT%H:%M:%SZ}"


def month_name(month: int) -> str:
    """January to December."""
    return _MONTHS[month - 1]


def plural(number: int, one: str, more: str = "") -> str:
    """`1 rule`, `2 rules`."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def _at(milliseconds: Any) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
