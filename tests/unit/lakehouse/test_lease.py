"""Who gets a lease, and who finds out that it has lost it: over a folder that is played by a dictionary."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock

import msgspec
import pytest

from lakehouse.lease import LeaseHeld, LeaseLost, is_free, take
from lakehouse.lease_entries import Entry, Holder

NOW = datetime(2026, 1, 29, 6, tzinfo=UTC)
ME = Holder("here", "pid:[1]", 100, 1000.0, "lakehouse maintain", NOW, 300, "mine")
OTHER = msgspec.structs.replace(ME, pid=200, purpose="lakehouse ingest", nonce="other")


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Shelf:
    """Leases in memory; `before_claim` is run once, just before a claim, and stands for what others do then."""

    entries: dict[int, Entry] = field(default_factory=dict)
    before_claim: Callable[[], None] = lambda: None
    renewals: list[datetime] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def numbers(self) -> list[int]:
        return sorted(self.entries)

    def look(self, number: int) -> Entry | None:
        return self.entries.get(number)

    def claim(self, number: int, holder: Holder) -> bool:
        others, self.before_claim = self.before_claim, lambda: None
        others()
        with self._lock:
            if number in self.entries:
                return False
            self.entries[number] = Entry(number, holder, holder.taken_at, False)
            return True

    def renew(self, number: int, now: datetime) -> None:
        if number in self.entries:
            self.renewals.append(now)
            self.entries[number] = self.entries[number]._replace(renewed_at=now)

    def release(self, number: int) -> None:
        if number in self.entries:
            self.entries[number] = self.entries[number]._replace(is_released=True)

    def remove(self, number: int) -> None:
        self.entries.pop(number, None)

    def clean(self, below: int, before: datetime) -> None:
        for number in self.numbers():
            if number < below:
                del self.entries[number]


def elsewhere(number: int, renewed_at: datetime = NOW) -> Entry:
    return Entry(number, msgspec.structs.replace(OTHER, host="there"), renewed_at, False)


@pytest.mark.parametrize(
    ("change", "age", "is_alive", "expected"),
    [
        ({}, 0, True, False),
        ({}, 0, False, True),
        ({}, 299, True, False),
        ({}, 301, True, True),
        # Whether a process of another host, or of another container of this host, runs cannot be seen from here.
        ({"host": "there"}, 0, False, False),
        ({"processes": "pid:[2]"}, 0, False, False),
        ({"host": "there"}, 301, False, True),
        # It ends when its holder said, not when the one who wants it would have said.
        ({"host": "there", "seconds": 60}, 61, True, True),
        ({"host": "there", "seconds": 900}, 301, True, False),
    ],
)
def test_a_lease_is_free_where_its_process_is_gone_or_its_time_is_over(
    change: dict[str, object], age: float, is_alive: bool, expected: bool
) -> None:
    entry = Entry(7, msgspec.structs.replace(OTHER, **change), NOW - timedelta(seconds=age), False)
    assert is_free(entry, ME, lambda process: is_alive) is expected
    assert is_free(entry._replace(is_released=True), ME, lambda process: is_alive)


def test_a_lease_that_cannot_be_read_is_free_after_its_time() -> None:
    entry = Entry(7, None, NOW - timedelta(seconds=299), False)
    assert not is_free(entry, ME)
    assert is_free(entry._replace(renewed_at=NOW - timedelta(seconds=301)), ME)


def test_each_lease_has_a_higher_number_and_the_former_ones_are_removed() -> None:
    shelf = Shelf({7: elsewhere(7)._replace(is_released=True)})
    lease = take(shelf, "bronze", "lakehouse ingest", Clock(), 300)
    assert lease.number == 8
    assert shelf.numbers() == [8]
    shelf.release(8)
    assert take(shelf, "bronze", "lakehouse ingest", Clock(), 300).number == 9


def test_who_is_refused_is_told_by_whom_and_until_when() -> None:
    shelf = Shelf({7: elsewhere(7, NOW - timedelta(seconds=100))})
    with pytest.raises(LeaseHeld) as refused:
        take(shelf, "bronze", "lakehouse maintain", Clock(), 300)
    assert refused.value.message == (
        "'bronze' is in use by lakehouse ingest (process 200 on there, since 2026-01-29T06:00:00Z)."
    )
    assert "free from 2026-01-29T06:03:20Z on" in refused.value.next_step
    assert shelf.numbers() == [7]


def test_a_process_that_holds_a_lease_does_not_get_it_again() -> None:
    shelf = Shelf()
    take(shelf, "bronze", "the first", Clock(), 300)
    with pytest.raises(LeaseHeld, match="in use by the first"):
        take(shelf, "bronze", "the second", Clock(), 300)


def test_waiting_ends_when_the_lease_is_released() -> None:
    shelf = Shelf({7: elsewhere(7)})
    told: list[str] = []

    def on_wait(sentence: str) -> None:
        told.append(sentence)
        shelf.release(7)

    assert take(shelf, "bronze", "lakehouse maintain", Clock(), 300, 0.2, on_wait).number == 8
    assert len(told) == 1
    assert told[0].startswith("'bronze' is in use by lakehouse ingest")


def test_of_two_who_find_it_free_the_second_is_refused() -> None:
    shelf = Shelf()
    shelf.before_claim = lambda: shelf.entries.update({1: elsewhere(1)})
    with pytest.raises(LeaseHeld, match="lakehouse ingest"):
        take(shelf, "bronze", "lakehouse maintain", Clock(), 300)
    assert shelf.entries == {1: elsewhere(1)}


def test_one_who_was_away_while_others_came_and_went_does_not_get_an_old_number() -> None:
    shelf = Shelf({7: elsewhere(7)._replace(is_released=True)})

    def others() -> None:
        # 8 was taken and given back, and whoever took 9 removed it.
        del shelf.entries[7]
        shelf.entries[9] = elsewhere(9)

    shelf.before_claim = others
    with pytest.raises(LeaseHeld):
        take(shelf, "bronze", "lakehouse maintain", Clock(), 300)
    assert shelf.numbers() == [9]


def test_one_who_takes_over_steps_back_where_the_holder_woke_up_just_then() -> None:
    shelf = Shelf({7: elsewhere(7, NOW - timedelta(seconds=301))})
    shelf.before_claim = lambda: shelf.renew(7, NOW)
    with pytest.raises(LeaseHeld):
        take(shelf, "bronze", "lakehouse maintain", Clock(), 300)
    assert shelf.numbers() == [7]


def test_a_lease_is_renewed_when_a_third_of_its_time_has_passed() -> None:
    shelf, clock = Shelf(), Clock()
    lease = take(shelf, "bronze", "lakehouse ingest", clock, 300)
    for _ in range(4):
        clock.pass_seconds(60)
        lease.check()
    assert shelf.renewals == [NOW + timedelta(seconds=120), NOW + timedelta(seconds=240)]


def test_one_whose_lease_was_taken_over_is_told_before_it_commits() -> None:
    shelf, clock = Shelf(), Clock()
    lease = take(shelf, "bronze", "lakehouse ingest", clock, 300)
    lease.check()
    shelf.entries[2] = elsewhere(2)
    with pytest.raises(LeaseLost, match=r"lease 'bronze' \(number 1\) has gone to lakehouse ingest .* on there"):
        lease.check()
    # The one who took over has cleaned up, and is itself gone.
    del shelf.entries[1], shelf.entries[2]
    with pytest.raises(LeaseLost, match="gone to another process"):
        lease.check()


def test_a_lease_is_renewed_while_a_long_statement_runs() -> None:
    shelf, clock = Shelf(), Clock()
    lease = take(shelf, "bronze", "lakehouse maintain", clock, 0.03)
    with lease.kept():
        clock.pass_seconds(5)
        deadline = datetime.now(UTC) + timedelta(seconds=10)
        while not shelf.renewals and datetime.now(UTC) < deadline:
            pass
    assert shelf.renewals == [NOW + timedelta(seconds=5)]
    with pytest.raises(LeaseLost), lease.kept():
        shelf.entries[2] = elsewhere(2)
