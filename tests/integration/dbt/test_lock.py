"""Two dbt runs at the same time: one builds, the other waits or is told to, and no table is the worse for it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lakehouse.clock import now
from lakehouse.hive import query
from lakehouse.settings import Settings
from orchestration.writer_lock import Writer, current_writer, wait_for_turn
from tests import lake
from tests.instance import ROOT, environment, selected
from tests.integration.dbt.conftest import Dbt

pytestmark = pytest.mark.stack

_MARTS = ("--selector", "marts")
_WITHOUT_UNITS = ("--exclude", "test_type:unit")


@pytest.fixture
def building(stack: dict[str, str], tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Start `lakehouse build` beside this process; what it says goes to a file of that name."""

    def start(name: str, *selection: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "lakehouse.cli", "build", "--full-refresh", *selection]
        with (tmp_path / name).open("w") as output:
            return subprocess.Popen(
                command, env=environment(stack), cwd=ROOT, stdout=output, stderr=output, text=True, process_group=0
            )

    return start


def await_writer(settings: Settings, process: "subprocess.Popen[str]") -> Writer:
    """Wait until that process holds the lock."""
    deadline = time.monotonic() + 120
    while (found := current_writer(settings, now())) is None or not found.process.startswith(f"{process.pid}/"):
        assert process.poll() is None, "it ended before it held the lock"
        assert time.monotonic() < deadline, "it never held the lock"
        time.sleep(0.1)
    return found


def test_two_builds_and_a_person_at_the_same_time(
    stack: dict[str, str], built: Settings, dbt: Dbt, building: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    before = lake.content(built, "silver", "gold_build")
    with selected(stack):
        first = building("first", *_MARTS)
        holder = await_writer(built, first)
        second = building("second", "--select", "yoy_growth")
        refused = dbt("run", "--select", "yoy_growth")
        assert refused.returncode != 0, refused.stdout
        assert f"{holder.who} is building Silver and Gold, since {holder.since}" in refused.stdout
        assert "--target scratch" in refused.stdout
        assert first.wait(300) == 0, (tmp_path / "first").read_text()
        assert second.wait(300) == 0, (tmp_path / "second").read_text()
        assert f"waiting for {holder.who}" in " ".join((tmp_path / "second").read_text().split())
        assert current_writer(built, now()) is None
        accepted = dbt("run", "--select", "yoy_growth")
        assert accepted.returncode == 0, accepted.stdout
        assert current_writer(built, now()) is None
    assert lake.content(built, "silver", "gold_build") == before


def test_what_a_killed_build_holds_stops_nobody(
    stack: dict[str, str], built: Settings, building: Callable[..., "subprocess.Popen[str]"]
) -> None:
    with selected(stack):
        killed = building("killed", *_MARTS)
        await_writer(built, killed)
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
        told: list[str] = []
        wait_for_turn(built, "the next", told.append)
        assert told == []
        assert current_writer(built, now()) is None


def test_a_person_can_take_the_lock_of_one_who_is_dead_elsewhere(built: Settings, dbt: Dbt) -> None:
    held = "dbt run of ann 1a2b3c4d|7/1.0@elsewhere|2026-01-24T08:00:00Z|9999-01-01T00:00:00Z"
    query(built, f"alter schema silver set dbproperties ('lakehouse.writer' = '{held}')")
    refused = dbt("run", "--select", "yoy_growth")
    assert refused.returncode != 0
    assert "dbt run of ann 1a2b3c4d is building Silver and Gold" in refused.stdout
    # A test reads, and what goes to the scratch schemas is in nobody's way.
    assert dbt("test", "--select", "yoy_growth", *_WITHOUT_UNITS).returncode == 0
    scratch = ("--target", "scratch", "--defer", "--state", str(built.home / "dbt" / "target"))
    assert dbt("run", "--select", "yoy_growth", *scratch).returncode == 0
    taken = dbt("run-operation", "release_lock", "--args", "{force: true}")
    assert "The lock of dbt run of ann 1a2b3c4d is gone." in taken.stdout, taken.stdout
    assert dbt("run", "--select", "yoy_growth").returncode == 0
