"""From a received text to a record that can be landed, or to the reason why it cannot.

The payload is the record's text as received: a slice of the bytes that were read, never re-serialised. White
space around the JSON value (a line end, the newline at the end of a body) is no part of it.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn, TypeVar

import msgspec

from ingestion.observed import parse_observed_at
from ingestion.reasons import Reason

MOVIE_DETAILS = "movie_details"
"""The endpoint of a record that does not say where it comes from: `GET /movie/{id}`."""

JSON_SPACE = b" \t\r\n"

_LARGEST_ID = 2**63 - 1


class RawRecord(NamedTuple):
    """A text as read, before anyone looked inside.

    `origin` and `line` (from 1; 0 where there are no lines) say where it stood. `observed_at` is the time
    that the source knows for it, None where it knows none.
    """

    text: bytes
    origin: str
    line: int = 0
    observed_at: datetime | None = None

    @property
    def place(self) -> str:
        """Where the text stood, for a person: `movies.jsonl, line 17`."""
        return f"{self.origin}, line {self.line}" if self.line else self.origin


class Record(NamedTuple):
    """One observation of one movie.

    `is_assumed`: nobody stated `observed_at`, it is the ingestion's own time. `content_sha256` is the hash of the
    payload without the values of popularity and votes, which move every day. `etag` is what TMDB calls this version;
    None where nobody said.
    """

    movie_id: str
    payload: str
    payload_sha256: str
    endpoint: str
    observed_at: datetime
    is_assumed: bool
    content_sha256: str = ""
    etag: str | None = None

    @property
    def payload_bytes(self) -> int:
        """Length of the payload as received, bytes."""
        return len(self.payload.encode())


class Reject(NamedTuple):
    """What could not be landed.

    `identity` stands for the whole text where `raw` holds only its beginning. `movie_id` is the movie that was
    asked for, None where the source asked for none; `observed_at` the time that the source stated for the text, None
    where it stated none.
    """

    raw: str
    reason: Reason
    detail: str
    identity: str = ""
    movie_id: str | None = None
    observed_at: datetime | None = None


class DefaultTime(NamedTuple):
    """The time of records that carry none: `--observed-at`, or the ingestion's as-of time (then assumed)."""

    observed_at: datetime
    is_assumed: bool


class _Observation(msgspec.Struct):
    """A dated observation line: `{"observed_by": ..., "shape": ..., "record": {...}}`."""

    record: msgspec.Raw
    shape: str = MOVIE_DETAILS


class _Recording(msgspec.Struct):
    """A recorded HTTP answer: `{"request": ..., "http_status": ..., "headers": ..., "body": {...}}`."""

    body: msgspec.Raw


_Envelope = TypeVar("_Envelope", _Observation, _Recording)

_decode = msgspec.json.Decoder().decode
_decode_observation = msgspec.json.Decoder(_Observation).decode
_decode_recording = msgspec.json.Decoder(_Recording).decode


class _Refused(Exception):
    """Carries a reason out of the steps below; it never leaves this module."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def parse_record(raw: RawRecord, default: DefaultTime) -> Record | Reject:
    """Take a received text apart.

    Three shapes are understood: a movie object; a dated observation, whose own date wins over any other; a
    recorded HTTP answer, whose body is the movie.

    Args:
        raw: the text and where it stood.
        default: the time of a record for which neither its line nor its source states one.
    """
    text = raw.text.strip(JSON_SPACE)
    try:
        return _parse(text, raw, default)
    except _Refused as refused:
        detail = f"{raw.place}: {refused.detail}"
        stated = raw.observed_at or (None if default.is_assumed else default.observed_at)
        return Reject(text.decode("utf-8", errors="backslashreplace"), refused.reason, detail, observed_at=stated)


def _parse(text: bytes, raw: RawRecord, default: DefaultTime) -> Record:
    value = _object(text)
    endpoint = MOVIE_DETAILS
    observed_at = raw.observed_at
    if "id" not in value:
        if "observed_by" in value and "record" in value:
            observed_at = _observed_at(value["observed_by"])
            observation = _slice(text, _decode_observation)
            text, endpoint = bytes(observation.record), observation.shape
            value = _inner(value["record"], "record")
        elif "http_status" in value and "body" in value:
            text = bytes(_slice(text, _decode_recording).body)
            value = _inner(value["body"], "body")
    movie_id = _movie_id(value)
    if observed_at is None:
        observed_at, is_assumed = default
    else:
        is_assumed = False
    digest = hashlib.sha256(text).hexdigest()
    return Record(movie_id, text.decode(), digest, endpoint, observed_at, is_assumed, content_sha256(text))


# In strict JSON a quote within a text is escaped, so this matches keys only, at any depth.
_MOVING_VALUE = re.compile(rb'("(?:popularity|vote_average|vote_count)"\s*:\s*)(?:"[^"]*"|[-+.0-9eE]+|null)')


def content_sha256(text: bytes) -> str:
    """Hash a payload without the values of `popularity`, `vote_average` and `vote_count`, those of people included."""
    return hashlib.sha256(_MOVING_VALUE.sub(rb"\1", text)).hexdigest()


def is_whole_object(text: bytes) -> bool:
    """Whether a text is one complete JSON object and not only the beginning of one."""
    text = text.strip(JSON_SPACE)
    if not text.endswith(b"}"):
        return False
    try:
        _object(text)
    except _Refused:
        return False
    return True


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = _decode(text)
    except UnicodeDecodeError as error:
        raise _Refused(Reason.INVALID_UTF8, f"not UTF-8: {error.reason}") from error
    except RecursionError as error:
        raise _Refused(Reason.TOO_DEEP, "nested too deeply") from error
    except msgspec.MsgspecError as error:
        value = _second_opinion(text, error)
    return _inner(value, "text")


def _second_opinion(text: bytes, first: msgspec.MsgspecError) -> Any:
    """Ask the standard library: msgspec refuses a lone surrogate escape and a huge number, which JSON allows.

    Raises:
        _Refused: the text is no strict JSON for either of the two.
    """
    try:
        return json.loads(text.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise _Refused(Reason.INVALID_UTF8, f"not UTF-8: {error.reason} at byte {error.start}") from error
    except RecursionError as error:
        raise _Refused(Reason.TOO_DEEP, "nested too deeply") from error
    except ValueError:
        raise _Refused(Reason.INVALID_JSON, str(first)) from first


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _inner(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Refused(Reason.NOT_AN_OBJECT, f"the {what} is {_type_name(value)}, not an object")
    return value


def _slice(text: bytes, decode: Callable[[bytes], _Envelope]) -> _Envelope:
    """Cut an envelope into its parts, whose own text stays as it is."""
    try:
        return decode(text)
    except msgspec.MsgspecError as error:
        raise _Refused(Reason.INVALID_JSON, f"an envelope that cannot be taken apart: {error}") from error


def _observed_at(value: Any) -> datetime:
    if not isinstance(value, str):
        raise _Refused(Reason.OBSERVED_AT_INVALID, f"observed_by is {_type_name(value)}, not text")
    try:
        return _parse_observed_at(value)
    except ValueError as error:
        raise _Refused(Reason.OBSERVED_AT_INVALID, f"observed_by {value[:40]!r}: {error}") from error


# A file holds few different dates, and as many lines as there are movies.
_parse_observed_at = lru_cache(maxsize=1024)(parse_observed_at)


def _movie_id(value: dict[str, Any]) -> str:
    movie_id = value.get("id")
    if movie_id is None:
        if "status_code" in value and ("status_message" in value or value.get("success") is False):
            code, message = str(value["status_code"])[:20], str(value.get("status_message"))[:200]
            raise _Refused(Reason.TMDB_ERROR_BODY, f"TMDB's error {code}: {message}")
        raise _Refused(Reason.ID_MISSING, "id is null" if "id" in value else "there is no id")
    # `type` and not `isinstance`: a boolean is an int in Python.
    if type(movie_id) is not int:
        raise _Refused(Reason.ID_NOT_INTEGER, f"id is {_type_name(movie_id)}: {str(movie_id)[:40]!r}")
    if not 0 < movie_id <= _LARGEST_ID:
        raise _Refused(Reason.ID_OUT_OF_RANGE, f"id is {str(movie_id)[:40]}")
    return str(movie_id)


def _type_name(value: Any) -> str:
    return _TYPE_NAMES.get(type(value), "an object")


_TYPE_NAMES = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
}
