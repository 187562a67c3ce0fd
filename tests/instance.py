"""A lakehouse instance of a test's own: its home, its free ports, and the environment that selects it."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
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
    "AIRFLOW__PORT",
)


# Below those that the system gives to clients; another part of them for each process that runs tests at the same time.
_candidates = count(10_000 + 7_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) + os.getpid() % 5_000)


def free_ports(number: int) -> list[int]:
    """Ports that nothing listens on, and that no call before gave."""
    found: list[int] = []
    while len(found) < number:
        port = next(_candidates)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
    return found


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
    """Run the `lakehouse` command on `instance`, as a person would; `under` is a command that starts it.

    Inside `warm(instance)` a process that ran the commands before runs it.
    """
    program = [*under, sys.executable, "-m", "lakehouse.cli"]
    return _run(instance, "lakehouse", program, arguments, ROOT, timeout, is_warm=not under)


def dbt(
    instance: dict[str, str], *arguments: str, folder: Path = ROOT / "dbt_project", is_warm: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run the `dbt` command on `instance` in the folder of a project, as a person would.

    Inside `warm(instance)`, unless `is_warm` is False, a process that ran the commands before runs it.
    """
    program = [str(Path(sys.executable).parent / "dbt")]
    return _run(instance, "dbt", program, arguments, folder, 900, is_warm)


def _run(
    instance: dict[str, str],
    name: str,
    program: Sequence[str],
    arguments: Sequence[str],
    folder: Path,
    timeout: float,
    is_warm: bool,
) -> subprocess.CompletedProcess[str]:
    server = _servers.get(instance["LAKEHOUSE_HOME"])
    if server is not None and is_warm:
        return server.ask(instance, name, arguments, folder, timeout)
    return subprocess.run(
        [*program, *arguments],
        env=environment(instance),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@contextmanager
def warm(instance: dict[str, str]) -> Iterator[None]:
    """Have `lakehouse` and `dbt` run the commands on `instance` in one process, whose JVM stays."""
    server = _servers[instance["LAKEHOUSE_HOME"]] = _CommandServer()
    try:
        yield
    finally:
        del _servers[instance["LAKEHOUSE_HOME"]]
        server.end()


class _CommandServer:
    """`tests.command_server`, started at the first command and started anew after one that did not end in time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def ask(
        self, instance: dict[str, str], program: str, arguments: Sequence[str], folder: Path, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.command_server"],
                env=environment(instance),
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"program": program, "arguments": arguments, "variables": instance, "folder": str(folder)}
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        if not select.select([self._process.stdout], [], [], timeout)[0]:
            self.end()
            raise subprocess.TimeoutExpired([program, *arguments], timeout)
        answer = self._process.stdout.readline()
        assert answer, f"{program} {' '.join(arguments)} ended its process"
        return subprocess.CompletedProcess([program, *arguments], **json.loads(answer))

    def end(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            self._process = None


_servers: dict[str, _CommandServer] = {}


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
