"""Great Expectations over a Spark frame: the one module that knows it.

It takes seconds to import, so it is imported when a gate is evaluated. It reports to its makers over the network
unless told not to before that, which `_great_expectations` does.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Counts are wanted, samples are not: each would be a further Spark job.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}


@dataclass(frozen=True)
class Expected:
    """One expectation, by its Great Expectations class.

    Args:
        name: by which its result is found again.
        kind: the class, e.g. `ExpectColumnValuesToBeInSet`.
        arguments: what that class takes.
    """

    name: str
    kind: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Counted:
    """What an expectation came to.

    Args:
        success: whether it was met.
        total: rows that it looked at (NULL left out).
        failed: those of them that did not meet it.
        observed: for an expectation on an aggregate, the value; else None.
    """

    success: bool
    total: int
    failed: int
    observed: Any


def validate(frame: "DataFrame", suite_name: str, expected: Sequence[Expected]) -> dict[str, Counted]:
    """Validate a frame against a suite.

    Args:
        frame: what the expectations are about.
        suite_name: names the suite and the data asset.
        expected: the suite; names are unique.

    Returns:
        A result for each name.

    Raises:
        RuntimeError: Great Expectations could not compute an expectation, e.g. of a column that is not there.
    """
    gx, gxe = _great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_spark(name="spark", persist=False)
    asset = source.add_dataframe_asset(name=suite_name)
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(name=suite_name)
    for each in expected:
        suite.add_expectation(getattr(gxe, each.kind)(**each.arguments, meta={"name": each.name}))
    answer = batch.validate(suite, result_format=_RESULT_FORMAT)
    return dict(_counted(result) for result in answer.results)


def _counted(result: Any) -> tuple[str, Counted]:
    name = result.expectation_config.meta["name"]
    if result.exception_info.get("raised_exception") is not False:
        raise RuntimeError(f"Great Expectations could not evaluate {name}: {result.exception_info}")
    found = result.result
    # of an empty frame the counts are None
    total = (found.get("element_count") or 0) - (found.get("missing_count") or 0)
    counted = Counted(
        success=bool(result.success),
        total=total,
        failed=found.get("unexpected_count") or 0,
        observed=found.get("observed_value"),
    )
    return name, counted


def _great_expectations() -> tuple[Any, Any]:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    import great_expectations
    import great_expectations.expectations as expectations

    # At its import this module gives itself a level of its own, lower than its parent's.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.ERROR)
    return great_expectations, expectations
