"""The cycle in one process: every task, in the order of its definition."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lakehouse.settings import load_settings
from orchestration import cycle as work
from orchestration import steps
from orchestration.cycle import Cycle
from orchestration.progress import Progress
from orchestration.tasks import TASKS, Task

AT = datetime(2026, 2, 1, 8, tzinfo=UTC)


class Stopped(Exception):
    """Ends a task of these tests."""


@pytest.fixture
def done() -> list[str]:
    return []


@pytest.fixture
def cycle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cycle:
    monkeypatch.setattr(Cycle, "make_ready", lambda cycle: None)
    return Cycle(load_settings(home=str(tmp_path)), "run-1", Progress(), (), None, lambda: AT)


def made(name: str, done: list[str], fails: bool = False, **arguments: Any) -> Task:
    def do(cycle: Cycle, findings: list[str]) -> None:
        done.append(f"{name} {cycle.request}" if cycle.request else name)
        findings.append(f"{name} found this")
        if fails:
            raise Stopped(name)

    return Task(**{"name": name, "dag": "d", "step": name, "about": "It does it.", "work": do, **arguments})


def test_the_steps_end_in_this_order_and_hold_every_task_once() -> None:
    found = steps.steps()
    assert list(found) == ["ingest", "silver", "gate", "graph", "gold", "audit", "publish", "export", "finish"]
    assert sorted(task.name for tasks in found.values() for task in tasks) == sorted(task.name for task in TASKS)


def test_what_a_task_needs_has_ended_before_it_or_is_measured_beside_it() -> None:
    order = [task for tasks in steps.steps().values() for task in tasks]
    ended: set[str] = set()
    for task in order:
        waits = {name for name in task.after if name not in ended}
        beside = {other.name for other in TASKS if other.beside == task.step}
        assert waits <= beside, task.name
        ended.add(task.name)


def test_what_is_done_beside_a_step_starts_after_all_that_it_needs() -> None:
    order = list(steps.steps())
    by_name = {task.name: task for task in TASKS}
    for task in TASKS:
        if task.beside:
            assert order.index(task.beside) < order.index(task.step)
            for name in task.after:
                assert order.index(by_name[name].step) < order.index(task.beside), (task.name, name)


def test_tasks_of_a_request_are_done_for_one_request_after_the_other(
    cycle: Cycle, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    of_request = {"step": "s", "per_request": True}
    tasks = (
        made("first", done, step="s"),
        made("ask", done, **of_request),
        made("land", done, **of_request),
        made("last", done, step="s"),
    )
    monkeypatch.setattr(steps, "TASKS", tasks)
    cycle.requests = ("a", "b")  # type: ignore[assignment]
    steps.run(cycle)
    assert done == ["first", "ask a", "land a", "ask b", "land b", "last"]


def test_the_first_task_that_fails_ends_the_cycle(
    cycle: Cycle, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "TASKS", (made("one", done), made("two", done, fails=True), made("three", done)))
    with pytest.raises(Stopped, match="two"):
        steps.run(cycle)
    assert done == ["one", "two"]


def test_a_task_beside_a_step_is_done_once_and_its_failure_is_that_of_its_own_step(
    cycle: Cycle, done: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = (made("gate", done, fails=True, beside="silver"), made("silver", done), made("later", done, step="gate"))
    monkeypatch.setattr(steps, "TASKS", tasks)
    with pytest.raises(Stopped, match="gate"):
        steps.run(cycle)
    assert sorted(done) == ["gate", "silver"]
    said = capsys.readouterr().out
    assert "✓ silver" in said
    assert "✗ gate" in said


def test_models_are_built_by_dbt_and_by_the_selector(
    cycle: Cycle, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "build_models", lambda cycle, selector, findings: done.append(selector))
    monkeypatch.setattr(steps, "TASKS", (made("models", done, work=None, selector="marts"),))
    steps.run(cycle)
    assert done == ["marts"]
