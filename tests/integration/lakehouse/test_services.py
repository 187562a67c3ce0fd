"""The services as a person uses them: through the command, on instances of the tests' own."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lakehouse.services import process
from lakehouse.services.stack import PROCESSES
from tests.instance import lakehouse, variables

pytestmark = pytest.mark.stack

_ALL = ("namenode", "datanode", "metastore", "thrift", "mongo", "tmdb")


def _pids(home: Path) -> dict[str, int]:
    found = {name: process.running(home, name) for name in _ALL}
    return {name: running.pid for name, running in found.items() if running is not None}


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    instance = variables(tmp_path_factory.mktemp("other"))
    yield instance
    lakehouse(instance, "down")


def test_up_is_idempotent_and_status_says_what_works(stack: dict[str, str]) -> None:
    before = _pids(Path(stack["LAKEHOUSE_HOME"]))
    assert set(before) == set(_ALL)
    again = lakehouse(stack, "up")
    assert again.returncode == 0, again.stderr
    assert _pids(Path(stack["LAKEHOUSE_HOME"])) == before
    status = lakehouse(stack, "status")
    assert status.returncode == 0
    assert status.stdout.count("works") == len(PROCESSES)


@pytest.mark.usefixtures("long_tests")
def test_two_instances_live_side_by_side_and_data_outlives_a_crash_and_a_restart(
    stack: dict[str, str], other: dict[str, str]
) -> None:
    home = Path(other["LAKEHOUSE_HOME"])
    up = lakehouse(other, "up")
    assert up.returncode == 0, up.stderr
    lakehouse(other, "sql", "create database if not exists side")
    made = lakehouse(other, "sql", "create table side.kept using delta as select 7 as n")
    assert made.returncode == 0, made.stderr

    assert lakehouse(stack, "status").returncode == 0
    unseen = lakehouse(stack, "sql", "select n from side.kept")
    assert unseen.returncode == 1
    assert "cannot be found" in unseen.stderr

    pids = _pids(home)
    for name in ("thrift", "metastore"):
        os.killpg(pids[name], signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pids[name]) for name in ("thrift", "metastore")], timeout=10)
    down = lakehouse(other, "status")
    assert down.returncode == 1
    assert down.stdout.count("down") == 2
    mended = lakehouse(other, "up")
    assert mended.returncode == 0, mended.stderr
    assert _pids(home)["namenode"] == pids["namenode"]
    assert _pids(home)["thrift"] != pids["thrift"]

    ended = lakehouse(other, "down")
    assert ended.returncode == 0
    assert "kept its collections in memory" in ended.stdout
    assert not (home / "tmp").exists()
    assert _pids(home) == {}
    assert not any(psutil.pid_exists(pid) for pid in pids.values())
    assert lakehouse(other, "up").returncode == 0
    kept = lakehouse(other, "sql", "select n from side.kept", "--format", "json")
    assert json.loads(kept.stdout) == [{"n": 7}]


def test_a_taken_port_is_named_with_the_setting_that_moves_it(tmp_path: Path) -> None:
    instance = variables(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(instance["LAKEHOUSE_METASTORE__PORT"])))
        taken.listen()
        answer = lakehouse(instance, "up")
    assert answer.returncode == 1
    assert f"Port {instance['LAKEHOUSE_METASTORE__PORT']}, which metastore needs, is in use" in answer.stderr
    assert "LAKEHOUSE_METASTORE__PORT" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert _pids(tmp_path) == {}


def test_a_service_that_dies_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    version = tmp_path / "hdfs" / "name" / "current" / "VERSION"
    version.parent.mkdir(parents=True)
    version.write_text("layoutVersion=nonsense\n")
    answer = lakehouse(variables(tmp_path), "up")
    assert answer.returncode == 1
    assert "HDFS (namenode) died at its start. Its log ends:" in answer.stderr
    assert "NumberFormatException" in answer.stderr or "nonsense" in answer.stderr
    assert _pids(tmp_path) == {}


def test_work_without_services_is_refused_in_one_sentence(tmp_path: Path) -> None:
    answer = lakehouse(variables(tmp_path), "ingest", "--source", "synthetic", "--movies", "5")
    assert answer.returncode == 1
    assert "HDFS does not work at hdfs://127.0.0.1:" in answer.stderr
    assert "lakehouse up" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_any_hive_client_can_ask(stack: dict[str, str]) -> None:
    from pyhive import hive

    connection = hive.connect(host="127.0.0.1", port=int(stack["LAKEHOUSE_THRIFT__PORT"]), auth="NONE", username="any")
    try:
        cursor = connection.cursor()
        cursor.execute("select vader_category(vader_compound('An awful, boring mess')), clean_title('  A   B ')")
        assert cursor.fetchall() == [("negative", "A B")]
        cursor.execute("show databases")
        assert {"bronze", "graph"} <= {name for (name,) in cursor.fetchall()}
    finally:
        connection.close()


def test_the_greatest_date_of_a_table_can_be_asked_for(stack: dict[str, str]) -> None:
    lakehouse(stack, "sql", "create or replace table default.days using delta as select date'2026-01-31' as day")
    answer = lakehouse(stack, "sql", "select max(day) as day, count(*) as n from default.days", "--format", "json")
    assert json.loads(answer.stdout) == [{"day": "2026-01-31", "n": 1}], answer.stderr


@pytest.mark.parametrize(
    ("output", "printed"),
    [("json", '[\n {\n  "a": 1,\n  "b": "x"\n }\n]\n'), ("csv", "a,b\r\n1,x\r\n")],
)
def test_sql_prints_what_a_program_can_read(stack: dict[str, str], output: str, printed: str) -> None:
    answer = lakehouse(stack, "sql", "select 1 as a, 'x' as b", "--format", output)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.replace("\r\n", "\n") == printed.replace("\r\n", "\n")


def test_sql_that_spark_refuses_is_a_sentence(stack: dict[str, str]) -> None:
    answer = lakehouse(stack, "sql", "selec 1")
    assert answer.returncode == 1
    assert "Spark refused the statement: [PARSE_SYNTAX_ERROR]" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_warehouse_can_be_listed_on_hdfs(stack: dict[str, str]) -> None:
    answer = lakehouse(stack, "hdfs", "-ls", "-R", "/warehouse")
    assert answer.returncode == 0, answer.stderr
    assert "/warehouse/bronze.db/movies/_delta_log/00000000000000000000.json" in answer.stdout


def test_a_file_has_as_many_copies_as_the_settings_say(stack: dict[str, str]) -> None:
    lakehouse(stack, "sql", "create or replace table default.copies using delta as select 1 as copy")
    answer = lakehouse(stack, "hdfs", "-stat", "%r %n", "/warehouse/copies/*.parquet")
    (line,) = [line for line in answer.stdout.splitlines() if line.endswith(".parquet")]
    assert line.startswith("1 ")


def test_doctor_finds_a_healthy_machine(stack: dict[str, str]) -> None:
    answer = lakehouse(stack, "doctor")
    assert answer.returncode == 0, answer.stdout
    for check in ("java", "jvm artefacts", "ports", "thrift"):
        assert check in answer.stdout
