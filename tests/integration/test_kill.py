"""`kill -9` at a random moment of a step, then `run` again: the same tables as without the kill.

`make test-long` kills each step once; `make chaos` ten times. A seed makes the moments; the report prints them.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.settings import Settings, load_settings
from tests import lake
from tests.instance import ROOT, environment, selected

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("long_tests")]

KILLS = int(os.environ.get("TMDB_TEST_KILLS", "1"))
# Small chunks, so that an ingest has many commits to be killed between.
_CYCLE = ["run", "--source", "synthetic", "--movies", "300", "--as-of", "2026-02-01T00:00:00Z"]
_SMALLER = {"LAKEHOUSE_INGEST__CHUNK_ROWS": "100"}


def _start(instance: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-u", "-m", "lakehouse.cli", *_CYCLE],
            env=environment({**instance, **_SMALLER}),
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _run_to_its_end(instance: dict[str, str], log: Path) -> None:
    child = _start(instance, log)
    assert child.wait(timeout=600) == 0, log.read_text()


def _wait_for(log: Path, text: str, child: "subprocess.Popen[bytes]") -> None:
    while text not in log.read_text():
        assert child.poll() is None, log.read_text()
        time.sleep(0.02)


def _kill_during(instance: dict[str, str], log: Path, before: str, step: str, delay: float) -> bool:
    """Start a cycle, wait until step `before` has ended, and kill it `delay` seconds later.

    Gives whether `step` was still running then.
    """
    child = _start(instance, log)
    if before:
        _wait_for(log, f"✓ {before}", child)
    time.sleep(delay)
    was_running = f"✓ {step}" not in log.read_text() and child.poll() is None
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    return was_running


@pytest.fixture(scope="module")
def reference(
    long_tests: None, stack: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, object]]:
    """What the tables and collections hold after a cycle that nothing disturbed, and how long its steps took."""
    with selected({**stack, **_SMALLER}):
        settings = load_settings()
        lake.drop(settings)
        lake.drop_documents(settings)
        log = tmp_path_factory.mktemp("reference") / "run.log"
        _run_to_its_end(stack, log)
        seconds = {}
        for line in log.read_text().splitlines():
            if line.startswith("✓ "):
                _, name, spent, *_ = line.split()
                seconds[name] = float(spent)
        yield {
            "tables": lake.content(settings),
            "documents": lake.documents(settings),
            "seconds": seconds,
            "settings": settings,
        }


_STEPS = {
    # step: (the step before it, what is dropped so that the step has its work to do)
    "ingest": ("", ("bronze",)),
    "silver": ("ingest", ("staging", "silver", "gold")),
    "gold": ("graph", ("gold",)),
    "export": ("gold", ()),
}


@pytest.mark.parametrize("step", list(_STEPS))
@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_step_is_made_good_by_running_again(
    stack: dict[str, str], reference: dict[str, object], tmp_path: Path, step: str, number: int
) -> None:
    settings = reference["settings"]
    seconds = reference["seconds"]
    assert isinstance(settings, Settings)
    assert isinstance(seconds, dict)
    before, dropped = _STEPS[step]
    if dropped:
        lake.drop(settings, *dropped)
    lake.drop_documents(settings)
    moment = random.Random(f"{step} {number}").uniform(0, 1) * seconds[step]
    running = _kill_during(stack, tmp_path / "killed.log", before, step, moment)
    print(f"{step} #{number}: killed {moment:.1f} s after {before or 'the start'}; step running: {running}")
    _run_to_its_end(stack, tmp_path / "again.log")
    assert lake.content(settings) == reference["tables"]
    assert lake.documents(settings) == reference["documents"]
