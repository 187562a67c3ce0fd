"""One Spark driver for the tasks of all DAG runs: a process that does one task after the other and stays.

A task that starts a driver of its own waits some 20 s until Spark has started, and its code is compiled anew. This
process is started by the first task that needs it, and ends when nothing has been asked for a while. To who asks, it is
like his own: what he is killed in, it is killed in as well; what it fails with, he fails with.

`python -m orchestration.airflow.driver` listens on `home/run/driver.sock`, which its owner alone may use. A line of
JSON asks, lines of JSON answer: what is logged, then what came of it.
"""

import json
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lakehouse.errors import LakehouseError, ServiceError
from lakehouse.locks import exclusive
from lakehouse.services import process
from lakehouse.settings import Settings, load_settings, project_root
from orchestration.airflow.connections import applied, as_connections
from orchestration.airflow.performing import Asked, read
from orchestration.airflow.performing import perform as do

NAME = "airflow-driver"
IDLE_SECONDS = 900.0
_STARTS_WITHIN_SECONDS = 60.0
_PACKAGES = ("lakehouse", "ingestion", "udfs", "graph_jobs", "expectations", "serving", "orchestration")

_log = logging.getLogger(__name__)


def socket_file(settings: Settings) -> Path:
    """Where it listens."""
    return settings.home / "run" / "driver.sock"


def perform(
    settings: Settings, asked: Asked, connections: Mapping[str, Mapping[str, Any]], log: logging.Logger
) -> dict[str, Any]:
    """Have the driver do a task; what it logs is logged here as it comes.

    Args:
        settings: the settings in force.
        asked: what to do.
        connections: what Airflow's connections say, as `found_in` gives it.
        log: where to log.

    Raises:
        LakehouseError: what the work failed with, or that the driver died.
    """
    request = {"asked": asked.as_json(), "connections": connections}
    with _connected(settings) as stream:
        stream.write(json.dumps(request).encode() + b"\n")
        stream.flush()
        for line in stream:
            answer = json.loads(line)
            if "log" in answer:
                log.log(*answer["log"])
            elif "told" in answer:
                return dict(answer["told"])
            else:
                raise _raised(answer["error"])
    raise ServiceError(
        f"The Spark driver of the DAGs died while it did {asked.task}. Its log ends:\n"
        f"{process.log_tail(settings.home, NAME)}",
        "The next attempt starts it anew.",
    )


def stop(settings: Settings) -> bool:
    """End it; True where it ran."""
    return process.stop(settings.home, NAME)


@contextmanager
def _connected(settings: Settings) -> Iterator[Any]:
    with socket.socket(socket.AF_UNIX) as connection:
        with exclusive(settings.home / "run" / "driver.lock"):
            _reach(settings, connection)
        with connection.makefile("rwb") as stream:
            yield stream


def _reach(settings: Settings, connection: socket.socket) -> None:
    """Connect; start it where it does not run, or runs code that has changed since."""
    found = process.running(settings.home, NAME)
    if found is not None and found.started < _code_changed_at():
        process.stop(settings.home, NAME)
        found = None
    if found is None:
        from orchestration.airflow.instance import environment

        argv = [sys.executable, "-m", "orchestration.airflow.driver"]
        socket_file(settings).unlink(missing_ok=True)
        process.start(settings.home, process.Command(NAME, argv, environment(settings), {}))
    deadline = time.monotonic() + _STARTS_WITHIN_SECONDS
    while True:
        try:
            connection.connect(str(socket_file(settings)))
        except OSError as error:
            if process.running(settings.home, NAME) is None or time.monotonic() > deadline:
                raise ServiceError(
                    f"The Spark driver of the DAGs does not start ({error}). Its log ends:\n"
                    f"{process.log_tail(settings.home, NAME)}",
                    f"The whole log is {process.log_file(settings.home, NAME)}.",
                ) from error
            time.sleep(0.1)
        else:
            return


def _code_changed_at() -> float:
    return max(path.stat().st_mtime for package in _PACKAGES for path in (project_root() / package).rglob("*.py"))


class Failed(LakehouseError):
    """What the work failed with, in the driver."""


def _raised(error: Mapping[str, Any]) -> Failed:
    raised = Failed(error["message"], error["next_step"])
    raised.is_final, raised.is_told = error["is_final"], error["is_told"]
    return raised


def main() -> None:
    """Do what is asked, until nothing has been asked for a while."""
    from lakehouse.spark import running_session

    settings = load_settings()
    path = socket_file(settings)
    with socket.socket(socket.AF_UNIX) as listening:
        before = os.umask(0o177)
        try:
            listening.bind(str(path))
        finally:
            os.umask(before)
        listening.listen()
        listening.settimeout(IDLE_SECONDS)
        try:
            while True:
                connection, _ = listening.accept()
                with connection:
                    _serve(settings, connection)
        except TimeoutError:
            _log.info("Nothing was asked for %.0f s.", IDLE_SECONDS)
        finally:
            path.unlink(missing_ok=True)
    if (spark := running_session()) is not None:
        spark.stop()


def _serve(settings: Settings, connection: socket.socket) -> None:
    with connection.makefile("rwb") as stream:
        line = stream.readline()
        if not line:
            return
        request = json.loads(line)
        lock = threading.Lock()

        def answer(told: Mapping[str, Any]) -> None:
            with lock:
                stream.write(json.dumps(told).encode() + b"\n")
                stream.flush()

        done = threading.Event()
        watch = threading.Thread(target=_end_with, args=(connection, done), daemon=True)
        watch.start()
        told = _answered(settings, request, answer)
        # Who has his answer goes, and must not take the driver with him.
        done.set()
        watch.join()
        with suppress(OSError):
            answer(told)


def _answered(
    settings: Settings, request: Mapping[str, Any], answer: Callable[[Mapping[str, Any]], None]
) -> dict[str, Any]:
    log = logging.getLogger("orchestration.airflow.task")
    log.setLevel(logging.INFO)
    handler = _Sending(answer)
    log.addHandler(handler)
    try:
        given = as_connections(request["connections"])
        return {"told": do(applied(settings, given.get), read(request["asked"]), log)}
    except LakehouseError as error:
        told = (error.message, error.next_step, error.is_final, error.is_told)
        return {"error": dict(zip(("message", "next_step", "is_final", "is_told"), told, strict=True))}
    except Exception as error:  # noqa: BLE001
        _log.exception("%s failed.", request["asked"]["task"])
        said = f"{type(error).__name__}: {error}"
        log_file = process.log_file(settings.home, NAME)
        return {"error": {"message": said, "next_step": f"See {log_file}.", "is_final": False, "is_told": False}}
    finally:
        log.removeHandler(handler)


class _Sending(logging.Handler):
    """Sends what is logged to who asks."""

    def __init__(self, answer: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__()
        self._answer = answer

    def emit(self, record: logging.LogRecord) -> None:
        self._answer({"log": [record.levelno, record.getMessage()]})


def _end_with(connection: socket.socket, done: threading.Event) -> None:
    """End with who asks: his work must not go on when he is killed, nor beside that of his next attempt."""
    while not done.is_set():
        if select.select([connection], [], [], 0.2)[0] and not connection.recv(1, socket.MSG_PEEK):
            if not done.is_set():
                os.killpg(os.getpgrp(), signal.SIGKILL)
            return


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    main()
