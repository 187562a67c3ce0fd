"""A real Spark's event log: its stages are read, and the history server shows it."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from lakehouse.ops.event_logs import new_stages
from tests.instance import environment, free_ports

pytestmark = pytest.mark.spark

# A session of its own: an event log can only be asked for when the JVM starts.
_JOB = """
import sys
from pathlib import Path
from pyspark.errors import PySparkException
from lakehouse.artefacts import ensure_jars
from lakehouse.ops import event_logs
from lakehouse.settings import load_settings
from lakehouse.spark import jvm_conf, start_session

home = Path(sys.argv[1])
settings = load_settings()
conf = {
    "spark.master": "local[2]", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2",
    **jvm_conf(settings, ensure_jars(settings.cache), home / "spark.log", 512), **event_logs.conf(settings),
}
spark = start_session(conf, "small", settings, home / "spark.err")
spark.range(0, 1000, 1, 4).selectExpr("id % 7 as k").groupBy("k").count().write.parquet(str(home / "counts"))
try:
    spark.range(1).selectExpr("raise_error('x')").collect()
except PySparkException:
    pass
spark.stop()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("events")
    command = [sys.executable, "-c", _JOB, str(home)]
    answer = subprocess.run(
        command, env=environment({"LAKEHOUSE_HOME": str(home)}), capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return home


def test_stages_of_a_real_log_are_read_once(home: Path) -> None:
    found = new_stages(home)
    read, wrote, failed = found.rows
    assert {row["application_name"] for row in found.rows} == {"small"}
    assert [row["status"] for row in found.rows] == ["succeeded", "succeeded", "failed"]
    assert (read["tasks"], read["failed_tasks"]) == (4, 0)
    assert read["shuffle_write_bytes"] > 0
    assert read["shuffle_write_bytes"] == wrote["shuffle_read_bytes"]
    assert (wrote["output_rows"], failed["failed_tasks"]) == (7, 1)
    assert wrote["output_bytes"] > 0
    assert wrote["peak_memory_bytes"] > 0
    assert 0 < read["cpu_seconds"] <= read["run_seconds"] * 1.5
    assert all(row["submitted_at"] <= row["completed_at"] for row in found.rows)
    found.keep()
    assert new_stages(home).rows == []


def test_the_history_server_shows_the_application(home: Path) -> None:
    (port,) = free_ports(1)
    instance = {"LAKEHOUSE_HOME": str(home), "LAKEHOUSE_OPS__HISTORY_PORT": str(port)}
    command = [sys.executable, "-m", "lakehouse.cli", "history-server"]
    with subprocess.Popen(command, env=environment(instance), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        try:
            applications = _applications(port, server)
        finally:
            server.send_signal(2)
            _, errors = server.communicate(timeout=30)
    assert [application["name"] for application in applications] == ["small"]
    assert b"Traceback" not in errors
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2)


def _applications(port: int, server: "subprocess.Popen[bytes]") -> list[dict[str, str]]:
    deadline = time.monotonic() + 120
    found: list[dict[str, str]] = []
    while not found:
        assert server.poll() is None
        assert time.monotonic() < deadline
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/applications", timeout=5) as answer:
                found = json.loads(answer.read())
        except OSError:
            pass
        time.sleep(0.3)
    return found
