"""The application: TMDB's paths, and the control endpoints under `/standin/`."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any, NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Mount, Route

from ingestion.standin import api
from ingestion.standin.answers import JSON_TYPE, Answer, encode, failure
from ingestion.standin.damage import as_page, drifted, instead, spoiled
from ingestion.standin.delivery import Receive, Send, deliver, prepare
from ingestion.standin.faults import Fault, Kind, decide, load_faults, read_faults
from ingestion.standin.recorded import Recordings
from ingestion.standin.requests import Attempts, RateLimit, Request, RequestLog, parse_query, without_key
from ingestion.standin.world import World
from lakehouse.clock import instant_text, parse_instant
from lakehouse.errors import ConfigurationError

TOKEN = "standin"
"""The key, or token, that is let in."""

LOG_SIZE = 200_000
_REFUSED_TOKENS = {"standin-expired": 33, "standin-suspended": 45}
_OTHER_TOKEN = 7


@dataclass(slots=True)
class Standin:
    """What the running server knows and the control endpoints change.

    Args:
        world: the synthetic catalogue, and the present.
        recordings: recorded answers, served in place of the synthetic ones; None for none.
        faults: the rules in force.
        limit: the bound on the rate; None for none.
        log: what has been asked for.
        clock: seconds that only grow.
    """

    world: World
    recordings: Recordings | None = None
    faults: tuple[Fault, ...] = ()
    limit: RateLimit | None = None
    log: RequestLog = field(default_factory=lambda: RequestLog(LOG_SIZE))
    clock: Callable[[], float] = time.monotonic
    attempts: Attempts = field(default_factory=Attempts)

    def right_answer(self, path: str, query: dict[str, str]) -> Answer:
        """What a request is answered with where nothing goes wrong."""
        if self.recordings:
            return self.recordings.answer(path, query, self.world.today.date())
        return api.answer(self.world, path, query)


def build_app(standin: Standin) -> Starlette:
    """Make the application. It has no middleware of its own: most of its time goes into the answers."""
    return Starlette(
        routes=[
            Route("/standin/requests", partial(_requests, standin), methods=["GET"]),
            Route("/standin/requests", partial(_clear, standin), methods=["DELETE"]),
            Route("/standin/faults", partial(_set_faults, standin), methods=["PUT"]),
            Route("/standin/today", partial(_set_today, standin), methods=["PUT"]),
            Route("/standin/dirty", partial(_set_dirty, standin), methods=["PUT"]),
            Mount("/", partial(_serve, standin)),
        ]
    )


class _Asked(NamedTuple):
    """A request, taken apart. `target` is path and query without the key; `at` is when it arrived, seconds."""

    at: float
    method: str
    path: str
    query: dict[str, str]
    target: str
    headers: dict[bytes, bytes]


async def _serve(standin: Standin, scope: Any, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    path, query = scope["path"], parse_query(scope["query_string"])
    shown = without_key(query)
    target = f"{path}?{shown}" if shown else path
    asked = _Asked(standin.clock(), scope["method"], path, query, target, dict(scope["headers"]))
    answer, fault = _answer(standin, asked)
    reply = prepare(answer, fault, path, asked.headers.get(b"if-none-match", b""))
    standin.log.add(Request(asked.at, path, shown, reply.status, fault.kind if fault else None))
    await deliver(reply, scope, receive, send)


def _answer(standin: Standin, asked: _Asked) -> tuple[Answer, Fault | None]:
    """What is answered, and the fault that is noted: of several the one that is no change of a field."""
    is_file = asked.path.startswith("/p/exports/")
    if not is_file and not asked.path.startswith("/3/"):
        return failure(34), None
    if asked.method not in ("GET", "HEAD"):
        return failure(42), None
    if not is_file:
        if standin.limit and not standin.limit.allows(asked.at):
            return failure(25), _OVER_THE_LIMIT
        code = _refusal(asked.query.get("api_key"), asked.headers.get(b"authorization", b""))
        if code:
            return failure(code), None
    if not standin.faults:
        return standin.right_answer(asked.path, asked.query), None
    attempt = standin.attempts.next(asked.target)
    fault, drift = decide(standin.faults, standin.world.seed, asked.target, attempt)
    return _faulty(standin, asked, fault, drift), fault or next(iter(drift), None)


_OVER_THE_LIMIT = Fault(Kind.RATE_LIMITED, retry_after=1)


def _faulty(standin: Standin, asked: _Asked, fault: Fault | None, drift: tuple[Fault, ...]) -> Answer:
    if fault and (other := instead(fault)):
        return other
    page = asked.query.get("page", "1")
    if fault and fault.kind is Kind.REPEATED_PAGE and page.isascii() and page.isdigit() and int(page) > 1:
        before = {**asked.query, "page": str(int(page) - 1)}
        answer = as_page(standin.right_answer(asked.path, before), int(page))
    else:
        answer = standin.right_answer(asked.path, asked.query)
    if drift:
        answer = drifted(answer, drift)
    return spoiled(answer, fault) if fault else answer


def _refusal(key: str | None, authorization: bytes) -> int | None:
    """TMDB's code for a request with this key or token; None where it is let in."""
    scheme, _, bearer = authorization.decode("latin-1").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else key
    return None if token == TOKEN else _REFUSED_TOKENS.get(token or "", _OTHER_TOKEN)


async def _requests(standin: Standin, request: HttpRequest) -> Response:
    return _json({"total": standin.log.total, "requests": [entry._asdict() for entry in standin.log.latest()]})


async def _clear(standin: Standin, request: HttpRequest) -> Response:
    standin.log.clear()
    return Response(status_code=204)


async def _set_faults(standin: Standin, request: HttpRequest) -> Response:
    """Take new rules into force, as a JSON list or the name of a preset, and count attempts from 1 again."""
    text = await request.body()
    try:
        faults = load_faults(msgspec.json.decode(text)) if text.startswith(b'"') else read_faults(text, "The body")
    except ConfigurationError as error:
        return _json({"error": str(error)}, 400)
    standin.faults = faults
    standin.attempts.clear()
    return Response(status_code=204)


class _Today(msgspec.Struct, forbid_unknown_fields=True):
    today: str


class _Dirty(msgspec.Struct, forbid_unknown_fields=True):
    dirty_rate: Annotated[float, msgspec.Meta(ge=0, le=1)]


async def _set_today(standin: Standin, request: HttpRequest) -> Response:
    """Move to another instant, as `{"today": "2026-01-23"}`; it may lie before the present one."""
    try:
        today = parse_instant(msgspec.json.decode(await request.body(), type=_Today).today)
    except (msgspec.MsgspecError, ConfigurationError) as error:
        return _json({"error": f"The body is not {{'today': an ISO 8601 date or instant}}: {error}"}, 400)
    standin.world = replace(standin.world, today=today)
    return _json({"today": instant_text(today)})


async def _set_dirty(standin: Standin, request: HttpRequest) -> Response:
    """Damage another share of the movies, as `{"dirty_rate": 0.01}`."""
    try:
        rate = msgspec.json.decode(await request.body(), type=_Dirty).dirty_rate
    except msgspec.MsgspecError as error:
        return _json({"error": f"The body is not {{'dirty_rate': a share from 0 to 1}}: {error}"}, 400)
    standin.world = replace(standin.world, dirty_rate=rate)
    return _json({"dirty_rate": rate})


def _json(value: Any, status: int = 200) -> Response:
    return Response(encode(value), status, media_type=JSON_TYPE)
