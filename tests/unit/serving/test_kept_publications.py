from datetime import UTC, datetime, timedelta

from orchestration.publishing import listed
from serving.publication import Publication, kept
from serving.views import literal, pinned

_AT = datetime(2026, 2, 1, tzinfo=UTC)


def _publication(name: str, day: int, content: int) -> Publication:
    return Publication(name, "publish", name, _AT, _AT + timedelta(days=day), {"movies": _AT + timedelta(days=content)})


def test_those_are_kept_whose_marts_are_among_the_last_that_differ() -> None:
    known = [
        _publication("idle", 4, 3),
        _publication("third", 3, 3),
        _publication("second", 2, 2),
        _publication("first", 1, 1),
    ]
    assert [one.publication_id for one in kept(known, 2)] == ["idle", "third", "second"]
    assert kept(known, 3) == known
    assert kept([], 3) == []


def test_a_rollback_makes_what_it_goes_to_young_again() -> None:
    known = [
        _publication("rollback", 4, 1),
        _publication("third", 3, 3),
        _publication("second", 2, 2),
        _publication("first", 1, 1),
    ]
    assert [one.publication_id for one in kept(known, 2)] == ["rollback", "third", "first"]


def test_the_list_says_which_one_readers_see_and_which_are_kept() -> None:
    found = [_publication("second", 2, 2), _publication("first", 1, 1)]
    shown = listed(found, 1)
    assert list(shown.columns[0].cells) == ["second", "first"]
    assert list(shown.columns[-1].cells) == ["kept", "no longer kept"]


def test_an_instant_is_written_to_the_millisecond_in_utc() -> None:
    instant = datetime(2026, 2, 1, 9, 30, 0, 120_000, tzinfo=UTC)
    assert literal(instant) == "timestamp'2026-02-01 09:30:00.120Z'"
    assert pinned("gold_build", "movies", instant).endswith(
        "`movies` timestamp as of timestamp'2026-02-01 09:30:00.120Z'"
    )
