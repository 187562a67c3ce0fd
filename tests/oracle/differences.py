"""How a table that was found differs from one that was expected."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import date
from typing import Any

from tests.oracle.lake import Row


def differences(
    expected: Iterable[Row],
    actual: Iterable[Row],
    key: tuple[str, ...],
    mart: str = "",
    relative: float = 1e-9,
    absolute: float = 1e-9,
) -> list[str]:
    """What differs between two tables, one readable line each; none where they agree.

    Integers, texts, dates and booleans must be equal, doubles close. Lists and structs are compared entry by entry.
    What Hive's protocol turned into text is read first: a list or struct as JSON, a date as YYYY-MM-DD.

    Args:
        expected: rows of the oracle.
        actual: rows that were found.
        key: the columns that tell rows apart.
        mart: name that the lines begin with.
        relative: how far two doubles may be apart, as a share of the greater.
        absolute: how far two doubles may be apart in any case.
    """
    expected_rows, lines = _by_key(expected, key, f"{mart}: expected")
    actual_rows, repeated = _by_key(actual, key, f"{mart}: found")
    lines += repeated
    for identity in sorted({*expected_rows, *actual_rows}, key=_sortable):
        place = f"{mart}[{'-'.join(str(part) for part in identity)}]"
        if identity not in actual_rows:
            lines.append(f"{place}: missing")
        elif identity not in expected_rows:
            lines.append(f"{place}: not expected")
        else:
            lines += _differing(expected_rows[identity], actual_rows[identity], place, relative, absolute)
    return lines


def _by_key(rows: Iterable[Row], key: tuple[str, ...], what: str) -> tuple[dict[tuple[Any, ...], Row], list[str]]:
    found: dict[tuple[Any, ...], Row] = {}
    repeated = []
    for row in rows:
        # Dates as text, whichever of the two they came as.
        identity = tuple(part.isoformat() if isinstance(part, date) else part for part in (row[name] for name in key))
        if identity in found:
            repeated.append(f"{what} {identity} more than once")
        found[identity] = row
    return found, repeated


def _sortable(identity: tuple[Any, ...]) -> list[tuple[bool, float, str]]:
    return [
        (isinstance(part, str), 0, part) if isinstance(part, str) else (False, part or 0, str(part))
        for part in identity
    ]


def _differing(expected: Any, actual: Any, place: str, relative: float, absolute: float) -> list[str]:
    actual = _as_received(expected, actual)
    if isinstance(expected, dict) and isinstance(actual, dict):
        lines = [f"{place}.{name}: missing" for name in expected if name not in actual]
        lines += [f"{place}.{name}: not expected" for name in actual if name not in expected]
        for name in expected:
            if name in actual:
                lines += _differing(expected[name], actual[name], f"{place}.{name}", relative, absolute)
        return lines
    if isinstance(expected, list) and isinstance(actual, list | tuple):
        lines = []
        if len(expected) != len(actual):
            lines.append(f"{place}: expected {len(expected)} entries, found {len(actual)}")
        for position, (one, other) in enumerate(zip(expected, actual, strict=False)):
            lines += _differing(one, other, f"{place}[{position}]", relative, absolute)
        return lines
    if _is_same(expected, actual, relative, absolute):
        return []
    return [f"{place}: expected {_shown(expected)}, found {_shown(actual)}"]


def _as_received(expected: Any, actual: Any) -> Any:
    if isinstance(actual, str) and isinstance(expected, list | dict):
        try:
            return json.loads(actual)
        except ValueError:
            return actual
    if isinstance(actual, str) and isinstance(expected, date):
        try:
            return date.fromisoformat(actual)
        except ValueError:
            return actual
    return actual


def _is_same(expected: Any, actual: Any, relative: float, absolute: float) -> bool:
    if isinstance(expected, float) and isinstance(actual, int | float) and not isinstance(actual, bool):
        return math.isclose(expected, actual, rel_tol=relative, abs_tol=absolute)
    return type(expected) is type(actual) and bool(expected == actual)


def _shown(value: Any) -> str:
    return "NULL" if value is None else repr(value) if isinstance(value, str) else str(value)
