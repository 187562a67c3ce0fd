"""What Great Expectations' renderers make of a suite and of a validation result, for our pages to lay out."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from markupsafe import Markup

from expectations.docs_reading import Judged
from expectations.docs_words import block_html, words_html
from expectations.judge import great_expectations
from expectations.suites import SUMMED, Rule, Suite
from lakehouse.clock import instant_text

Status = Literal["pass", "warn", "fail"]

_NOTHING = Markup("")
_NO_SHARES = ("volume", "timeliness", "drift")


@dataclass(frozen=True)
class Line:
    """An expectation, and what came of it.

    Args:
        rule: the rule that it is of.
        dimension: completeness, ...; of a sum too.
        severity: critical or warning.
        demanded: in Great Expectations' words.
        reason: what is wrong with a row that breaks the rule; empty where the suite does not say.
        sql: what must hold, of the suite as it is now.
        status: pass, warn (told, the gate stays open) or fail; of a suite's line, pass.
        observed: in Great Expectations' words.
        counted: numerator and denominator, in words.
        found: what the gate said.
    """

    rule: str
    dimension: str
    severity: str
    demanded: Markup
    reason: str = ""
    sql: str = ""
    status: Status = "pass"
    observed: Markup = _NOTHING
    counted: str = ""
    found: str = ""

    @property
    def is_sum(self) -> bool:
        """Whether it is of the sum of a table's rules in a dimension."""
        return self.rule.startswith("table_")


@dataclass(frozen=True)
class RenderedValidation:
    """A validation result: its lines, and Great Expectations' own tables of statistics and of the run."""

    lines: tuple[Line, ...]
    statistics: tuple[Markup, ...]
    about: tuple[Markup, ...]


class Unrenderable(Exception):
    """What a gate left behind is JSON, but no suite or result that Great Expectations could render."""


@contextmanager
def _told_as_unrenderable() -> Iterator[None]:
    great_expectations()
    from great_expectations.exceptions import GreatExpectationsError
    from marshmallow import ValidationError

    its_own = (GreatExpectationsError, ValidationError)
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, *its_own) as error:
        raise Unrenderable(f"{type(error).__name__}: {error}") from error


@_told_as_unrenderable()
def rendered_validation(one: Judged, declared: Suite | None) -> RenderedValidation:
    """Render a validation result.

    Raises:
        Unrenderable: it is none, or of a version that cannot be rendered.
    """
    from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResultSchema
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer

    run = {"run_name": one.run_id, "run_time": instant_text(one.measured_at)}
    named = {**one.result, "meta": {**(one.result.get("meta") or {}), "run_id": run}}
    loaded = ExpectationSuiteValidationResultSchema().load(named)
    overview, *sections, run_info = ValidationResultsPageRenderer(run_info_at_end=True).render(loaded).sections
    rows = _rows_by_column(section.to_json_dict() for section in sections)
    lines = [
        _line(result["expectation_config"], declared, demanded=expectation, observed=observed, result=result)
        for result, (_, expectation, observed) in _beside(one.result["results"], rows, "expectation_config")
    ]
    return RenderedValidation(
        _with_statuses(lines, one.result["results"], declared),
        _tables(overview.to_json_dict()),
        _tables(run_info.to_json_dict()),
    )


@_told_as_unrenderable()
def rendered_suite(one: Judged, declared: Suite | None) -> tuple[Line, ...]:
    """Render what a suite demands.

    Raises:
        Unrenderable: it is none, or of a version that cannot be rendered.
    """
    from great_expectations.core.expectation_suite import ExpectationSuite
    from great_expectations.render.renderer.page_renderer import ExpectationSuitePageRenderer

    given = one.suite
    suite = ExpectationSuite(name=given["name"], expectations=given["expectations"], meta=dict(given.get("meta") or {}))
    _, *sections = ExpectationSuitePageRenderer().render(suite).sections
    items: dict[str, list[list[Any]]] = {}
    for section in (section.to_json_dict() for section in sections):
        bullets = [item for block in section["content_blocks"] for item in block.get("bullet_list", ())]
        items[section["section_name"]] = [[item] for item in bullets if not _is_rule_of_page(item)]
    return tuple(
        _line(config, declared, demanded=item) for config, (item,) in _beside(given["expectations"], items, None)
    )


def status_of(one: Judged, declared: Suite | None) -> Status:
    """The verdict on a table: the worst of its lines; needs no renderer."""
    statuses = set(_statuses(one.result["results"], declared))
    return "fail" if "fail" in statuses else "warn" if "warn" in statuses else "pass"


def _line(
    config: dict[str, Any], declared: Suite | None, demanded: Any, observed: Any = "", result: Any = None
) -> Line:
    meta = config.get("meta") or {}
    rule = _declared_rule(declared, meta.get("rule", ""))
    return Line(
        rule=str(meta.get("rule", "")),
        dimension=str(meta.get("dimension", "")),
        severity=str(config.get("severity") or "critical"),
        demanded=words_html(demanded),
        reason=getattr(rule, "reason", ""),
        sql=_sql_of(rule),
        observed=words_html(observed) if result is not None else _NOTHING,
        counted=_counted(meta),
        found=str(meta.get("found") or ""),
    )


def _with_statuses(
    lines: Sequence[Line], results: Sequence[dict[str, Any]], declared: Suite | None
) -> tuple[Line, ...]:
    statuses = _statuses(results, declared)
    return tuple(replace(line, status=status) for line, status in zip(lines, statuses, strict=True))


def _statuses(results: Sequence[dict[str, Any]], declared: Suite | None) -> list[Status]:
    """As the gate decides: a rule that is added up to its table's sum fails only where the sum does."""
    configs = [(result["success"], result["expectation_config"]) for result in results]
    metas = [config.get("meta") or {} for _, config in configs]
    low_sums = {
        meta.get("dimension")
        for (success, _), meta in zip(configs, metas, strict=True)
        if not success and str(meta.get("rule", "")).startswith("table_")
    }
    statuses: list[Status] = []
    for (success, config), meta in zip(configs, metas, strict=True):
        is_carried = _is_summed(meta, declared) and meta.get("dimension") not in low_sums
        is_critical = (config.get("severity") or "critical") == "critical"
        statuses.append("pass" if success else "fail" if is_critical and not is_carried else "warn")
    return statuses


def _is_summed(meta: dict[str, Any], declared: Suite | None) -> bool:
    if "is_summed" in meta:
        return bool(meta["is_summed"])
    rule = _declared_rule(declared, meta.get("rule", ""))
    return rule is not None and rule.dimension in SUMMED and rule.least is None and rule.severity == "critical"


def _declared_rule(declared: Suite | None, name: str) -> Rule | None:
    return next((rule for rule in declared.rules if rule.name == name), None) if declared else None


def _sql_of(rule: Rule | None) -> str:
    """What must hold, as the suite says it; empty for what needs no SQL."""
    if rule is None:
        return ""
    for attribute in ("holds", "never_falls", "broken_by", "hours", "bins"):
        if text := getattr(rule, attribute, ""):
            where = getattr(rule, "where", "")
            return f"{attribute}: {text}" + (f"\nwhere: {where}" if where else "")
    if columns := getattr(rule, "unique", ()):
        return f"unique: {', '.join(columns)}"
    if of := getattr(rule, "of", ""):
        return f"{getattr(rule, 'column', '')} in {of}.{getattr(rule, 'of_column', '')}"
    return ""


def _counted(meta: dict[str, Any]) -> str:
    """Numerator and denominator of a share; of a volume, a delay and a drift there is none."""
    numerator, denominator = meta.get("numerator"), meta.get("denominator")
    if meta.get("dimension") in _NO_SHARES or numerator is None or denominator is None:
        return ""
    return f"{numerator:,} of {denominator:,}"


def _rows_by_column(sections: Iterator[dict[str, Any]]) -> dict[str, list[list[Any]]]:
    return {
        section["section_name"]: [row for block in section["content_blocks"] for row in block.get("table", ())]
        for section in sections
    }


def _beside(
    expectations: Sequence[dict[str, Any]], rendered: dict[str, list[list[Any]]], within: str | None
) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """Each expectation with what was rendered of it: renderers group by column and keep the order within one.

    Raises:
        ValueError: there is more or less rendered than there are expectations.
    """
    left = defaultdict(list, {column: list(rows) for column, rows in rendered.items()})
    for expectation in expectations:
        column = (expectation[within] if within else expectation)["kwargs"].get("column", "Table-Level Expectations")
        if not left[column]:
            raise ValueError(f"Great Expectations has rendered nothing of an expectation on {column}.")
        yield expectation, left[column].pop(0)
    over = {column: len(rows) for column, rows in left.items() if rows}
    if over:
        raise ValueError(f"Great Expectations has rendered more than was asked: {over}.")


def _is_rule_of_page(item: Any) -> bool:
    return isinstance(item, dict) and item.get("string_template", {}).get("tag") == "hr"


def _tables(section: dict[str, Any]) -> tuple[Markup, ...]:
    return tuple(block_html(block) for block in section["content_blocks"] if block["content_block_type"] == "table")
