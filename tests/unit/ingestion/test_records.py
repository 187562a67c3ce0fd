import hashlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.reasons import Reason
from ingestion.records import DefaultTime, RawRecord, Record, Reject, is_whole_object, parse_record

AS_OF = datetime(2026, 1, 29, tzinfo=UTC)
ASSUMED = DefaultTime(AS_OF, is_assumed=True)


def parse(text: bytes, default: DefaultTime = ASSUMED) -> Record | Reject:
    return parse_record(RawRecord(text, "movies.jsonl", 17), default)


def landed(text: bytes, default: DefaultTime = ASSUMED) -> Record:
    outcome = parse(text, default)
    assert isinstance(outcome, Record), outcome
    return outcome


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"id": 5, "title": "Cut of', Reason.INVALID_JSON),
        (b"<html>504 Gateway Time-out</html>", Reason.INVALID_JSON),
        (b"", Reason.INVALID_JSON),
        (b'{"id": 5} {"id": 6}', Reason.INVALID_JSON),
        (b'{"id": 5, "popularity": NaN}', Reason.INVALID_JSON),
        (b'{"id": 5, "revenue": Infinity}', Reason.INVALID_JSON),
        (b'{"id": 5, "overview": "a raw \x00 character"}', Reason.INVALID_JSON),
        (b'{"id": 5,}', Reason.INVALID_JSON),
        (b'{"id": 5, "title": "caf\xe9"}', Reason.INVALID_UTF8),
        (b'{"id": 5, "caf\xe9": 1}', Reason.INVALID_UTF8),
        (b'{"id": 5, "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", Reason.TOO_DEEP),
        (b'[{"id": 5}]', Reason.NOT_AN_OBJECT),
        (b'"id"', Reason.NOT_AN_OBJECT),
        (b"null", Reason.NOT_AN_OBJECT),
        (b"{}", Reason.ID_MISSING),
        (b'{"title": "Four Rooms"}', Reason.ID_MISSING),
        (b'{"id": null}', Reason.ID_MISSING),
        (b'{"page": 1, "results": [{"id": 5}]}', Reason.ID_MISSING),
        (b'{"id": "5"}', Reason.ID_NOT_INTEGER),
        (b'{"id": 5.0}', Reason.ID_NOT_INTEGER),
        (b'{"id": true}', Reason.ID_NOT_INTEGER),
        (b'{"id": [5]}', Reason.ID_NOT_INTEGER),
        (b'{"id": 0}', Reason.ID_OUT_OF_RANGE),
        (b'{"id": -5}', Reason.ID_OUT_OF_RANGE),
        (b'{"id": 9223372036854775808}', Reason.ID_OUT_OF_RANGE),
        (b'{"success": false, "status_code": 34, "status_message": "Not found."}', Reason.TMDB_ERROR_BODY),
        (b'{"status_code": 7, "status_message": "Invalid API key."}', Reason.TMDB_ERROR_BODY),
        (b'{"observed_by": "soon", "record": {"id": 5}}', Reason.OBSERVED_AT_INVALID),
        (b'{"observed_by": 2017, "record": {"id": 5}}', Reason.OBSERVED_AT_INVALID),
        (b'{"observed_by": "2017-09", "record": [5]}', Reason.NOT_AN_OBJECT),
        (b'{"observed_by": "2017-09", "record": {"title": "x"}}', Reason.ID_MISSING),
        (b'{"http_status": 404, "body": {"success": false, "status_code": 34}}', Reason.TMDB_ERROR_BODY),
        (b'{"http_status": 200, "body": null}', Reason.NOT_AN_OBJECT),
    ],
)
def test_what_cannot_land_says_why_and_where(text: bytes, reason: Reason) -> None:
    outcome = parse(text)
    assert isinstance(outcome, Reject)
    assert outcome.reason == reason
    assert outcome.detail.startswith("movies.jsonl, line 17: ")
    assert len(outcome.detail) < 400


def test_a_reject_keeps_the_whole_text_and_shows_bytes_that_are_no_utf8() -> None:
    outcome = parse(b'{"id": 5, "title": "caf\xe9"}')
    assert isinstance(outcome, Reject)
    assert outcome.raw == '{"id": 5, "title": "caf\\xe9"}'


@pytest.mark.parametrize(
    "text",
    [
        b'{"id": 5, "popularity": "0.8995"}',
        b'{"id": 5, "release_date": ""}',
        b'{"id": 5, "overview": "a \\u0000 inside"}',
        b'{"id": 5, "title": "\\ud83d\\ude00"}',
        '{"id": 5, "title": "\N{GRINNING FACE} \N{ZERO WIDTH SPACE}"}'.encode(),
        b'{"id": 5, "title": "a lone surrogate \\ud800"}',
        b'{"id": 5, "popularity": 1e999}',
        b'{"id": 5, "overview": "' + b"long " * 200_000 + b'"}',
        b'{"id": 5, "credits": {"cast": [' + b",".join([b'{"name": "A", "order": 1}'] * 400) + b"]}}",
        b'{ "id" :5,\r\n  "title":\t"odd spacing" }',
        b'{"id": 5, "observed_by": "not an envelope", "record": 1}',
    ],
)
def test_odd_but_valid_records_land_byte_for_byte(text: bytes) -> None:
    record = landed(text)
    assert record.movie_id == "5"
    assert record.payload.encode() == text
    assert record.payload_sha256 == hashlib.sha256(text).hexdigest()


def test_white_space_around_the_value_is_no_part_of_the_payload() -> None:
    assert landed(b' {"id": 5}\r\n').payload == '{"id": 5}'


def test_a_dated_observation_gives_its_record_as_it_was_written_at_its_own_time() -> None:
    text = b'{"observed_by": "2017-09", "shape": "api_list", "record": { "id":5,  "vote_average":7.0 } }'
    record = landed(text, DefaultTime(AS_OF, is_assumed=False))
    assert record.payload == '{ "id":5,  "vote_average":7.0 }'
    assert record.endpoint == "api_list"
    assert record.observed_at == datetime(2017, 9, 1, tzinfo=UTC)
    assert not record.is_assumed


def test_a_recorded_answer_gives_its_body() -> None:
    text = b'{"request": {"path": "/3/movie/5"}, "http_status": 200, "headers": {}, "body": {"id":5 }}'
    assert landed(text).payload == '{"id":5 }'


def test_an_envelope_around_a_lone_surrogate_never_escapes_as_an_exception() -> None:
    outcome = parse(b'{"observed_by": "2017-09", "record": {"id": 5, "title": "\\ud800"}}')
    assert isinstance(outcome, Record | Reject)


def test_the_default_time_is_used_where_the_record_has_none() -> None:
    assert landed(b'{"id": 5}').observed_at == AS_OF
    assert landed(b'{"id": 5}').is_assumed
    assert not landed(b'{"id": 5}', DefaultTime(AS_OF, is_assumed=False)).is_assumed


def test_the_time_that_the_source_states_goes_before_the_default() -> None:
    stated = datetime(2026, 1, 2, tzinfo=UTC)
    outcome = parse_record(RawRecord(b'{"id": 5}', "x", observed_at=stated), ASSUMED)
    assert isinstance(outcome, Record)
    assert outcome.observed_at == stated
    assert not outcome.is_assumed


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise(text: bytes) -> None:
    outcome = parse(text)
    assert isinstance(outcome, Record | Reject)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(
    st.integers(min_value=1, max_value=2**63 - 1),
    st.dictionaries(st.text(), JSON_VALUES, max_size=5),
    st.booleans(),
    st.sampled_from([None, 2]),
)
def test_every_object_with_a_positive_id_lands_byte_for_byte(
    movie_id: int, fields: dict[str, object], ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps({**fields, "id": movie_id}, ensure_ascii=ascii_only, indent=indent)
    record = landed(text.encode("utf-8", errors="surrogatepass"))
    assert record.movie_id == str(movie_id)
    assert record.payload == text


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=5), JSON_VALUES, min_size=1, max_size=4), st.data())
def test_no_beginning_of_an_object_is_a_whole_object(fields: dict[str, object], data: st.DataObject) -> None:
    text = json.dumps(fields).encode()
    cut = data.draw(st.integers(min_value=0, max_value=len(text) - 1))
    assert is_whole_object(text)
    assert not is_whole_object(text[:cut])
