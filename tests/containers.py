"""What docker-compose.yml runs, as processes outside of containers, on ports of a test's own."""

import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.instance import ROOT, environment

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
