"""Cycles with a fault each, at a random moment: how many mend themselves, and whether a row is lost or repeated.

`TMDB_TEST_CYCLES` cycles (3), a day apart; faults and moments come from `TMDB_TEST_SEED`. Each is a line of JSON, added
to the file `TMDB_TEST_RESULTS` where that is given: fifty cycles take some hours, and may be done in parts. After
`TMDB_TEST_MINUTES` no further one begins, and those that were done are compared with a lake without faults.
"""

import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from scipy.stats import binomtest

from lakehouse.clock import instant_text
from lakehouse.services import process
from lakehouse.settings import load_settings
from orchestration.airflow.client import DAGS
from orchestration.airflow.following import EndedRun, follow
from tests import lake
from tests.instance import lakehouse, selected, variables
from tests.integration.airflow.conftest import World, running_services, running_world, settings_for

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("long_tests")]

CYCLES = int(os.environ.get("TMDB_TEST_CYCLES", "3"))
_MINUTES = float(os.environ.get("TMDB_TEST_MINUTES", "inf"))
_SEED = os.environ.get("TMDB_TEST_SEED", "faults")
_MOVIES = 150
_DAY_ONE = datetime(2026, 1, 24, 8, 0, tzinfo=UTC)
_SERVICES = ("thrift", "mongo", "namenode", "datanode", "metastore")
FAULTS = (*_SERVICES, "driver", "scheduler", "task", "tmdb answers 500", "tmdb answers 429")
# What is published, and all that it was made from; when a batch was asked for, and in how many attempts, may differ.
_SCHEMAS = ("silver", "graph", "gold")


@pytest.fixture(scope="module")
def world(long_tests: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("faults"), _MOVIES) as running:
        yield running


def _day(number: int) -> str:
    return instant_text(_DAY_ONE + timedelta(days=number))


def _deck(moments: random.Random) -> Iterator[str]:
    """Each kind of fault before any comes again."""
    while True:
        yield from moments.sample(FAULTS, len(FAULTS))


def _strike(world: World, fault: str, seconds: float) -> str:
    """Let something go wrong; says what was hit."""
    if fault in _SERVICES:
        world.airflow.kill(fault)
    elif fault == "driver":
        if process.seen(world.airflow.settings.home, "airflow-driver") is None:
            return "no driver runs"
        world.airflow.kill("airflow-driver")
    elif fault == "scheduler":
        world.airflow.kill("airflow-scheduler")
        # What watches over services starts it anew: an init system, or a restart policy.
        answer = lakehouse(world.airflow.instance, "airflow", "up", timeout=300)
        assert answer.returncode == 0, answer.stdout + answer.stderr
    elif fault == "task":
        return _kill_task(world)
    else:
        kind = "internal_error" if fault.endswith("500") else "rate_limited"
        world.tmdb.set_faults([{"kind": kind, "rate": 1.0}])
        time.sleep(seconds)
        world.tmdb.set_faults([])
        return f"for {seconds:.0f} s"
    return "killed"


def _kill_task(world: World) -> str:
    """End a process in which a task is being done."""
    running = process.seen(world.airflow.settings.home, "airflow-scheduler")
    assert running is not None
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        workers = psutil.Process(running.pid).children()
        tasks = [task for worker in workers for task in worker.children()]
        if tasks:
            tasks[0].kill()
            return "killed"
        time.sleep(0.2)
    return "no task runs"


def _followed(world: World, run_id: str) -> list[EndedRun]:
    """How the runs of a cycle ended; one that a killed scheduler queues late is waited for."""
    deadline = time.monotonic() + 300
    while True:
        runs = follow(world.airflow.client, DAGS[0], run_id)
        if len(runs) == len(DAGS) or runs[-1].state != "success" or time.monotonic() > deadline:
            return runs


def _is_done(runs: list[EndedRun]) -> bool:
    return [run.state for run in runs] == ["success"] * len(DAGS)


def _helped(world: World, run_id: str, runs: list[EndedRun]) -> list[EndedRun]:
    """What a person does who was told: start what is down, and have what failed done again."""
    for _ in range(2):
        if _is_done(runs):
            break
        lakehouse(world.airflow.instance, "up", timeout=300)
        lakehouse(world.airflow.instance, "airflow", "up", timeout=300)
        for run in runs:
            if run.state != "success":
                world.airflow.clear(run)
        runs = _followed(world, run_id)
    return runs


def _attempts(world: World, runs: list[EndedRun]) -> int:
    """How many attempts failed, of all tasks."""
    tries = [task["try_number"] for run in runs for task in world.airflow.client.tasks(run.dag, run.run_id)]
    return sum(max(0, number - 1) for number in tries)


def _cycle(world: World, number: int, fault: str, at: float, seconds: float) -> dict[str, Any]:
    world.tmdb.set_today(_day(number))
    hit: list[str] = []
    broken: list[BaseException] = []
    ended = threading.Event()

    def strike() -> None:
        try:
            if ended.wait(0 if fault.startswith("tmdb") else at):
                hit.append("nothing, the cycle had ended")
            else:
                hit.append(_strike(world, fault, seconds))
        except BaseException as error:  # noqa: BLE001 - told below, in the thread that can fail the test
            broken.append(error)

    began = time.monotonic()
    striking = threading.Thread(target=strike, name="strike")
    striking.start()
    run_id = world.airflow.start(as_of=_day(number))
    runs = _followed(world, run_id)
    ended.set()
    striking.join()
    assert not broken, broken
    is_alone = _is_done(runs)
    told = {
        "seed": _SEED,
        "cycle": number,
        "fault": fault,
        "at": round(at),
        "hit": hit[0],
        "seconds": round(time.monotonic() - began),
        "failed_attempts": _attempts(world, runs),
        "failed": [task for run in runs for task in run.failed][:5],
    }
    if not is_alone:
        runs = _helped(world, run_id, runs)
    told["outcome"] = "alone" if is_alone else "helped" if _is_done(runs) else "failed"
    return told


def _tell(told: dict[str, Any]) -> None:
    line = json.dumps(told)
    print(line, flush=True)
    if results := os.environ.get("TMDB_TEST_RESULTS"):
        with Path(results).open("a", encoding="utf-8") as file:
            file.write(line + "\n")


@pytest.mark.timeout(1200 * (CYCLES + 2))
def test_no_row_is_lost_or_repeated(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    moments = random.Random(_SEED)
    faults = _deck(moments)
    lasting = 480.0
    outcomes: Counter[str] = Counter()
    ends = time.monotonic() + 60 * _MINUTES
    for number in range(CYCLES):
        if number and time.monotonic() > ends:
            break
        told = _cycle(world, number, next(faults), moments.uniform(0, lasting), moments.uniform(5, 40))
        lasting = min(lasting, float(told["seconds"]))
        outcomes[told["outcome"]] += 1
        _tell(told)
    done = outcomes.total()
    interval = binomtest(outcomes["alone"], done).proportion_ci(method="wilson")
    print(f"{outcomes['alone']} of {done} mended themselves: {interval.low:.3f} to {interval.high:.3f} (Wilson, 95 %)")
    assert outcomes["failed"] == 0
    with selected(world.airflow.instance):
        found = _content(world.airflow.instance)
    assert found == _undisturbed(world, tmp_path_factory.mktemp("undisturbed"), done)
    _tell({"seed": _SEED, "cycles": done, "tables_as_undisturbed": len(found)})


def _content(instance: dict[str, str]) -> dict[str, Any]:
    with selected(instance):
        settings = load_settings()
        movies = lake.content(settings, "bronze")["bronze.movies"]
        return {"bronze.movies": movies, **lake.content(settings, *_SCHEMAS), **lake.documents(settings)}


def _undisturbed(world: World, home: Path, days: int) -> dict[str, Any]:
    """What a lake holds that was filled of the same days, by the command, and without a fault."""
    instance = {**variables(home), **settings_for(world.tmdb)}
    with running_services(instance):
        for number in range(days):
            world.tmdb.set_today(_day(number))
            # On the first day all movies, as the DAG asks for on an empty lake.
            asked = ("--from-export",) if number == 0 else ()
            # The history holds what each build saw; the other tables are the same however many there are.
            for arguments in (
                ("ingest", "--source", "api", *asked, "--as-of", _day(number)),
                ("build", "--selector", "bronze_to_silver"),
            ):
                answer = lakehouse(instance, *arguments, timeout=900)
                assert answer.returncode == 0, answer.stdout + answer.stderr
        answer = lakehouse(instance, "run", "--source", "api", "--as-of", _day(days - 1), timeout=1800)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return _content(instance)
