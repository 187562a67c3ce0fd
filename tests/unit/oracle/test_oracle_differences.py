"""How the oracle tells what differs."""

from datetime import date

from tests.oracle.differences import differences
from tests.oracle.lake import Row


def test_differences_are_told_in_lines() -> None:
    expected: list[Row] = [
        {"a": 18, "b": 1999, "x": 6.1, "n": 1, "d": date(2020, 1, 1), "l": [{"id": "1", "r": 0.5}]},
        {"a": 18, "b": 2000, "x": None, "n": 1, "d": None, "l": []},
        {"a": 35, "b": 1999, "x": 1.0, "n": 1, "d": None, "l": []},
    ]
    actual: list[Row] = [
        {"a": 18, "b": 1999, "x": 6.2, "n": 2, "d": date(2020, 1, 2), "l": [{"id": "2", "r": 0.5}]},
        {"a": 18, "b": 2000, "x": 0.0, "n": 1.0, "d": None, "l": [1]},
        {"a": 99, "b": 1999},
        {"a": 99, "b": 1999},
    ]
    assert differences(expected, actual, ("a", "b"), "genre_trends") == [
        "genre_trends: found (99, 1999) more than once",
        "genre_trends[18-1999].x: expected 6.1, found 6.2",
        "genre_trends[18-1999].n: expected 1, found 2",
        "genre_trends[18-1999].d: expected 2020-01-01, found 2020-01-02",
        "genre_trends[18-1999].l[0].id: expected '1', found '2'",
        "genre_trends[18-2000].x: expected NULL, found 0.0",
        "genre_trends[18-2000].n: expected 1, found 1.0",
        "genre_trends[18-2000].l: expected 0 entries, found 1",
        "genre_trends[35-1999]: missing",
        "genre_trends[99-1999]: not expected",
    ]


def test_what_is_close_or_came_as_text_does_not_differ() -> None:
    expected = [{"k": date(2020, 1, 1), "x": 1e9, "z": 0.0, "l": [{"r": 0.5, "t": None}]}]
    actual = [{"k": "2020-01-01", "x": 1e9 + 0.5, "z": -1e-10, "l": '[{"r":0.5,"t":null}]'}]
    assert differences(expected, actual, ("k",)) == []
    assert differences(expected, [{**actual[0], "x": 1e9 + 2}], ("k",)) != []


def test_columns_that_only_one_side_has_differ() -> None:
    assert differences([{"k": 1, "x": 1}], [{"k": 1, "y": 1}], ("k",), "mart") == [
        "mart[1].x: missing",
        "mart[1].y: not expected",
    ]
