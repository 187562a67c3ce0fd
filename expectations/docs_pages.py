"""The pages of Data Docs: one style sheet within each, no script, and a policy that lets nothing else be loaded."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from expectations.docs_reading import GateRun, Judged
from expectations.docs_rendered import Line, RenderedValidation, Status, status_of
from expectations.suites import SUMMED, Suite
from lakehouse.clock import instant_text
from lakehouse.scores import score_text

_TEMPLATES = Path(__file__).with_name("templates")

WORDS: dict[Status, str] = {"pass": "passed", "warn": "warning", "fail": "failed"}
"""What a person reads for a status; no page says it by colour alone."""


@dataclass(frozen=True)
class TableRow:
    """A table of a run, for the index."""

    table: str
    href: str
    status: Status
    scores: tuple[str, ...]
    held: int
    of: int


class Pages:
    """Writes pages into one folder.

    Args:
        to: the folder.
        report: where the report is, as seen from the index; empty where there is none.
        suites: the tables whose suite has a page.
    """

    def __init__(self, to: Path, report: str, suites: frozenset[str]) -> None:
        self._to = to
        self._report = report
        self._suites = suites

    def write_index(
        self, runs: Sequence[GateRun], declared: Mapping[str, Suite], older: int, unreadable: Sequence[str]
    ) -> Path:
        """Write the index: every run, the newest first, its tables with verdict and scores."""
        listed = [(run, [self._table_row(run, one, declared.get(one.table)) for one in run.tables]) for run in runs]
        suites = [(table, _suite_place(table)) for table in sorted(self._suites, key=_by_layer)]
        place = "index.html"
        content = {"runs": listed, "suites": suites, "older": older, "unreadable": unreadable, "dimensions": SUMMED}
        return self._write(place, "index.html.j2", "Data Docs", **content)

    def write_validation(self, run: GateRun, one: Judged, rendered: RenderedValidation, declared: Suite | None) -> None:
        """Write what was found of a table in a run."""
        sums = [line for line in rendered.lines if line.is_sum]
        rules = [line for line in rendered.lines if not line.is_sum]
        self._write(
            _validation_place(run, one),
            "validation.html.j2",
            f"{one.table}, run {run.run_id}",
            one=one,
            status=status_of(one, declared),
            sums=sums,
            broken=sorted((line for line in rules if line.status != "pass"), key=lambda line: line.status != "fail"),
            held=_by_dimension([line for line in rules if line.status == "pass"]),
            rendered=rendered,
            suite=_suite_place(one.table) if one.table in self._suites else "",
        )

    def write_suite(
        self,
        one: Judged,
        lines: Sequence[Line],
        declared: Suite | None,
        runs: Sequence[tuple[GateRun, Judged]],
    ) -> None:
        """Write what a suite demands, and the runs that it was held to."""
        history = [
            (run.run_id, its.measured_at, status_of(its, declared), _validation_place(run, its)) for run, its in runs
        ]
        self._write(
            _suite_place(one.table),
            "suite.html.j2",
            f"What {one.table} is held to",
            one=one,
            description=(one.suite.get("meta") or {}).get("description", ""),
            groups=_by_dimension([line for line in lines if not line.is_sum]),
            sums=[line for line in lines if line.is_sum],
            history=history,
            declared=declared,
        )

    def _table_row(self, run: GateRun, one: Judged, declared: Suite | None) -> TableRow:
        results = one.result["results"]
        scores = {
            (result["expectation_config"].get("meta") or {}).get("rule"): (result.get("result") or {}).get(
                "observed_value"
            )
            for result in results
        }
        return TableRow(
            one.table,
            _validation_place(run, one),
            status_of(one, declared),
            tuple(score_text(scores.get(f"table_{dimension}")) for dimension in SUMMED),
            sum(bool(result["success"]) for result in results),
            len(results),
        )

    def _write(self, place: str, template: str, title: str, **content: Any) -> Path:
        depth = place.count("/")
        path = self._to / place
        path.parent.mkdir(parents=True, exist_ok=True)
        up = "../" * depth
        frame = {"title": title, "up": up, "report": f"{up}{self._report}" if self._report else "", "place": place}
        text = self._environment.get_template(template).render(**frame, **content)
        draft = path.with_name(f".{path.name}.draft")
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
        return path

    @cached_property
    def _environment(self) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        style = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
        environment.globals |= {"style": Markup(style), "policy": policy, "words": WORDS}
        environment.filters |= {"instant": instant_text, "foldable": foldable, "href": quote}
        return environment


def foldable(name: str) -> Markup:
    """A name that a narrow window may fold after a dot or an underscore."""
    return Markup("").join(escape(letter) + (Markup("<wbr>") if letter in "._" else Markup("")) for letter in name)


def _validation_place(run: GateRun, one: Judged) -> str:
    return f"runs/{run.run_id}/{one.table}.html"


def _suite_place(table: str) -> str:
    return f"suites/{table}.html"


def _by_layer(table: str) -> tuple[int, str]:
    layer = table.partition(".")[0]
    layers = ("bronze", "silver", "gold")
    return layers.index(layer) if layer in layers else len(layers), table


def _by_dimension(lines: Sequence[Line]) -> list[tuple[str, list[Line]]]:
    """The lines of each dimension, in the order in which the suite has them."""
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.dimension or "other", []).append(line)
    return list(groups.items())
