"""Two runs of a DAG, a build from the command line and a person's `dbt run`, all at the same time."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.clock import now
from lakehouse.settings import Settings
from orchestration.airflow.following import follow
from orchestration.writer_lock import current_writer
from tests.instance import ROOT, environment, lakehouse, selected
from tests.integration.airflow.conftest import World, content

pytestmark = [pytest.mark.stack, pytest.mark.timeout(2400)]


@pytest.fixture(autouse=True)
def its_settings(world: World) -> Iterator[None]:
    with selected(world.airflow.instance):
        yield


def _await_writer(settings: Settings, beginning: str) -> str:
    deadline = time.monotonic() + 600
    while True:
        found = current_writer(settings, now())
        if found and found.who.startswith(beginning):
            return found.who
        assert time.monotonic() < deadline, f"{beginning} never held the lock"
        time.sleep(0.2)


@pytest.mark.usefixtures("good")
def test_one_builds_and_the_others_wait_or_are_told_to(world: World, tmp_path: Path) -> None:
    instance, settings = world.airflow.instance, world.airflow.settings
    before = content(world)
    first = world.airflow.start("tmdb_transform", full_refresh=True)
    told = lakehouse(instance, "airflow", "trigger", "tmdb_transform")
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"a DAG runs once at a time, and {first} has not ended" in " ".join(told.stdout.split())
    second = world.airflow.client.runs("tmdb_transform", 1)[0]
    assert second["state"] == "queued"

    holder = _await_writer(settings, "tmdb_transform-")
    said = tmp_path / "build"
    with said.open("w") as output:
        build = subprocess.Popen(
            [sys.executable, "-m", "lakehouse.cli", "build", "--selector", "marts"],
            env=environment(instance),
            cwd=ROOT,
            stdout=output,
            stderr=output,
        )
    person = subprocess.run(
        [Path(sys.executable).parent / "dbt", "run", "--select", "people", "--target-path", tmp_path],
        env=environment(instance),
        cwd=world.project,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert person.returncode != 0, person.stdout
    assert f"{holder} is building Silver and Gold" in person.stdout

    runs = follow(world.airflow.client, "tmdb_transform", first)
    assert [run.state for run in runs] == ["success", "success"]
    assert build.wait(900) == 0, said.read_text()
    assert f"waiting for {holder}" in " ".join(said.read_text().split())
    runs = follow(world.airflow.client, "tmdb_transform", second["dag_run_id"])
    assert [run.state for run in runs] == ["success", "success"]
    assert content(world) == before
