"""What Airflow adds: the seconds of each task, how many of them its work took, and how long a file is parsed.

    python -m benchmarks.airflow

It asks the Airflow of the instance that the environment selects, after `lakehouse airflow trigger --wait`, and prints
Markdown, which docs/airflow.md holds.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from lakehouse.ops.journal import Row, folder, read_run
from lakehouse.settings import Settings, load_settings
from orchestration.airflow.client import DAGS, Client, client
from orchestration.airflow.running import run_id_of
from orchestration.tasks import TASKS


class _Run:
    """A DAG run as `run_id_of` sees it."""

    def __init__(self, run: dict[str, Any]) -> None:
        self.dag_id, self.run_id = run["dag_id"], run["dag_run_id"]
        self.run_after = datetime.fromisoformat(run["run_after"])


def _between(begun: str | None, ended: str | None) -> float:
    if not begun or not ended:
        return 0.0
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds()


def _lines(settings: Settings, asked: Client, dag: str) -> Iterator[str]:
    run = asked.runs(dag, 1)[0]
    found = {task["task_id"]: task for task in asked.tasks(dag, run["dag_run_id"])}
    facts = read_run(folder(settings.home) / f"{run_id_of(_Run(run))}.jsonl")
    worked = {row["step"]: row["seconds"] for row in facts.rows("steps") if row["status"] == "succeeded"}
    yield f"| **{dag}** | {run['state']} | {run['duration']:.0f} | | |"
    for task in TASKS:
        if task.dag != dag:
            continue
        if task.selector:
            yield _group(task.name, found, facts.rows("dbt_results"))
            continue
        seconds = _between(found[task.name]["start_date"], found[task.name]["end_date"])
        waited = _between(found[task.name]["scheduled_when"], found[task.name]["start_date"])
        work = worked.get(task.name, 0.0)
        yield f"| {task.name} | {found[task.name]['state']} | {seconds:.1f} | {work:.1f} | {waited:.1f} |"


def _group(name: str, found: dict[str, Any], nodes: list[Row]) -> str:
    """One call of dbt and the tasks that watch it: from the first start to the last end, and dbt's own part of that."""
    members = [task for task_id, task in found.items() if task_id.startswith(f"{name}.")]
    begun = min(task["start_date"] for task in members)
    ended = max(task["end_date"] for task in members)
    producer = found.get(f"{name}.dbt_producer_watcher")
    seconds = _between(begun, ended)
    if producer is None:
        return f"| {name}, {len(members)} tasks | | {seconds:.1f} | | |"
    begun_at, ended_at = (datetime.fromisoformat(producer[edge]) for edge in ("start_date", "end_date"))
    own = [row for row in nodes if row["started_at"] and begun_at <= row["started_at"] <= ended_at]
    first = min(row["started_at"] for row in own)
    last = max(row["finished_at"] for row in own)
    waited = _between(begun, producer["start_date"])
    state = "success" if all(task["state"] == "success" for task in members) else "failed"
    return (
        f"| {name}, {len(members)} tasks, {len(own)} nodes | {state} | {seconds:.1f} "
        f"| {(last - first).total_seconds():.1f} | {waited:.1f} |"
    )


def main() -> None:
    """Print the table."""
    settings = load_settings()
    print("| task | state | seconds | of these work | waited |\n|---|---|---:|---:|---:|")
    with client(settings) as asked:
        for dag in DAGS:
            print("\n".join(_lines(settings, asked, dag)))
        print("\n| file | seconds of the last parse |\n|---|---:|")
        for dag in DAGS:
            print(f"| {dag} | {asked.ask('GET', f'dags/{dag}')['last_parse_duration']:.2f} |")


if __name__ == "__main__":
    main()
