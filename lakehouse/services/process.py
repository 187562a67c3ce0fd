"""A service's process: started in a group of its own, found again by its pid file, ended whole."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from lakehouse.errors import ServiceError

# A recycled pid is told from ours by its start time; psutil's clock resolution leaves this much room.
_SAME_START_SECONDS = 1.0


@dataclass(frozen=True)
class Command:
    """How a process is started, and which ports it will listen on.

    Args:
        name: also the name of its pid file and log.
        argv: the program and its arguments.
        environment: the whole environment.
        ports: setting name (`thrift.port`) -> port, checked to be free before the start.
    """

    name: str
    argv: list[str]
    environment: dict[str, str]
    ports: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Running:
    """A process that was started, as its pid file says."""

    pid: int
    started: float


def pid_file(home: Path, name: str) -> Path:
    """Where the pid of service `name` is written."""
    return home / "run" / f"{name}.pid"


def log_file(home: Path, name: str) -> Path:
    """Where service `name` writes what it has to say."""
    return home / "logs" / f"{name}.log"


def running(home: Path, name: str) -> Running | None:
    """The live process of service `name`; None where there is none. A stale pid file is removed."""
    path = pid_file(home, name)
    try:
        found = Running(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        path.unlink(missing_ok=True)
        return None
    if is_alive(found):
        return found
    path.unlink(missing_ok=True)
    return None


def seen(home: Path, name: str) -> Running | None:
    """As `running`, for who only watches, while another may just be writing the pid file: nothing is removed."""
    try:
        found = Running(**json.loads(pid_file(home, name).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if is_alive(found) else None


def is_alive(process: Running) -> bool:
    """Whether that very process still runs, and not another one that got its number."""
    try:
        seen = psutil.Process(process.pid)
        return seen.status() != psutil.STATUS_ZOMBIE and abs(seen.create_time() - process.started) < _SAME_START_SECONDS
    except psutil.Error:
        return False


def start(home: Path, command: Command) -> Running:
    """Start a process in its own session and write its pid file; one that runs already is given back.

    Raises:
        ServiceError: a port is taken by something else; the message names the setting that moves it.
    """
    if (already := running(home, command.name)) is not None:
        return already
    require_free(command)
    log = log_file(home, command.name)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            command.argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=command.environment,
            cwd=home,
            start_new_session=True,
        )
    process = Running(child.pid, psutil.Process(child.pid).create_time())
    path = pid_file(home, command.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(process)), encoding="utf-8")
    draft.replace(path)
    return process


def require_free(command: Command) -> None:
    """Refuse to start a process whose port another program listens on.

    Raises:
        ServiceError: the message names the port and the setting that moves it.
    """
    for setting, port in command.ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                variable = f"LAKEHOUSE_{setting.upper().replace('.', '__')}"
                raise ServiceError(
                    f"Port {port}, which {command.name} needs, is in use by another program.",
                    f"Free it, or set {setting} in lakehouse.yaml ({variable} in the environment) to another port.",
                ) from error


def stop(home: Path, name: str, grace_seconds: float = 15.0) -> bool:
    """End the whole process group of service `name`; True where it ran.

    It is asked (SIGTERM), and after `grace_seconds` made (SIGKILL) to end.
    """
    process = running(home, name)
    if process is None:
        return False
    for sign, patience in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        if _gone(process.pid, patience):
            break
    pid_file(home, name).unlink(missing_ok=True)
    return True


def _gone(group: int, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(group, os.WNOHANG)
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def log_tail(home: Path, name: str, lines: int = 15) -> str:
    """The last lines that service `name` wrote, without Java's start-up notices and the frames of stack traces."""
    try:
        with log_file(home, name).open("rb") as handle:
            handle.seek(0, os.SEEK_END)
            handle.seek(max(0, handle.tell() - 16_384))
            text = handle.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return "(no log)"
    noise = ("WARNING: Using incubator", "\tat ", "    at ", "\t... ")
    kept = [line for line in text.splitlines() if line.strip() and not line.startswith(noise)]
    return "\n".join(kept[-lines:]) or "(its log is empty)"


def memory_mb(process: Running) -> float:
    """The resident memory of a process and those that it started in its session, MiB.

    A service is a session of its own, so it does not count to the command that started it.
    """
    total = 0
    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(process.pid)
        for member in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                if os.getsid(member.pid) == os.getsid(process.pid):
                    total += member.memory_info().rss
    return total / 1024 / 1024


def own_memory_mb() -> float:
    """The resident memory of this process and what it started (a job's JVM is one of them), MiB."""
    return memory_mb(Running(os.getpid(), 0.0))
