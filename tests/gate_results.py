"""Validation results as gates leave them, made by Great Expectations itself over a small frame."""

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

HOSTILE = "<script>alert('x')</script> & ${column} of $1"


@dataclass(frozen=True)
class Counted:
    rule: str
    dimension: str
    score: float
    bounds: tuple[tuple[str, float, str], ...]
    counts: tuple[int, int] | None = None
    found: str = ""
    is_summed: bool = False


MOVIES = (
    Counted("has_rows", "volume", 1.0, (("min_value", 1.0, "critical"),)),
    Counted("table_completeness", "completeness", 0.9767, (("min_value", 0.95, "critical"),), (879, 900)),
    Counted(
        "table_consistency",
        "consistency",
        0.9555555,
        (("min_value", 0.98, "critical"),),
        (430, 450),
        "worst is profit_is_revenue_less_budget",
    ),
    Counted(
        "title_is_known",
        "completeness",
        0.9355555,
        (("min_value", 0.95, "critical"),),
        (421, 450),
        "29 of 450: the title is missing or blank",
        True,
    ),
    Counted("overview_is_known", "completeness", 1.0, (("min_value", 0.95, "critical"),), (450, 450), "", True),
    Counted(
        "profit_is_revenue_less_budget",
        "consistency",
        0.9555555,
        (("min_value", 0.98, "critical"),),
        (430, 450),
        HOSTILE,
        True,
    ),
    Counted("key_is_unique", "uniqueness", 1.0, (("min_value", 1.0, "critical"),), (450, 450)),
    Counted("volume_is_usual", "volume", 7.25, (("max_value", 4.0, "warning"),), None, "450 rows, 5,000 are usual"),
    Counted(
        "processed_in_time",
        "timeliness",
        1.5,
        (("max_value", 1.0, "warning"), ("max_value", 2.0, "critical")),
        None,
        "1.50 h",
    ),
)
GOOD = (
    Counted("table_completeness", "completeness", 1.0, (("min_value", 0.95, "critical"),), (20, 20)),
    Counted("name_is_known", "completeness", 1.0, (("min_value", 0.95, "critical"),), (20, 20), "", True),
)
CARRIED = (
    Counted("table_completeness", "completeness", 0.99, (("min_value", 0.95, "critical"),), (198, 200)),
    Counted("biography_is_known", "completeness", 0.9, (("min_value", 0.95, "critical"),), (18, 20), "2 of 20", True),
)


def keep(home: Path, run_id: str, table: str, measured_at: str, rules: Sequence[Counted]) -> None:
    """Judge the scores of a table and write what a gate writes."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    import great_expectations as gx
    import great_expectations.expectations as gxe

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas(name="counted").add_dataframe_asset(name=table)
    frame = pd.DataFrame({rule.rule: [rule.score] for rule in rules})
    batch = asset.add_batch_definition_whole_dataframe("scores").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(
        name=table,
        expectations=[_expectation(gxe, rule, place) for rule in rules for place in range(len(rule.bounds))],
        meta={"description": f"What {table} must hold to."},
    )
    result = batch.validate(suite, result_format="BASIC")
    folder = home / "quality" / run_id
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "run_id": run_id,
        "layer": table.partition(".")[0],
        "table_name": table,
        "measured_at": measured_at,
        "suite": suite.to_json_dict(),
        "result": result.to_json_dict(),
    }
    (folder / f"{table}.json").write_text(json.dumps(content))


def _expectation(gxe: Any, rule: Counted, place: int) -> Any:
    limit, value, severity = rule.bounds[place]
    words = "at least" if limit == "min_value" else "at most"
    counts = dict(zip(("numerator", "denominator"), rule.counts or (), strict=False))
    return gxe.ExpectColumnMinToBeBetween(
        column=rule.rule,
        **{limit: value},
        severity=severity,
        description=f"{rule.rule.replace('_', ' ')}: {words} {value:g}",
        meta={
            "rule": rule.rule,
            "dimension": rule.dimension,
            "bound": place,
            "found": rule.found,
            "is_summed": rule.is_summed,
            **counts,
        },
    )
