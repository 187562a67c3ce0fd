"""Keeps what a gate found: in `ops`, one commit a table and gate, and as files that Data Docs are made from."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.judge import Verdict
from expectations.suites import Suite
from lakehouse.clock import instant_text
from lakehouse.ops.schema import OpsTable
from lakehouse.ops.store import frame_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def keep_rows(
    spark: "SparkSession", table: OpsTable, run_id: str, tables: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Replace what a run has kept of these tables; a table without a row to replace or to keep is left alone."""
    named = ", ".join(f"'{name}'" for name in sorted(tables))
    of_this_run = f"run_id = '{run_id}' and table_name in ({named})"
    if not rows and not spark.sql(f"select 1 from {table.full_name} where {of_this_run} limit 1").collect():
        return
    writer = frame_of(spark, table, rows).write.format("delta").mode("overwrite")
    writer.option("replaceWhere", of_this_run).saveAsTable(table.full_name)


def quality_folder(home: Path, run_id: str) -> Path:
    """Where a run's validation results are, a JSON file a table."""
    return home / "quality" / run_id


def keep_verdict(home: Path, run_id: str, suite: Suite, verdict: Verdict, measured_at: datetime) -> None:
    """Write Great Expectations' own suite and validation result of a table, for Data Docs."""
    folder = quality_folder(home, run_id)
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{suite.table}.json"
    content = {
        "run_id": run_id,
        "layer": suite.layer,
        "table_name": suite.table,
        "measured_at": instant_text(measured_at),
        "suite": verdict.suite,
        "result": verdict.result,
    }
    draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
    draft.replace(folder / f"{suite.table}.json")
