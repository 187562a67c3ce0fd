"""The process that does the tasks of all DAG runs, with work that needs no Spark."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError, ServiceError
from lakehouse.services import process
from lakehouse.settings import Settings, load_settings
from orchestration.airflow import driver
from orchestration.airflow.performing import Asked

AT = datetime(2026, 2, 1, 8, tzinfo=UTC)
_WORK = "tests.unit.orchestration.airflow.driver_at_work"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=str(tmp_path))


@pytest.fixture
def server(settings: Settings) -> Iterator[process.Running]:
    environment = {**os.environ, "LAKEHOUSE_HOME": str(settings.home), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = process.Command(driver.NAME, [sys.executable, "-m", _WORK], environment, {})
    yield process.start(settings.home, command)
    driver.stop(settings)


def _asked(task: str) -> Asked:
    return Asked(task, "tmdb_ingest-20260201T080000Z-abcdef", AT, AT, {"from": None, "to": None})


@pytest.fixture
def perform(settings: Settings) -> Callable[[str], dict[str, object]]:
    log = logging.getLogger("tests.driver")
    connections = {"tmdb": {"password": "of airflow"}}  # pragma: allowlist secret
    return lambda task: driver.perform(settings, _asked(task), connections, log)


def _wait(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_task_is_done_by_the_process_that_stays(
    server: process.Running, perform: Callable[[str], dict[str, object]], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "tests.driver"):
        told = [perform("one"), perform("two")]
    assert [one["pid"] for one in told] == [server.pid] * 2
    assert told[0]["token"] == "of airflow"
    assert told[0]["as_of"] == AT.isoformat()
    assert [record.message for record in caplog.records] == ["one has begun", "two has begun"]


def test_what_the_work_fails_with_is_what_the_task_fails_with(
    server: process.Running, perform: Callable[[str], dict[str, object]]
) -> None:
    with pytest.raises(LakehouseError) as shut:
        perform("shut")
    assert (shut.value.message, shut.value.next_step) == ("A gate is shut.", "Look.")
    assert (shut.value.is_final, shut.value.is_told) == (True, True)
    with pytest.raises(LakehouseError, match="ZeroDivisionError: by nothing") as broken:
        perform("broken")
    assert not broken.value.is_final
    assert perform("one")["pid"] == server.pid


def test_a_driver_that_dies_fails_the_task(
    server: process.Running, perform: Callable[[str], dict[str, object]]
) -> None:
    with pytest.raises(ServiceError, match="died while it did dies"):
        perform("dies")


def test_the_driver_dies_with_who_asks(
    server: process.Running, settings: Settings, perform: Callable[[str], dict[str, object]]
) -> None:
    perform("one")
    child = get_context("fork").Process(target=perform, args=("endless",))
    child.start()
    _wait(lambda: (settings.home / "begun").is_file())
    assert process.is_alive(server)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    _wait(lambda: not process.is_alive(server))


def test_its_socket_is_for_its_owner_alone(
    server: process.Running, settings: Settings, perform: Callable[[str], dict[str, object]]
) -> None:
    perform("one")
    assert driver.socket_file(settings).stat().st_mode & 0o077 == 0
