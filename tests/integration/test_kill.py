"""`kill -9` at a random moment of a step, then the step again: the same tables as without the kill.

`make test-long` kills each step once, `make chaos` ten times. The moments come from a seed; the report prints them.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lakehouse.services import process
from lakehouse.services import stack as services
from lakehouse.settings import Settings, load_settings
from tests import lake
from tests.instance import ROOT, environment, killed_after, lakehouse, selected

KILLS = int(os.environ.get("TMDB_TEST_KILLS", "1"))
pytestmark = [
    pytest.mark.stack,
    pytest.mark.usefixtures("long_tests"),
    pytest.mark.timeout(900 + 300 * KILLS),
]

_AS_OF = ["--as-of", "2026-02-01T00:00:00Z"]
_CATALOGUE = ["--source", "synthetic", "--movies", "120", *_AS_OF]

# step: its command, and the schemas that it makes; these are dropped, so that it has its work to do
_STEPS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "ingest": (["ingest", *_CATALOGUE], ("bronze",)),
    "silver": (["build", "--selector", "bronze_to_silver", *_AS_OF], ("staging", "silver")),
    "graph": (["graph"], ("graph",)),
    "gold": (["build", "--selector", "gold", *_AS_OF], ("gold_build",)),
    "publish": (["publish", "--run-id", "kills"], ("gold",)),
    "export": (["export", "--run-id", "kills"], ()),
}
# They stand in `staging`, but are made with Gold.
_VIEWS_ON_GRAPH = tuple(f"staging.{path.stem}" for path in ROOT.glob("dbt_project/models/staging/graph/*.sql"))


@pytest.fixture(scope="module")
def instance(long_tests: None, stack: dict[str, str]) -> dict[str, str]:
    # Small chunks, so that an ingest has many commits to be killed between.
    return {**stack, "LAKEHOUSE_INGEST__CHUNK_ROWS": "50"}


@pytest.fixture(scope="module")
def settings(instance: dict[str, str]) -> Iterator[Settings]:
    with selected(instance):
        yield load_settings()


def _state(settings: Settings) -> dict[str, Any]:
    return {"tables": lake.content(settings), "documents": lake.documents(settings)}


def _do(instance: dict[str, str], command: list[str]) -> float:
    began = time.monotonic()
    answer = lakehouse(instance, *command, timeout=900)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return time.monotonic() - began


@pytest.fixture(scope="module")
def undisturbed(instance: dict[str, str], settings: Settings) -> dict[str, Any]:
    """What the lake holds after a cycle that nothing disturbed."""
    lake.drop(settings)
    lake.drop_documents(settings)
    _do(instance, ["run", *_CATALOGUE])
    return _state(settings)


@pytest.mark.parametrize("step", list(_STEPS))
def test_a_killed_step_is_made_good_by_running_it_again(
    instance: dict[str, str], settings: Settings, undisturbed: dict[str, Any], tmp_path: Path, step: str
) -> None:
    command, schemas = _STEPS[step]
    expected = {
        **{
            name: table
            for name, table in undisturbed["tables"].items()
            if name.split(".")[0] in schemas and name not in _VIEWS_ON_GRAPH
        },
        **({} if schemas else undisturbed["documents"]),
    }

    def made() -> dict[str, Any]:
        return lake.content(settings, *schemas, without=_VIEWS_ON_GRAPH) if schemas else lake.documents(settings)

    def clear() -> None:
        if schemas:
            lake.drop(settings, *schemas, without=_VIEWS_ON_GRAPH)
        else:
            lake.drop_documents(settings)

    clear()
    whole = _do(instance, command)
    moments = random.Random(step)
    hits = 0
    for number in range(KILLS):
        clear()
        # The first third of a command is imports and the start of its JVM: nothing is at stake there.
        seconds = moments.uniform(0.33, 1.0) * whole
        was_running = killed_after(instance, command, seconds, tmp_path / f"{number}.log")
        hits += was_running
        print(f"{step} #{number}: killed after {seconds:.1f} of {whole:.1f} s; still running: {was_running}")
        _do(instance, command)
        assert made() == expected
    if step == "gold":
        # Tables that were dropped and made anew have none of the versions that readers were given.
        _do(instance, ["publish"])
    assert _state(settings) == undisturbed
    # A machine that got faster meanwhile may end a command before its kill; never all of several.
    assert hits > 0 or KILLS == 1


def test_a_network_job_that_loses_the_datanode_is_made_good_by_running_it_again(
    instance: dict[str, str], settings: Settings, undisturbed: dict[str, Any]
) -> None:
    command = [sys.executable, "-m", "lakehouse.cli", "graph", "--anew"]
    expected = {name: table for name, table in undisturbed["tables"].items() if name.startswith("graph.")}
    whole = _do(instance, ["graph", "--anew"])
    moments = random.Random("datanode")
    hits = 0
    for number in range(KILLS):
        child = subprocess.Popen(command, env=environment(instance), cwd=ROOT, stderr=subprocess.PIPE, text=True)
        seconds = moments.uniform(0.25, 0.95) * whole
        time.sleep(seconds)
        datanode = process.running(settings.home, "datanode")
        assert datanode is not None
        os.kill(datanode.pid, signal.SIGKILL)
        said = child.communicate(timeout=600)[1]
        print(f"DataNode #{number}: killed after {seconds:.1f} of {whole:.1f} s; {child.returncode}: {said.strip()}")
        hits += child.returncode != 0
        assert child.returncode == 0 or (said.startswith("error ") and len(said.splitlines()) == 2)
        with selected(instance):
            services.up(settings)
        _do(instance, ["graph"])
        assert lake.content(settings, "graph") == expected
    assert hits > 0 or KILLS == 1


def test_a_killed_cycle_is_made_good_by_running_it_again(
    instance: dict[str, str], settings: Settings, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    moments = random.Random("cycle")
    lake.drop(settings)
    lake.drop_documents(settings)
    for number in range(3 if KILLS > 1 else 1):
        seconds = moments.uniform(20, 90)
        killed_after(instance, ["run", *_CATALOGUE], seconds, tmp_path / f"{number}.log")
        print(f"cycle #{number}: killed after {seconds:.1f} s")
    _do(instance, ["run", *_CATALOGUE])
    assert _state(settings) == undisturbed
