"""What a run uses: memory and CPU of its processes, the machine's memory, room on disk and HDFS."""

import http.client
import json
import os
import threading
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import psutil

from lakehouse.alerts.alert import Alert, Kind
from lakehouse.services import process, stack
from lakehouse.settings import Settings
from lakehouse.thresholds import AlertBounds

EVERY_SECONDS = 2.0
_HDFS_SECONDS = 2.0
_MIB = 1024 * 1024

OWN, JVM = "cycle", "jvm"
"""The job's Python process, and the JVM that it started."""


@dataclass
class _Used:
    """What was seen of a process and those that it started."""

    peak_bytes: int = 0
    first_cpu: dict[int, float] = field(default_factory=dict)
    last_cpu: dict[int, float] = field(default_factory=dict)

    @property
    def cpu_seconds(self) -> float:
        return sum(last - self.first_cpu[pid] for pid, last in self.last_cpu.items())


class Sampler:
    """Looks every two seconds at what the run's processes use, in a thread of its own, from `start` to `stop`.

    Args:
        home: the instance's home, where the services' pid files are.
        every_seconds: between two looks.
    """

    def __init__(self, home: Path, every_seconds: float = EVERY_SECONDS) -> None:
        self._home = home
        self._every = every_seconds
        self._used: dict[str, _Used] = {}
        self._machine_bytes = 0
        self._machine_share = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="sampler", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._look(begins=True)
        self._thread.start()

    def stop(self) -> None:
        """Look once more, and no further."""
        if not self._ended.is_set():
            self._ended.set()
            self._thread.join()
            self._look()

    def _go_on(self) -> None:
        while not self._ended.wait(self._every):
            self._look()

    def _look(self, begins: bool = False) -> None:
        memory = psutil.virtual_memory()
        self._machine_bytes = max(self._machine_bytes, int(memory.total - memory.available))
        self._machine_share = max(self._machine_share, memory.percent / 100)
        for name, members in self._processes().items():
            used, seen_bytes = self._used.setdefault(name, _Used()), 0
            for member in members:
                try:
                    with member.oneshot():
                        seen_bytes += member.memory_info().rss
                        times = member.cpu_times()
                except psutil.Error:
                    continue
                cpu = times.user + times.system
                # What was there before the run began has used CPU for others.
                used.first_cpu.setdefault(member.pid, cpu if begins else 0.0)
                used.last_cpu[member.pid] = cpu
            used.peak_bytes = max(used.peak_bytes, seen_bytes)

    def _processes(self) -> dict[str, list[psutil.Process]]:
        mine = psutil.Process()
        found = {OWN: [mine], JVM: [child for child in _session(mine) if child.pid != mine.pid and _is_java(child)]}
        for member in (member for group in stack.PROCESSES.values() for member in group):
            running = process.seen(self._home, member)
            if running is not None:
                found[member] = _session_of(running.pid)
        return {name: members for name, members in found.items() if members}

    def rows(self, measured_at: datetime) -> list[dict[str, Any]]:
        """Rows of `ops.resources`: a process each, and the machine."""
        rows: list[dict[str, Any]] = [
            {
                "resource": name,
                "measured_at": measured_at,
                "peak_memory_mb": round(used.peak_bytes / _MIB, 1),
                "cpu_seconds": round(used.cpu_seconds, 2),
            }
            for name, used in self._used.items()
        ]
        rows.append(
            {
                "resource": "machine",
                "measured_at": measured_at,
                "peak_memory_mb": round(self._machine_bytes / _MIB, 1),
                "used_share": round(self._machine_share, 4),
                "used_bytes": self._machine_bytes,
                "capacity_bytes": int(psutil.virtual_memory().total),
            }
        )
        return rows


def _session_of(pid: int) -> list[psutil.Process]:
    try:
        return _session(psutil.Process(pid))
    except psutil.Error:
        return []


def _session(parent: psutil.Process) -> list[psutil.Process]:
    """A process and what it started in its session; a service that it started is a session of its own."""
    try:
        own = os.getsid(parent.pid)
        members = [parent, *parent.children(recursive=True)]
    except (psutil.Error, ProcessLookupError):
        return []
    return [member for member in members if _session_id(member.pid) == own]


def _session_id(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def _is_java(member: psutil.Process) -> bool:
    try:
        return "java" in member.name()
    except psutil.Error:
        return False


def storage(settings: Settings, measured_at: datetime) -> list[dict[str, Any]]:
    """Rows of `ops.resources`: the disk that holds the instance's home, and HDFS; its columns are NULL if it is silent.

    The disk's share is that of what can be used at all, as `df` counts it; that of HDFS is of its whole capacity, as
    `lakehouse hdfs -df` says.
    """
    disk = psutil.disk_usage(str(settings.home))
    used = _hdfs(settings)
    return [
        {
            "resource": "disk",
            "measured_at": measured_at,
            "used_share": round(disk.percent / 100, 4),
            "used_bytes": disk.used,
            "capacity_bytes": disk.total,
        },
        {
            "resource": "hdfs",
            "measured_at": measured_at,
            "used_share": round(used[0] / used[1], 4) if used and used[1] else None,
            "used_bytes": used[0] if used else None,
            "capacity_bytes": used[1] if used else None,
        },
    ]


def _hdfs(settings: Settings) -> tuple[int, int] | None:
    """Bytes used and there, as the NameNode's page for machines says; None where it does not within two seconds."""
    host = settings.bind if settings.runs_own_hdfs else urlparse(settings.hdfs.uri).hostname
    url = f"http://{host}:{settings.hdfs.namenode_http_port}/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState"
    try:
        with urllib.request.urlopen(url, timeout=_HDFS_SECONDS) as answer:
            (state,) = json.loads(answer.read())["beans"]
        return int(state["CapacityUsed"]), int(state["CapacityTotal"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None


_BOUNDS: tuple[tuple[str, str, Kind, str, str], ...] = (
    ("hdfs", "hdfs_use", "storage", "HDFS", "lakehouse hdfs -df -h /"),
    ("disk", "disk_use", "storage", "the disk of the lakehouse's home", "lakehouse doctor"),
    ("machine", "memory_use", "resources", "the machine's memory", "lakehouse status"),
)


def alerts(resources: Iterable[Mapping[str, Any]], bounds: AlertBounds) -> tuple[Alert, ...]:
    """What a person must know of rows of `ops.resources`: HDFS, disk or memory in use above a bound."""
    shares = {row["resource"]: row.get("used_share") for row in resources}
    found: Sequence[Alert | None] = [
        _alert(rule, kind, resource, title, command, shares.get(resource), getattr(bounds, rule))
        for resource, rule, kind, title, command in _BOUNDS
    ]
    return tuple(alert for alert in found if alert is not None)


def _alert(
    rule: str, kind: Kind, subject: str, title: str, command: str, share: float | None, high: Any
) -> Alert | None:
    if share is None or share <= high.warning:
        return None
    is_critical = share > high.critical
    bound = high.critical if is_critical else high.warning
    message = f"{title[:1].upper()}{title[1:]} is in use to {share:.1%}, more than {bound:.0%}."
    return Alert("critical" if is_critical else "warning", kind, subject, message, command, rule, share, bound)
