"""Replay without Spark: which texts are tried how, and how their batch is named."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ingestion.batch import BatchSummary
from ingestion.quarantine import QuarantinedText, quarantine_id
from ingestion.quarantine_commands import described, show_replayed
from ingestion.reasons import Reason
from ingestion.records import DefaultTime, RawRecord, Record, Reject, parse_record
from ingestion.replay import Replayed, Waiting, _ask, batch_of_records, pages, parse_again, plan
from ingestion.seen import key_of
from lakehouse.terminal import console

REFUSED_AT = datetime(2026, 1, 29, 6, tzinfo=UTC)
STATED = datetime(2020, 5, 1, tzinfo=UTC)
LATER = REFUSED_AT + timedelta(days=1)


def waiting(name: str = "aa", reason: str = "id_missing", movie_id: str | None = None, size: int = 10) -> Waiting:
    return Waiting(name, "file", reason, REFUSED_AT, None, movie_id, size)


def test_what_can_be_done_with_a_text_depends_on_reason_and_movie() -> None:
    rows = [
        waiting("a"),
        waiting("b", Reason.RECORD_TOO_LARGE),
        waiting("c", Reason.TRUNCATED_GZIP),
        waiting("d", Reason.INVALID_UTF8),
        waiting("e", Reason.INVALID_JSON, movie_id="5"),
        waiting("f", Reason.RECORD_TOO_LARGE, movie_id="6"),
        waiting("g", "a_reason_of_another_version"),
    ]

    def names(can_ask: bool) -> list[str]:
        return ["".join(row.quarantine_id for row in group) for group in plan(rows, can_ask)]

    assert names(can_ask=True) == ["ag", "ef", "bcd", ""]
    assert names(can_ask=False) == ["ag", "", "bcd", "ef"]


def test_a_text_lands_as_it_would_have_at_first() -> None:
    text = '{"id": 5, "title": "Caf\\u00e9 \N{GRINNING FACE}"}'
    first = parse_record(RawRecord(text.encode(), "x"), DefaultTime(REFUSED_AT, is_assumed=True))
    assert parse_again(waiting(), text, 1000) == first
    stated = parse_again(waiting()._replace(observed_at=STATED), text, 1000)
    assert isinstance(stated, Record)
    assert (stated.observed_at, stated.is_assumed) == (STATED, False)


def test_a_text_that_states_its_own_date_keeps_it() -> None:
    text = '{"observed_by": "2019-12-07", "shape": "api_list", "record": {"id": 5}}'
    record = parse_again(waiting(), text, 1000)
    assert isinstance(record, Record)
    assert (record.observed_at, record.endpoint) == (datetime(2019, 12, 7, tzinfo=UTC), "api_list")


def test_what_fails_again_would_be_the_same_row_of_the_quarantine() -> None:
    first = parse_record(RawRecord(b' {"title": 1} ', "movies.jsonl", 7), DefaultTime(REFUSED_AT, is_assumed=True))
    assert isinstance(first, Reject)
    again = parse_again(waiting(), first.raw, 1000)
    assert isinstance(again, Reject)
    assert quarantine_id("file", again) == quarantine_id("file", first)


def test_todays_limit_counts_in_bytes() -> None:
    text = '{"id": 5, "title": "\N{GRINNING FACE}"}'
    refused = parse_again(waiting(), text, len(text))
    assert isinstance(refused, Reject)
    assert refused.reason is Reason.RECORD_TOO_LARGE
    assert isinstance(parse_again(waiting(), text, len(text.encode())), Record)


def test_a_reject_keeps_the_time_that_its_source_stated() -> None:
    def observed_at(raw: RawRecord, default: DefaultTime) -> datetime | None:
        reject = parse_record(raw, default)
        assert isinstance(reject, Reject)
        return reject.observed_at

    assumed = DefaultTime(REFUSED_AT, is_assumed=True)
    assert observed_at(RawRecord(b"broken", "x", observed_at=STATED), assumed) == STATED
    assert observed_at(RawRecord(b"broken", "x"), assumed) is None
    assert observed_at(RawRecord(b"broken", "x"), DefaultTime(STATED, is_assumed=False)) == STATED


def record(movie_id: str, sha256: str = "00") -> Record:
    return Record(movie_id, "{}", sha256, "movie_details", REFUSED_AT, True)


def test_a_movie_is_asked_for_once_and_comes_for_each_of_its_texts() -> None:
    asked: list[list[str]] = []

    def refetch(movies: list[str]) -> Iterable[Record | Reject]:
        asked.append(movies)
        yield record("6")
        yield Reject("gone", Reason.TMDB_ERROR_BODY, "404", movie_id="5")

    rows = [
        waiting("a", movie_id="5"),
        waiting("b", movie_id="6"),
        waiting("c", movie_id="6"),
        waiting("d", movie_id="7"),
    ]
    failures: Counter[str] = Counter()
    assert _ask(rows, refetch, failures) == [("b", record("6")), ("c", record("6"))]
    assert asked == [["5", "6", "7"]]
    assert failures == {"tmdb_error_body": 1}
    assert _ask([], refetch, failures) == []
    assert len(asked) == 1


def test_the_batch_is_named_for_what_lands() -> None:
    names = [("a", key_of(record("1"))), ("b", key_of(record("2")))]
    first = batch_of_records("file", LATER, names)
    assert first == batch_of_records("file", LATER, iter(names))
    assert first.batch_id.startswith("replay-20260130T060000-")
    others = [
        batch_of_records("api", LATER, names),
        batch_of_records("file", REFUSED_AT, names),
        batch_of_records("file", LATER, names[:1]),
        batch_of_records("file", LATER, [names[0], ("b", key_of(record("2", "01")))]),
        batch_of_records("file", LATER, [names[0], ("c", names[1][1])]),
    ]
    assert len({first.batch_id, *(batch.batch_id for batch in others)}) == 6


def test_pages_fit_into_memory_and_leave_nothing_out() -> None:
    rows = [waiting(str(number), size=size) for number, size in enumerate([5, 5, 1, 90, 1, 1, 1, 1])]
    cut = list(pages(rows, most_rows=3, most_size=10))
    assert [[row.size for row in page] for page in cut] == [[5, 5], [1], [90], [1, 1, 1], [1]]
    assert [row for page in cut for row in page] == rows
    assert list(pages([])) == []


def test_show_says_what_the_reason_means() -> None:
    text = QuarantinedText(
        "ab" * 32,
        "{}",
        "id_missing",
        "a.jsonl, line 7: there is no [id]",
        "file",
        "mine",
        REFUSED_AT,
        None,
        None,
        STATED,
    )
    said = dict(described(text))
    assert said["meaning"] == "The object has no `id`, or a null one."
    assert said["detail"] == r"a.jsonl, line 7: there is no \[id]"
    assert (said["refused"], said["observed"]) == ("2026-01-29T06:00:00Z", "2020-05-01T00:00:00Z")
    assert (said["replayed"], said["movie asked for"]) == ("not yet", "none")
    assert "another version" in dict(described(text._replace(reason="unheard_of")))["meaning"]


def test_the_report_counts_each_kind_and_says_what_to_do() -> None:
    batch = BatchSummary(
        "replay-x",
        "file",
        "movie_details",
        None,
        None,
        3,
        2,
        1,
        0,
        0,
        REFUSED_AT,
        REFUSED_AT,
        "succeeded",
        None,
        9,
        REFUSED_AT,
    )
    outcome = Replayed("file", 3, 1_204, 5, 0, {"invalid_json": 1_204}, batch)
    with console.capture() as capture:
        show_replayed([outcome])
    said = capture.get()
    assert [part for part in said.split() if part.replace(",", "").isdigit()] == ["3", "1,204", "5", "0", "2", "1,204"]
    assert "only a part is held" in said
    assert "API" not in said
    with console.capture() as capture:
        show_replayed([replace(outcome, not_whole=0, nobody_to_ask=2)])
    assert "API" in capture.get()
    with console.capture() as capture:
        show_replayed([])
    assert "Nothing" in capture.get()
