"""A real Airflow over an instance of a test's own."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.clock import parse_instant
from lakehouse.services import process
from lakehouse.settings import Settings, load_settings
from orchestration.airflow import server
from orchestration.airflow.client import Client, client
from orchestration.airflow.following import EndedRun, follow
from orchestration.airflow.instance import folder
from tests.instance import lakehouse, selected


@dataclass(frozen=True)
class Scheduler:
    """An Airflow that runs.

    Args:
        instance: the variables that select the instance.
        settings: its settings.
        client: logged in.
    """

    instance: dict[str, str]
    settings: Settings
    client: Client

    def start(self, dag: str = "tmdb_ingest", as_of: str = "", **conf: Any) -> str:
        """Start a run; give its id."""
        return self.client.trigger(dag, conf, parse_instant(as_of) if as_of else None)

    def run(self, dag: str = "tmdb_ingest", as_of: str = "", **conf: Any) -> list[EndedRun]:
        """Start a run and wait for it, and for those that follow from it."""
        return follow(self.client, dag, self.start(dag, as_of, **conf))

    def await_task(self, dag: str, run_id: str, task: str, states: tuple[str, ...] = ("running",)) -> None:
        """Wait until a task is in one of those states."""
        deadline = time.monotonic() + 900
        while self.client.ask("GET", f"dags/{dag}/dagRuns/{run_id}/taskInstances/{task}")["state"] not in states:
            assert time.monotonic() < deadline, f"{task} of {run_id} was never {' or '.join(states)}"
            time.sleep(1)

    def states(self, run: EndedRun) -> dict[str, str]:
        """Task -> its state, of a run that has ended."""
        return {task["task_id"]: task["state"] for task in self.client.tasks(run.dag, run.run_id)}

    def log(self, run: EndedRun, task: str, attempt: int = 1) -> str:
        """What a task has said."""
        place = Path(f"dag_id={run.dag}", f"run_id={run.run_id}", f"task_id={task}", f"attempt={attempt}.log")
        lines = (folder(self.settings) / "logs" / place).read_text(encoding="utf-8").splitlines()
        return "\n".join(str(json.loads(line).get("event", "")) for line in lines if line.startswith("{"))

    def clear(self, run: EndedRun) -> list[EndedRun]:
        """Have the failed tasks of a run tried again, and wait."""
        asked = {"dry_run": False, "dag_run_id": run.run_id, "only_failed": True, "reset_dag_runs": True}
        self.client.ask("POST", f"dags/{run.dag}/clearTaskInstances", json=asked)
        return follow(self.client, run.dag, run.run_id)

    def kill(self, name: str) -> None:
        """`kill -9` a process group of the instance."""
        found = process.running(self.settings.home, name)
        assert found is not None, f"{name} does not run"
        os.killpg(found.pid, signal.SIGKILL)


@contextmanager
def scheduler(instance: dict[str, str]) -> Iterator[Scheduler]:
    """Start Airflow by its command, with the DAGs unpaused; end it afterwards."""
    answer = lakehouse(instance, "airflow", "up", "--unpause", timeout=300)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    with selected(instance):
        settings = load_settings()
    try:
        with client(settings) as asked:
            yield Scheduler(instance, settings, asked)
    finally:
        with selected(instance):
            server.down(settings)
