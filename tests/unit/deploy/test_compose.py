"""What docker-compose.yml, its image and its .env promise, as far as it shows without an engine."""

import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from lakehouse.settings import Settings, load_settings
from tests.instance import ROOT, selected

COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
PROJECT: dict[str, Any] = yaml.safe_load(COMPOSE)
SERVICES: dict[str, dict[str, Any]] = PROJECT["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
ONE_SHOT = {"airflow-prepare"}
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)
SECRETS = {"MONGO_ROOT_PASSWORD", "MONGO_PASSWORD", "METASTORE_DB_PASSWORD", "AIRFLOW_DB_PASSWORD"}
# Only for those who have one: without it the stand-in is asked.
OPTIONAL_SECRETS = {"TMDB_TOKEN"}
MIB = {"m": 1, "g": 1024}

_VARIABLE = re.compile(r"\$\{(\w+)(:[?-])?([^}]*)\}")


def each(services: dict[str, dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", services)


def in_force(name: str) -> dict[str, str]:
    """The environment of a service, as a `.env` with every secret filled in makes it."""
    filled = {**EXAMPLE, **dict.fromkeys(SECRETS, "f111ed1n")}

    def value(found: re.Match[str]) -> str:
        return filled.get(found[1]) or (found[3] if found[2] == ":-" else "")

    return {key: _VARIABLE.sub(value, str(text)) for key, text in SERVICES[name]["environment"].items()}


def settings_of(name: str, tmp_path: Path) -> Settings:
    """What `load_settings` gives in a container."""
    given = {key: text for key, text in in_force(name).items() if key.startswith("LAKEHOUSE_")}
    mounted = {target: source for source, target, *_ in (volume.split(":") for volume in SERVICES[name]["volumes"])}
    given["LAKEHOUSE_CONFIG"] = str(ROOT / mounted[given["LAKEHOUSE_CONFIG"]])
    with selected({**given, "LAKEHOUSE_HOME": str(tmp_path)}):
        return load_settings()


def test_all_of_the_lakehouse_is_there() -> None:
    assert set(SERVICES) == {
        *("namenode", "datanode-1", "datanode-2", "metastore-db", "metastore", "spark-master", "spark-worker"),
        *("thrift", "mongo", "tmdb", "airflow-db", "airflow-prepare"),
        *("airflow-api", "airflow-scheduler", "airflow-parser", "airflow-triggerer"),
    }


@each(SERVICES)
def test_an_image_is_of_one_version(name: str) -> None:
    assert re.fullmatch(r"[a-z-]+:\d+\.\d+(\.\d+)?(-[a-z]+)?", SERVICES[name]["image"])


def test_our_image_has_the_projects_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert {service["image"] for service in OURS.values()} == {f"tmdb-lakehouse:{version}"}


@each(SERVICES)
def test_a_service_comes_back_and_says_how_it_is(name: str) -> None:
    service = SERVICES[name]
    if name in ONE_SHOT:
        assert service["restart"] == "no"
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"
        assert service["healthcheck"]["retries"] > 1


@each(SERVICES)
def test_a_service_has_no_rights_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert not {"privileged", "network_mode", "pid", "cap_add", "devices", "user"} & set(service)
    assert "no-new-privileges:true" in service["security_opt"]
    assert name not in OURS or service["cap_drop"] == ["ALL"]


@each(SERVICES)
def test_ports_are_published_on_this_machine_only(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


def test_no_port_is_published_twice() -> None:
    published = [port.split(":")[1] for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == len(set(published))


def test_all_fit_into_a_laptop_of_16_gib() -> None:
    limits = {name: service["mem_limit"] for name, service in SERVICES.items() if name not in ONE_SHOT}
    assert sum(int(limit[:-1]) * MIB[limit[-1]] for limit in limits.values()) <= 14.5 * 1024


def test_every_variable_is_explained_in_the_example() -> None:
    used = {name for name, *_ in _VARIABLE.findall(COMPOSE)}
    assert used == set(EXAMPLE)
    assert re.findall(r"\$(?!\{\w+(?::[?-][^}]*)?\})", COMPOSE) == []


def test_secrets_come_from_env_alone_and_must_be_set() -> None:
    assert {name for name in EXAMPLE if "PASSWORD" in name or "TOKEN" in name} == SECRETS | OPTIONAL_SECRETS
    for name, kind, _ in _VARIABLE.findall(COMPOSE):
        assert name not in SECRETS or kind == ":?", name
    assert {EXAMPLE[name] for name in SECRETS | OPTIONAL_SECRETS} == {""}
    for service in SERVICES.values():
        for key, value in service["environment"].items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY", key):
                assert _VARIABLE.fullmatch(value), key


def test_each_service_gets_the_passwords_that_it_needs_and_no_other() -> None:
    given = {
        name: {variable for variable, *_ in _VARIABLE.findall(str(service["environment"]))} & SECRETS
        for name, service in SERVICES.items()
    }
    airflow = {"AIRFLOW_DB_PASSWORD", "MONGO_PASSWORD"}
    assert {name: secrets for name, secrets in given.items() if secrets} == {
        "metastore-db": {"METASTORE_DB_PASSWORD"},
        "metastore": {"METASTORE_DB_PASSWORD"},
        "mongo": {"MONGO_ROOT_PASSWORD", "MONGO_PASSWORD"},
        "thrift": {"MONGO_PASSWORD"},
        "airflow-db": {"AIRFLOW_DB_PASSWORD"},
        **{name: airflow for name in SERVICES if name.startswith("airflow-") and name != "airflow-db"},
    }


def test_volumes_are_declared_used_and_there() -> None:
    named = set()
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source, _, *mode = volume.split(":")
            if source.startswith("."):
                assert (ROOT / source).is_file()
                assert mode == ["ro"]
            else:
                named.add(source)
    assert named == set(PROJECT["volumes"])


def test_no_two_services_keep_their_data_in_one_place_but_those_of_one_home() -> None:
    users: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            users.setdefault(volume.split(":")[0], set()).add(name)
    shared = {volume: names for volume, names in users.items() if len(names) > 1 and not volume.startswith(".")}
    assert shared == {"lakehouse-home": {"thrift", *(name for name in OURS if name.startswith("airflow-"))}}


def test_services_wait_for_what_is_there_and_never_in_a_circle() -> None:
    waits = {name: service.get("depends_on", {}) for name, service in SERVICES.items()}
    for name, others in waits.items():
        for other, how in others.items():
            assert other in SERVICES
            if other in ONE_SHOT:
                assert how["condition"] == "service_completed_successfully"
            else:
                # A DataNode waits for the start alone: the NameNode is healthy once a DataNode has reported.
                first = name.startswith("datanode")
                assert how["condition"] == ("service_started" if first else "service_healthy")
    left = dict(waits)
    while left:
        ready = [name for name, others in left.items() if not set(others) & set(left)]
        assert ready, f"a circle among {sorted(left)}"
        for name in ready:
            del left[name]


@each(OURS)
def test_the_command_of_a_service_is_one_that_the_project_has(name: str) -> None:
    python, flag, module, *arguments = SERVICES[name]["command"]
    assert (python, flag) == ("python", "-m")
    command = get_command(importlib.import_module(module).app)
    parsed = command.make_context(module, list(arguments))
    assert parsed.params["check"] is False
    if name not in ONE_SHOT:
        check = SERVICES[name]["healthcheck"]["test"]
        assert check == ["CMD", *SERVICES[name]["command"], "--check"]
        assert command.make_context(module, check[4:]).params["check"] is True


@pytest.mark.parametrize("module", ["lakehouse.services.container", "orchestration.airflow.container"])
def test_the_command_says_what_it_takes(module: str) -> None:
    said = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert "--check" in said.stdout


@each(OURS)
def test_a_container_has_settings_that_name_services_of_the_file(name: str, tmp_path: Path) -> None:
    settings = settings_of(name, tmp_path)
    hosts = {
        settings.hdfs.uri: "hdfs://namenode:9000",
        settings.metastore.uri: "thrift://metastore:9083",
        settings.metastore.database_url: "jdbc:postgresql://metastore-db/metastore",
        settings.spark.master: "spark://spark-master:7077",
        settings.thrift.host: "thrift",
        settings.airflow.host: "airflow-api",
    }
    assert all(found == wanted for found, wanted in hosts.items())
    assert settings.bind == "0.0.0.0"
    assert settings.hdfs.replication == sum(one.startswith("datanode-") for one in SERVICES)
    if settings.profile == "cluster":
        assert settings.mongo.uri.get_secret_value().endswith(":f111ed1n@mongo:27017/?authSource=tmdb")
        assert settings.mongo.database == SERVICES["mongo"]["environment"]["LAKEHOUSE_DATABASE"]
        assert settings.tmdb.url == "http://tmdb:8590/3"
        assert settings.tmdb.export_url == "http://tmdb:8590/p/exports"


@each({name: service for name, service in OURS.items() if name.startswith("datanode")})
def test_a_datanode_is_reached_by_its_own_name(name: str, tmp_path: Path) -> None:
    assert settings_of(name, tmp_path).hdfs.datanode_host == SERVICES[name]["hostname"] == name


def test_heaps_fit_into_their_containers(tmp_path: Path) -> None:
    def limit(name: str) -> int:
        text = SERVICES[name]["mem_limit"]
        return int(text[:-1]) * MIB[text[-1]]

    thrift = settings_of("thrift", tmp_path)
    assert thrift.thrift.driver_memory_mb < 0.7 * limit("thrift")
    assert thrift.spark.driver_memory_mb < 0.7 * limit("airflow-scheduler")
    assert thrift.metastore.heap_mb < 0.7 * limit("metastore")
    assert thrift.hdfs.heap_mb < 0.7 * min(limit(name) for name in ("namenode", "datanode-1", "datanode-2"))


def test_the_databases_are_those_that_the_settings_name(tmp_path: Path) -> None:
    made = SERVICES["airflow-db"]["environment"]
    database = settings_of("airflow-api", tmp_path).airflow.database.get_secret_value()
    assert database == f"postgresql+psycopg2://{made['POSTGRES_USER']}:f111ed1n@airflow-db/{made['POSTGRES_DB']}"
    behind = settings_of("metastore", tmp_path).metastore
    made = SERVICES["metastore-db"]["environment"]
    assert behind.database_user == made["POSTGRES_USER"]
    assert behind.database_url.endswith(f"/{made['POSTGRES_DB']}")
    assert behind.database_password.get_secret_value() == "f111ed1n"


def test_airflows_drivers_of_postgresql_are_in_the_image() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert len(re.findall(r"^(?:asyncpg|psycopg2-binary)==", lock, re.MULTILINE)) == 2


def test_mongos_user_can_write_the_served_database_only() -> None:
    script = (ROOT / "deploy" / "mongo" / "init-role.js").read_text(encoding="utf-8")
    resources = re.findall(r"resource: \{([^}]*)\}", script)
    assert resources == [' db: served.getName(), collection: "" ']
    assert "anyAction" not in script
    assert 'roles: [{ role: "publisher", db: served.getName() }]' in script
    read = set(re.findall(r"process\.env\.(\w+)", script))
    assert read <= set(SERVICES["mongo"]["environment"])


def test_compose_itself_takes_the_file(tmp_path: Path) -> None:
    plugins = [Path.home() / ".docker", *(Path(root) for root in ("/usr/local/lib/docker", "/usr/lib/docker"))]
    plugins += [Path(root) for root in ("/usr/local/libexec/docker", "/usr/libexec/docker")]
    path = os.pathsep.join([os.environ.get("PATH", ""), *(str(root / "cli-plugins") for root in plugins)])
    compose = shutil.which("docker-compose", path=path)
    if compose is None:
        pytest.skip("neither docker-compose nor docker's plugin of that name is on this machine")
    filled = tmp_path / ".env"
    filled.write_text("".join(f"{name}={value or 'x'}\n" for name, value in EXAMPLE.items()), encoding="utf-8")
    asked = subprocess.run(
        [compose, "--file", str(ROOT / "docker-compose.yml"), "--env-file", str(filled), "config", "--quiet"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
