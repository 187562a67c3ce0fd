"""What a container writes and becomes; no process is started, and no JVM asked."""

import os
import stat
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from lakehouse.artefacts import Jars
from lakehouse.errors import ConfigurationError, ServiceError
from lakehouse.services import container, health, standalone
from lakehouse.services.container import Service, prepared
from lakehouse.services.process import Command
from lakehouse.settings import Settings, load_settings
from tests.instance import selected

JAVA_HOME = Path("/java")
DRIVER = Path("/cache/driver.jar")


@pytest.fixture
def formatted(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have formatted a NameNode; nothing is fetched, found or run."""
    asked: list[list[str]] = []

    def run(argv: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(argv)
        return subprocess.CompletedProcess(argv, 0)

    jar = Path("/cache/one.jar")
    monkeypatch.setattr(container, "java_home", lambda cache: JAVA_HOME)
    monkeypatch.setattr(container, "ensure_jars", lambda cache: Jars((jar,), jar, (jar,), jar, jar))
    monkeypatch.setattr(container, "ensure_further", lambda artefacts, cache: (DRIVER,))
    monkeypatch.setattr(container.subprocess, "run", run)
    return asked


def _settings(home: Path, **values: str) -> Settings:
    given = {
        "LAKEHOUSE_HOME": str(home),
        "LAKEHOUSE_BIND": "0.0.0.0",
        "LAKEHOUSE_HDFS__URI": "hdfs://names:9000",
        **{f"LAKEHOUSE_{name}": value for name, value in values.items()},
    }
    with selected(given):
        return load_settings()


def _site(path: Path) -> dict[str, str]:
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    return {str(one.findtext("name")): str(one.findtext("value")) for one in root}


def test_a_namenode_is_formatted_once_and_listens_to_all_under_its_own_name(
    tmp_path: Path, formatted: list[list[str]]
) -> None:
    settings = _settings(tmp_path, HDFS__REPLICATION="2")
    command = prepared(Service.namenode, settings)
    assert command.argv[0] == "/java/bin/java"
    assert command.argv[-1].endswith(".NameNode")
    assert [argv[-2:] for argv in formatted] == [["-format", "-nonInteractive"]]
    site = _site(tmp_path / "conf" / "hdfs-site.xml")
    assert site["dfs.namenode.rpc-address"] == "names:9000"
    assert site["dfs.namenode.rpc-bind-host"] == "0.0.0.0"
    assert site["dfs.replication"] == "2"

    version = tmp_path / "hdfs" / "name" / "current" / "VERSION"
    version.parent.mkdir(parents=True)
    version.touch()
    prepared(Service.namenode, settings)
    assert len(formatted) == 1


@pytest.mark.usefixtures("formatted")
def test_a_namenode_that_cannot_be_formatted_is_not_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container.subprocess, "run", lambda argv, **_: subprocess.CompletedProcess(argv, 1))
    with pytest.raises(ServiceError, match="could not be formatted"):
        prepared(Service.namenode, _settings(tmp_path))


def test_a_datanode_says_where_it_is_reached_and_formats_nothing(tmp_path: Path, formatted: list[list[str]]) -> None:
    command = prepared(Service.datanode, _settings(tmp_path, HDFS__DATANODE_HOST="data-2"))
    assert command.argv[-1].endswith(".DataNode")
    assert formatted == []
    site = _site(tmp_path / "conf" / "hdfs-site.xml")
    assert site["dfs.datanode.hostname"] == "data-2"
    assert site["dfs.datanode.address"] == "0.0.0.0:9866"
    assert _site(tmp_path / "conf" / "core-site.xml")["fs.defaultFS"] == "hdfs://names:9000"


@pytest.mark.usefixtures("formatted")
def test_a_metastore_on_postgresql_has_its_driver_and_keeps_the_password_to_itself(tmp_path: Path) -> None:
    settings = _settings(
        tmp_path,
        METASTORE__DATABASE_URL="jdbc:postgresql://db/metastore",
        METASTORE__DATABASE_USER="hive",
        METASTORE__DATABASE_PASSWORD="s3cret&<",  # pragma: allowlist secret
    )
    command = prepared(Service.metastore, settings)
    assert str(DRIVER) in command.argv[command.argv.index("-cp") + 1].split(":")
    assert command.argv[-2:] == ["-p", "9083"]
    assert not any("s3cret" in argument for argument in command.argv)
    path = tmp_path / "conf" / "hive-site.xml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    site = _site(path)
    assert site["javax.jdo.option.ConnectionURL"] == "jdbc:postgresql://db/metastore"
    assert site["javax.jdo.option.ConnectionDriverName"] == "org.postgresql.Driver"
    assert site["javax.jdo.option.ConnectionUserName"] == "hive"
    assert site["javax.jdo.option.ConnectionPassword"] == "s3cret&<"  # pragma: allowlist secret


@pytest.mark.usefixtures("formatted")
def test_a_metastore_without_a_database_has_derby(tmp_path: Path) -> None:
    command = prepared(Service.metastore, _settings(tmp_path))
    assert str(DRIVER) not in command.argv[command.argv.index("-cp") + 1]
    site = _site(tmp_path / "conf" / "hive-site.xml")
    assert site["javax.jdo.option.ConnectionURL"].startswith("jdbc:derby:")
    assert "javax.jdo.option.ConnectionPassword" not in site


@pytest.mark.parametrize("url", ["jdbc:mysql://db/metastore", "jdbc:postgresql://db/m?password=x"])
def test_a_database_that_cannot_be_used_or_carries_a_password_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"metastore\.database_url"):
        _settings(tmp_path, METASTORE__DATABASE_URL=url)


@pytest.mark.usefixtures("formatted")
def test_sparks_master_and_worker_find_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standalone.socket, "gethostname", lambda: "worker-1")
    settings = _settings(tmp_path, SPARK__MASTER="spark://master:7077")
    master = prepared(Service.spark_master, settings)
    assert Path(master.argv[0]).name == "spark-class"
    assert os.access(master.argv[0], os.X_OK)
    assert master.argv[2:] == ["--host", "master", "--port", "7077"]
    worker = prepared(Service.spark_worker, settings)
    assert worker.argv[2:] == ["--host", "worker-1", "--work-dir", f"{tmp_path}/work", "spark://master:7077"]
    assert worker.environment["JAVA_HOME"] == str(JAVA_HOME)
    assert worker.environment["SPARK_CONF_DIR"] == str(tmp_path / "conf")
    assert (tmp_path / "conf" / "log4j2.properties").is_file()


@pytest.mark.usefixtures("formatted")
def test_a_worker_without_a_master_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no address of a master"):
        prepared(Service.spark_worker, _settings(tmp_path))


@pytest.mark.parametrize(
    ("service", "module"), [(Service.thrift, "lakehouse.thrift_server"), (Service.tmdb, "ingestion.standin")]
)
def test_what_is_python_needs_no_jar(service: Service, module: str, tmp_path: Path) -> None:
    command = prepared(service, _settings(tmp_path))
    assert command.argv[1:3] == ["-m", module]
    assert not (tmp_path / "conf").exists()


def test_the_process_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, list[str], dict[str, str], Path]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(container.os, "execve", lambda path, argv, env: seen.append((path, argv, env, Path.cwd())))
    home = tmp_path / "home"
    container.become(Command("x", ["/bin/x", "y"], {"A": "b"}), _settings(home))
    assert seen == [("/bin/x", ["/bin/x", "y"], {"A": "b"}, home)]


def test_every_service_has_a_check(tmp_path: Path) -> None:
    assert set(container.CHECKS) == set(Service)


@pytest.mark.parametrize(
    ("bean", "is_well"), [({"ClusterId": "CID-1"}, True), ({"ClusterId": None}, False), ({}, False)]
)
def test_a_datanode_is_well_once_it_has_found_its_namenode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bean: dict[str, str], is_well: bool
) -> None:
    monkeypatch.setattr(health, "_bean", lambda base, name: bean)
    if is_well:
        assert health.datanode(_settings(tmp_path)) == "registered with CID-1"
    else:
        with pytest.raises(ServiceError, match="not found its NameNode"):
            health.datanode(_settings(tmp_path))


@pytest.mark.parametrize(("answer", "is_well"), [(b'{"status": "ALIVE", "aliveworkers": 1}', True), (b"{}", False)])
def test_a_master_is_well_while_it_is_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, is_well: bool
) -> None:
    monkeypatch.setattr(standalone, "get", lambda url: answer)
    if is_well:
        assert standalone.check_master(_settings(tmp_path)) == "1 workers"
    else:
        with pytest.raises(ServiceError):
            standalone.check_master(_settings(tmp_path))


def test_a_worker_is_well_once_it_has_a_master(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standalone, "get", lambda url: b'{"masterurl": ""}')
    with pytest.raises(ServiceError, match="not found its master"):
        standalone.check_worker(_settings(tmp_path))
    monkeypatch.setattr(standalone, "get", lambda url: b'{"masterurl": "spark://m:7077"}')
    assert standalone.check_worker(_settings(tmp_path)) == "works for spark://m:7077"
