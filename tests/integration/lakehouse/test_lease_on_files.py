"""Leases on a real file system, which has to see to it that one of many gets a number."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING

import msgspec
import psutil
import pytest

from lakehouse.lease import LeaseHeld, LeaseLost, held, take
from lakehouse.lease_entries import HadoopEntries, Holder
from tests.instance import ROOT, environment

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NOW = datetime(2026, 1, 29, 6, tzinfo=UTC)


def clock() -> datetime:
    return NOW


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".crc"))


@pytest.fixture
def dead() -> Iterator[psutil.Process]:
    """A process of this host, which is gone when the test ends at the latest."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield psutil.Process(child.pid)
    child.kill()
    child.communicate()


def change(path: Path, **changes: object) -> None:
    """Let another process have taken a lease. Hadoop's checksum of the file goes, as it does not fit any more."""
    holder = msgspec.json.decode(path.read_bytes(), type=Holder)
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(holder, **changes)))
    path.with_name(f".{path.name}.crc").unlink()
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))


@pytest.mark.spark
def test_a_lease_lies_in_the_warehouse_while_it_is_held(spark: "SparkSession", tmp_path: Path) -> None:
    folder = tmp_path / "_leases" / "bronze"
    for number in (1, 2, 3):
        with held(spark, f"file:{tmp_path}", "bronze", "a test", clock) as lease:
            assert lease.number == number
            assert names(folder) == [f"{number:06d}"]
            assert names(folder / f"{number:06d}") == ["lease.json"]
            with (
                pytest.raises(LeaseHeld, match=rf"in use by a test \(process {os.getpid()} on "),
                held(spark, f"file:{tmp_path}", "bronze", "another", clock),
            ):
                pass
            with held(spark, f"file:{tmp_path}", "silver", "another", clock):
                lease.check()
        assert names(folder / f"{number:06d}") == ["lease.json", "released"]


@pytest.mark.spark
def test_a_failure_gives_the_lease_back(spark: "SparkSession", tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"), held(spark, f"file:{tmp_path}", "bronze", "a test", clock):
        raise ValueError("broken")
    with held(spark, f"file:{tmp_path}", "bronze", "a test", clock) as lease:
        assert lease.number == 2


@pytest.mark.spark
def test_one_of_many_who_race_gets_it(spark: "SparkSession", tmp_path: Path) -> None:
    folder = tmp_path / "leases"
    entries = HadoopEntries(spark, f"file:{folder}")
    racers = 8
    for round_ in range(1, 6):
        barrier = Barrier(racers)

        def race(_: int, barrier: Barrier = barrier) -> int | None:
            barrier.wait()
            try:
                return take(entries, "bronze", "a racer", clock, 300).number
            except LeaseHeld:
                return None

        with ThreadPoolExecutor(racers) as pool:
            got = [number for number in pool.map(race, range(racers)) if number]
        assert got == [round_]
        # Those who lost have left nothing behind, neither beside the lease nor in it.
        assert names(folder) == [f"{round_:06d}"]
        assert names(folder / f"{round_:06d}") == ["lease.json"]
        entries.release(round_)


@pytest.mark.spark
def test_a_killed_holder_of_this_host_blocks_nobody(
    spark: "SparkSession", tmp_path: Path, dead: psutil.Process
) -> None:
    entries = HadoopEntries(spark, f"file:{tmp_path}")
    first = take(entries, "bronze", "lakehouse ingest", clock, 300)
    change(tmp_path / "000001" / "lease.json", pid=dead.pid, started=dead.create_time())
    with pytest.raises(LeaseHeld, match=f"process {dead.pid} on "):
        take(entries, "bronze", "a test", clock, 300)
    dead.kill()
    dead.wait()
    assert take(entries, "bronze", "a test", clock, 300).number == 2
    with pytest.raises(LeaseLost, match="gone to a test"):
        first.check()


@pytest.mark.spark
def test_a_holder_of_another_host_blocks_until_its_time_is_over_and_renewals_prolong_it(
    spark: "SparkSession", tmp_path: Path
) -> None:
    entries = HadoopEntries(spark, f"file:{tmp_path}")
    times = [NOW]
    lease = take(entries, "bronze", "lakehouse ingest", lambda: times[-1], 300)
    change(tmp_path / "000001" / "lease.json", host="elsewhere")

    def try_after(seconds: float) -> int:
        return take(entries, "bronze", "a test", lambda: NOW + timedelta(seconds=seconds), 300).number

    with pytest.raises(LeaseHeld, match="on elsewhere"):
        try_after(299)
    times.append(NOW + timedelta(seconds=200))
    lease.check()
    with pytest.raises(LeaseHeld, match="on elsewhere"):
        try_after(499)
    assert try_after(501) == 2


@pytest.mark.spark
@pytest.mark.parametrize("content", [b"", b"{", b"{}"])
def test_a_lease_that_cannot_be_read_blocks_for_its_time(spark: "SparkSession", tmp_path: Path, content: bytes) -> None:
    entries = HadoopEntries(spark, f"file:{tmp_path}")
    path = tmp_path / "000004" / "lease.json"
    path.parent.mkdir()
    path.write_bytes(content)
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    with pytest.raises(LeaseHeld, match="a process that cannot be told"):
        take(entries, "bronze", "a test", clock, 300)
    assert take(entries, "bronze", "a test", lambda: NOW + timedelta(seconds=301), 300).number == 5


@pytest.mark.spark
def test_one_killed_before_it_took_its_number_blocks_nobody_and_is_swept_up(
    spark: "SparkSession", tmp_path: Path
) -> None:
    entries = HadoopEntries(spark, f"file:{tmp_path}")
    for name, age in (("taking-old", 3600), ("taking-now", 0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lease.json").touch()
        at = NOW.timestamp() - age
        os.utime(tmp_path / name, (at, at))
    assert take(entries, "bronze", "a test", clock, 300).number == 1
    # The young one may belong to a process that is just about to rename it.
    assert names(tmp_path) == ["000001", "taking-now"]


@pytest.mark.spark
def test_a_lease_given_back_after_it_was_lost_and_removed_does_not_come_back(
    spark: "SparkSession", tmp_path: Path
) -> None:
    entries = HadoopEntries(spark, f"file:{tmp_path}")
    take(entries, "bronze", "the first", clock, 300)
    take(entries, "bronze", "the second", lambda: NOW + timedelta(seconds=301), 300)
    entries.renew(1, NOW)
    entries.release(1)
    assert names(tmp_path) == ["000002"]


_TRY_WHEN_TOLD = """
import sys
from lakehouse.clock import now
from lakehouse.lease import LeaseHeld, held
from lakehouse.settings import load_settings
from lakehouse.spark import spark_session
settings = load_settings()
spark = spark_session(settings, sys.argv[1])
for line in sys.stdin:
    try:
        with held(spark, settings.warehouse, "test", sys.argv[1], now) as lease:
            lease.check()
            print(lease.number, flush=True)
            if line == "keep\\n":
                sys.stdin.readline()
    except LeaseHeld as error:
        print(error.message, flush=True)
"""


@pytest.mark.stack
def test_on_hdfs_one_process_holds_and_its_kill_frees_it(stack: dict[str, str]) -> None:
    def start(name: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", _TRY_WHEN_TOLD, name]
        return subprocess.Popen(
            command, env=environment(stack), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(child: "subprocess.Popen[str]", line: str) -> str:
        assert child.stdin
        assert child.stdout
        child.stdin.write(f"{line}\n")
        child.stdin.flush()
        return child.stdout.readline().strip()

    first, second = start("first"), start("second")
    try:
        assert ask(first, "keep") == "1"
        assert ask(second, "try").startswith(f"'test' is in use by first (process {first.pid} on ")
        first.kill()
        first.wait()
        assert ask(second, "try") == "2"
        assert ask(second, "try") == "3"
    finally:
        for child in (first, second):
            child.kill()
            child.communicate()
