"""What a fault does to an answer's status and body; how it goes down the wire is in `delivery.py`."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from ingestion.standin.answers import Answer, encode, failure
from ingestion.standin.faults import Fault, Kind

_CODES = {
    Kind.RATE_LIMITED: 25,
    Kind.INTERNAL_ERROR: 11,
    Kind.BAD_GATEWAY: 43,
    Kind.OFFLINE: 9,
    Kind.MAINTENANCE: 46,
    Kind.GATEWAY_TIMEOUT: 24,
    Kind.ENTRY_NOT_FOUND: 21,
    Kind.NOT_FOUND: 34,
}
_PAGES = {
    Kind.BAD_GATEWAY_PAGE: (502, "502 Bad Gateway"),
    Kind.GATEWAY_TIMEOUT_PAGE: (504, "504 Gateway Time-out"),
}
_PIECE = b"x" * 65_536


def instead(fault: Fault) -> Answer | None:
    """The answer that stands in place of the right one; None where the fault needs the right one."""
    if fault.kind in _CODES:
        return failure(_CODES[fault.kind])
    if fault.kind in _PAGES:
        status, title = _PAGES[fault.kind]
        head, body = f"<head><title>{title}</title></head>", f"<body><center><h1>{title}</h1></center></body>"
        return Answer(status, f"<html>\r\n{head}\r\n{body}\r\n</html>\r\n".encode(), "text/html")
    return None


def spoiled(answer: Answer, fault: Fault) -> Answer:
    """The right answer with its body made bad; unchanged where the fault is not one of the body's content."""
    body = answer.body
    if fault.kind is Kind.INVALID_JSON and body:
        return Answer(answer.status, body[: len(body) // 2], answer.content_type)
    if not body.startswith(b"{"):
        return answer
    if fault.kind is Kind.TOO_DEEP:
        return Answer(answer.status, body[:-1] + b',"nested":' + b"[" * fault.depth + b"]" * fault.depth + b"}")
    if fault.kind is Kind.TOO_LARGE:
        start = body[:-1] + b',"padding":"'
        return Answer(answer.status, b"", chunks=lambda: _padded(start, fault.size_bytes))
    return answer


def _padded(start: bytes, size: int) -> Iterator[bytes]:
    yield start
    for _ in range(size // len(_PIECE)):
        yield _PIECE
    yield _PIECE[: size % len(_PIECE)] + b'"}'


def as_page(answer: Answer, page: int) -> Answer:
    """The answer with another page number, for rows that come twice."""
    value = _decoded(answer)
    if not isinstance(value, dict) or "page" not in value:
        return answer
    return replace(answer, body=encode({**value, "page": page}))


def drifted(answer: Answer, faults: Sequence[Fault]) -> Answer:
    """The answer with fields added, removed or retyped: of the movie, or of each movie in a list."""
    value = _decoded(answer)
    if answer.status != 200 or not isinstance(value, dict):
        return answer
    results = value.get("results")
    movies = [value] if "title" in value else results if isinstance(results, list) else []
    for movie in movies:
        if isinstance(movie, dict) and "title" in movie:
            for fault in faults:
                _drift(movie, fault)
    return replace(answer, body=encode(value))


def _drift(movie: dict[str, Any], fault: Fault) -> None:
    if fault.kind is Kind.FIELD_ADDED:
        movie[fault.field] = "added"
    elif fault.kind is Kind.FIELD_REMOVED:
        movie.pop(fault.field, None)
    elif fault.field in movie:
        movie[fault.field] = _retyped(movie[fault.field])


def _retyped(value: Any) -> Any:
    if isinstance(value, str):
        return len(value)
    return encode(value).decode()


def _decoded(answer: Answer) -> Any:
    """The body's value; None where it is no JSON, as in a damaged record."""
    try:
        return msgspec.json.decode(answer.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
