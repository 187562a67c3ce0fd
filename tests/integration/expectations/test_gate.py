import fcntl
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from rich.console import Console

from expectations import gate as gate_module
from expectations.commands import rule_scores, table_scores
from expectations.gate import GateFailed, GateResult, run_gate
from lakehouse.errors import ConfigurationError
from lakehouse.settings import Settings, load_settings
from tests.instance import ROOT
from tests.integration.expectations.small_lake import AS_OF, MEASURED_AT, TABLES, make, planted, view

pytestmark = pytest.mark.spark

MOVIES = "silver.movies"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home of its own; the thresholds of drift are lowered to the rows of the small lake."""
    home = tmp_path_factory.mktemp("gate")
    text = (ROOT / "expectations" / "thresholds.yaml").read_text()
    (home / "thresholds.yaml").write_text(text.replace("minimum_rows: 200", "minimum_rows: 20"))
    return load_settings(home=str(home), gate={"thresholds": str(home / "thresholds.yaml"), "failing_rows": 3})


@pytest.fixture(autouse=True)
def _lake(spark: SparkSession) -> Iterator[None]:
    make(spark)
    yield
    for table in TABLES:
        spark.catalog.dropTempView(view(table))
    for table in ("ops.quality_metrics", "ops.quality_failures"):
        spark.sql(f"truncate table {table}")


def gate(
    spark: SparkSession, settings: Settings, run_id: str = "run", tables: tuple[str, ...] = (MOVIES,)
) -> GateResult:
    return run_gate(spark, settings, ["silver"], run_id, MEASURED_AT, AS_OF, tables=tables, where=view)


def kept(spark: SparkSession, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in spark.sql(sql).collect()]


def commits(spark: SparkSession, table: str) -> int:
    return spark.sql(f"describe history {table}").count()


def test_scores_and_failing_rows_are_kept_and_replaced_by_the_same_run(spark: SparkSession, settings: Settings) -> None:
    broken = "select * except (profit), 1L as profit from {table}"
    before = commits(spark, "ops.quality_metrics")
    with planted(spark, MOVIES, broken):
        shut = gate(spark, settings)
        (told,) = [score for score in shut.scores if score.rule == "profit_is_revenue_less_budget"]
        assert spark.sql(told.look).count() == 20, "of the 60 that break it"
    assert commits(spark, "ops.quality_metrics") == before + 1
    metrics = (
        "select numerator, denominator, score, threshold, status, as_of from ops.quality_metrics where rule = '{}'"
    )
    ((numerator, denominator, score, threshold, status, as_of),) = kept(
        spark, metrics.format("profit_is_revenue_less_budget")
    )
    assert (numerator, denominator, score, threshold, status) == (0, 60, 0.0, 0.98, "fail")
    assert as_of == AS_OF.astimezone().replace(tzinfo=None)
    failing = (
        "select row_key, reason, row_values from ops.quality_failures where rule = 'profit_is_revenue_less_budget'"
    )
    rows = kept(spark, f"{failing} order by row_key")
    assert [row[0] for row in rows] == ["1", "10", "11"], "as many as the settings say"
    assert rows[0][1] == "the profit is not revenue less budget"
    assert json.loads(str(rows[0][2])) == {"movie_id": "1", "revenue": 300000, "budget": 100000, "profit": 1}
    assert told.examples[0] == f"1: {rows[0][2]}"

    gate(spark, settings)
    ((*_, status, _),) = kept(spark, metrics.format("profit_is_revenue_less_budget"))
    assert status == "pass"
    assert kept(spark, failing) == []


def test_another_table_of_the_same_run_is_left_alone(spark: SparkSession, settings: Settings) -> None:
    gate(spark, settings, tables=(MOVIES,))
    gate(spark, settings, tables=("silver.people",))
    tables = kept(spark, "select distinct table_name from ops.quality_metrics order by 1")
    assert tables == [(MOVIES,), ("silver.people",)]


def test_volume_and_drift_are_told_against_the_runs_before(spark: SparkSession, settings: Settings) -> None:
    gate(spark, settings, "run-0")
    for day in range(1, 6):
        moved = f"'run-{day}' as run_id, measured_at - interval {day} days as measured_at"
        spark.sql(
            f"select * except (run_id, measured_at), {moved} from ops.quality_metrics where run_id = 'run-0'"
        ).select(spark.table("ops.quality_metrics").columns).write.insertInto("ops.quality_metrics")
    usual = gate(spark, settings, "usual")
    assert usual.warnings == ()
    (volume,) = [score for score in usual.scores if score.rule == "volume_is_usual"]
    assert (volume.numerator, volume.denominator, volume.score) == (60, 60, 0.0)

    doubled = "select * from {table} union all select * from {table}"
    with planted(spark, MOVIES, doubled):
        odd = gate(spark, settings, "odd")
    (volume,) = [score for score in odd.scores if score.rule == "volume_is_usual"]
    assert (volume.status, volume.numerator, volume.denominator) == ("warn", 120, 60)

    with planted(spark, MOVIES, "select * except (original_language), 'xx' as original_language from {table}"):
        moved = gate(spark, settings, "moved")
    (drift,) = [score for score in moved.scores if score.rule == "languages_are_as_before"]
    assert (drift.status, drift.threshold) == ("warn", 0.25)
    assert "moved most: xx 1.000 (was 0.000)" in drift.detail
    assert moved.passed, "what is unusual is told, and let pass"
    assert {alert.kind for alert in moved.alerts()} == {"drift"}


def test_a_threshold_is_changed_without_code(spark: SparkSession, settings: Settings, tmp_path: Path) -> None:
    unrated = "select * except (rating), cast(null as double) as rating from {table}"
    text = settings.gate.thresholds.read_text()
    lenient = tmp_path / "thresholds.yaml"
    lenient.write_text(text.replace("completeness: 0.95", "completeness: 0.80"))
    gentle = load_settings(home=str(tmp_path), gate={"thresholds": str(lenient)})
    with planted(spark, MOVIES, unrated):
        assert [score.rule for score in gate(spark, settings).failures] == ["table_completeness", "rating_is_known"]
        assert gate(spark, gentle).passed


def test_great_expectations_results_are_kept_for_data_docs(spark: SparkSession, settings: Settings) -> None:
    gate(spark, settings, "documented")
    kept_file = json.loads((settings.home / "quality" / "documented" / "silver.movies.json").read_text())
    assert {name: kept_file[name] for name in ("run_id", "layer", "table_name", "measured_at")} == {
        "run_id": "documented",
        "layer": "silver",
        "table_name": MOVIES,
        "measured_at": "2026-01-15T06:30:00Z",
    }
    assert kept_file["result"]["success"] is True
    assert len(kept_file["suite"]["expectations"]) == len(kept_file["result"]["results"])


def test_an_empty_lake_passes(spark: SparkSession, settings: Settings) -> None:
    for table in TABLES:
        spark.sql(f"select * from {view(table)} where false").createOrReplaceTempView(view(table))
    found = run_gate(spark, settings, ["bronze", "silver"], "empty", MEASURED_AT, where=view)
    assert [(score.table_name, score.rule, score.detail) for score in found.failures] == []


def test_the_real_bronze_is_read_by_its_own_names(spark: SparkSession, settings: Settings) -> None:
    found = run_gate(spark, settings, ["bronze"], "bronze", MEASURED_AT)
    assert set(found.rows) == {
        f"bronze.{name}" for name in ("movies", "batches", "quarantine", "fields", "requested_movies")
    }
    assert found.passed


def test_a_layer_that_is_named_twice_is_measured_once(spark: SparkSession, settings: Settings) -> None:
    found = run_gate(
        spark, settings, ["silver", "silver"], "twice", MEASURED_AT, tables=(MOVIES,), where=view, is_kept=False
    )
    assert found.layers == ("silver",)
    assert len(found.scores) == len({score.rule for score in found.scores})


def test_sql_that_spark_refuses_is_told_with_the_suite_to_correct(spark: SparkSession, settings: Settings) -> None:
    with (
        planted(spark, MOVIES, "select * except (profit) from {table}"),
        pytest.raises(ConfigurationError, match=r"could not measure silver\.movies: .*profit.*silver/movies\.yaml"),
    ):
        gate(spark, settings)


def test_the_verdict_stands_where_broken_rows_cannot_be_read(
    spark: SparkSession, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*arguments: object) -> list[dict[str, str]]:
        raise AnalysisException("[UNRESOLVED_COLUMN] `titel` cannot be resolved.")

    monkeypatch.setattr(gate_module, "examples", refused)
    with planted(spark, MOVIES, "select * except (profit), 1L as profit from {table}"):
        shut = gate(spark, settings)
    assert not shut.passed
    assert {score.examples for score in shut.scores} == {()}
    assert kept(spark, "select * from ops.quality_failures") == []


def test_one_gate_at_a_time_keeps_what_it_found(
    spark: SparkSession, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = []

    def keeping(*arguments: object) -> None:
        with (settings.home / "run" / "quality.lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held.append(False)
            except BlockingIOError:
                held.append(True)

    monkeypatch.setattr(gate_module, "keep_rows", keeping)
    gate(spark, settings)
    assert held == [True, True]


def test_a_missing_table_is_named(spark: SparkSession, settings: Settings) -> None:
    with pytest.raises(GateFailed, match=r"silver__nowhere does not exist"):
        run_gate(spark, settings, ["silver"], "run", MEASURED_AT, where=lambda table: "silver__nowhere")


def test_the_scores_are_printed_with_numerator_and_denominator(spark: SparkSession, settings: Settings) -> None:
    with planted(spark, MOVIES, "select * except (profit), 1L as profit from {table}"):
        found = gate(spark, settings)
    console = Console(width=200, record=True)
    console.print(table_scores(found))
    console.print(rule_scores("Under their bound", found.failures))
    printed = console.export_text()
    assert "shut" in printed
    (line,) = [line for line in printed.splitlines() if "profit_is_revenue_less_budget" in line and "worst" not in line]
    assert line.split()[1:7] == ["profit_is_revenue_less_budget", "0.0000", "0.98", "0", "60", "fail"]


def test_measured_before_is_the_run_before(spark: SparkSession, settings: Settings) -> None:
    """A batch that an earlier gate has seen is no longer late."""
    late = "select * except (finished_at), timestamp '2026-01-15 03:00:00' as finished_at from {table}"
    with planted(spark, "bronze.batches", late):
        first = gate(spark, settings, "first")
        later = run_gate(
            spark, settings, ["silver"], "later", MEASURED_AT + timedelta(hours=1), tables=(MOVIES,), where=view
        )
    assert [score.rule for score in first.warnings] == ["processed_in_time"]
    assert first.warnings[0].score == pytest.approx(3.5)
    assert later.warnings == ()


def test_a_gate_by_hand_hides_no_batch_that_silver_has_not_read(spark: SparkSession, settings: Settings) -> None:
    late = "select * except (finished_at), timestamp '2026-01-15 03:00:00' as finished_at from {table}"
    with planted(spark, "bronze.batches", late):
        gate(spark, settings, "by-hand")
        later = run_gate(
            spark,
            settings,
            ["silver"],
            "later",
            MEASURED_AT + timedelta(hours=1),
            tables=(MOVIES,),
            where=view,
            measured_before=MEASURED_AT - timedelta(hours=12),
        )
    assert [(score.rule, score.score) for score in later.warnings] == [("processed_in_time", pytest.approx(4.5))]
