"""What can go wrong with a request to TMDB, each told apart, and what it means for the batch.

Two kinds reach the caller: `RequestRefused` concerns one request and says that this request will never be answered;
the others end the batch. What has landed stays, and the same command goes on from there.
"""

import socket
import ssl
from collections.abc import Iterator

import httpx
import msgspec

from ingestion.errors import SourceError

AGAIN = "What has landed stays; the same command goes on from there."


class TmdbError(SourceError):
    """TMDB cannot be asked any further."""


class AccessRefused(TmdbError):
    """TMDB does not accept the token."""


class Unreachable(TmdbError):
    """There is no connection to TMDB: no network, no such host, nobody listens, or TLS fails."""


class RetriesSpent(TmdbError):
    """The batch has repeated as many requests as it may."""


class RequestRefused(TmdbError):
    """TMDB answered that the request itself is wrong (400, 422): a window of more than 14 days, a page past 500."""


class ErrorBody(msgspec.Struct):
    """TMDB's own error answer. Old recordings lack `success`."""

    status_code: int
    status_message: str = ""
    success: bool | None = None


_decode_error = msgspec.json.Decoder(ErrorBody).decode


def error_body(body: bytes) -> ErrorBody | None:
    """Read an error answer; None where the body is none of TMDB's (a gateway's page, a proxy's)."""
    try:
        return _decode_error(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def say(body: bytes, status: int) -> str:
    """What TMDB said, for a person: `TMDB's error 7 (HTTP 401): Invalid API key: ...`."""
    error = error_body(body)
    if error is None:
        return f"HTTP {status}, with a body that is not TMDB's"
    return f"TMDB's error {error.status_code} (HTTP {status}): {error.status_message[:200]}"


_NEXT_STEPS = {
    # TMDB's status codes, as its list of errors has them
    3: "Give LAKEHOUSE_TMDB__TOKEN a token that may read movies.",
    7: "Set LAKEHOUSE_TMDB__TOKEN to the API read access token from your TMDB account's settings.",
    10: "The key is suspended: write to TMDB.",
    14: "Set LAKEHOUSE_TMDB__TOKEN to the API read access token from your TMDB account's settings.",
    16: "Set LAKEHOUSE_TMDB__TOKEN to a token that is still good: this one was denied by the device.",
    17: "Set LAKEHOUSE_TMDB__TOKEN to an API read access token; this one belongs to a session that was denied.",
    30: "Set LAKEHOUSE_TMDB__TOKEN to an API read access token; a user name and password are none.",
    31: "The account is disabled: write to TMDB.",
    32: "Verify the account's e-mail address, then try again.",
    33: "The token has expired or was withdrawn: make a new one in your TMDB account's settings.",
    35: "The token has expired or was withdrawn: make a new one in your TMDB account's settings.",
    45: "The user is suspended: write to TMDB.",
}


def access_refused(body: bytes, status: int) -> AccessRefused:
    """The error for a 401 or 403, with the next step that its code asks for."""
    error = error_body(body)
    next_step = _NEXT_STEPS.get(error.status_code, "") if error else "A proxy or firewall may stand in between."
    return AccessRefused(f"TMDB refused the token. {say(body, status)}.", next_step or _NEXT_STEPS[7])


def unreachable(error: httpx.TransportError | TimeoutError, url: str) -> Unreachable:
    """The error for a connection that could not be made or held, told apart by its cause."""
    host = httpx.URL(url).host
    causes = list(_causes(error))
    certificate = refused_certificate(error)
    if certificate is not None:
        reason = getattr(certificate, "verify_message", "") or certificate.reason or str(certificate)
        return Unreachable(
            f"The secure connection to {host} failed: {reason}.",
            "Check the machine's clock, its trusted certificates, and whether a proxy stands in between.",
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Unreachable(f"The name {host} cannot be resolved.", f"Check DNS, and tmdb.url. {AGAIN}")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return Unreachable(f"Nobody listens at {_address(url)}.", f"Check tmdb.url. {AGAIN}")
    system = next((cause for cause in causes if isinstance(cause, OSError) and cause.strerror), None)
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return Unreachable(f"{host} did not answer in time.", f"Check the network. {AGAIN}")
    reason = str(system.strerror) if isinstance(system, OSError) else str(error) or type(error).__name__
    return Unreachable(f"There is no connection to {host}: {reason}.", f"Check the network. {AGAIN}")


def refused_certificate(error: BaseException) -> ssl.SSLError | None:
    """Why TLS failed, which asking again does not mend; None where something else did."""
    return next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)), None)


def _address(url: str) -> str:
    address = httpx.URL(url)
    return f"{address.host}:{address.port or (443 if address.scheme == 'https' else 80)}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything behind it, those that a group holds included."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += list(one.exceptions)
