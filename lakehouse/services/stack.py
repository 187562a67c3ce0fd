"""All local services together: up, down, and how they are."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from lakehouse.artefacts import ensure_jars
from lakehouse.errors import ServiceError
from lakehouse.java import java_home
from lakehouse.locks import exclusive
from lakehouse.services import hdfs, health, metastore, mongo, process, thrift, tmdb
from lakehouse.settings import Settings

START_TIMEOUT_SECONDS = 120
_POLL_SECONDS = 0.25

# Which processes stand behind a service.
PROCESSES: dict[str, tuple[str, ...]] = {
    "hdfs": ("namenode", "datanode"),
    "metastore": ("metastore",),
    "thrift": ("thrift",),
    "mongo": ("mongo",),
    "tmdb": ("tmdb",),
}


@dataclass(frozen=True)
class ServiceState:
    """How one service is.

    Args:
        name: hdfs, metastore, thrift, mongo or tmdb.
        address: where it is spoken to.
        works: whether a real call to it succeeded.
        finding: what the call gave, or why it failed.
        next_step: what to do where it does not work; empty where it does.
        pids: the processes here; empty for one that runs elsewhere.
        memory_mb: their resident memory together.
    """

    name: str
    address: str
    works: bool
    finding: str
    next_step: str
    pids: tuple[int, ...]
    memory_mb: float


Listener = Callable[[str, str], None]
"""Told of progress as (service, what happens to it)."""


def planned_commands(settings: Settings) -> list[process.Command]:
    """How each service that runs here is started, and the ports that it takes."""
    own = health.own_services(settings)
    jars = ensure_jars(settings.cache)
    java = str(java_home(settings.cache) / "bin" / "java")
    commands: list[process.Command] = []
    if "thrift" in own:
        commands.append(thrift.command(settings))
    if "metastore" in own:
        commands.append(metastore.command(settings, java, jars))
    if "mongo" in own:
        commands.append(mongo.command(settings, java, jars))
    if "tmdb" in own:
        commands.append(tmdb.command(settings))
    if "hdfs" in own:
        commands.extend(hdfs.commands(settings, java, jars))
    return commands


def _wanted(settings: Settings) -> Path:
    """Is there from `up` until `down`: while it is, the services are meant to run."""
    return settings.home / "run" / "wanted"


def _lock(settings: Settings) -> Path:
    """One `up` or `down` of an instance at a time."""
    return settings.home / "run" / "lock"


def fetch(settings: Settings) -> None:
    """Fetch the JVM artefacts that are missing, so that `up` need not."""
    ensure_jars(settings.cache)


def up(settings: Settings, on_event: Listener = lambda service, event: None) -> list[ServiceState]:
    """Start what does not run yet, side by side, and wait until each answers a real call.

    Raises:
        ServiceError: a port is taken, a service died or did not answer in time (with the end of its log).
    """
    own = health.own_services(settings)
    with exclusive(_lock(settings)):
        jars = ensure_jars(settings.cache, lambda step: on_event("artefacts", step))
        home = java_home(settings.cache)
        os.environ["JAVA_HOME"] = str(home)
        java = str(home / "bin" / "java")
        hdfs.write_configuration(settings)
        metastore.write_configuration(settings)
        commands = planned_commands(settings)
        storage = [command for command in commands if command.name in PROCESSES["hdfs"]]
        missing = [command for command in commands if process.running(settings.home, command.name) is None]
        for command in missing:
            process.require_free(command)
        try:
            for command in missing:
                if command not in storage:
                    process.start(settings.home, command)
            if storage and not hdfs.is_formatted(settings):
                on_event("hdfs", "formatting")
                _format(settings, hdfs.format_command(settings, java, jars))
            for command in missing:
                if command in storage:
                    process.start(settings.home, command)
            _wait(settings, own, on_event)
        except ServiceError:
            # A half-started stack would make the next `up` fail in another way; what ran before stays.
            for command in missing:
                process.stop(settings.home, command.name)
            raise
        _wanted(settings).touch()
    return status(settings)


def mend(settings: Settings) -> list[str]:
    """Start anew what `up` has started and what has died since; give the names. After `down`, nothing is started.

    Raises:
        ServiceError: as `up` does.
    """
    members = [member for name in health.own_services(settings) for member in PROCESSES[name]]
    dead = [member for member in members if process.seen(settings.home, member) is None]
    if not dead or not _wanted(settings).is_file():
        return []
    up(settings)
    return dead


def _format(settings: Settings, argv: list[str]) -> None:
    log = process.log_file(settings.home, "namenode")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        code = subprocess.run(argv, stdout=output, stderr=output, stdin=subprocess.DEVNULL, check=False).returncode
    if code != 0:
        raise ServiceError(
            f"The NameNode's folder could not be formatted:\n{process.log_tail(settings.home, 'namenode')}",
            f"Look at {log}.",
        )


def _wait(settings: Settings, names: list[str], on_event: Listener) -> None:
    if not names:
        return
    began = time.monotonic()
    with ThreadPoolExecutor(len(names)) as pool:
        in_vain = Event()
        waiting = {pool.submit(_wait_for, settings, name, in_vain): name for name in names}
        try:
            for done in as_completed(waiting):
                finding = done.result()
                on_event(waiting[done], f"ready after {time.monotonic() - began:.1f} s ({finding})")
        finally:
            # One that died is reported at once: the others, which may wait for it, are not waited for.
            in_vain.set()


def _wait_for(settings: Settings, name: str, in_vain: Event) -> str:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not in_vain.is_set():
        # Looked at before the call: another instance's service may answer on the port of one that died.
        for member in PROCESSES[name]:
            if process.running(settings.home, member) is None:
                raise ServiceError(
                    f"{health.TITLES[name]} ({member}) died at its start. Its log ends:\n"
                    f"{process.log_tail(settings.home, member)}",
                    f"The whole log is {process.log_file(settings.home, member)}.",
                )
        try:
            return health.CHECKS[name](settings)
        except ServiceError as error:
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"{health.TITLES[name]} did not answer within {START_TIMEOUT_SECONDS} s: {error.message} "
                    f"Its log ends:\n{process.log_tail(settings.home, PROCESSES[name][0])}",
                    error.next_step or f"The whole log is {process.log_file(settings.home, PROCESSES[name][0])}.",
                ) from error
        in_vain.wait(_POLL_SECONDS)
    return "not waited for"


def down(settings: Settings, on_event: Listener = lambda service, event: None) -> list[str]:
    """End the services that run here, whole process groups; give the names of those that ran."""
    with exclusive(_lock(settings)):
        _wanted(settings).unlink(missing_ok=True)
        stopped = _stop(settings, health.own_services(settings), on_event)
        if settings.profile == "local":
            # What killed Spark drivers left; without services none is at work.
            shutil.rmtree(settings.home / "tmp", ignore_errors=True)
        return stopped


def _stop(settings: Settings, names: list[str], on_event: Listener) -> list[str]:
    # The Thrift server first: it writes to the others. The rest side by side.
    stopped: list[str] = []
    rounds = (["thrift"], [name for name in names if name != "thrift"])
    for round_names in rounds:
        members = [(name, member) for name in round_names if name in names for member in PROCESSES[name]]
        if not members:
            continue
        with ThreadPoolExecutor(len(members)) as pool:
            ended = pool.map(lambda pair: process.stop(settings.home, pair[1]), members)
            for (name, member), ran in zip(members, ended, strict=True):
                if ran:
                    stopped.append(member)
                    on_event(name, f"{member} stopped")
    return stopped


def status(settings: Settings) -> list[ServiceState]:
    """How each service is, found out by a real call to each, side by side."""
    names = list(PROCESSES)
    with ThreadPoolExecutor(len(names)) as pool:
        return list(pool.map(lambda name: _state(settings, name), names))


def _state(settings: Settings, name: str) -> ServiceState:
    members = [process.running(settings.home, member) for member in PROCESSES[name]]
    alive = [member for member in members if member is not None]
    try:
        if name in health.own_services(settings) and len(alive) < len(members):
            raise ServiceError("is not running")
        finding, works, next_step = health.CHECKS[name](settings), True, ""
    except ServiceError as error:
        finding, works, next_step = error.message, False, health.next_step(settings, name, error)
    return ServiceState(
        name,
        health.address_of(settings, name),
        works,
        finding,
        next_step,
        tuple(member.pid for member in alive),
        sum(process.memory_mb(member) for member in alive),
    )
