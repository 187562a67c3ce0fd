"""Real servers on this machine that stand for Slack and a mail server, good ones and bad ones."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session

SECRET_PATH = "/services/T0001/B0001/hunter2hunter2"  # pragma: allowlist secret
PASSWORD = "correct-horse"  # pragma: allowlist secret

Answer = tuple[int, dict[str, str], bytes]
GOOD: Answer = (200, {}, b"ok")


@dataclass
class Webhook:
    """What came in, and how each request is answered: the last answer goes on."""

    answers: list[Answer] = field(default_factory=lambda: [GOOD])
    payloads: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    url: str = ""


@contextmanager
def webhook(*answers: Answer, misbehave: Callable[[BaseHTTPRequestHandler], None] | None = None) -> Iterator[Webhook]:
    """A server on loopback; `misbehave` takes over instead of an answer."""
    seen = Webhook(list(answers) or [GOOD])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.times.append(time.monotonic())
            seen.paths.append(self.path)
            seen.headers.append(dict(self.headers))
            seen.payloads.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if misbehave is not None:
                misbehave(self)
                return
            status, headers, body = seen.answers.pop(0) if len(seen.answers) > 1 else seen.answers[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    seen.url = f"http://127.0.0.1:{server.server_port}{SECRET_PATH}"
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()


def drips(handler: BaseHTTPRequestHandler) -> None:
    """Answer a byte of the headers now and then: no timeout of a socket ends that."""
    try:
        for letter in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 600:
            handler.wfile.write(bytes([letter]))
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        return


def hangs(handler: BaseHTTPRequestHandler) -> None:
    """Answer long after anybody waits."""
    for _ in range(100):
        time.sleep(0.05)


@dataclass
class Mailbox:
    """The mails that came in."""

    envelopes: list[Envelope] = field(default_factory=list)
    was_encrypted: list[bool] = field(default_factory=list)
    users: list[Any] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    farewell: str = ""
    port: int = 0

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        self.envelopes.append(envelope)
        self.was_encrypted.append(session.ssl is not None)
        self.users.append(session.auth_data)
        return "250 OK"

    async def handle_QUIT(self, server: Any, session: Session, envelope: Envelope) -> str:
        return self.farewell or "221 Bye"


@contextmanager
def mail_server(context: Any = None, user: str = "") -> Iterator[Mailbox]:
    """A mail server on loopback; with a context it wants STARTTLS, with a user also a login by `PASSWORD`."""
    box = Mailbox()

    def authenticator(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = (data.login, data.password) == (user.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False, auth_data=data.login.decode())

    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=0,
        tls_context=context,
        require_starttls=context is not None,
        authenticator=authenticator if user else None,
        auth_required=bool(user),
        auth_require_tls=context is not None,
    )
    # It asks its own port whether it is up, which is not known before it is: port 0 is replaced.
    controller.port = _free_port()
    controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def dead_port() -> int:
    """A port on which nobody listens."""
    return _free_port()


def throw_away_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself, and its key."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    kind = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *kind.split(), *names], check=True, capture_output=True)
    return certificate, key
