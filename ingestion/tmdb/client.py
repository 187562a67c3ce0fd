"""One request to TMDB: within the rate, with the token in its header, repeated where that may help.

Repeated are 429 (all requests wait where it says Retry-After), 5xx, timeouts, connections that break, and bodies that
are not what they should be; never 401, 403, 404, 422 or any other refusal.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
import tenacity
from pyrate_limiter import Limiter, Rate

from ingestion.tmdb import failures
from ingestion.tmdb.tally import Tally
from lakehouse.sections import Tmdb

_T = TypeVar("_T")

_WINDOW_MS = 1020
"""Of the rate limit. TMDB counts at its own end: one request may take some milliseconds longer to it than the next."""

_BURST = 10
"""Within a second the requests come in this many bursts, not in one."""

NOT_MODIFIED = 304
NOT_FOUND = 404
_ENTRY_NOT_FOUND = 21
"""TMDB's code for a thing that is not there; its HTTP status is 200."""


@dataclass(frozen=True, slots=True)
class Answer:
    """TMDB's answer: 200 with a body, 304, or 404.

    Args:
        status: the HTTP status; 404 also where TMDB says "not found" in a body with status 200.
        body: as received, decompressed; empty for 304 and 404.
        etag: what TMDB calls this version of the body; None where it does not say.
    """

    status: int
    body: bytes = b""
    etag: str | None = None


class Broken(Exception):
    """Raised by a reader of bodies: the body is not what it should be, and asking again may help.

    Args:
        reason: in two or three words; repeats are counted by it.
        result: what the caller gets where no attempt succeeds; None: `GivenUp` is raised.
    """

    def __init__(self, reason: str, result: Any = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.result = result


class GivenUp(Exception):
    """One request failed at every attempt. `reason` says how the last one ended; `body` is its answer's beginning."""

    def __init__(self, reason: str, body: bytes = b"") -> None:
        super().__init__(reason)
        self.reason = reason
        self.body = body


class TooLarge(Exception):
    """A body of more than the most bytes that are read. `beginning` is its first part."""

    def __init__(self, beginning: bytes, limit: int) -> None:
        super().__init__(f"more than {limit:,} bytes")
        self.beginning = beginning
        self.limit = limit


class _Transient(Exception):
    """One attempt failed in a way that may pass."""

    def __init__(self, reason: str, retry_after: float | None = None, body: bytes = b"") -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.body = body


class Client:
    """A connection to TMDB for one batch. Make it with `connect`."""

    def __init__(self, http: httpx.AsyncClient, pace: Tmdb, max_body_bytes: int, tally: Tally, url: str) -> None:
        self._http = http
        self._pace = pace
        self._max_body_bytes = max_body_bytes
        self._tally = tally
        self._url = url
        self._limiter = _limiter(pace.rate_per_second)
        self._under_way = asyncio.Semaphore(pace.concurrency)
        self._pause_ends = 0.0

    async def get(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        etag: str | None = None,
        read: Callable[[Answer], _T] = lambda answer: answer,  # type: ignore[assignment,return-value]
    ) -> _T:
        """Ask for one thing.

        Args:
            path: under the API's address: `/movie/11`.
            params: of the query; never the token.
            etag: of the version that is known: the answer is 304 where it is still the present one.
            read: makes the result out of the answer; raises `Broken` where the body is not what it should be.

        Raises:
            GivenUp: every attempt failed.
            TooLarge: the body is longer than may be read.
            RequestRefused: TMDB says that the request is wrong.
            AccessRefused, Unreachable, RetriesSpent: the batch ends.
        """
        results: list[_T] = []
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(_Transient),
            stop=tenacity.stop_after_attempt(self._pace.attempts),
            wait=self._wait,
            before_sleep=self._count_repeat,
            reraise=True,
        )
        try:
            return await retrying(self._attempt, path, params, etag, read, results)
        except _Transient as last:
            self._tally.given_up += 1
            if isinstance(last.__cause__, httpx.ConnectError | httpx.ConnectTimeout):
                raise failures.unreachable(last.__cause__, self._url) from last
            if results:
                return results[-1]
            raise GivenUp(last.reason, last.body) from last

    async def _attempt(
        self,
        path: str,
        params: Mapping[str, str | int] | None,
        etag: str | None,
        read: Callable[[Answer], _T],
        results: list[_T],
    ) -> _T:
        async with self._under_way:
            await self._pause()
            answer = await self._ask(path, params, etag)
        try:
            result = read(answer)
        except Broken as broken:
            if broken.result is not None:
                results.append(broken.result)
            raise _Transient(broken.reason, body=answer.body) from broken
        self._tally.answers[answer.status] += 1
        return result

    async def _ask(self, path: str, params: Mapping[str, str | int] | None, etag: str | None) -> Answer:
        headers = {"If-None-Match": etag} if etag else {}
        request = self._http.build_request("GET", path, params=params, headers=headers)
        request.extensions["trace"] = self._wait_for_turn
        try:
            async with asyncio.timeout(self._pace.answer_seconds):
                response = await self._http.send(request, stream=True)
                try:
                    body = await self._read(response)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise _Transient("an answer that took too long") from error
        except httpx.TimeoutException as error:
            raise _Transient("a timeout") from error
        except httpx.TransportError as error:
            if failures.refused_certificate(error) is not None:
                raise failures.unreachable(error, self._url) from error
            is_connected = not isinstance(error, httpx.ConnectError)
            raise _Transient("a broken connection" if is_connected else "no connection") from error
        except httpx.DecodingError as error:
            raise _Transient("a broken body") from error
        return self._judge(response, body)

    async def _wait_for_turn(self, event: str, _: Mapping[str, Any]) -> None:
        """Called by the transport. The turn is taken once the connection stands: nothing delays the request then."""
        if event.endswith("send_request_headers.started"):
            if self._limiter is not None:
                await self._limiter.try_acquire_async()
            self._tally.sent += 1

    async def _read(self, response: httpx.Response) -> bytes:
        parts = []
        length = 0
        async for part in response.aiter_bytes():
            parts.append(part)
            length += len(part)
            if length > self._max_body_bytes:
                raise TooLarge(b"".join(parts)[: self._max_body_bytes], self._max_body_bytes)
        self._tally.body_bytes += length
        return b"".join(parts)

    def _judge(self, response: httpx.Response, body: bytes) -> Answer:
        status = response.status_code
        if status in (NOT_MODIFIED, NOT_FOUND):
            return Answer(status, body if status == NOT_FOUND else b"", response.headers.get("ETag"))
        if status == httpx.codes.TOO_MANY_REQUESTS:
            wait = _retry_after(response.headers)
            if wait is not None:
                self._pause_all(wait)
            raise _Transient("429", wait, body)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise _Transient(str(status), _retry_after(response.headers), body)
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise failures.access_refused(body, status)
        if status != httpx.codes.OK:
            raise failures.RequestRefused(
                f"GET {response.request.url.path} is refused. {failures.say(body, status)}.",
                "Look at what was asked for; if a proxy stands between, at that.",
            )
        if len(body) < 1000 and (error := failures.error_body(body)) and error.status_code == _ENTRY_NOT_FOUND:
            return Answer(NOT_FOUND, body)
        return Answer(status, body, response.headers.get("ETag"))

    def _pause_all(self, seconds: float) -> None:
        seconds = min(seconds, self._pace.longest_wait_seconds)
        self._pause_ends = max(self._pause_ends, asyncio.get_running_loop().time() + seconds)

    async def _pause(self) -> None:
        clock = asyncio.get_running_loop().time
        while (left := self._pause_ends - clock()) > 0:
            await asyncio.sleep(left)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        longest = self._pace.longest_wait_seconds
        backoff = tenacity.wait_random_exponential(self._pace.backoff_seconds, max=longest)(state)
        failure = state.outcome.exception() if state.outcome else None
        asked = failure.retry_after if isinstance(failure, _Transient) else None
        return min(longest, asked + backoff / 10) if asked is not None else backoff

    def _count_repeat(self, state: tenacity.RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        assert isinstance(failure, _Transient)
        allowed = self._pace.free_retries + self._pace.retries_per_answer * self._tally.answered
        if self._tally.repeats.total() >= allowed:
            raise failures.RetriesSpent(
                f"{self._tally.repeats.total():,} requests were repeated for {self._tally.answered:,} answers "
                f"(the last one for {failure.reason}): TMDB is not well.",
                f"Try again later. {failures.AGAIN}",
            )
        self._tally.repeats[failure.reason] += 1
        self._tally.waited_seconds += state.next_action.sleep if state.next_action else 0


def _limiter(rate: int) -> Limiter | None:
    if not rate:
        return None
    rates = [Rate(rate, _WINDOW_MS)]
    if rate >= 2 * _BURST:
        # Rates must grow less strict with their interval: a burst is a little more than its share of the window.
        rates.insert(0, Rate(-(-rate // _BURST), _WINDOW_MS // (_BURST + 1)))
    return Limiter(rates, buffer_ms=1)


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds that a Retry-After asks to wait; None where there is none, or one that cannot be read."""
    text = headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, float(wait.total_seconds()))


@contextlib.asynccontextmanager
async def connect(url: str, token: str, pace: Tmdb, max_body_bytes: int, tally: Tally) -> AsyncIterator[Client]:
    """Give a client; connections are closed at the end.

    Args:
        url: of the API, with its version: `https://api.themoviedb.org/3`.
        token: the read access token; it goes into the header and nowhere else. Empty: none is sent.
        pace: how gently TMDB is asked.
        max_body_bytes: a longer body is not read.
        tally: where requests are counted.
    """
    headers = {"Accept": "application/json", "User-Agent": "tmdb-lakehouse"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    limits = httpx.Limits(max_connections=pace.concurrency, max_keepalive_connections=pace.concurrency)
    async with httpx.AsyncClient(
        base_url=url, headers=headers, limits=limits, timeout=httpx.Timeout(pace.timeout_seconds)
    ) as http:
        yield Client(http, pace, max_body_bytes, tally, url)
