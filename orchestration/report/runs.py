"""The pages of one run and of all: what ran, how long it took, what it used, what failed and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass

import markupsafe

from orchestration.report.charts import Table
from orchestration.report.facts import Facts, Row
from orchestration.report.gantt import gantt
from orchestration.report.quality import counts, status
from orchestration.report.resources import resources
from orchestration.report.section import Section, section, table_of
from orchestration.report.wording import bound, count, instant, moment, plural, rule, score, seconds, time_of_day

_GOOD = ("success", "pass")
_LISTED_VERSIONS = 20
_BAD = ("error", "fail", "runtime error", "partial success")


@dataclass(frozen=True)
class Verdict:
    """What a person wants to know first.

    Args:
        kind: good, warn or bad.
        headline: what was published and when, or that nothing was.
        sentences: what else to know of it.
        error: what ended the run; empty where nothing did.
        next_step: what to do about it.
    """

    kind: str
    headline: str
    sentences: tuple[str, ...]
    error: str = ""
    next_step: str = ""


def verdict(facts: Facts) -> Verdict:
    """Tell what became of the run, and what readers of Gold see."""
    run = facts.run
    if run is None:
        return Verdict("warn", "No run is known yet", (facts.missing,), next_step="`lakehouse demo` makes one.")
    versions = facts.rows("publications")
    own = next((row for row in versions if row["publication_id"] == run["run_id"]), None)
    readers = _readers(versions)
    failing = next((row for row in facts.rows("steps") if row["status"] in ("failed", "killed")), None)
    where = f" in {failing['step']}" if failing else ""
    error = run["error"] or (failing["error"] if failing else "") or ""
    next_step = run["next_step"] or ""
    if own is not None:
        headline = f"Gold was published on {instant(own['published_ms'])}"
        told = (
            f"{plural(own['marts'] or 0, 'mart')}, computed for {instant(own['as_of_ms'])}.",
            *_rollback(versions, own),
        )
        if run["status"] == "succeeded":
            return Verdict("good", headline, told)
        afterwards = {
            "failed": f"The run failed{where} afterwards.",
            "killed": f"The run was killed{where} afterwards.",
        }
        return Verdict(
            "bad", headline, (*told, afterwards.get(run["status"], "The run still goes on.")), error, next_step
        )
    if run["status"] == "succeeded":
        return Verdict("good", f"The run succeeded; publishing was no part of it ({run['kind']})", readers)
    if run["status"] == "running":
        return Verdict("warn", "The run still goes on: nothing is published yet", readers)
    what = f"the run failed{where}" if run["status"] == "failed" else f"the run was killed{where}"
    return Verdict("bad", f"Nothing was published: {what}", readers, error, next_step)


def _readers(versions: Sequence[Row]) -> tuple[str, ...]:
    if not versions:
        return ("Nothing was ever published: `gold.*` has no readers' version yet.",)
    last = versions[0]
    content = next((row for row in versions if row["publication_id"] == last["content_of"]), last)
    return (
        f"Readers see the version of {instant(content['published_ms'])}, computed for {instant(content['as_of_ms'])}.",
    )


def _rollback(versions: Sequence[Row], own: Row) -> tuple[str, ...]:
    last = versions[0]
    if last is own or last["content_of"] == own["publication_id"]:
        return ()
    if last["action"] == "rollback":
        return (
            f"It was rolled back on {instant(last['published_ms'])}: readers see the version of {last['content_of']}.",
        )
    return (f"A later one took its place on {instant(last['published_ms'])}.",)


def figures(facts: Facts) -> list[tuple[str, str, str]]:
    """The run in a few figures: (name, figure, what else)."""
    if facts.run is None:
        return []
    steps, nodes, alerts = facts.rows("steps"), facts.rows("nodes"), facts.rows("alerts")
    made: list[tuple[str, str, str]] = [
        ("Took", seconds(facts.run["seconds"]), f"on {facts.run['cores'] or '?'} cores")
    ]
    if steps:
        done = sum(row["status"] == "succeeded" for row in steps)
        made.append(("Steps", f"{done} of {len(steps)}", "succeeded"))
    if nodes:
        bad = sum(row["status"] in _BAD for row in nodes)
        warned = sum(row["status"] == "warn" for row in nodes)
        made.append(("dbt nodes", count(len(nodes)), f"{bad} failed, {warned} warned"))
    rules = counts(facts)
    if rules.rules:
        made.append(("Rules of the gates", count(rules.rules), f"{rules.failed} failed, {rules.warned} warned"))
    critical = sum(row["severity"] == "critical" for row in alerts)
    if facts.run is not None and (alerts or not facts["alerts"].missing.startswith("There is no table")):
        made.append(("Alerts", count(len(alerts)), f"{critical} critical"))
    return made


def sections(facts: Facts) -> list[Section]:
    """The sections of the page of one run."""
    steps, nodes = facts["steps"], facts["nodes"]
    drawn = gantt(steps.rows, nodes.rows)
    return [
        Section(
            "steps",
            "What ran",
            "",
            (drawn,) if drawn else (),
            tuple(_steps(steps.rows)) if steps.rows else (),
            tuple(found.missing for found in (steps, nodes) if found.missing),
        ),
        section(facts, "failed-nodes", "dbt nodes that failed or warned", "", (("nodes", _troubled),), "None."),
        resources(facts),
        section(facts, "alerts", "Alerts", "", (("alerts", _alerts),)),
        section(facts, "publications", "Published versions", "", (("publications", _publications),)),
    ]


def _steps(rows: Sequence[Row]) -> list[Table]:
    return [
        table_of(
            "Steps",
            rows,
            (
                ("Step", "step", None),
                ("Status", lambda row: status(row["status"]), None),
                ("Start, UTC", "started_ms", time_of_day),
                ("Took", "seconds", seconds),
                ("Said", lambda row: row["error"] or row["findings"], None),
            ),
        )
    ]


def _troubled(rows: tuple[Row, ...]) -> list[Table]:
    troubled = [row for row in rows if row["status"] not in _GOOD]
    order = {name: place for place, name in enumerate((*_BAD, "warn"))}
    troubled.sort(key=lambda row: (order.get(row["status"], 9), row["node_id"]))
    if not troubled:
        return []
    return [
        table_of(
            "dbt nodes that failed, warned or were skipped",
            troubled[:60],
            (
                ("Node", "node_name", None),
                ("Kind", "kind", None),
                ("Status", lambda row: status(row["status"]), None),
                ("Rows", "failures", count),
                ("Took", "seconds", seconds),
                ("Message", "message", None),
            ),
        )
    ]


def _alerts(rows: tuple[Row, ...]) -> list[Table]:
    return [
        table_of(
            plural(len(rows), "alert"),
            rows,
            (
                ("Severity", lambda row: status(row["severity"]), None),
                ("About", "subject", None),
                ("Rule", lambda row: rule(row["rule"]), None),
                ("What is wrong", "message", None),
                ("Measured", "score", score),
                ("Threshold", "threshold", bound),
                ("Told", lambda row: row["status"] + (f": {row['channels']}" if row["channels"] else ""), None),
                ("To look closer", lambda row: markupsafe.Markup("<code>{}</code>").format(row["command"] or ""), None),
            ),
        )
    ]


def _publications(rows: tuple[Row, ...]) -> list[Table]:
    return [
        table_of(
            "Versions of Gold, the latest first",
            rows[:_LISTED_VERSIONS],
            (
                ("Published", lambda row: moment(row["published_ms"]), None),
                ("What", "action", None),
                ("Version", "publication_id", None),
                ("Readers see", "content_of", None),
                ("Computed for", lambda row: moment(row["as_of_ms"]), None),
                ("Marts", "marts", count),
            ),
        )
    ]
