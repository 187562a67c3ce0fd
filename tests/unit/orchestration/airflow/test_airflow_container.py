"""Airflow's processes as containers: what they become, and how they find each other."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.errors import ServiceError
from lakehouse.settings import Settings, load_settings
from orchestration.airflow import server
from orchestration.airflow.container import Part, checked, prepared
from orchestration.airflow.instance import passwords_file, secrets_of
from tests.instance import selected

_HEALTHY = dict.fromkeys(("metadatabase", "scheduler", "dag_processor", "triggerer"), "healthy")


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    instance = {
        "LAKEHOUSE_HOME": str(tmp_path),
        "LAKEHOUSE_BIND": "0.0.0.0",
        "LAKEHOUSE_AIRFLOW__HOST": "pages",
        "LAKEHOUSE_AIRFLOW__BASE_URL": "http://127.0.0.1:8888",
    }
    with selected(instance):
        yield load_settings()


@pytest.mark.parametrize(
    ("part", "process"),
    [
        (Part.api, ["airflow", "api-server"]),
        (Part.scheduler, ["orchestration.airflow.preloaded", "scheduler"]),
        (Part.parser, ["orchestration.airflow.preloaded", "dag-processor"]),
        (Part.triggerer, ["airflow", "triggerer"]),
    ],
)
def test_each_part_is_one_of_airflows_processes(part: Part, process: list[str], settings: Settings) -> None:
    command = prepared(part, settings)
    assert command.name == part
    assert command.argv[1:4] == ["-m", *process]


def test_before_the_preparation_the_user_is_written_down(settings: Settings) -> None:
    command = prepared(Part.prepare, settings)
    assert command.argv[-1] == "orchestration.airflow.prepare"
    path = passwords_file(settings)
    assert json.loads(path.read_text(encoding="utf-8")) == {"admin": secrets_of(settings).password}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_parts_find_the_api_by_its_name_and_browsers_find_the_pages_elsewhere(settings: Settings) -> None:
    environment = prepared(Part.scheduler, settings).environment
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://pages:8080/execution/"
    assert environment["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:8888"
    assert environment["AIRFLOW__API__HOST"] == "0.0.0.0"
    assert server.address(settings) == "http://pages:8080"


def test_on_one_machine_all_is_where_the_api_listens(tmp_path: Path) -> None:
    with selected({"LAKEHOUSE_HOME": str(tmp_path), "LAKEHOUSE_AIRFLOW__PORT": "8099"}):
        environment = prepared(Part.scheduler, load_settings()).environment
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8099/execution/"
    assert environment["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:8099"


def test_a_part_is_as_the_api_says(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "health", lambda settings: {**_HEALTHY, "scheduler": "unhealthy"})
    assert checked(Part.parser, settings) == "healthy"
    with pytest.raises(ServiceError, match="airflow-scheduler is unhealthy"):
        checked(Part.scheduler, settings)
    with pytest.raises(ServiceError, match="airflow-prepare is unknown"):
        checked(Part.prepare, settings)
