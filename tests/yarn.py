"""YARN on one machine: a ResourceManager and NodeManagers, from the jar that HDFS is started from."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from lakehouse.artefacts import YARN_CRYPTOGRAPHY, ensure_further, ensure_jars
from lakehouse.java import java_home
from lakehouse.services import hdfs
from lakehouse.settings import Settings
from tests.instance import free_ports

_PACKAGE = "org.apache.hadoop.yarn.server"
_START_SECONDS = 90
_HEAP_MB = 256


@dataclass(frozen=True)
class Yarn:
    """A YARN that runs.

    Args:
        conf: the folder that `HADOOP_CONF_DIR` names.
        web: the ResourceManager's pages, `http://host:port`.
    """

    conf: Path
    web: str

    def nodes(self) -> list[dict[str, object]]:
        """The NodeManagers that have registered."""
        found = httpx.get(f"{self.web}/ws/v1/cluster/nodes").json()["nodes"]
        return list(found["node"]) if found else []

    def applications(self) -> list[dict[str, object]]:
        """Every application that was submitted."""
        found = httpx.get(f"{self.web}/ws/v1/cluster/apps").json()["apps"]
        return list(found["app"]) if found else []


@contextmanager
def yarn(settings: Settings, root: Path, nodes: int, node_memory_mb: int, node_cores: int) -> Iterator[Yarn]:
    """Run YARN on the loopback address, over the HDFS of `settings`.

    Args:
        settings: of the lake.
        root: where it keeps its files.
        nodes: NodeManagers.
        node_memory_mb: what each gives to containers.
        node_cores: the same, virtual cores.
    """
    scheduler, tracker, rpc, admin, web = free_ports(5)
    common = {
        "yarn.resourcemanager.hostname": settings.bind,
        "yarn.resourcemanager.address": f"{settings.bind}:{rpc}",
        "yarn.resourcemanager.scheduler.address": f"{settings.bind}:{scheduler}",
        "yarn.resourcemanager.resource-tracker.address": f"{settings.bind}:{tracker}",
        "yarn.resourcemanager.admin.address": f"{settings.bind}:{admin}",
        "yarn.resourcemanager.webapp.address": f"{settings.bind}:{web}",
        "yarn.scheduler.minimum-allocation-mb": "128",
        # Small steps of a size, so that two small executors fit a node.
        "yarn.scheduler.maximum-allocation-mb": str(node_memory_mb),
    }
    with ExitStack() as running:
        conf = _configured(root / "rm", common, settings)
        running.enter_context(_daemon(settings, f"{_PACKAGE}.resourcemanager.ResourceManager", conf))
        for number in range(nodes):
            home = root / f"nm-{number}"
            address, localizer, pages = free_ports(3)
            own = {
                "yarn.nodemanager.hostname": settings.bind,
                "yarn.nodemanager.address": f"{settings.bind}:{address}",
                "yarn.nodemanager.localizer.address": f"{settings.bind}:{localizer}",
                "yarn.nodemanager.webapp.address": f"{settings.bind}:{pages}",
                "yarn.nodemanager.local-dirs": str(home / "local"),
                "yarn.nodemanager.log-dirs": str(home / "logs"),
                "yarn.nodemanager.resource.memory-mb": str(node_memory_mb),
                "yarn.nodemanager.resource.cpu-vcores": str(node_cores),
                # Java reserves more addresses than it uses; and a full disk of the machine is no fault of a node.
                "yarn.nodemanager.vmem-check-enabled": "false",
                "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": "99.9",
            }
            running.enter_context(
                _daemon(settings, f"{_PACKAGE}.nodemanager.NodeManager", _configured(home, {**common, **own}, settings))
            )
        found = Yarn(conf, f"http://{settings.bind}:{web}")
        _wait_for(found, nodes, root)
        yield found


def _configured(home: Path, values: dict[str, str], settings: Settings) -> Path:
    conf = home / "conf"
    hdfs.configuration(conf / "core-site.xml", {"fs.defaultFS": settings.hdfs.uri, "hadoop.tmp.dir": f"{home}/tmp"})
    hdfs.configuration(conf / "yarn-site.xml", values)
    queue = "yarn.scheduler.capacity.root"
    hdfs.configuration(
        conf / "capacity-scheduler.xml",
        {
            f"{queue}.queues": "default",
            f"{queue}.default.capacity": "100",
            # Drivers run outside; each application has a small master in here, and all of them may be masters.
            "yarn.scheduler.capacity.maximum-am-resource-percent": "1.0",
        },
    )
    return conf


@contextmanager
def _daemon(settings: Settings, main: str, conf: Path) -> Iterator[None]:
    home = java_home(settings.cache)
    classpath = [
        conf,
        *hdfs.classpath(ensure_jars(settings.cache)),
        *ensure_further(YARN_CRYPTOGRAPHY, settings.cache),
    ]
    command = hdfs.java_command(settings, str(home / "bin" / "java"), classpath, _HEAP_MB, main)
    with (conf.parent / "daemon.log").open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={"JAVA_HOME": str(home), "HADOOP_CONF_DIR": str(conf), "PATH": "/usr/bin:/bin"},
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        finally:
            process.kill()


def _wait_for(found: Yarn, nodes: int, root: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            if len(found.nodes()) == nodes:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "\n".join(
            log.read_text()[-3000:] for log in sorted(root.rglob("daemon.log"))
        )
        time.sleep(0.25)
