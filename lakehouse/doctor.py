"""What the lakehouse needs of a machine, checked one by one."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from lakehouse.artefacts import GRAPHFRAMES, ensure_jars
from lakehouse.errors import LakehouseError, ServiceError
from lakehouse.java import java_home, java_version
from lakehouse.services import health, process, stack
from lakehouse.settings import Settings, config_file

_LEAST_DISK_GIB = 5
_LEAST_MEMORY_GIB = 8


@dataclass(frozen=True)
class Finding:
    """One check. `good` None: works, but is worth knowing."""

    check: str
    good: bool | None
    found: str
    next_step: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Make every check; none stops the others."""
    checks: list[tuple[str, Callable[[Settings], Finding]]] = [
        ("settings", _settings),
        ("java", _java),
        ("jvm artefacts", _artefacts),
        ("memory", _memory),
        ("disk", _disk),
        ("home", _home),
        ("ports", _ports),
    ]
    findings = []
    for name, check in checks:
        try:
            findings.append(check(settings))
        except LakehouseError as error:
            findings.append(Finding(name, False, error.message, error.next_step))
    own = health.own_services(settings)
    for state in stack.status(settings):
        # One of our own that is not up yet is no fault of the machine.
        good = True if state.works else None if state.name in own else False
        findings.append(Finding(state.name, good, state.finding, state.next_step))
    return findings


def _settings(settings: Settings) -> Finding:
    return Finding("settings", True, f"profile {settings.profile}, file {config_file() or 'none (defaults)'}")


def _java(settings: Settings) -> Finding:
    home = java_home(settings.cache)
    return Finding("java", True, f"Java {java_version(home / 'bin' / 'java')} at {home}")


def _artefacts(settings: Settings) -> Finding:
    jars = ensure_jars(settings.cache)
    fallback = jars.graphframes.name == GRAPHFRAMES[-1].file
    note = "; GraphFrames from its fallback" if fallback else ""
    return Finding("jvm artefacts", True, f"verified in {settings.cache / 'jars'}{note}")


def _memory(settings: Settings) -> Finding:
    total = psutil.virtual_memory().total / 2**30
    found = f"{total:.0f} GiB, {os.cpu_count()} cores"
    if total < _LEAST_MEMORY_GIB:
        return Finding("memory", None, found, "lower thrift.driver_memory_mb and spark.driver_memory_mb")
    return Finding("memory", True, found)


def _disk(settings: Settings) -> Finding:
    settings.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.home).free / 2**30
    good = free >= _LEAST_DISK_GIB
    return Finding("disk", good, f"{free:.0f} GiB free", "" if good else "free some, or move LAKEHOUSE_HOME")


def _home(settings: Settings) -> Finding:
    if not os.access(settings.home, os.W_OK):
        return Finding("home", False, f"{settings.home} cannot be written", "set LAKEHOUSE_HOME to a folder of yours")
    return Finding("home", True, str(settings.home))


def _ports(settings: Settings) -> Finding:
    taken = []
    for command in stack.planned_commands(settings):
        if process.running(settings.home, command.name) is None:
            try:
                process.require_free(command)
            except ServiceError as error:
                taken.append(error.message)
    if taken:
        return Finding("ports", False, " ".join(taken), "free them, or move the ports in lakehouse.yaml")
    return Finding("ports", True, "free, or held by our own services")
