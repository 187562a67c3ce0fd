"""Who holds the lock of Silver and Gold, and how long one waits for them."""

import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from lakehouse.hive import Answer
from lakehouse.settings import load_settings
from orchestration import writer_lock
from orchestration.writer_lock import WriterBusy, read_writer, variable, wait_for_turn

NOON = datetime(2026, 1, 24, 12, 0, tzinfo=UTC)


def properties(who: str, process: str = "", until: str = "2026-01-24T12:05:00Z") -> str:
    return f"((a,b), (lakehouse.writer,{who}|{process}|2026-01-24T11:55:00Z|{until}))"


def live_process(pid: int) -> str:
    return f"{pid}/{psutil.Process(pid).create_time()}@{socket.gethostname()}"


def dead_process() -> str:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    told = live_process(process.pid)
    process.communicate(b"\n")
    return told


class Lake:
    """A Thrift server that knows the schema's properties; each look takes the next of them."""

    def __init__(self, *looks: str) -> None:
        self.looks = list(looks)
        self.taken_away = 0

    def query(self, settings: object, sql: str) -> Answer:
        if sql.startswith("show"):
            return Answer(["namespace"], [("silver",)])
        if sql.startswith("alter"):
            self.taken_away += 1
            return Answer([], [])
        return Answer(["info_name", "info_value"], [("Properties", self.looks.pop(0))])


def wait(monkeypatch: pytest.MonkeyPatch, lake: Lake, who: str = "run-2") -> list[str]:
    monkeypatch.setattr(writer_lock, "query", lake.query)
    at, told = [NOON], []

    def sleep(seconds: float) -> None:
        at[0] += timedelta(seconds=seconds)

    wait_for_turn(load_settings(), who, told.append, lambda: at[0], sleep)
    return told


def test_what_a_run_writes_is_read() -> None:
    who, process = variable("run-1")[writer_lock.VARIABLE].split("|")
    assert process == live_process(os.getpid())
    writer = read_writer(properties(who, process), NOON)
    assert writer is not None
    assert str(writer) == f"run-1 (process {os.getpid()}), since 2026-01-24T11:55:00Z"


@pytest.mark.parametrize(
    "told",
    [
        "",
        "((lakehouse.writer,))",
        properties("run-1", until="2026-01-24T12:00:00Z"),
        properties("run-1", dead_process()),
        properties("run-1", f"{os.getpid()}/1.0@{socket.gethostname()}"),
    ],
    ids=["never taken", "given back", "nothing heard for too long", "its process has ended", "another has its number"],
)
def test_a_lock_is_free(told: str) -> None:
    assert read_writer(told, NOON) is None


@pytest.mark.parametrize(
    "process", ["", "1/1.0@elsewhere", live_process(os.getpid())], ids=["nobody's", "one elsewhere", "this one"]
)
def test_a_lock_is_held(process: str) -> None:
    assert read_writer(properties("dbt run of ann 1a2b3c4d", process), NOON) is not None


def test_one_waits_and_says_for_whom(monkeypatch: pytest.MonkeyPatch) -> None:
    held = properties("dbt run of ann 1a2b3c4d")
    told = wait(monkeypatch, Lake(held, held, "((lakehouse.writer,))"))
    assert told == [
        "waiting for dbt run of ann 1a2b3c4d, since 2026-01-24T11:55:00Z, which is building Silver and Gold"
    ]


def test_what_an_earlier_attempt_elsewhere_holds_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wait(monkeypatch, Lake(properties("run-2", "1/1.0@elsewhere"))) == []


def test_an_attempt_of_the_same_run_that_still_works_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    held = properties("run-2", live_process(os.getppid()))
    assert len(wait(monkeypatch, Lake(held, held, ""))) == 1
    assert wait(monkeypatch, Lake(properties("run-2", live_process(os.getpid())))) == []


def test_what_the_dead_hold_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(properties("run-1", dead_process()))
    assert wait(monkeypatch, lake) == []
    assert lake.taken_away == 1


def test_there_is_an_end_of_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    minutes = load_settings().dbt.wait_minutes
    held = properties("run-1", until="2026-01-25T00:00:00Z")
    lake = Lake(*[held] * (minutes * 30 + 1))
    with pytest.raises(WriterBusy, match=f"Waited {minutes} minutes in vain: run-1, since .*release_lock"):
        wait(monkeypatch, lake)
    assert lake.looks == []
