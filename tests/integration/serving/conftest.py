"""A MongoDB-protocol server on a free port, for the tests of this folder."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.instance import free_ports
from tests.integration.serving.standin import argv


@pytest.fixture(scope="session")
def mongo_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a stand-in that runs for the session."""
    (port,) = free_ports(1)
    log = tmp_path_factory.mktemp("mongo") / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(argv(port), stdout=output, stderr=subprocess.STDOUT)
    uri = f"mongodb://127.0.0.1:{port}"
    try:
        _wait(uri, server, log)
        yield uri
    finally:
        server.terminate()
        server.wait(10)


def _wait(uri: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    with MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=500) as probe:
        while True:
            try:
                probe.admin.command("ping")
                return
            except PyMongoError:
                if server.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the MongoDB stand-in did not start: {log.read_text()}") from None
                time.sleep(0.1)


@pytest.fixture
def database(mongo_uri: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a database of this test's own, dropped afterwards."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**10}"
    yield name
    with MongoClient[dict[str, object]](mongo_uri) as client:
        client.drop_database(name)
