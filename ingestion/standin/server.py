"""Runs the stand-in's application on a port of this machine."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from ingestion.standin.delivery import TRANSPORT
from lakehouse.errors import ConfigurationError

_BACKLOG = 2048
# A client's pool keeps its connections for longer than uvicorn would.
_KEEP_ALIVE_SECONDS = 75


class _Protocol(H11Protocol):
    """Gives the application, in the state of each request, the connection that it may close."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # asyncio does this only for sockets whose protocol was named; without it each answer waits 40 ms for an ACK
        # between its head and its body.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, TRANSPORT: transport}
        super().connection_made(transport)


def serve(app: Starlette, host: str, port: int, on_listening: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, and exit with code 0 then.

    Args:
        app: the application.
        host: the address to listen at.
        port: 0 takes a free one.
        on_listening: is told the base URL as soon as connections are taken.

    Raises:
        ConfigurationError: the address cannot be listened at.
    """
    listener = _listen(host, port)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn ends the connections, and then raises the signal again, for whom it found here.
        signal.signal(number, _leave)
    config = uvicorn.Config(
        app,
        http=_Protocol,
        loop="asyncio",
        lifespan="off",
        ws="none",
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    on_listening(f"http://{host}:{listener.getsockname()[1]}")
    uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as error:
        raise ConfigurationError(
            f"The stand-in cannot listen at {host}:{port}: {error.strerror}.",
            "Give another --port (0 takes a free one), or end what uses it.",
        ) from error


def _leave(*_: Any) -> None:
    sys.exit(0)
