"""What docker-compose.yml runs for HDFS and the metastore, outside of containers, on ports of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers import Container, running_storage, storage_containers
from tests.instance import ROOT, lakehouse
from tests.postgres import PASSWORD, USER, Database, postgres, programs

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def database() -> Iterator[Database | None]:
    folder = programs()
    if folder is None:
        print("No PostgreSQL is on this machine: the metastore has Derby behind it.")
        yield None
        return
    with postgres(folder) as running:
        yield running


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory, database: Database | None) -> Iterator[dict[str, Container]]:
    has_postgresql = (
        {
            "LAKEHOUSE_METASTORE__DATABASE_URL": database.jdbc_url,
            "LAKEHOUSE_METASTORE__DATABASE_USER": USER,
            "LAKEHOUSE_METASTORE__DATABASE_PASSWORD": PASSWORD,
        }
        if database is not None
        else {}
    )
    made = storage_containers(tmp_path_factory.mktemp("containers"), {"metastore": has_postgresql})
    with running_storage(made):
        yield made


def test_hdfs_has_two_live_datanodes(containers: dict[str, Container]) -> None:
    assert containers["namenode"].finding().startswith("2 DataNode")
    found = {containers[name].finding() for name in ("datanode-1", "datanode-2")}
    assert len(found) == 1
    assert found.pop().startswith("registered with CID-")


def test_a_file_is_kept_by_both(containers: dict[str, Container]) -> None:
    instance = containers["namenode"].variables
    assert lakehouse(instance, "hdfs", "-put", str(ROOT / "LICENSE"), "/LICENSE").returncode == 0
    said = lakehouse(instance, "hdfs", "-stat", "%r %b", "/LICENSE")
    assert said.stdout.split()[-2:] == ["2", str((ROOT / "LICENSE").stat().st_size)]
    for name in ("datanode-1", "datanode-2"):
        data = Path(containers[name].variables["LAKEHOUSE_HOME"]) / "hdfs" / "data"
        assert [path for path in data.rglob("blk_*") if path.suffix != ".meta"]


def test_the_metastore_lists_its_databases(containers: dict[str, Container], database: Database | None) -> None:
    assert containers["metastore"].finding() == "1 databases"
    home = Path(containers["metastore"].variables["LAKEHOUSE_HOME"])
    assert (home / "metastore").exists() is (database is None)
    assert PASSWORD not in containers["metastore"].log.read_text()


def test_a_metastore_knows_what_it_knew_after_a_restart(
    containers: dict[str, Container], database: Database | None
) -> None:
    metastore = containers["metastore"]
    metastore.end()
    assert metastore.check().returncode == 1
    metastore.start()
    assert metastore.finding() == "1 databases"


def test_the_service_is_the_process_that_was_started(containers: dict[str, Container]) -> None:
    pid = containers["namenode"].process.pid
    if not Path("/proc").is_dir():
        pytest.skip("this machine has no /proc")
    assert Path(f"/proc/{pid}/exe").readlink().name == "java"
    assert b"NameNode" in Path(f"/proc/{pid}/cmdline").read_bytes()
