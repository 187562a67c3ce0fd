from collections import Counter
from pathlib import Path

import msgspec
import pytest

from ingestion.standin.answers import Answer, found
from ingestion.standin.damage import drifted, instead, spoiled
from ingestion.standin.faults import PRESETS, TRANSIENT, Fault, Kind, decide, evenly, load_faults
from lakehouse.errors import ConfigurationError

TARGETS = [f"/3/movie/{number}?page=1" for number in range(20_000)]


def hits(faults: tuple[Fault, ...], targets: list[str] = TARGETS, seed: int = 1, attempt: int = 1) -> list[Kind | None]:
    decided = (decide(faults, seed, target, attempt)[0] for target in targets)
    return [fault.kind if fault else None for fault in decided]


def test_the_preset_hits_one_in_five_with_each_transient_fault_as_often() -> None:
    counts = Counter(hits(PRESETS["all20"]))
    assert counts.keys() == {None, *TRANSIENT}
    assert abs(1 - counts[None] / len(TARGETS) - 0.2) < 0.01
    share = 0.2 * len(TARGETS) / len(PRESETS["all20"])
    for kind in TRANSIENT:
        expected = 2 * share if kind is Kind.RATE_LIMITED else share
        assert abs(counts[kind] - expected) < 0.25 * expected


def test_who_is_hit_depends_on_seed_target_and_attempt_not_on_order() -> None:
    faults = (Fault(Kind.INTERNAL_ERROR, rate=0.3), Fault(Kind.SLOW, rate=0.3))
    few = TARGETS[:500]
    assert hits(faults, few) == list(reversed(hits(faults, few[::-1])))
    assert hits(faults, few) != hits(faults, few, seed=2)
    assert hits(faults, few) != hits(faults, few, attempt=2)


def test_a_transient_fault_is_gone_after_some_attempts() -> None:
    faults = PRESETS["all20"]
    for target in TARGETS[:300]:
        assert any(decide(faults, 1, target, attempt)[0] is None for attempt in range(1, 7))


def test_times_counts_the_attempts_at_each_target() -> None:
    faults = (Fault(Kind.CLOSED, times=2),)
    found_kinds = [decide(faults, 1, "/3/movie/5", attempt)[0] for attempt in (1, 2, 3)]
    assert [bool(fault) for fault in found_kinds] == [True, True, False]
    assert decide(faults, 1, "/3/movie/6", 1)[0]


def test_path_is_searched_for_in_path_and_query() -> None:
    faults = (Fault(Kind.SLOW, path=r"^/3/movie/changes\?.*page=2\b"),)
    targets = ["/3/movie/changes?end_date=2026-01-01&page=2", "/3/movie/changes?page=20", "/3/movie/changes"]
    assert hits(faults, targets) == [Kind.SLOW, None, None]


def test_not_found_stays_with_a_movie_whatever_is_asked_of_it() -> None:
    faults = (Fault(Kind.NOT_FOUND, rate=0.1),)
    movies = range(2000)
    gone = {number for number in movies if decide(faults, 1, f"/3/movie/{number}", 1)[0]}
    assert 140 < len(gone) < 260
    assert gone == {number for number in movies if decide(faults, 1, f"/3/movie/{number}/credits?language=de", 9)[0]}
    assert decide((Fault(Kind.NOT_FOUND),), 1, "/3/movie/popular?page=1", 1)[0] is None


def test_drift_comes_beside_a_fault_and_beside_other_drift() -> None:
    added = Fault(Kind.FIELD_ADDED, field="mood")
    removed = Fault(Kind.FIELD_REMOVED, field="tagline")
    faults = (added, Fault(Kind.SLOW), removed, Fault(Kind.CLOSED))
    assert decide(faults, 1, "/3/movie/5", 1) == (faults[1], (added, removed))


def test_evenly_shares_a_rate() -> None:
    one, two = evenly([Fault(Kind.SLOW), Fault(Kind.CLOSED)], 0.5)
    assert (one.rate, two.rate) == (0.25, pytest.approx(1 / 3))


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (Kind.RATE_LIMITED, 429, 25),
        (Kind.INTERNAL_ERROR, 500, 11),
        (Kind.BAD_GATEWAY, 502, 43),
        (Kind.OFFLINE, 503, 9),
        (Kind.MAINTENANCE, 503, 46),
        (Kind.GATEWAY_TIMEOUT, 504, 24),
        (Kind.ENTRY_NOT_FOUND, 200, 21),
        (Kind.NOT_FOUND, 404, 34),
    ],
)
def test_errors_have_the_documented_status_and_code(kind: Kind, status: int, code: int) -> None:
    answer = instead(Fault(kind))
    assert answer is not None
    body = msgspec.json.decode(answer.body)
    assert (answer.status, body["status_code"], body["success"]) == (status, code, False)


@pytest.mark.parametrize(("kind", "status"), [(Kind.BAD_GATEWAY_PAGE, 502), (Kind.GATEWAY_TIMEOUT_PAGE, 504)])
def test_a_gateway_answers_with_a_page(kind: Kind, status: int) -> None:
    answer = instead(Fault(kind))
    assert answer is not None
    assert (answer.status, answer.content_type) == (status, "text/html")
    assert answer.body.startswith(b"<html>")


def test_bodies_are_spoiled() -> None:
    right = found({"id": 5, "title": "Ember"})
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(spoiled(right, Fault(Kind.INVALID_JSON)).body)
    deep = spoiled(right, Fault(Kind.TOO_DEEP, depth=50)).body
    assert msgspec.json.decode(deep)["id"] == 5
    assert deep.count(b"[") == 50
    with pytest.raises(RecursionError):
        msgspec.json.decode(spoiled(right, Fault(Kind.TOO_DEEP)).body)
    large = spoiled(right, Fault(Kind.TOO_LARGE, size_bytes=200_000)).chunks
    assert large is not None
    assert len(msgspec.json.decode(b"".join(large()))["padding"]) == 200_000
    assert spoiled(right, Fault(Kind.SLOW)) == right


def test_drift_changes_a_movie_and_the_movies_of_a_list_but_nothing_else() -> None:
    faults = [
        Fault(Kind.FIELD_ADDED, field="mood"),
        Fault(Kind.FIELD_REMOVED, field="tagline"),
        Fault(Kind.FIELD_RETYPED, field="runtime"),
        Fault(Kind.FIELD_RETYPED, field="overview"),
        Fault(Kind.FIELD_RETYPED, field="genres"),
    ]
    movie = {"id": 5, "title": "Ember", "tagline": "x", "runtime": 90, "overview": "four", "genres": [{"id": 1}]}
    changed = {"id": 5, "title": "Ember", "mood": "added", "runtime": "90", "overview": 4, "genres": '[{"id":1}]'}
    assert msgspec.json.decode(drifted(found(movie), faults).body) == changed
    assert msgspec.json.decode(drifted(found({"results": [movie]}), faults).body) == {"results": [changed]}
    for other in ({"results": [{"id": 5, "adult": False}]}, {"genres": []}):
        assert msgspec.json.decode(drifted(found(other), faults).body) == other
    assert drifted(Answer(200, b'{"id":'), faults) == Answer(200, b'{"id":')


def test_rules_are_read_from_a_file_a_text_or_by_the_name_of_a_preset(tmp_path: Path) -> None:
    text = '[{"kind": "rate_limited", "rate": 0.5, "path": "movie", "times": 3, "retry_after": 2}]'
    rule = Fault(Kind.RATE_LIMITED, rate=0.5, path="movie", times=3, retry_after=2)
    file = tmp_path / "faults.json"
    file.write_text(text, encoding="utf-8")
    assert load_faults(str(file)) == load_faults(text) == (rule,)
    assert load_faults("none") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("some20", "no preset"),
        ('[{"kind": "sleepy"}]', "sleepy"),
        ('[{"kind": "slow", "rate": 1.5}]', "rate is 1.5"),
        ('[{"kind": "slow", "often": 1}]', "often"),
        ('[{"kind": "slow", "times": 0}]', "times is 0"),
        ('[{"kind": "slow", "path": "("}]', "regular expression"),
        ('[{"kind": "slow", "delay_seconds": -1}]', "delay_seconds"),
        ('[{"kind": "slow", "field": "title"}]', "takes no field"),
        ('[{"kind": "field_removed"}]', "needs a field"),
        ('{"kind": "slow"}', "array"),
        ("[", "cannot be used"),
    ],
)
def test_what_makes_no_rules_is_said_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said.replace("(", r"\(")):
        load_faults(text)
