"""What Spark's event log tells of stages, as rows of `ops.stage_metrics`.

A log has a line of JSON an event, most of them long. Only the ends of stages are parsed; of the ends of tasks, three
figures are picked out.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_APPLICATION = b'{"Event":"SparkListenerApplicationStart"'
_STAGE = b'{"Event":"SparkListenerStageCompleted"'
_TASK = re.compile(rb'\{"Event":"SparkListenerTaskEnd","Stage ID":(\d+),"Stage Attempt ID":(\d+),')
_GOOD = b'"Task End Reason":{"Reason":"Success"}'
_PEAK = re.compile(rb'"Peak Execution Memory":(\d+)')
_NAME_LENGTH = 500


@dataclass
class Application:
    """What is known of an application while its log is read.

    Args:
        id: Spark's id of it.
        name: what it is called.
        tasks: of stages that go on: `stage.attempt` -> tasks that ended, those that failed, peak memory in bytes.
    """

    id: str = ""
    name: str = ""
    tasks: dict[str, list[int]] = field(default_factory=dict)


def stages(lines: Iterable[bytes], application: Application) -> Iterator[dict[str, Any]]:
    """Give a row for each stage that ended, without the run that it is of; `application` is brought up to date."""
    for line in lines:
        if found := _TASK.match(line):
            _count(line, b".".join(found.groups()).decode(), application)
        elif line.startswith(_STAGE):
            info = json.loads(line)["Stage Info"]
            if "Submission Time" in info and "Completion Time" in info:
                yield _row(info, application)
        elif line.startswith(_APPLICATION):
            told = json.loads(line)
            application.id, application.name = told["App ID"], told["App Name"]


def _count(line: bytes, stage: str, application: Application) -> None:
    counted = application.tasks.setdefault(stage, [0, 0, 0])
    peak = _PEAK.search(line)
    counted[0] += 1
    counted[1] += _GOOD not in line
    counted[2] = max(counted[2], int(peak.group(1)) if peak else 0)


def _row(info: dict[str, Any], application: Application) -> dict[str, Any]:
    sums = {one.get("Name"): one.get("Value") for one in info["Accumulables"]}

    def metric(name: str) -> int:
        return int(sums.get(f"internal.metrics.{name}") or 0)

    ended, failed, peak = application.tasks.pop(f"{info['Stage ID']}.{info['Stage Attempt ID']}", [0, 0, 0])
    submitted, completed = info["Submission Time"], info["Completion Time"]
    return {
        "application_id": application.id,
        "application_name": application.name,
        "stage_id": info["Stage ID"],
        "attempt": info["Stage Attempt ID"],
        "name": info["Stage Name"][:_NAME_LENGTH],
        "status": "failed" if "Failure Reason" in info else "succeeded",
        "submitted_at": datetime.fromtimestamp(submitted / 1000, UTC),
        "completed_at": datetime.fromtimestamp(completed / 1000, UTC),
        "seconds": (completed - submitted) / 1000,
        "tasks": ended,
        "failed_tasks": failed,
        "run_seconds": metric("executorRunTime") / 1000,
        "cpu_seconds": metric("executorCpuTime") / 1e9,
        "gc_seconds": metric("jvmGCTime") / 1000,
        "input_rows": metric("input.recordsRead"),
        "input_bytes": metric("input.bytesRead"),
        "output_rows": metric("output.recordsWritten"),
        "output_bytes": metric("output.bytesWritten"),
        "shuffle_read_bytes": metric("shuffle.read.remoteBytesRead") + metric("shuffle.read.localBytesRead"),
        "shuffle_write_bytes": metric("shuffle.write.bytesWritten"),
        "spilled_bytes": metric("diskBytesSpilled"),
        "peak_memory_bytes": peak,
    }
