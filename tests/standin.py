"""TMDB's stand-in for tests: as a process of its own, or called directly where no real connection is needed."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette

from tests.instance import ROOT, environment, free_ports

TOKEN = "standin"
_STARTS_WITHIN_SECONDS = 30.0


class AppClient:
    """Calls the application without a server. `headers` go with every request."""

    def __init__(self, app: Starlette, headers: dict[str, str] | None = None) -> None:
        self._app = app
        self._headers = headers or {}

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://standin", headers=self._headers
            ) as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:
        return self.request("PUT", path, **options)


@dataclass(frozen=True)
class RunningStandin:
    """A stand-in that answers. `url` is the base, without `/3`."""

    url: str
    process: subprocess.Popen[str]

    def client(self, **options: Any) -> httpx.Client:
        """A client that is let in."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {TOKEN}"}, **options)

    def requests(self) -> list[dict[str, Any]]:
        """What has been asked for since the log was cleared, oldest first."""
        return list(self._control("GET", "requests").json()["requests"])

    def clear_requests(self) -> None:
        self._control("DELETE", "requests")

    def set_faults(self, faults: str | Sequence[dict[str, Any]]) -> None:
        """Take other faults into force: the name of a preset, or rules."""
        self._control("PUT", "faults", faults)

    def set_today(self, today: str) -> None:
        self._control("PUT", "today", {"today": today})

    def set_dirty_rate(self, rate: float) -> None:
        self._control("PUT", "dirty", {"dirty_rate": rate})

    def _control(self, method: str, name: str, value: Any = None) -> httpx.Response:
        answer = httpx.request(method, f"{self.url}/standin/{name}", json=value, timeout=30)
        assert answer.is_success, answer.text
        return answer


@contextmanager
def standin(*options: str, movies: int = 500, seed: int = 7, today: str = "2026-01-23") -> Iterator[RunningStandin]:
    """Run the stand-in on a free port until the block ends; `options` are more of the command's own."""
    port = free_ports(1)[0]
    given = ("--port", port, "--movies", movies, "--seed", seed, "--today", today)
    process = subprocess.Popen(
        [sys.executable, "-m", "ingestion.standin", *map(str, given), *options],
        cwd=ROOT,
        env=environment({}),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        running = RunningStandin(f"http://127.0.0.1:{port}", process)
        _wait_for(running)
        yield running
    finally:
        _end(process)


def _wait_for(running: RunningStandin) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_SECONDS
    while True:
        try:
            running.clear_requests()
            return
        except httpx.TransportError:
            if running.process.poll() is not None or time.monotonic() > deadline:
                _end(running.process)
                raise AssertionError(f"the stand-in did not start: {running.process.communicate()}") from None
            time.sleep(0.05)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
