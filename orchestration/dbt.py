"""dbt, run in this process, with each node reported as it starts and ends."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings
from orchestration import writer_lock

FAILED = frozenset({"error", "fail", "runtime error", "partial success"})
"""What dbt says of a node that failed."""


@dataclass(frozen=True)
class Node:
    """What became of one dbt node.

    Args:
        name: the node's name, e.g. `movie_performance`.
        kind: model, test, unit_test, seed, snapshot, operation.
        status: dbt's own word: success, pass, warn, error, fail, skipped.
        seconds: how long it ran.
        message: dbt's message, of use where it failed.
        unique_id: dbt's id of the node, e.g. `model.tmdb_lakehouse.movie_performance`.
        invocation_id: dbt's id of the call that ran it.
        thread: dbt's thread.
        started_at: when it began, UTC; None where it was skipped.
        finished_at: when it ended, UTC; None where it was skipped.
        failures: rows that a test found.
    """

    name: str
    kind: str
    status: str
    seconds: float
    message: str
    unique_id: str = ""
    invocation_id: str = ""
    thread: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    failures: int | None = None


class DbtFailed(LakehouseError):
    """A model could not be built, or a test of one failed.

    Args:
        message: what failed.
        next_step: what to do.
        nodes: what became of each node of the call, where there were any.
    """

    def __init__(self, message: str, next_step: str = "", nodes: Sequence[Node] = ()) -> None:
        super().__init__(message, next_step)
        self.nodes = tuple(nodes)


def environment(settings: Settings) -> dict[str, str]:
    """The variables that `profiles.yml` reads, as these settings have them."""
    return {
        "LAKEHOUSE_THRIFT__HOST": settings.thrift.host,
        "LAKEHOUSE_THRIFT__PORT": str(settings.thrift.port),
        "LAKEHOUSE_DBT__THREADS": str(settings.dbt.threads),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


@contextmanager
def environment_set(settings: Settings, more: Mapping[str, str] | None = None) -> Iterator[None]:
    """Set the variables for the time of one dbt call; some are settings of ours, and would look set by the user."""
    ours = {**environment(settings), **(more or {})}
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def common_arguments(settings: Settings) -> list[str]:
    """The arguments of every dbt call: where the project is, and where its files go."""
    return [
        "--project-dir", str(settings.dbt.project_dir),
        "--profiles-dir", str(settings.dbt.project_dir),
        "--target-path", str(settings.home / "dbt" / "target"),
        "--log-path", str(settings.home / "logs"),
        "--log-level", "none",
        "--log-level-file", "info",
        "--no-use-colors",
    ]  # fmt: skip


def parse(settings: Settings) -> Any:
    """Read the project once; give dbt's manifest, which later calls then need not read again.

    Raises:
        DbtFailed: the project cannot be parsed.
    """
    from dbt.cli.main import dbtRunner

    with environment_set(settings):
        answer = dbtRunner().invoke(["parse", *common_arguments(settings)])
    if not answer.success:
        raise DbtFailed(f"dbt cannot parse {settings.dbt.project_dir}: {answer.exception}", "Correct the model named.")
    return answer.result


def selected(settings: Settings, selector: str, manifest: Any) -> list[str]:
    """The ids of the nodes that a selector of `selectors.yml` stands for, in dbt's order.

    Args:
        settings: names the project.
        selector: the selector's name.
        manifest: from `parse`.

    Raises:
        DbtFailed: there is no such selector.
    """
    from dbt.cli.main import dbtRunner

    wanted = ["ls", "--selector", selector, "--output", "json", "--output-keys", "unique_id", "--quiet"]
    with environment_set(settings):
        answer = dbtRunner(manifest=manifest).invoke([*wanted, *common_arguments(settings)])
    if not answer.success:
        raise DbtFailed(f"dbt cannot list the nodes of {selector}: {answer.exception}", "Correct selectors.yml.")
    lines: Any = answer.result
    return [json.loads(line)["unique_id"] for line in lines]


def build(
    settings: Settings,
    arguments: list[str],
    as_of: str | None = None,
    manifest: Any = None,
    on_node: Callable[[str, int], None] = lambda name, done: None,
    who: str = "lakehouse",
    on_wait: Callable[[str], None] = lambda sentence: None,
) -> list[Node]:
    """Run `dbt build` with `arguments`, when no other dbt run builds; give what became of each node.

    Args:
        settings: names the project and the Thrift server.
        arguments: what to build, e.g. `["--selector", "gold"]`.
        as_of: the dbt var `as_of`; None leaves it to be derived from the data.
        manifest: from `parse`, to save parsing again.
        on_node: told the name of each node that starts, and how many have ended.
        who: the run, as others see it who have to wait for it.
        on_wait: told whom this one waits for.

    Raises:
        DbtFailed: a node failed; the message names each and says why, `nodes` holds all.
        WriterBusy: another dbt run did not end.
    """
    from dbt.cli.main import dbtRunner

    ended, invocation = 0, ""

    def listen(event: Any) -> None:
        nonlocal ended, invocation
        invocation = event.info.invocation_id or invocation
        if event.info.name == "NodeStart":
            on_node(event.data.node_info.node_name, ended)
        elif event.info.name == "NodeFinished":
            ended += 1

    variables = ["--vars", f"{{as_of: '{as_of}'}}"] if as_of else []
    writer_lock.wait_for_turn(settings, who, on_wait)
    with environment_set(settings, writer_lock.variable(who)):
        answer = dbtRunner(manifest=manifest, callbacks=[listen]).invoke(
            ["build", *arguments, *variables, *common_arguments(settings)]
        )
    results = getattr(answer.result, "results", None)
    if results is None:
        reason = str(answer.exception or "unknown").strip().splitlines()
        raise DbtFailed(f"dbt stopped before its first node: {reason[0]}", f"See {settings.home / 'logs' / 'dbt.log'}.")
    nodes = [_node(result, invocation) for result in results]
    failed = [node for node in nodes if node.status in FAILED]
    if failed:
        log = settings.home / "logs" / "dbt.log"
        raise DbtFailed(_story(failed, nodes), f"See {log}; then `lakehouse run` again.", nodes)
    return nodes


def _node(result: Any, invocation: str) -> Node:
    begun = [_utc(one.started_at) for one in result.timing if one.started_at]
    ended = [_utc(one.completed_at) for one in result.timing if one.completed_at]
    return Node(
        name=result.node.name,
        kind=str(result.node.resource_type),
        status=str(result.status),
        seconds=float(result.execution_time),
        message=" ".join(str(result.message or "").split()),
        unique_id=str(result.node.unique_id),
        invocation_id=invocation,
        thread=str(result.thread_id),
        started_at=min(begun, default=None),
        finished_at=max(ended, default=None),
        failures=result.failures,
    )


def _utc(instant: datetime) -> datetime:
    """dbt leaves the zone out in some versions; it is UTC."""
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def warnings(nodes: list[Node]) -> list[str]:
    """What dbt warned of, one line a test: its name and how many rows it found."""
    return [f"warning {node.name}: {node.message}" for node in nodes if node.status == "warn"]


def document(settings: Settings) -> Path:
    """Have dbt describe the project; give the folder of manifest.json (SQL compiled), catalog.json, static_index.html.

    Raises:
        DbtFailed: dbt could not read the project or the catalogue of tables, or the tables are not there yet.
    """
    from dbt.cli.main import dbtRunner

    from lakehouse.hive import plain_message

    log = settings.home / "logs" / "dbt.log"
    with environment_set(settings):
        answer = dbtRunner().invoke(["docs", "generate", "--static", *common_arguments(settings)])
    if not answer.success:
        reason = plain_message(str(answer.exception or "unknown"))[:300]
        raise DbtFailed(
            f"dbt could not make its docs: {reason}",
            f"Where tables are missing, build them first: `lakehouse demo`. Else see {log}.",
        )
    return settings.home / "dbt" / "target"


def _story(failed: list[Node], nodes: list[Node]) -> str:
    from lakehouse.hive import plain_message

    lines = [f"{node.kind} {node.name}: {plain_message(node.message)[:300]}" for node in failed[:5]]
    more = f" (and {len(failed) - 5} more)" if len(failed) > 5 else ""
    skipped = sum(node.status == "skipped" for node in nodes)
    return f"dbt: {len(failed)} of {len(nodes)} nodes failed, {skipped} skipped{more}. " + "; ".join(lines)
