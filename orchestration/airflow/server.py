"""Airflow's four processes, each in a group of its own: started, asked how they are, and ended."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from lakehouse.errors import ServiceError
from lakehouse.locks import exclusive
from lakehouse.services import process
from lakehouse.settings import Settings
from orchestration.airflow import driver
from orchestration.airflow.instance import environment, folder, passwords_file, secrets_of, write_private

PROCESSES = ("airflow-api", "airflow-scheduler", "airflow-parser", "airflow-triggerer")
_ARGUMENTS: dict[str, list[str]] = {
    "airflow-api": ["airflow", "api-server"],
    # Logs are files on this machine: nobody asks these two for them.
    "airflow-scheduler": ["orchestration.airflow.preloaded", "scheduler", "--skip-serve-logs"],
    "airflow-parser": ["orchestration.airflow.preloaded", "dag-processor"],
    "airflow-triggerer": ["airflow", "triggerer", "--skip-serve-logs"],
}
_TIMEOUT_SECONDS = 180
_POLL_SECONDS = 0.5

Listener = Callable[[str], None]


def address(settings: Settings) -> str:
    """Where its API is found from here."""
    return f"http://{settings.airflow.host or settings.bind}:{settings.airflow.port}"


def commands(settings: Settings) -> list[process.Command]:
    """How each process is started."""
    variables = environment(settings)
    return [
        process.Command(
            name,
            [sys.executable, "-m", *_ARGUMENTS[name]],
            variables,
            {"airflow.port": settings.airflow.port} if name == "airflow-api" else {},
        )
        for name in PROCESSES
    ]


def up(settings: Settings, on_event: Listener = lambda event: None) -> str:
    """Make the database, connections and pool where they are missing, start what does not run, and wait for all.

    Raises:
        ServiceError: the port is taken, the database cannot be made, or a process died or did not answer in time.
    """
    with exclusive(settings.home / "run" / "airflow.lock"):
        missing = [one for one in commands(settings) if process.running(settings.home, one.name) is None]
        for command in missing:
            process.require_free(command)
        if missing:
            write_passwords(settings)
            on_event("making Airflow's database")
            _prepare(settings)
        try:
            for command in missing:
                process.start(settings.home, command)
            on_event("waiting for Airflow to answer")
            return _wait(settings)
        except ServiceError:
            for command in missing:
                process.stop(settings.home, command.name)
            raise


def write_passwords(settings: Settings) -> None:
    """Say who may log in."""
    password = {settings.airflow.user: secrets_of(settings).password}
    write_private(passwords_file(settings), json.dumps(password))


def down(settings: Settings) -> list[str]:
    """End what runs; give the names of those that ran. The scheduler first: it starts the others' work."""
    with exclusive(settings.home / "run" / "airflow.lock"):
        first, *others = sorted(PROCESSES, key=lambda name: name != "airflow-scheduler")
        stopped = [first] if process.stop(settings.home, first) else []
        names = [*others, driver.NAME]
        with ThreadPoolExecutor(len(names)) as pool:
            ended = pool.map(lambda name: process.stop(settings.home, name), names)
            return stopped + [name for name, ran in zip(names, ended, strict=True) if ran]


def health(settings: Settings) -> dict[str, str]:
    """How each part says that it is: `healthy`, or else.

    Raises:
        ServiceError: the API does not answer.
    """
    try:
        answer = httpx.get(f"{address(settings)}/api/v2/monitor/health", timeout=10)
        answer.raise_for_status()
        found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise ServiceError(
            f"Airflow at {address(settings)} does not answer ({type(error).__name__}).",
            "Start it with `lakehouse airflow up`.",
        ) from error
    return {name: str((part or {}).get("status")) for name, part in found.items()}


def _prepare(settings: Settings) -> None:
    log = process.log_file(settings.home, "airflow-prepare")
    log.parent.mkdir(parents=True, exist_ok=True)
    folder(settings).mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "orchestration.airflow.prepare"]
    with log.open("wb") as output:
        done = subprocess.run(
            argv, env=environment(settings), stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    if done.returncode:
        raise ServiceError(
            "Airflow's database could not be made. The log ends:\n"
            f"{process.log_tail(settings.home, 'airflow-prepare')}",
            f"The whole log is {log}.",
        )


def _wait(settings: Settings) -> str:
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while True:
        for name in PROCESSES:
            if process.running(settings.home, name) is None:
                raise ServiceError(
                    f"{name} died at its start. Its log ends:\n{process.log_tail(settings.home, name)}",
                    f"The whole log is {process.log_file(settings.home, name)}.",
                )
        try:
            found = health(settings)
            if all(status == "healthy" for status in found.values()):
                return ", ".join(sorted(found))
            reason = ", ".join(f"{name} is {status}" for name, status in found.items() if status != "healthy")
        except ServiceError as error:
            reason = error.message
        if time.monotonic() > deadline:
            raise ServiceError(
                f"Airflow was not ready within {_TIMEOUT_SECONDS} s: {reason}.",
                f"Its logs are {process.log_file(settings.home, 'airflow-*')}.",
            )
        time.sleep(_POLL_SECONDS)
