"""What it costs to record what Spark does: writing event logs, and reading the stages of a run from them.

    python -m benchmarks.recording [repeats]

It starts the services of an instance of its own, asks Spark for small queries and writes, and prints a line, which
docs/observability.md holds. Spark writes event logs in a thread of its own: what counts is the CPU time of that thread.
"""

import sys
import tempfile
import time
from pathlib import Path

from lakehouse.ops.event_logs import folder, new_stages
from lakehouse.services import stack
from lakehouse.settings import load_settings
from lakehouse.spark import spark_session
from tests.instance import selected, variables

_WRITER = "spark-listener-group-eventLog"
_NANOSECONDS = 1e9


def _report(repeats: int) -> str:
    settings = load_settings()
    stack.up(settings)
    spark = spark_session(settings, "benchmark")
    spark.sql("create database if not exists benchmark")
    bus = spark.sparkContext._jsc.sc().listenerBus()
    threads = spark._jvm.java.lang.management.ManagementFactory.getThreadMXBean()
    writer = next(one for one in threads.getAllThreadIds() if threads.getThreadInfo(one).getThreadName() == _WRITER)

    def work() -> None:
        spark.sql(
            "create or replace table benchmark.written using delta as "
            "select id % 100 as bucket, count(*) as rows from range(100000) group by 1"
        )
        spark.sql("select bucket, sum(rows) from benchmark.written group by bucket order by 1").collect()

    def written() -> float:
        bus.waitUntilEmpty()
        return float(threads.getThreadCpuTime(writer)) / _NANOSECONDS

    work()
    new_stages(settings.home).keep()
    before, size = written(), _size(settings.home)
    began = time.perf_counter()
    for _ in range(repeats):
        work()
    took = time.perf_counter() - began
    writing, grown = written() - before, _size(settings.home) - size
    began = time.perf_counter()
    stages = new_stages(settings.home).rows
    reading = time.perf_counter() - began
    spark.stop()
    stack.down(settings)
    return (
        f"{repeats} writes and queries took {took:.1f} s. To write their event logs took {writing:.2f} s of CPU "
        f"({writing / took:.1%}) and {grown / 1024:,.0f} KiB; to read {len(stages)} stages from them {reading:.2f} s "
        f"({reading / took:.1%})."
    )


def _size(home: Path) -> int:
    return sum(path.stat().st_size for path in folder(home).rglob("events_*"))


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as home, selected(variables(Path(home))):
        print(_report(repeats))


if __name__ == "__main__":
    main()
