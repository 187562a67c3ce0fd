"""What a run uses: measured of true processes, and told where it is much."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from lakehouse.ops.resources import Sampler, alerts, storage
from lakehouse.services import process
from lakehouse.settings import Settings, load_settings
from lakehouse.thresholds import AlertBounds, read_thresholds
from tests.instance import ROOT, free_ports

AT = datetime(2026, 2, 1, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def bounds() -> AlertBounds:
    return read_thresholds(ROOT / "expectations" / "thresholds.yaml").alerts


def test_peaks_and_cpu_are_those_of_the_run(tmp_path: Path) -> None:
    before = sum(i * i for i in range(200_000))
    sampler = Sampler(tmp_path, every_seconds=0.02)
    sampler.start()
    held = b"x" * (80 * 1024 * 1024)
    until = time.process_time() + 0.3
    while time.process_time() < until:
        before += 1
    time.sleep(0.1)
    del held
    sampler.stop()
    rows = {row["resource"]: row for row in sampler.rows(AT)}
    assert rows["cycle"]["peak_memory_mb"] > 80
    assert 0.25 < rows["cycle"]["cpu_seconds"] < 5
    assert 0 < rows["machine"]["used_share"] <= 1
    assert rows["machine"]["capacity_bytes"] > rows["machine"]["used_bytes"] > 0
    # Where tests with Spark ran before in this process, their JVM is a part of it; else it has none.
    pyspark = sys.modules.get("pyspark")
    assert ("jvm" in rows) == (pyspark is not None and pyspark.SparkContext._gateway is not None)


def test_a_service_is_measured_with_what_it_started_and_only_for_the_time_of_the_run(tmp_path: Path) -> None:
    spins = "import time\nuntil = time.process_time() + 0.4\nwhile time.process_time() < until: pass\n"
    waits = "import time; time.sleep(30)"
    script = f"import subprocess, sys\n{spins}subprocess.run([sys.executable, '-c', {waits!r}])"
    process.start(tmp_path, process.Command("thrift", [sys.executable, "-c", script], {}))
    try:
        running = process.running(tmp_path, "thrift")
        assert running is not None
        deadline = time.monotonic() + 10
        while process.memory_mb(running) < 8 or not _children(running.pid):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        sampler = Sampler(tmp_path, every_seconds=0.02)
        sampler.start()
        time.sleep(0.1)
        sampler.stop()
    finally:
        process.stop(tmp_path, "thrift")
    rows = {row["resource"]: row for row in sampler.rows(AT)}
    assert rows["thrift"]["peak_memory_mb"] > 8
    assert rows["thrift"]["cpu_seconds"] < 0.3


def _children(pid: int) -> list[str]:
    answer = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.split()


class _NameNode(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert self.path == "/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"beans": [{"CapacityTotal": 1000, "CapacityUsed": 870}]}).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def name_node(tmp_path: Path) -> Iterator[Settings]:
    with HTTPServer(("127.0.0.1", 0), _NameNode) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield load_settings(home=str(tmp_path), hdfs={"namenode_http_port": server.server_port})
        server.shutdown()


def test_hdfs_and_disk_are_asked(name_node: Settings) -> None:
    disk, hdfs = storage(name_node, AT)
    assert (disk["resource"], hdfs["resource"]) == ("disk", "hdfs")
    assert 0 < disk["used_share"] <= 1
    assert (hdfs["used_share"], hdfs["used_bytes"], hdfs["capacity_bytes"]) == (0.87, 870, 1000)


class _Nonsense(BaseHTTPRequestHandler):
    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(b"nonsense\r\n\r\n")


def test_an_answer_that_is_no_http_leaves_the_columns_of_hdfs_empty(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), _Nonsense) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = load_settings(home=str(tmp_path), hdfs={"namenode_http_port": server.server_port})
        assert storage(settings, AT)[1]["used_bytes"] is None
        server.shutdown()


def test_an_hdfs_that_does_not_answer_leaves_its_columns_empty(tmp_path: Path) -> None:
    settings = load_settings(home=str(tmp_path), hdfs={"namenode_http_port": free_ports(1)[0]})
    hdfs = storage(settings, AT)[1]
    assert (hdfs["used_share"], hdfs["used_bytes"], hdfs["capacity_bytes"]) == (None, None, None)


@pytest.mark.parametrize(
    ("resource", "share", "told"),
    [
        ("hdfs", 0.80, None),
        ("hdfs", 0.81, ("warning", "storage", "hdfs", "hdfs_use", 0.80)),
        ("hdfs", 0.86, ("critical", "storage", "hdfs", "hdfs_use", 0.85)),
        ("disk", 0.86, ("warning", "storage", "disk", "disk_use", 0.80)),
        ("disk", 0.91, ("critical", "storage", "disk", "disk_use", 0.90)),
        ("machine", 0.85, ("warning", "resources", "machine", "memory_use", 0.80)),
        ("machine", None, None),
        ("thrift", 0.99, None),
    ],
)
def test_a_person_is_told_above_the_bounds_of_the_file(
    bounds: AlertBounds, resource: str, share: float | None, told: tuple[object, ...] | None
) -> None:
    found = alerts([{"resource": resource, "used_share": share}], bounds)
    assert [(a.severity, a.kind, a.subject, a.rule, a.threshold) for a in found] == ([told] if told else [])
    for alert in found:
        assert f"{share:.1%}" in alert.message
        assert alert.command.startswith("lakehouse ")
