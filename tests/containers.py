"""What docker-compose.yml runs, as processes outside of containers, on ports of a test's own."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.instance import ROOT, environment, free_ports

_START_SECONDS = 120


@dataclass
class Container:
    """A process that is started as a container's would be."""

    service: str
    variables: dict[str, str]
    log: Path
    process: "subprocess.Popen[bytes]" = field(init=False)

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self._argv(), env=environment(self.variables), cwd=ROOT, stdout=output, stderr=output
            )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def check(self) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self._argv(), "--check"],
            env=environment(self.variables),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def finding(self) -> str:
        """What its health check finds, once it is well."""
        deadline = time.monotonic() + _START_SECONDS
        while True:
            answer = self.check()
            if answer.returncode == 0:
                return answer.stdout.strip()
            assert self.process.poll() is None, f"{self.service} died:\n{self.log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"{answer.stderr}\n{self.log.read_text()[-3000:]}"
            time.sleep(0.5)

    def end(self) -> int:
        """End it as an engine does; give its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(timeout=30)
        finally:
            self.process.kill()

    def _argv(self) -> list[str]:
        return [sys.executable, "-m", "lakehouse.services.container", self.service]


def storage_containers(root: Path, further: dict[str, dict[str, str]] | None = None) -> dict[str, Container]:
    """NameNode, two DataNodes and a metastore, none of them started.

    Args:
        root: where they keep their files.
        further: `LAKEHOUSE_*` variables of a container, by its name.
    """
    rpc, http, metastore = free_ports(3)
    common = {
        "LAKEHOUSE_HDFS__URI": f"hdfs://127.0.0.1:{rpc}",
        "LAKEHOUSE_HDFS__NAMENODE_PORT": str(rpc),
        "LAKEHOUSE_HDFS__NAMENODE_HTTP_PORT": str(http),
        "LAKEHOUSE_HDFS__REPLICATION": "2",
        "LAKEHOUSE_METASTORE__PORT": str(metastore),
    }
    own: dict[str, dict[str, str]] = {"namenode": {}, "metastore": {}}
    for name in ("datanode-1", "datanode-2"):
        ports = zip(("PORT", "IPC_PORT", "HTTP_PORT"), free_ports(3), strict=True)
        own[name] = {f"LAKEHOUSE_HDFS__DATANODE_{which}": str(port) for which, port in ports}
    return {
        name: Container(
            name.partition("-")[0],
            {**common, **variables, **(further or {}).get(name, {}), "LAKEHOUSE_HOME": str(root / name)},
            root / f"{name}.log",
        )
        for name, variables in own.items()
    }


@contextmanager
def running_storage(made: dict[str, Container]) -> Iterator[None]:
    """Start them in the order of docker-compose.yml: DataNodes at once, the metastore when HDFS is well."""
    with ExitStack() as running:
        for name in ("namenode", "datanode-1", "datanode-2"):
            running.enter_context(made[name])
        for name in ("datanode-1", "datanode-2", "namenode"):
            made[name].finding()
        running.enter_context(made["metastore"])
        made["metastore"].finding()
        yield
