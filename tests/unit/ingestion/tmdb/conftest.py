"""A real HTTP server whose answers a test writes down, and a client for it."""

import asyncio
import contextlib
import socket
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ingestion.tmdb.client import Client, connect
from ingestion.tmdb.tally import Tally
from lakehouse.sections import Tmdb

TOKEN = "a-secret-token"
_T = TypeVar("_T")


PACE = Tmdb(
    rate_per_second=0,
    concurrency=8,
    attempts=4,
    backoff_seconds=0.01,
    longest_wait_seconds=2,
)
"""No limit, and short waits before an answer is asked for again."""


@dataclass
class Server:
    """Answers each path with what is written down for it, one after the other; the last one stays.

    `/movie/popular#2` is the path's second page.
    """

    url: str = ""
    script: dict[str, list[Response]] = field(default_factory=lambda: defaultdict(list))
    asked: list[tuple[float, str, str, dict[str, str]]] = field(default_factory=list)

    def answer(self, path: str, *responses: Response) -> None:
        self.script[path] = list(responses)

    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.asked]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        path = request.url.path
        self.asked.append((time.monotonic(), path, request.url.query, dict(request.headers)))
        script = self.script.get(f"{path}#{request.query_params.get('page')}") or self.script[path]
        response = script.pop(0) if len(script) > 1 else script[0] if script else Response("{}", 404)
        await response(scope, receive, send)


@pytest.fixture
def server() -> Iterator[Server]:
    app = Server()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        app.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        runner = uvicorn.Server(
            uvicorn.Config(app, lifespan="off", log_level="critical", timeout_graceful_shutdown=0, date_header=False)
        )
        thread = threading.Thread(target=runner.run, args=([listening],))
        thread.start()
        try:
            while not runner.started:
                time.sleep(0.005)
            yield app
        finally:
            runner.should_exit = True
            thread.join()


class TestConnection:
    """Asks questions of a server, each with a client of its own; counts all of them."""

    __test__ = False

    def __init__(self, url: str) -> None:
        self.url = url
        self.pace = PACE
        self.tally = Tally()
        self.max_body_bytes = 100_000

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        async with connect(self.url, TOKEN, self.pace, self.max_body_bytes, self.tally) as client:
            yield client

    def ask(self, question: Callable[[Client], Awaitable[_T]]) -> _T:
        async def run() -> _T:
            async with self.client() as client:
                return await question(client)

        return asyncio.run(run())


@pytest.fixture
def tmdb(server: Server) -> TestConnection:
    return TestConnection(server.url)
