"""Journals in Delta: once, whatever happens between."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.ops import store as module
from lakehouse.ops.journal import Journal, folder, new_run_id
from lakehouse.ops.schema import QUALITY_METRICS, RUNS, STEPS, TABLES, OpsTable
from lakehouse.ops.store import delete_old, spark_schema, store
from tests.instance import ROOT

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

AT = datetime(2026, 2, 1, 8, 0, 0, 123456, tzinfo=UTC)


def _run(home: Path, run_id: str, status: str = "succeeded") -> Journal:
    journal = Journal(home, run_id)
    journal.write("runs", {"kind": "run", "status": status, "started_at": AT, "seconds": 3, "cores": 2})
    for number in (1, 2):
        journal.write("steps", {"step_number": number, "step": f"s{number}", "findings": ["a", "b"], "started_at": AT})
    journal.write("process", {"pid": 1, "started": 0.0, "host": "another"})
    return journal


def _content(spark: "SparkSession", table: OpsTable, runs: str, columns: str) -> list[tuple[Any, ...]]:
    """Rows of the runs whose names begin so."""
    found = spark.sql(f"select {columns} from {table.full_name} where run_id like '{runs}%' order by 1, 2").collect()
    return [tuple(row) for row in found]


def _commits(spark: "SparkSession", table: OpsTable) -> int:
    return spark.sql(f"describe history {table.full_name}").count()


def test_every_declared_type_is_what_the_table_has(spark: "SparkSession") -> None:
    for table in TABLES:
        assert spark.createDataFrame([], spark_schema(table)).dtypes == spark.table(table.full_name).dtypes


def test_every_question_of_the_docs_can_be_asked(spark: "SparkSession") -> None:
    page = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    questions = re.findall(r"(?:^    .*\n)+", page.partition("## Questions")[2], flags=re.MULTILINE)
    assert len(questions) > 5
    for question in questions:
        assert spark.sql(question).columns


def test_what_ended_is_stored_once_and_what_goes_on_is_not(spark: "SparkSession", tmp_path: Path) -> None:
    _run(tmp_path, "b-1")
    goes_on = _run(tmp_path, "b-2", status="running")
    assert store(spark, tmp_path) == {"ops.runs": 1, "ops.steps": 2}
    told = "run_id, status, date_format(started_at, 'yyyy-MM-dd HH:mm:ss.SSSSSS'), seconds, cores, error"
    assert _content(spark, RUNS, "b-", told) == [("b-1", "succeeded", "2026-02-01 08:00:00.123456", 3.0, 2, None)]
    assert _content(spark, STEPS, "b-", "run_id, step_number, findings") == [
        ("b-1", 1, ["a", "b"]),
        ("b-1", 2, ["a", "b"]),
    ]
    commits = _commits(spark, RUNS)
    assert store(spark, tmp_path) == {}
    assert _commits(spark, RUNS) == commits
    goes_on.write("runs", {"status": "failed"})
    assert store(spark, tmp_path) == {"ops.runs": 1, "ops.steps": 2}
    assert _content(spark, RUNS, "b-", "run_id, status") == [("b-1", "succeeded"), ("b-2", "failed")]


def test_a_store_that_was_killed_between_tables_is_done_again_with_the_same_rows(
    spark: "SparkSession", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(tmp_path, "c-1")
    write = module._write

    def dies_at_steps(spark: "SparkSession", table: OpsTable, *rest: Any) -> int:
        if table is STEPS:
            raise KeyboardInterrupt
        return write(spark, table, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(module, "_write", dies_at_steps)
        with pytest.raises(KeyboardInterrupt):
            store(spark, tmp_path)
    assert (len(_content(spark, RUNS, "c-", "run_id, kind")), len(_content(spark, STEPS, "c-", "run_id, step"))) == (
        1,
        0,
    )
    _run(tmp_path, "c-2")
    assert store(spark, tmp_path) == {"ops.runs": 1, "ops.steps": 4}
    assert _content(spark, RUNS, "c-", "run_id, kind") == [("c-1", "run"), ("c-2", "run")]
    assert len(_content(spark, STEPS, "c-", "run_id, step")) == 4
    assert store(spark, tmp_path) == {}


def test_a_row_that_is_told_anew_replaces_its_former_self(spark: "SparkSession", tmp_path: Path) -> None:
    journal = _run(tmp_path, "d-1")
    alert = {"alert_id": "d-alert", "severity": "warning", "kind": "volume", "subject": "silver.movies"}
    journal.write("alerts", {**alert, "status": "waiting", "channels": [], "raised_at": AT})
    store(spark, tmp_path)
    digest = Journal(tmp_path, "d-digest")
    sent = {"status": "sent", "channels": ["slack"], "raised_at": AT, "run_id": "d-1"}
    digest.write("alerts", {**alert, **sent})
    assert store(spark, tmp_path) == {"ops.alerts": 1}
    rows = spark.sql("select alert_id, run_id, status, channels from ops.alerts where run_id = 'd-1'").collect()
    assert [tuple(row) for row in rows] == [("d-alert", "d-1", "sent", ["slack"])]


def test_an_alert_that_was_delivered_does_not_go_back_to_waiting(spark: "SparkSession", tmp_path: Path) -> None:
    alert = {"alert_id": "g-alert", "severity": "warning", "kind": "volume", "subject": "silver.movies"}
    waiting = {**alert, "status": "waiting", "channels": [], "raised_at": AT, "run_id": "g-1"}
    sent = {**waiting, "status": "sent", "channels": ["slack"]}

    def stored() -> list[tuple[str, list[str]]]:
        rows = spark.sql("select status, channels from ops.alerts where alert_id = 'g-alert'").collect()
        return [tuple(row) for row in rows]

    # By name the digest comes first; both are pending.
    _run(tmp_path, "g-1").write("alerts", waiting)
    Journal(tmp_path, "g-0").write("alerts", sent)
    store(spark, tmp_path)
    assert stored() == [("sent", ["slack"])]
    Journal(tmp_path, "g-1").write("alerts", waiting)
    store(spark, tmp_path)
    assert stored() == [("sent", ["slack"])]


def test_a_name_that_a_run_has_taken_is_nothing_to_store(spark: "SparkSession", tmp_path: Path) -> None:
    name = new_run_id(tmp_path, "h", AT)
    assert store(spark, tmp_path) == {}
    assert [path.name for path in folder(tmp_path).iterdir()] == [f"{name}.jsonl"]


def test_what_the_gate_and_the_publication_write_themselves_is_not_doubled(
    spark: "SparkSession", tmp_path: Path
) -> None:
    journal = _run(tmp_path, "e-1")
    journal.write("quality_metrics", {"table_name": "silver.none", "rule": "r", "score": 0.5, "measured_at": AT})
    journal.write("publications", {"publication_id": "e-1", "published_at": AT, "marts": {"movies": AT}})
    assert store(spark, tmp_path) == {"ops.runs": 1, "ops.steps": 2}
    assert _content(spark, QUALITY_METRICS, "e-", "table_name, rule") == []
    assert spark.table("ops.publications").where("publication_id = 'e-1'").isEmpty()


def test_only_stored_journals_that_rested_long_are_deleted(spark: "SparkSession", tmp_path: Path) -> None:
    _run(tmp_path, "f-1")
    store(spark, tmp_path)
    _run(tmp_path, "f-2")
    later = datetime.now(UTC) + timedelta(days=366)
    assert delete_old(tmp_path, 14, datetime.now(UTC)) == []
    assert delete_old(tmp_path, 14, later) == ["f-1"]
    assert [path.name for path in sorted(folder(tmp_path).iterdir())] == ["f-2.jsonl"]
