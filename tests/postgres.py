"""A PostgreSQL of a test's own, where the machine has the programs for one."""

import getpass
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.instance import free_ports

USER, PASSWORD = "tests", "t3sts"  # pragma: allowlist secret
_START_SECONDS = 30


@dataclass(frozen=True)
class Database:
    """Where it is; user and password are `USER` and `PASSWORD`."""

    port: int

    @property
    def jdbc_url(self) -> str:
        return f"jdbc:postgresql://127.0.0.1:{self.port}/postgres"


def programs() -> Path | None:
    """The folder of PostgreSQL's own programs; None where there is none, or nobody to run it as."""
    if getpass.getuser() == "root" and "postgres" not in {user.pw_name for user in pwd.getpwall()}:
        return None
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextmanager
def postgres(folder: Path) -> Iterator[Database]:
    """Run one, empty, as long as the block lasts; `folder` is what `programs` gave."""
    # PostgreSQL refuses to be root, and pytest's folders let nobody else in.
    user = "postgres" if os.getuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="postgres-") as root:
        password = Path(root, "password")
        password.write_text(PASSWORD, encoding="utf-8")
        if user:
            for path in (root, password):
                shutil.chown(path, user, user)
        data = f"{root}/data"
        access = ("--username", USER, "--pwfile", str(password), "--auth", "scram-sha-256")
        made = [str(folder / "initdb"), "--pgdata", data, *access, "--no-sync", "--encoding", "UTF8"]
        subprocess.run(made, user=user, cwd=root, check=True, capture_output=True)
        (port,) = free_ports(1)
        server = subprocess.Popen(
            [str(folder / "postgres"), "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", root],
            user=user,
            cwd=root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(folder, port)
            yield Database(port)
        finally:
            # At once, whoever is still connected.
            server.send_signal(signal.SIGQUIT)
            server.wait(timeout=30)


def _wait(folder: Path, port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    asked = [str(folder / "pg_isready"), "--quiet", "--host", "127.0.0.1", "--port", str(port)]
    while subprocess.run(asked, check=False).returncode:
        assert time.monotonic() < deadline, "PostgreSQL did not start"
        time.sleep(0.1)
