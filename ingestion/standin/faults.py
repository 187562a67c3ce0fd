"""Faults as data: which requests go wrong, and how.

A rule is decided by seed, request, attempt and its place in the list alone: the same requests meet the same
faults, in whatever order and however many at once they come.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

import msgspec

from lakehouse.errors import ConfigurationError


class Kind(StrEnum):
    """What goes wrong. `docs/tmdb_standin.md` says what a client sees of each."""

    RATE_LIMITED = "rate_limited"
    """429 with code 25; a `Retry-After` where the rule gives one."""

    INTERNAL_ERROR = "internal_error"
    """500 with code 11."""

    BAD_GATEWAY = "bad_gateway"
    """502 with code 43."""

    BAD_GATEWAY_PAGE = "bad_gateway_page"
    """502 with a gateway's HTML page."""

    OFFLINE = "offline"
    """503 with code 9."""

    MAINTENANCE = "maintenance"
    """503 with code 46."""

    GATEWAY_TIMEOUT = "gateway_timeout"
    """504 with code 24."""

    GATEWAY_TIMEOUT_PAGE = "gateway_timeout_page"
    """504 with a gateway's HTML page."""

    LATE = "late"
    """The answer is right, and begins `delay_seconds` late."""

    SLOW = "slow"
    """The body is right, and comes in ten pieces with `delay_seconds` between them."""

    STALLED = "stalled"
    """Half of the body comes, then nothing, until the client leaves."""

    CLOSED = "closed"
    """The connection is closed before an answer."""

    TRUNCATED = "truncated"
    """The connection is closed in the middle of the body, which is shorter than `Content-Length` says."""

    INVALID_JSON = "invalid_json"
    """200 with half of the body, and a `Content-Length` that fits."""

    ENTRY_NOT_FOUND = "entry_not_found"
    """TMDB's error code 21, which comes with HTTP 200."""

    NOT_FOUND = "not_found"
    """404 with code 34, for the same movies at every attempt; `rate` is the share of movies."""

    REPEATED_PAGE = "repeated_page"
    """A page of a list holds the rows of the page before."""

    TOO_LARGE = "too_large"
    """The body has a field `padding` of `size_bytes`."""

    TOO_DEEP = "too_deep"
    """The body has a field `nested` of lists in lists, `depth` deep."""

    FIELD_ADDED = "field_added"
    """Movies have one more field, called `field`."""

    FIELD_REMOVED = "field_removed"
    """Movies lack the field `field`."""

    FIELD_RETYPED = "field_retyped"
    """The field `field` of movies has another JSON type: a number or a list becomes text, a text a number."""


DRIFT = frozenset({Kind.FIELD_ADDED, Kind.FIELD_REMOVED, Kind.FIELD_RETYPED})
"""These change what movies are like, and can come together, with each other and with one other fault."""

TRANSIENT = (
    Kind.RATE_LIMITED,
    Kind.INTERNAL_ERROR,
    Kind.BAD_GATEWAY,
    Kind.BAD_GATEWAY_PAGE,
    Kind.OFFLINE,
    Kind.MAINTENANCE,
    Kind.GATEWAY_TIMEOUT,
    Kind.GATEWAY_TIMEOUT_PAGE,
    Kind.SLOW,
    Kind.STALLED,
    Kind.CLOSED,
    Kind.TRUNCATED,
    Kind.INVALID_JSON,
)
"""These are gone when the client asks again."""

_MOVIE = re.compile(r"/3/movie/\d+")


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule.

    Args:
        kind: what goes wrong.
        rate: share of the matching requests that are hit, 0 to 1.
        path: a regular expression, searched for in path and query (sorted, without the key); "" matches all.
        times: only the first so many attempts at each path and query can be hit; None sets no bound.
        retry_after: the value of `Retry-After`: seconds, or any text. None sends no such header.
        delay_seconds: for `late` and `slow`.
        field: for the kinds that change a field, its name.
        size_bytes: for `too_large`.
        depth: for `too_deep`.

    Raises:
        ValueError: a value that makes no rule (`load_faults` says it in a sentence).
    """

    kind: Kind
    rate: float = 1.0
    path: str = ""
    times: int | None = None
    retry_after: float | str | None = None
    delay_seconds: float = 0.05
    field: str = ""
    size_bytes: int = 64 * 2**20
    depth: int = 100_000

    def __post_init__(self) -> None:
        """Refuse what makes no rule."""
        if not 0 <= self.rate <= 1:
            raise ValueError(f"rate is {self.rate}, not from 0 to 1")
        if self.times is not None and self.times < 1:
            raise ValueError(f"times is {self.times}, not 1 or more")
        if self.delay_seconds < 0 or self.size_bytes < 0 or self.depth < 0:
            raise ValueError("delay_seconds, size_bytes and depth are 0 or more")
        if (self.kind in DRIFT) != bool(self.field):
            raise ValueError(f"{self.kind} {'needs a field' if self.kind in DRIFT else 'takes no field'}")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"path {self.path!r} is no regular expression: {error}") from error


def evenly(faults: Sequence[Fault], rate: float) -> tuple[Fault, ...]:
    """Give the rules such rates that together they hit `rate` of the requests, each an equal share.

    A rule sees only what the rules before it have let through, so the later ones have higher rates.
    """
    share = rate / len(faults)
    return tuple(
        msgspec.structs.replace(fault, rate=share / (1 - share * number)) for number, fault in enumerate(faults)
    )


def _transient() -> list[Fault]:
    with_header = Fault(Kind.RATE_LIMITED, retry_after=1)
    return [with_header, *(Fault(kind) for kind in TRANSIENT)]


PRESETS: dict[str, tuple[Fault, ...]] = {"none": (), "all20": evenly(_transient(), 0.2)}
"""`all20`: one request in five meets one of the transient faults, each as often; 429 with and without a header."""


def decide(faults: Sequence[Fault], seed: int, target: str, attempt: int) -> tuple[Fault | None, tuple[Fault, ...]]:
    """Which fault a request meets, and which changes of fields beside it.

    Args:
        faults: the rules; of those that are no change of a field the first that hits counts.
        seed: decides who is hit.
        target: path and query of the request.
        attempt: how often this target has been asked for, from 1.
    """
    hit: Fault | None = None
    drift: list[Fault] = []
    for number, fault in enumerate(faults):
        is_drift = fault.kind in DRIFT
        if (hit and not is_drift) or (fault.times is not None and attempt > fault.times):
            continue
        if fault.path and not _compiled(fault.path).search(target):
            continue
        subject = f"{target}|{attempt}"
        if fault.kind is Kind.NOT_FOUND or is_drift:
            # The same at every attempt, and for all that is asked about one movie.
            movie = _MOVIE.match(target)
            if fault.kind is Kind.NOT_FOUND and not movie:
                continue
            subject = movie[0] if movie else target
        if fault.rate < 1 and _chance(f"{seed}|{subject}|{number}") >= fault.rate:
            continue
        if is_drift:
            drift.append(fault)
        else:
            hit = fault
    return hit, tuple(drift)


_compiled = lru_cache(maxsize=64)(re.compile)


def _chance(name: str) -> float:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) / 2.0**64


def load_faults(given: str) -> tuple[Fault, ...]:
    """Read rules: the name of a preset, a file with a JSON list, or the JSON list itself.

    Raises:
        ConfigurationError: there is no such preset or file, or it holds no rules.
    """
    if given in PRESETS:
        return PRESETS[given]
    if given.lstrip().startswith(("[", "{")):
        return read_faults(given.encode(), "The list of faults")
    try:
        return read_faults(Path(given).read_bytes(), given)
    except OSError as error:
        raise ConfigurationError(
            f"{given!r} is no preset of faults, and cannot be read as a file: {error.strerror}.",
            f"Give one of {', '.join(PRESETS)}, or a file with a JSON list of rules.",
        ) from error


def read_faults(text: bytes, place: str) -> tuple[Fault, ...]:
    """Read a JSON list of rules; `place` is where it stood, for the message.

    Raises:
        ConfigurationError: the text is no list of rules. The message names the rule and the field.
    """
    try:
        return msgspec.json.decode(text, type=tuple[Fault, ...])
    except msgspec.MsgspecError as error:
        raise ConfigurationError(
            f"{place} cannot be used: {error}.",
            f'Write it as [{{"kind": "rate_limited", "rate": 0.1}}]. Kinds: {", ".join(Kind)}.',
        ) from error
