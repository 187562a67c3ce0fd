"""Great Expectations judges the counted scores: the one module that knows it.

It is given a frame of one row, a column a rule, which holds the score; and for each bound of a rule an expectation. So
its verdict costs the same whatever the tables hold. It takes seconds to import, so it is imported when a gate is run;
and it reports to its makers over the network unless told not to before that, which `great_expectations` does.
"""

import logging
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from expectations.suites import Suite
from expectations.verdict import Bound, Measured


@dataclass(frozen=True)
class Verdict:
    """What Great Expectations said of a table.

    Args:
        broken: rule -> those of its bounds that are not met.
        suite: its suite, as JSON.
        result: its validation result, as JSON.
    """

    broken: dict[str, tuple[Bound, ...]]
    suite: dict[str, Any]
    result: dict[str, Any]


def great_expectations() -> tuple[Any, Any]:
    """Import Great Expectations and its expectations, quiet and without telemetry."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    import great_expectations
    import great_expectations.expectations as expectations

    # At its import this module gives itself a level of its own, lower than its parent's.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.ERROR)
    return great_expectations, expectations


class Judge:
    """An ephemeral context, in which table after table is judged."""

    def __init__(self) -> None:
        self._gx, self._expectations = great_expectations()
        self._context = self._gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False}
        self._source = self._context.data_sources.add_pandas(name="counted")

    def judge(self, suite: Suite, rules: Sequence[Measured]) -> Verdict:
        """Hold each measure to its bounds.

        Raises:
            RuntimeError: Great Expectations could not compute an expectation, or a measure is no number.
        """
        odd = [rule.rule for rule in rules if math.isnan(rule.measure)]
        if odd:
            raise RuntimeError(f"{suite.table}: could not judge {', '.join(odd)}, which came to no number")
        frame = pd.DataFrame({rule.rule: [float(rule.measure)] for rule in rules})
        asset = self._source.add_dataframe_asset(name=suite.table)
        batch = asset.add_batch_definition_whole_dataframe("scores").get_batch({"dataframe": frame})
        expected = self._gx.ExpectationSuite(
            name=suite.table,
            expectations=[self._expectation(rule, bound) for rule in rules for bound in rule.bounds],
            meta={"description": suite.description},
        )
        answer = batch.validate(expected, result_format="BASIC")
        # the same table may be judged again
        self._source.delete_asset(suite.table)
        broken: dict[str, list[Bound]] = {}
        for result in answer.results:
            config = result.expectation_config
            if result.exception_info.get("raised_exception") is not False:
                raise RuntimeError(f"Great Expectations could not judge {config.meta}: {result.exception_info}")
            if not result.success:
                rule, place = config.meta["rule"], config.meta["bound"]
                broken.setdefault(rule, []).append(next(r for r in rules if r.rule == rule).bounds[place])
        return Verdict(
            {rule: tuple(bounds) for rule, bounds in broken.items()}, expected.to_json_dict(), answer.to_json_dict()
        )

    def _expectation(self, rule: Measured, bound: Bound) -> Any:
        """The rule's score, the least value of its column, within the bound; described by rule and bound."""
        limit = {"min_value": bound.value} if bound.is_least else {"max_value": bound.value}
        words = rule.rule.replace("_", " ")
        counted = {"numerator": rule.numerator, "denominator": rule.denominator}
        return self._expectations.ExpectColumnMinToBeBetween(
            column=rule.rule,
            **limit,
            severity=bound.severity,
            description=f"{words}: {'at least' if bound.is_least else 'at most'} {bound.value:g}",
            meta={
                "rule": rule.rule,
                "dimension": rule.dimension,
                "bound": rule.bounds.index(bound),
                "is_summed": rule.is_summed,
                "found": rule.says,
                **{name: count for name, count in counted.items() if count is not None},
            },
        )
