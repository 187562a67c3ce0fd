import hashlib
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.records import Record
from ingestion.seen import SeenKeys, key_of


def digest(number: int) -> bytes:
    # Zeros at the end of a key must count: numpy drops them when it shows a value.
    return hashlib.blake2b(str(number).encode(), digest_size=15).digest() + b"\0"


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 60), max_size=20), max_size=15))
def test_a_key_is_new_the_first_time_only(batches: list[list[int]]) -> None:
    seen = SeenKeys()
    known: set[int] = set()
    for batch in batches:
        expected = []
        for number in batch:
            expected.append(number not in known)
            known.add(number)
        assert seen.add_new([digest(number) for number in batch]) == expected


def test_memory_is_sixteen_bytes_a_key_in_few_runs() -> None:
    seen = SeenKeys()
    for start in range(0, 100_000, 1_000):
        assert all(seen.add_new([digest(number) for number in range(start, start + 1_000)]))
    assert sum(run.nbytes for run in seen._runs) == 100_000 * 16
    assert len(seen._runs) < 10
    assert not any(seen.add_new([digest(number) for number in range(100_000)]))


def test_each_part_of_the_key_counts() -> None:
    record = Record("5", "{}", "ab", "movie_details", datetime(2026, 1, 1, tzinfo=UTC), is_assumed=False)
    others = [
        record._replace(movie_id="6"),
        record._replace(payload_sha256="ac"),
        record._replace(observed_at=datetime(2026, 1, 2, tzinfo=UTC)),
    ]
    assert len({key_of(record), *map(key_of, others)}) == 4
    assert key_of(record) == key_of(record._replace(is_assumed=True, endpoint="api_list"))
