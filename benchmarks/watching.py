"""Run a tool in a process of its own: what it says, line by line as JSON, and the most memory that it held."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import psutil

from tests.instance import ROOT


def watched(module: str, arguments: Sequence[str], silence_seconds: float = 600) -> tuple[dict[str, Any], int]:
    """What the objects on its lines say together, and MiB at most, of the process and those under it.

    Args:
        module: is run as `python -m module`.
        arguments: of the command line.
        silence_seconds: it is ended when it has said nothing for so long; what it said before counts.
    """
    command = [sys.executable, "-m", module, *arguments]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = {}
    heard = time.monotonic()

    def listen() -> None:
        nonlocal heard
        for line in child.stdout or ():
            found.update(json.loads(line))
            heard = time.monotonic()

    listener = threading.Thread(target=listen)
    listener.start()
    most = 0
    while child.poll() is None:
        processes = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
        held = 0
        for process in processes:
            try:
                held += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        most = max(most, held)
        if time.monotonic() - heard > silence_seconds:
            for process in reversed(processes):
                process.kill()
        time.sleep(0.2)
    listener.join()
    return found, most // 2**20
