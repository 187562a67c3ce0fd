"""What has been asked for: a bounded log, the count of attempts, and the bound on the rate."""

from collections import Counter, deque
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode


class Request(NamedTuple):
    """One request as the log shows it.

    Args:
        at: when it arrived, seconds of the server's monotonic clock.
        path: without the query.
        query: sorted, without the key.
        status: the HTTP status that went out; 0 where the connection was closed before.
        fault: the kind of fault that it met; None where it met none.
    """

    at: float
    path: str
    query: str
    status: int
    fault: str | None


class RequestLog:
    """The latest requests, at most `size` of them, and how many there were since it was cleared."""

    def __init__(self, size: int) -> None:
        self._requests: deque[Request] = deque(maxlen=size)
        self.total = 0

    def add(self, request: Request) -> None:
        """Note a request."""
        self._requests.append(request)
        self.total += 1

    def clear(self) -> None:
        """Forget all."""
        self._requests.clear()
        self.total = 0

    def latest(self) -> list[Request]:
        """The requests, in the order in which they arrived."""
        return list(self._requests)


class Attempts:
    """How often each target has been asked for. It grows with the number of different targets."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def next(self, target: str) -> int:
        """Count one more request for `target`; the first is 1."""
        self._counts[target] += 1
        return self._counts[target]

    def clear(self) -> None:
        """Count from 1 again."""
        self._counts.clear()


class RateLimit:
    """Lets at most `per_second` requests through in any window of one second; those it stops do not count."""

    def __init__(self, per_second: int) -> None:
        self._passed: deque[float] = deque(maxlen=per_second)

    def allows(self, at: float) -> bool:
        """Whether a request that arrives at `at`, in seconds, goes through."""
        if len(self._passed) == self._passed.maxlen and at - self._passed[0] < 1.0:
            return False
        self._passed.append(at)
        return True


def parse_query(query_string: bytes) -> dict[str, str]:
    """The names and values of a query; of a name that stands there twice, the last value."""
    return dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))


def without_key(query: dict[str, str]) -> str:
    """A query as text, sorted, without `api_key`."""
    return urlencode(sorted((name, value) for name, value in query.items() if name != "api_key"))
