import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lakehouse.errors import ServiceError
from lakehouse.services import process
from lakehouse.services.process import Command

# A parent that starts a child and waits, for a minute at most: what ends it must end both.
_FAMILY = """
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.alarm(60); signal.pause()"])
print(child.pid, flush=True)
signal.alarm(60)
signal.pause()
"""
# It notes each SIGTERM and goes on.
_DEAF = """
import signal
signal.signal(signal.SIGTERM, lambda *_: print("SIGTERM came", flush=True))
print(1, flush=True)
signal.alarm(60)
while True:
    signal.pause()
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    process.stop(tmp_path, "family", grace_seconds=1)


def _command(code: str, **ports: int) -> Command:
    named = {name.replace("_", ".", 1): port for name, port in ports.items()}
    return Command("family", [sys.executable, "-c", code], dict(os.environ), named)


def _child_pid(home: Path) -> int:
    for _ in range(200):
        text = process.log_file(home, "family").read_text().strip()
        if text:
            return int(text)
        subprocess.run(["sleep", "0.05"], check=True)
    raise AssertionError("the child did not start")


def _has_ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_stop_ends_the_whole_process_group(home: Path) -> None:
    started = process.start(home, _command(_FAMILY))
    child = _child_pid(home)
    assert process.running(home, "family") == started
    assert process.stop(home, "family")
    assert _has_ended(started.pid)
    assert _has_ended(child)
    assert process.running(home, "family") is None
    assert not process.stop(home, "family")


def test_a_process_that_ignores_sigterm_is_killed(home: Path) -> None:
    started = process.start(home, _command(_DEAF))
    _child_pid(home)
    assert not _has_ended(started.pid)
    assert process.stop(home, "family", grace_seconds=0.5)
    assert process.log_file(home, "family").read_text().splitlines() == ["1", "SIGTERM came"]
    assert _has_ended(started.pid)


def test_start_gives_back_what_runs_already(home: Path) -> None:
    first = process.start(home, _command(_FAMILY))
    assert process.start(home, _command(_FAMILY)) == first


def test_a_pid_file_of_another_process_is_stale(home: Path) -> None:
    path = process.pid_file(home, "family")
    path.parent.mkdir(parents=True)
    # The pid lives (it is ours), but started at another time: a recycled number.
    path.write_text(json.dumps({"pid": os.getpid(), "started": 1.0}))
    assert process.running(home, "family") is None
    assert not path.exists()
    assert not process.stop(home, "family")


def test_a_pid_file_that_is_damaged_is_stale(home: Path) -> None:
    path = process.pid_file(home, "family")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    assert process.running(home, "family") is None


def test_a_killed_process_is_seen_as_gone(home: Path) -> None:
    started = process.start(home, _command(_FAMILY))
    os.killpg(started.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(started.pid)], timeout=5)
    assert process.running(home, "family") is None


def test_a_taken_port_names_the_setting_that_moves_it(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServiceError) as failure:
            process.start(home, _command(_FAMILY, thrift_port=port))
    assert f"Port {port}" in failure.value.message
    assert "thrift.port" in failure.value.next_step
    assert "LAKEHOUSE_THRIFT__PORT" in failure.value.next_step
    assert process.running(home, "family") is None


def test_log_tail_gives_the_end_of_what_was_said(home: Path) -> None:
    log = process.log_file(home, "family")
    log.parent.mkdir(parents=True)
    log.write_text("WARNING: Using incubator modules: x\n" + "\n".join(f"line {n}" for n in range(50)))
    assert process.log_tail(home, "family", lines=2) == "line 48\nline 49"
    assert process.log_tail(home, "absent") == "(no log)"
