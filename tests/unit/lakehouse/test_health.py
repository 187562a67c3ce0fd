import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lakehouse.errors import ServiceError
from lakehouse.services.health import require
from lakehouse.settings import load_settings


def test_a_service_of_ours_is_to_be_started_and_one_elsewhere_to_be_looked_after(tmp_path: Path) -> None:
    own = load_settings(home=str(tmp_path), hdfs={"namenode_port": 1, "namenode_http_port": 1})
    with pytest.raises(ServiceError) as refused:
        require(own, "hdfs")
    assert "lakehouse up" in refused.value.next_step
    elsewhere = load_settings(home=str(tmp_path), hdfs={"uri": "hdfs://127.0.0.1:2"})
    with pytest.raises(ServiceError, match=r"HDFS does not work at hdfs://127\.0\.0\.1:2") as refused:
        require(elsewhere, "hdfs")
    assert refused.value.next_step == "It runs elsewhere: see that it is up, or correct hdfs.uri."


@contextmanager
def namenode(beans: dict[str, object]) -> Iterator[int]:
    """A server that says of itself what a NameNode says by JMX; gives its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"beans": [beans]}).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


HEALTHY = {"Safemode": "", "NumLiveDataNodes": 1, "CapacityRemaining": 2**30}


@pytest.mark.parametrize(
    ("beans", "said", "next_step"),
    [
        # As Hadoop 3.5 words it.
        (
            {"Safemode": "Safe mode is ON. Resources are low on NN. Please add or free up more resources."},
            "The NameNode is in safe mode since its disk was full.",
            "Free some room, then `lakehouse down` and `lakehouse up`.",
        ),
        (
            {"Safemode": "Safe mode is ON. The reported blocks 3 needs additional 4 blocks."},
            "The NameNode is in safe mode.",
            "Start the services with `lakehouse up`.",
        ),
        ({"NumLiveDataNodes": 0}, "The NameNode knows no live DataNode.", "Start the services with `lakehouse up`."),
        ({"CapacityRemaining": 0}, "The DataNode has no room", "Look at the disk with `lakehouse doctor`"),
    ],
    ids=["disk full", "starting", "no DataNode", "no room"],
)
def test_what_keeps_hdfs_from_working_comes_with_what_to_do(
    tmp_path: Path, beans: dict[str, object], said: str, next_step: str
) -> None:
    with namenode(HEALTHY | beans) as port:
        settings = load_settings(home=str(tmp_path), hdfs={"namenode_http_port": port})
        with pytest.raises(ServiceError) as refused:
            require(settings, "hdfs")
    assert said in refused.value.message
    assert refused.value.next_step.startswith(next_step)


def test_a_namenode_that_works_is_no_error(tmp_path: Path) -> None:
    with namenode(HEALTHY) as port:
        require(load_settings(home=str(tmp_path), hdfs={"namenode_http_port": port}), "hdfs")
