"""A lakehouse instance of a test's own: its home, its free ports, and the environment that selects it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_PORTS = (
    "HDFS__NAMENODE_PORT",
    "HDFS__NAMENODE_HTTP_PORT",
    "HDFS__DATANODE_PORT",
    "HDFS__DATANODE_IPC_PORT",
    "HDFS__DATANODE_HTTP_PORT",
    "METASTORE__PORT",
    "THRIFT__PORT",
    "MONGO__PORT",
    "TMDB__PORT",
    "OPS__HISTORY_PORT",
)


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on; all held at once, so that no two are the same."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def variables(home: Path) -> dict[str, str]:
    """The `LAKEHOUSE_*` variables of a new instance: small heaps, so that several fit beside each other."""
    ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
    return {
        "LAKEHOUSE_HOME": str(home),
        "LAKEHOUSE_THRIFT__DRIVER_MEMORY_MB": "2048",
        "LAKEHOUSE_SPARK__DRIVER_MEMORY_MB": "1536",
        **{f"LAKEHOUSE_{name}": str(port) for name, port in ports.items()},
    }


@contextmanager
def selected(instance: dict[str, str]) -> Iterator[None]:
    """Make `instance` the one that `load_settings` gives, in this process and in those that it starts."""
    before = {name: value for name, value in os.environ.items() if name.startswith("LAKEHOUSE_")}
    for name in before:
        del os.environ[name]
    os.environ.update(instance)
    try:
        yield
    finally:
        for name in instance:
            os.environ.pop(name, None)
        os.environ.update(before)


def environment(instance: dict[str, str]) -> dict[str, str]:
    """The whole environment for a child process that works on `instance`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LAKEHOUSE_")}
    return {**kept, **instance, "PATH": f"{Path(sys.executable).parent}:{kept.get('PATH', '')}"}


def lakehouse(
    instance: dict[str, str], *arguments: str, timeout: float = 600, under: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run the `lakehouse` command on `instance`, as a person would; `under` is a command that starts it."""
    return subprocess.run(
        [*under, sys.executable, "-m", "lakehouse.cli", *arguments],
        env=environment(instance),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def killed_after(instance: dict[str, str], command: Sequence[str], seconds: float, log: Path) -> bool:
    """Start a `lakehouse` command and kill its process group (`kill -9`) `seconds` later; False where it ended before.

    What it says goes to `log`.
    """
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "lakehouse.cli", *command],
            env=environment(instance),
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        child.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return True
    assert child.returncode == 0, log.read_text()
    return False
