"""What a year of runs might leave in `ops`, for the tests of the report."""

import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from lakehouse.ops.schema import TABLES
from tests.made_up_gold import HOSTILE, contracts

Row = dict[str, Any]

FIRST_RUN = datetime(2026, 11, 14, 4, 0, tzinfo=UTC)
_STEPS = (
    ("ingest", 62), ("silver", 96), ("gate", 21), ("graph", 48), ("gold", 74), ("audit", 19), ("publish", 4),
    ("export", 12),
)  # fmt: skip
_TABLES = {
    "bronze": ("bronze.movies",),
    "silver": ("silver.cast_members", "silver.companies", "silver.movies", "silver.people", "silver.reviews"),
    "gold": ("gold.box_office_trends", "gold.genre_analytics", "gold.movie_performance", "gold.trending_scores"),
}
_BOUNDS = {"completeness": 0.95, "consistency": 0.98, "accuracy": 0.98}


def ops(runs: int, fails: str = "") -> dict[str, list[Row]]:
    """The rows of `ops` after so many daily cycles; the last one fails in the step `fails`."""
    made: dict[str, list[Row]] = {table.full_name: [] for table in TABLES}
    chance = random.Random(8)
    for number in range(runs):
        started = FIRST_RUN + timedelta(days=number, minutes=chance.randrange(50))
        run_id = f"api-changes-{started:%Y-%m-%d}"
        ending = fails if number == runs - 1 else ("graph" if number == 6 else "")
        _run(made, chance, run_id, started, ending, number)
    at = FIRST_RUN + timedelta(days=runs - 1, hours=4)
    made["ops.runs"].append(_run_row("gate-by-hand", "gate", at, 24.0, ""))
    return made


def _run(
    made: dict[str, list[Row]], chance: random.Random, run_id: str, started: datetime, ending: str, number: int
) -> None:
    at = started
    for place, (step, usual) in enumerate(_STEPS, 1):
        spent = usual * chance.uniform(0.85, 1.2) * (1 + number / 60)
        is_end = step == ending
        made["ops.steps"].append(
            {
                "run_id": run_id,
                "step_number": place,
                "step": step,
                "status": "failed" if is_end else "succeeded",
                "started_at": at,
                "finished_at": at + timedelta(seconds=spent),
                "seconds": spent,
                "findings": [] if is_end else [f"{chance.randrange(200, 9000):,} records", "nothing new"],
                "error": "Gold does not reach its thresholds." if is_end else None,
            }
        )
        if step in ("silver", "gold"):
            _nodes(made, chance, run_id, step, at, spent)
        at += timedelta(seconds=spent)
        if is_end:
            break
    row = _run_row(run_id, "run", started, (at - started).total_seconds(), ending)
    made["ops.runs"].append(row)
    _scores(made, chance, run_id, at, ending, number)
    _used(made, chance, run_id, at)
    if not ending:
        made["ops.publications"].append(
            {
                "publication_id": run_id,
                "action": "publish",
                "content_of": run_id,
                "as_of": started.replace(hour=0, minute=0),
                "published_at": at - timedelta(seconds=12),
                "marts": dict.fromkeys(list(contracts())[1:], at),
            }
        )


def _run_row(run_id: str, kind: str, started: datetime, spent: float, ending: str) -> Row:
    return {
        "run_id": run_id,
        "kind": kind,
        "status": "failed" if ending else "succeeded",
        "started_at": started,
        "finished_at": started + timedelta(seconds=spent),
        "seconds": spent,
        "as_of": started.replace(hour=0, minute=0),
        "error": f"gold.movie_performance: consistency 0.9712 is below 0.98 (profit_is_revenue_less_budget), {ending}."
        if ending
        else None,
        "next_step": "Look at the rows with `lakehouse gate --failures gold.movie_performance`, then run again."
        if ending
        else None,
        "host": "lakehouse-1",
        "cores": 2,
        "arguments": "{}",
    }


def _nodes(
    made: dict[str, list[Row]], chance: random.Random, run_id: str, step: str, at: datetime, spent: float
) -> None:
    names = (
        [*contracts()]
        if step == "gold"
        else ["movie_records", "movies", "people", "cast_members", "crew_members", "reviews"]
    )
    clock = at
    for name in names:
        took = chance.lognormvariate(0.4, 0.8) * spent / 74
        clock += timedelta(seconds=took / 2)
        made["ops.dbt_results"].append(
            _node(run_id, step, f"model.tmdb_lakehouse.{name}", name, "model", "success", clock, took)
        )
        test = f"not_null_{name}_id"
        made["ops.dbt_results"].append(
            _node(
                run_id, step, f"test.tmdb_lakehouse.{test}", test, "test", "pass", clock + timedelta(seconds=took), 0.3
            )
        )
    test = "relationships_cast_members_person_id__person_id__ref_people_"
    made["ops.dbt_results"].append(
        _node(run_id, step, f"test.tmdb_lakehouse.{test}", test, "test", "warn", clock, 2.5, 3)
    )


def _node(
    run_id: str,
    step: str,
    node_id: str,
    name: str,
    kind: str,
    status: str,
    at: datetime,
    took: float,
    failures: int = 0,
) -> Row:
    return {
        "run_id": run_id,
        "invocation_id": f"{run_id}-{step}",
        "node_id": node_id,
        "node_name": name,
        "kind": kind,
        "status": status,
        "started_at": at,
        "finished_at": at + timedelta(seconds=took),
        "seconds": took,
        "thread": "Thread-1",
        "failures": failures,
        "message": f"Got {failures} results, configured to warn if != 0" if failures else "OK",
    }


def _scores(
    made: dict[str, list[Row]], chance: random.Random, run_id: str, at: datetime, ending: str, number: int
) -> None:
    for layer, tables in _TABLES.items():
        for table in tables:
            for dimension, bound in _BOUNDS.items():
                whole = chance.randrange(4000, 90000)
                value = 1 - abs(chance.gauss(0, (1 - bound) / 4))
                if table == "silver.movies" and dimension == "completeness":
                    value = 0.962 + 0.004 * math.sin(number)
                is_low = ending == "audit" and table == "gold.movie_performance" and dimension == "consistency"
                value = 0.9712 if is_low else max(value, bound)
                rule = "profit_is_revenue_less_budget" if is_low else f"{dimension}_holds"
                for name, of in ((f"table_{dimension}", value), (rule, value)):
                    made["ops.quality_metrics"].append(
                        _score(
                            run_id,
                            layer,
                            table,
                            name,
                            dimension,
                            "critical",
                            of,
                            whole,
                            bound,
                            at,
                            "fail" if is_low else "pass",
                        )
                    )
        made["ops.quality_metrics"].append(
            _score(run_id, layer, tables[0], "volume_is_usual", "volume", "warning", 4.6, None, 4.0, at, "warn")
            if layer == "silver" and number % 3 == 1
            else _score(run_id, layer, tables[0], "volume_is_usual", "volume", "warning", 0.7, None, 4.0, at, "pass")
        )
    for key, reason in (
        ("603", "the profit is not revenue less budget"),
        (f"604|{HOSTILE}", "the title is missing or blank"),
    ):
        made["ops.quality_failures"].append(
            {
                "run_id": run_id,
                "layer": "gold",
                "table_name": "gold.movie_performance",
                "rule": "profit_is_revenue_less_budget",
                "row_key": key,
                "reason": reason,
                "row_values": '{"movie_id": "603", "profit": 1, "revenue": 463517383, "budget": 63000000}',
                "measured_at": at,
            }
        )
    for severity, rule, score, bound in (
        ("critical", "profit_is_revenue_less_budget", 0.9712, 0.98),
        ("warning", "", 0.84, 0.8),
    ):
        if severity == "warning" or ending == "audit":
            made["ops.alerts"].append(
                {
                    "alert_id": f"{run_id}-{severity}",
                    "run_id": run_id,
                    "severity": severity,
                    "kind": "gate" if rule else "storage",
                    "subject": "gold.movie_performance" if rule else "hdfs",
                    "rule": rule,
                    "score": score,
                    "threshold": bound,
                    "message": "28 of 972 rows break the rule." if rule else "HDFS is 84 % full.",
                    "command": "lakehouse gate --failures gold.movie_performance" if rule else "lakehouse hdfs -df -h",
                    "status": "sent" if rule else "waiting",
                    "channels": ["slack", "mail"] if rule else [],
                    "raised_at": at,
                }
            )


def _score(
    run_id: str, layer: str, table: str, rule: str, dimension: str, severity: str, value: float, whole: int | None,
    bound: float, at: datetime, status: str,
) -> Row:  # fmt: skip
    return {
        "run_id": run_id,
        "layer": layer,
        "table_name": table,
        "rule": rule,
        "dimension": dimension,
        "severity": severity,
        "numerator": None if whole is None else round(whole * value),
        "denominator": whole,
        "score": value,
        "threshold": bound,
        "status": status,
        "detail": "" if status == "pass" else "5,012 rows, of 4,100 to 4,300 in the runs before",
        "measured_at": at,
        "as_of": at,
    }


def _used(made: dict[str, list[Row]], chance: random.Random, run_id: str, at: datetime) -> None:
    for name, memory in (
        ("thrift", 3100),
        ("cycle", 1850),
        ("namenode", 240),
        ("datanode", 210),
        ("metastore", 330),
        ("mongo", 610),
    ):
        made["ops.resources"].append(
            {"run_id": run_id, "resource": name, "measured_at": at, "peak_memory_mb": memory * chance.uniform(0.9, 1.1),
             "cpu_seconds": memory / 9, "used_share": None, "used_bytes": None, "capacity_bytes": None}
        )  # fmt: skip
    for name, used, whole in (("machine", 0.71, 2**34), ("disk", 0.46, 2**38), ("hdfs", 0.84, 2**37)):
        made["ops.resources"].append(
            {"run_id": run_id, "resource": name, "measured_at": at, "peak_memory_mb": None, "cpu_seconds": None,
             "used_share": used, "used_bytes": int(used * whole), "capacity_bytes": whole}
        )  # fmt: skip
    for stage in range(24):
        spent = chance.lognormvariate(0, 1)
        made["ops.stage_metrics"].append(
            {
                "run_id": run_id,
                "application_id": f"local-{run_id}",
                "application_name": ("cycle", "thrift")[stage % 2],
                "stage_id": stage,
                "attempt": 0,
                "name": "collect at /project/graph_jobs/arrays.py:118"
                if stage % 2
                else "run at AccessController.java:0",
                "status": "succeeded",
                "submitted_at": at,
                "completed_at": at,
                "seconds": spent,
                "tasks": 4,
                "failed_tasks": 0,
                "run_seconds": spent * 1.8,
                "cpu_seconds": spent * 1.5,
                "gc_seconds": spent / 20,
                "input_rows": chance.randrange(1_000_000),
                "input_bytes": chance.randrange(10**8),
                "output_rows": chance.randrange(10**5),
                "output_bytes": chance.randrange(10**7),
                "shuffle_read_bytes": chance.randrange(10**7),
                "shuffle_write_bytes": chance.randrange(10**7),
                "spilled_bytes": 0,
                "peak_memory_bytes": chance.randrange(10**8),
            }
        )
