"""How an answer goes down the wire: with TMDB's headers, whole, or as a fault has it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from ingestion.standin.answers import Answer
from ingestion.standin.faults import Fault, Kind

TRANSPORT = "transport"
"""The key in the state of a request under which the server puts the connection (`asyncio.Transport`)."""

_SLOW_PIECES = 10
_SHORTEST_AGE, _LONGEST_AGE = 2600, 4500
_BREAKS_OFF = (Kind.STALLED, Kind.TRUNCATED)

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes down the wire. `status` is 0 where the connection is closed before an answer."""

    status: int
    headers: list[tuple[bytes, bytes]]
    answer: Answer
    fault: Fault | None


def prepare(answer: Answer, fault: Fault | None, path: str, if_none_match: bytes = b"") -> Reply:
    """Put the headers to an answer; make it a 304 where the client has it already.

    Args:
        answer: status and body.
        fault: what happens to it on its way.
        path: decides how long the answer may be cached.
        if_none_match: the tags that the client knows, as it sent them.
    """
    kind = fault.kind if fault else None
    if kind is Kind.CLOSED:
        return Reply(0, [], answer, fault)
    headers = [(b"content-type", answer.content_type.encode())]
    if kind is Kind.RATE_LIMITED and fault and fault.retry_after is not None:
        headers.append((b"retry-after", _retry_after(fault.retry_after)))
    if answer.chunks:
        return Reply(answer.status, headers, answer, fault)
    if answer.status == 200:
        tag = b'W/"' + blake2b(answer.body, digest_size=16).hexdigest().encode() + b'"'
        headers += [(b"etag", tag), (b"cache-control", b"public, max-age=%d" % _max_age(path))]
        if kind not in _BREAKS_OFF and _knows(if_none_match, tag):
            return Reply(304, headers[1:], Answer(304, b""), fault)
    headers.append((b"content-length", b"%d" % len(answer.body)))
    return Reply(answer.status, headers, answer, fault)


def _retry_after(value: float | str) -> bytes:
    text = value if isinstance(value, str) else f"{value:g}"
    return text.encode("latin-1", "replace")


def _max_age(path: str) -> int:
    chance = int.from_bytes(blake2b(path.encode(), digest_size=4).digest())
    return _SHORTEST_AGE + chance % (_LONGEST_AGE - _SHORTEST_AGE)


def _knows(if_none_match: bytes, tag: bytes) -> bool:
    """Compare weakly, as RFC 9110 has it for `If-None-Match`: `W/` is no part of a tag's value."""
    known = (part.strip().removeprefix(b"W/") for part in if_none_match.split(b","))
    return if_none_match.strip() == b"*" or tag.removeprefix(b"W/") in known


async def deliver(reply: Reply, scope: Any, receive: Receive, send: Send) -> None:
    """Send a reply, or as much of it as its fault lets through.

    Raises:
        ConnectionResetError: the connection is to be closed, and there is no server that could do it: the
            application was called directly.
    """
    kind = reply.fault.kind if reply.fault else None
    delay = reply.fault.delay_seconds if reply.fault else 0.0
    if kind is Kind.CLOSED:
        await _close(scope, receive)
        return
    if kind is Kind.LATE:
        await asyncio.sleep(delay)
    await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
    for piece in _pieces(reply.answer, kind):
        if _has_left(scope):
            return
        if piece:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if kind is Kind.TRUNCATED:
            await _close(scope, receive)
            return
        if kind is Kind.STALLED:
            await _wait_for_the_client_to_leave(scope, receive)
            return
        # Without a delay this lets other requests in between the pieces of a large body, also where a compressor
        # holds them back.
        await asyncio.sleep(delay if kind is Kind.SLOW else 0)
    await send({"type": "http.response.body", "body": reply.answer.body if _is_whole(reply.answer, kind) else b""})


def _is_whole(answer: Answer, kind: Kind | None) -> bool:
    return answer.chunks is None and kind not in (Kind.SLOW, *_BREAKS_OFF)


def _pieces(answer: Answer, kind: Kind | None) -> Iterator[bytes]:
    """The pieces that go before the last one; none for a body that goes out at once."""
    body = answer.body
    if answer.chunks:
        yield from answer.chunks()
    elif kind in _BREAKS_OFF:
        yield body[: len(body) // 2]
    elif kind is Kind.SLOW:
        size = max(1, -(-len(body) // _SLOW_PIECES))
        yield from (body[start : start + size] for start in range(0, len(body), size))


def _transport(scope: Any) -> asyncio.Transport | None:
    transport: asyncio.Transport | None = scope.get("state", {}).get(TRANSPORT)
    return transport


def _has_left(scope: Any) -> bool:
    """Whether the client is gone: a large body, or a slow one, need not be made to its end."""
    transport = _transport(scope)
    return transport is not None and transport.is_closing()


async def _close(scope: Any, receive: Receive) -> None:
    transport = _transport(scope)
    if transport is None:
        raise ConnectionResetError("the stand-in closes this connection")
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _wait_for_the_client_to_leave(scope: Any, receive: Receive) -> None:
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    except asyncio.CancelledError:
        # The server ends.
        await _close(scope, receive)
