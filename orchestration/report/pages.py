"""The pages: what the sections hold, set in the templates beside this file."""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import markupsafe
from altair.utils.schemapi import debug_mode

from orchestration import offline
from orchestration.report import gold_genres, gold_money, gold_network, gold_rankings, history, quality, runs
from orchestration.report.facts import Facts
from orchestration.report.wording import instant, machine_instant

_TEMPLATES = Path(__file__).parent / "templates"
_BACKTICKS = re.compile(r"`([^`]+)`")

PAGES = (
    ("index.html", "This run"),
    ("quality.html", "Quality"),
    ("gold.html", "What Gold says"),
    ("runs.html", "All runs"),
)

# No script, and no style but the page's own.
_POLICY = "default-src 'none'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class Link:
    """A link to pages that others made.

    Args:
        address: relative to the report.
        title: what it says.
        what: what one finds there.
    """

    address: str
    title: str
    what: str


def render(facts: Facts, links: Sequence[Link]) -> dict[str, str]:
    """Make every page.

    Args:
        facts: what they tell.
        links: to what lies beside them.

    Returns:
        The pages by file name.

    Raises:
        LakehouseError: a page would load something from a network.
    """
    style = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    run = facts.run or {}
    shared = {
        "pages": PAGES,
        "links": links,
        "style": markupsafe.Markup(style),
        "policy": _POLICY.format(digest),
        "run": facts.run,
        "at": instant(run.get("finished_ms") or run.get("started_ms")),
        "at_machine": machine_instant(run.get("finished_ms") or run.get("started_ms")),
        "dates": facts.rows("dates")[0] if facts.rows("dates") else None,
    }
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["code"] = _code
    templates.filters["instant"] = instant
    made = {}
    # Altair would validate each part of each chart as it is made, which takes longer than drawing it.
    with debug_mode(False):
        values = _values(facts)
    for name, shown in values:
        made[name] = templates.get_template(name).render(current=name, **shared, **shown)
        offline.check(name, made[name])
    return made


def _values(facts: Facts) -> tuple[tuple[str, dict[str, Any]], ...]:
    """What each page shows."""
    return (
        (
            "index.html",
            {"sections": runs.sections(facts), "verdict": runs.verdict(facts), "figures": runs.figures(facts)},
        ),
        ("quality.html", {"sections": quality.sections(facts), "counts": quality.counts(facts)}),
        (
            "gold.html",
            {
                "sections": [
                    *gold_genres.sections(facts),
                    *gold_money.sections(facts),
                    *gold_rankings.sections(facts),
                    *gold_network.sections(facts),
                ]
            },
        ),
        ("runs.html", {"sections": history.sections(facts)}),
    )


def _code(text: str) -> markupsafe.Markup:
    """A sentence with what stands between backticks as code."""
    return markupsafe.Markup(_BACKTICKS.sub(r"<code>\1</code>", str(markupsafe.escape(text))))
