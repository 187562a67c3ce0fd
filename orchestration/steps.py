"""The cycle in one process: the tasks in their order, gathered in the steps that a person watches.

Two tasks are done beside another step, since dbt works in the Thrift server's JVM and the others in the job's: Bronze
is measured while Silver is built, and the marts that need no network are built while it is computed. Where the gate on
Bronze is shut, nothing follows Silver.
"""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import groupby

from lakehouse.background import in_background
from orchestration import cycle as work
from orchestration.cycle import Cycle
from orchestration.progress import SilentProgress
from orchestration.tasks import TASKS, Task


def steps() -> dict[str, tuple[Task, ...]]:
    """The steps and the tasks that end in each, in the order in which they end."""
    last = {task.step: place for place, task in enumerate(TASKS)}
    return {
        step: tuple(task for task in TASKS if task.step == step) for step in sorted(last, key=lambda name: last[name])
    }


@dataclass
class _Aside:
    """A task that is done beside a step."""

    findings: list[str] = field(default_factory=list)
    future: Future[None] | None = None


def run(cycle: Cycle) -> None:
    """Do every task in order; the first that fails ends the cycle."""
    asides: dict[str, _Aside] = {}
    for place, (name, tasks) in enumerate(steps().items()):
        with cycle.progress.step(name) as findings, recorded_step(cycle, name, findings):
            if not place:
                cycle.make_ready()
            for task in TASKS:
                if task.beside == name:
                    asides[task.name] = _begin(cycle, task)
            for task in _in_turn(cycle, tasks):
                if task.name in asides:
                    _await(cycle, task, asides.pop(task.name), findings)
                else:
                    do(cycle, task, findings)


def do(cycle: Cycle, task: Task, findings: list[str]) -> None:
    """Do a task; what there is to say of it is added to `findings`."""
    if task.work is None:
        work.build_models(cycle, task.selector, findings)
    else:
        task.work(cycle, findings)


def recorded_step(cycle: Cycle, name: str, findings: list[str]) -> AbstractContextManager[object]:
    """Record a step where the run is recorded."""
    return nullcontext() if cycle.recorder is None else cycle.recorder.step(name, findings)


def _in_turn(cycle: Cycle, tasks: tuple[Task, ...]) -> Iterator[Task]:
    """The tasks; those that are done for each request, request by request."""
    for is_repeated, group in groupby(tasks, key=lambda task: task.per_request):
        repeated = tuple(group)
        for request in cycle.requests if is_repeated else (None,):
            cycle.request = request
            yield from repeated


def _begin(cycle: Cycle, task: Task) -> _Aside:
    aside = _Aside()
    # The line that a person watches is of the step.
    quiet = replace(cycle, progress=SilentProgress())
    aside.future = in_background(task.name, do, quiet, task, aside.findings)
    return aside


def _await(cycle: Cycle, task: Task, aside: _Aside, findings: list[str]) -> None:
    cycle.progress.detail(f"waiting for {task.name}")
    assert aside.future is not None
    try:
        aside.future.result()
    finally:
        findings += aside.findings
