"""What is old enough to go, and why some of it stays."""

from datetime import UTC, date, datetime

import pytest

from ingestion.retention import (
    Commit,
    Expired,
    Partition,
    Reading,
    Span,
    decide,
    is_behind,
    oldest_kept,
    reading_of,
    spans,
)

AT = datetime(2026, 1, 29, 6, 0, 0, 123000, tzinfo=UTC)
READ = Reading(12, "")


def commit(version: int, operation: str = "WRITE", at: datetime = AT) -> Commit:
    return Commit(version, at, operation, "")


def partition(day: int, rows: int = 10) -> Partition:
    return Partition(date(2023, 12, day), rows, rows * 1000)


@pytest.mark.parametrize(
    ("as_of", "days", "expected"),
    [
        ("2026-01-29T00:00:00+00:00", 730, date(2024, 1, 30)),
        ("2026-01-29T23:59:59+00:00", 730, date(2024, 1, 30)),
        # Ingestion dates are UTC, wherever the command is run.
        ("2026-01-29T23:00:00-05:00", 730, date(2024, 1, 31)),
        ("2026-03-01T00:00:00+00:00", 1, date(2026, 2, 28)),
    ],
)
def test_a_day_is_kept_until_it_is_more_than_so_many_days_ago(as_of: str, days: int, expected: date) -> None:
    assert oldest_kept(datetime.fromisoformat(as_of), days) == expected


def test_silver_has_read_as_far_as_it_noted() -> None:
    commits = [commit(11), commit(12), commit(13)]
    assert reading_of("12@2026-01-29T06:00:00.123000", commits) == Reading(12, "")
    # Where the commit has whole seconds, there is no fraction in the text.
    assert reading_of("12@2026-01-29T06:00:00", [commit(12, at=AT.replace(microsecond=0))]) == Reading(12, "")


@pytest.mark.parametrize(
    ("remembered", "why"),
    [
        (None, "lake.staged has not read Bronze yet"),
        # Of an earlier table of that name; of one that was put back; no longer in the history.
        ("12@2026-01-28T06:00:00", "which the table's history no longer has"),
        ("99@2026-01-29T06:00:00.123000", "which the table's history no longer has"),
        ("3@2026-01-29T06:00:00.123000", "which the table's history no longer has"),
    ],
)
def test_what_silver_has_read_may_be_unknown_and_it_is_said_why(remembered: str | None, why: str) -> None:
    reading = reading_of(remembered, [commit(11), commit(12)], "lake.staged")
    assert reading.version is None
    assert why in reading.unknown
    assert decide([partition(1)], reading, set(), {}) == (Expired(partition(1), reading.unknown),)


def test_nothing_that_silver_has_not_read_is_deleted_and_nothing_of_a_batch_that_may_go_on() -> None:
    old = [partition(4), partition(1), partition(3), partition(2)]
    unfinished = {date(2023, 12, 3): ["b", "a"], date(2023, 12, 2): ["c"]}
    assert decide(old, READ, {date(2023, 12, 2)}, unfinished) == (
        Expired(partition(1), ""),
        Expired(partition(2), "Silver has not read all of it"),
        Expired(partition(3), "not finished: a, b"),
        Expired(partition(4), ""),
    )


@pytest.mark.parametrize(
    ("reading", "operations", "expected"),
    [
        (READ, ["WRITE", "DELETE"], True),
        (READ, ["OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES", "ADD COLUMNS"], False),
        (READ, ["OPTIMIZE", "WRITE", "OPTIMIZE"], True),
        (READ, [], False),
        # It will read the table as it is then.
        (Reading(None, "never"), ["WRITE"], False),
    ],
)
def test_old_files_are_kept_while_silver_is_behind_the_rows(
    reading: Reading, operations: list[str], expected: bool
) -> None:
    after = [commit(13 + place, operation) for place, operation in enumerate(operations)]
    assert is_behind(reading, [commit(11), commit(12), *after]) is expected


def test_a_batch_that_landed_nothing_leaves_nothing_to_read() -> None:
    empty = commit(13)._replace(has_files=False)
    assert not is_behind(READ, [commit(12), empty])
    assert is_behind(READ, [commit(12), empty, commit(14)])


def test_neighbours_of_one_fate_are_told_as_one() -> None:
    expired = [
        *(Expired(partition(day), "") for day in (1, 2, 4)),
        Expired(partition(5), "why"),
        Expired(partition(6, rows=7), ""),
    ]
    assert spans(expired) == [
        Span(date(2023, 12, 1), date(2023, 12, 4), 3, 30, 30_000, ""),
        Span(date(2023, 12, 5), date(2023, 12, 5), 1, 10, 10_000, "why"),
        Span(date(2023, 12, 6), date(2023, 12, 6), 1, 7, 7_000, ""),
    ]
