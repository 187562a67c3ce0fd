"""What journals say of runs, for the terminal: the last ones in lines, one in detail, and the state of things."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lakehouse.ops.journal import Row, RunFacts
from lakehouse.scores import told_score
from lakehouse.terminal import table

_COLOURS = {
    "succeeded": "green",
    "success": "green",
    "pass": "green",
    "running": "cyan",
    "warn": "yellow",
    "warning": "yellow",
    "waiting": "yellow",
}
_MOST = 10
_DBT_GOOD = {"success", "pass", "skipped", "no-op"}


def duration(seconds: float | None) -> str:
    """A time span as a person says it: `12.3 s`, `3 min 20 s`, `1 h 02 min`; empty where it is not known."""
    if seconds is None:
        return ""
    if seconds < 120:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 7200:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def instant(at: datetime | None) -> str:
    """An instant to the minute, UTC; empty where it is not known."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" if at else ""


def coloured(status: str | None) -> str:
    """A status in its colour: green is good, yellow is to be looked at, red is bad."""
    return f"[{_COLOURS.get(status or '', 'red')}]{status or ''}[/]"


def plain(text: str | None) -> str:
    """A text in which nothing is taken for a colour."""
    return (text or "").replace("[", r"\[")


def run_table(runs: Sequence[RunFacts]) -> Table:
    """A line a run: which, when, how it ended, how long it took, and its slowest step or the one that failed."""
    rows = []
    for facts in runs:
        run, steps = facts.run, facts.rows("steps")
        bad = next((row for row in steps if row["status"] in ("failed", "killed")), None)
        slowest = max(steps, key=lambda row: row.get("seconds") or 0, default=None)
        told = ""
        if bad is not None:
            told = f"[red]{bad['status']} in {bad['step']}[/]"
        elif slowest is not None and slowest.get("seconds") is not None:
            told = f"{slowest['step']} {duration(slowest['seconds'])}"
        rows.append(
            (facts.run_id, instant(run["started_at"]), coloured(run["status"]), duration(run.get("seconds")), told)
        )
    return table("", ["run", "began (UTC)", "outcome", "took", "worst step"], rows, right=["took"])


def run_detail(facts: RunFacts) -> Iterator[RenderableType]:
    """Everything that is worth knowing of one run."""
    run = facts.run
    yield f"[bold]{facts.run_id}[/]  {run['kind']}, {coloured(run['status'])}"
    ended = f" to {instant(run['finished_at'])} UTC, {duration(run.get('seconds'))}" if run.get("finished_at") else ""
    yield f"from {instant(run['started_at'])}{ended}"
    if run.get("as_of"):
        yield f"Gold as of {instant(run['as_of'])} UTC"
    yield from _failure(run)
    for title, section in (
        ("Steps", _steps(facts)),
        ("Slowest dbt nodes", _slowest_nodes(facts)),
        ("dbt nodes that failed or warned", _bad_nodes(facts)),
        ("Quality", _quality(facts)),
        ("Slowest Spark stages", _stages(facts)),
        ("Resources", _resources(facts)),
        ("Alerts", _alerts(facts.rows("alerts"))),
    ):
        if section is not None:
            section.title = title
            yield ""
            yield section


def _failure(run: Row) -> Iterator[RenderableType]:
    if run.get("error"):
        yield f"[red]{plain(run['error'])}[/]"
    if run.get("next_step"):
        yield plain(run["next_step"])


def _steps(facts: RunFacts) -> Table | None:
    rows = [
        (row["step"], coloured(row["status"]), duration(row.get("seconds")), plain(_said(row)))
        for row in facts.rows("steps")
    ]
    return table("", ["step", "outcome", "took", "it said"], rows, right=["took"]) if rows else None


def _said(step: Row) -> str:
    return step.get("error") or "; ".join(step.get("findings") or ())


def _slowest_nodes(facts: RunFacts) -> Table | None:
    ran = [row for row in facts.rows("dbt_results") if row.get("started_at")]
    rows = [
        (row["node_name"], row["kind"], coloured(row["status"]), duration(row["seconds"]))
        for row in sorted(ran, key=lambda row: -row["seconds"])[:_MOST]
    ]
    return table("", ["node", "kind", "outcome", "took"], rows, right=["took"]) if rows else None


def _bad_nodes(facts: RunFacts) -> Table | None:
    rows = [
        (row["node_name"], row["kind"], coloured(row["status"]), plain((row.get("message") or "")[:300]))
        for row in facts.rows("dbt_results")
        if row["status"] not in _DBT_GOOD
    ]
    return table("", ["node", "kind", "outcome", "message"], rows) if rows else None


def _quality(facts: RunFacts) -> Table | None:
    """What does not pass; and of each layer and dimension the table with the lowest sum."""
    scores = facts.rows("quality_metrics")
    sums: dict[tuple[Any, Any], list[Row]] = {}
    for row in scores:
        if row["rule"].startswith("table_"):
            sums.setdefault((row.get("layer"), row["rule"]), []).append(row)
    lowest = [min(of, key=lambda row: (_as_number(row.get("score")), row["table_name"])) for of in sums.values()]
    shown = [row for row in scores if row.get("status") != "pass" or row in lowest]
    rows = [
        (
            row["table_name"],
            row["rule"],
            _score(row),
            "" if row.get("threshold") is None else f"{row['threshold']:.4f}",
            coloured(row["status"]),
            f"the lowest of {len(sums[row.get('layer'), row['rule']])}" if row in lowest else "",
        )
        for row in shown
    ]
    columns = ["table", "rule", "score", "bound", "outcome", ""]
    return table("", columns, rows, right=["score", "bound"]) if rows else None


def _as_number(score: float | None) -> float:
    return 1.0 if score is None else score


def _score(row: Row) -> str:
    score = row.get("score")
    return "" if score is None else told_score(score, row.get("threshold"), row.get("status") == "pass")


def _stages(facts: RunFacts) -> Table | None:
    stages = sorted(facts.rows("stage_metrics"), key=lambda row: -row["seconds"])[: _MOST // 2]
    rows = [
        (
            f"{row['application_name']} {row['stage_id']}",
            plain(re.sub(r"\s+", " ", row["name"])[:40]),
            duration(row["seconds"]),
            row.get("tasks"),
            row.get("failed_tasks"),
            _bytes(row.get("spilled_bytes")),
        )
        for row in stages
    ]
    columns = ["stage", "call", "took", "tasks", "failed", "spilled"]
    return table("", columns, rows, right=columns[2:]) if rows else None


def _bytes(count: int | None) -> str:
    if count is None:
        return ""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:,}"


def _resources(facts: RunFacts) -> Table | None:
    rows = [
        (
            row["resource"],
            "" if row.get("peak_memory_mb") is None else f"{row['peak_memory_mb']:,.0f} MiB",
            duration(row.get("cpu_seconds")),
            "" if row.get("used_share") is None else f"{row['used_share']:.1%}",
            _bytes(row.get("capacity_bytes")),
        )
        for row in facts.rows("resources")
    ]
    columns = ["resource", "peak memory", "CPU", "in use", "of"]
    return table("", columns, rows, right=columns[1:]) if rows else None


def _alerts(alerts: Iterable[Row]) -> Table | None:
    rows = [
        (coloured(row.get("severity")), row.get("subject"), plain(row.get("message")), row.get("status"))
        for row in alerts
    ]
    return table("", ["severity", "about", "message", "told"], rows) if rows else None


def state(runs: Sequence[RunFacts], alerts: Sequence[Row]) -> Iterator[RenderableType]:
    """The last run, what is published, the quality that was measured last, and which alerts wait.

    Args:
        runs: newest first.
        alerts: the alerts of all journals, each as it was told last.
    """
    if not runs:
        yield _line("last run", "none yet: `lakehouse demo` makes one")
        return
    run = runs[0].run
    took = f" after {duration(run['seconds'])}" if run.get("seconds") is not None else ""
    yield _line(
        "last run", f"{coloured(run['status'])}{took}: {runs[0].run_id}, began {instant(run['started_at'])} UTC"
    )
    for said in _failure(run):
        yield _line("", str(said))
    yield _line("published", _published(runs))
    yield from _quality_state(runs)
    waiting = [alert for alert in alerts if alert.get("status") == "waiting"]
    yield _line("alerts", f"{_count(len(waiting), 'waits', 'wait')} for the digest" if waiting else "none waits")
    for alert in waiting[:_MOST]:
        yield _line("", f"{coloured(alert.get('severity'))} {plain(alert.get('message'))}")


def _line(what: str, said: str) -> RenderableType:
    """A name and what is said of it, which may take several lines of its own column."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=10)
    grid.add_column(overflow="fold")
    grid.add_row(Text(what, style="bold"), said)
    return grid


def _count(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _published(runs: Sequence[RunFacts]) -> str:
    told = [row for facts in runs for row in facts.rows("publications") if row.get("published_at")]
    if not told:
        return "nothing that a journal knows of"
    last = max(told, key=lambda row: row["published_at"])
    of = last.get("content_of") or last["publication_id"]
    how = f", given back by {last['publication_id']}" if of != last["publication_id"] else ""
    as_of = f", Gold as of {instant(last['as_of'])}" if last.get("as_of") else ""
    return f"the version of {of}{how}, since {instant(last['published_at'])} UTC{as_of}"


def _quality_state(runs: Sequence[RunFacts]) -> Iterator[RenderableType]:
    facts = next((facts for facts in runs if facts.rows("quality_metrics")), None)
    if facts is None:
        yield _line("quality", "not measured yet: `lakehouse gate` does")
        return
    rows = facts.rows("quality_metrics")
    low = [row for row in rows if row.get("status") == "fail"]
    warned = sum(row.get("status") == "warn" for row in rows)
    tables = len({row["table_name"] for row in rows})
    said = (
        f"[red]{_count(len(low), 'score is', 'scores are')} below the bound[/]"
        if low
        else "[green]all bounds are held[/]"
    )
    aside = f", {_count(warned, 'rule warns', 'rules warn')}" if warned else ""
    yield _line("quality", f"{said} in {_count(tables, 'table', 'tables')}{aside} ({facts.run_id})")
    for row in low[:_MOST]:
        least = f", at least {row['threshold']:g}" if row.get("threshold") is not None else ""
        yield _line("", f"{row['table_name']} {row['rule']} {_score(row)}".rstrip() + least)
    if len(low) > _MOST:
        yield _line("", f"and {len(low) - _MOST} more: `lakehouse history --run {facts.run_id}`")


def as_json(facts: RunFacts) -> dict[str, Any]:
    """A run as values that JSON can hold: its row, and its rows of each table."""
    tables = {name: rows for name, rows in facts.tables.items() if name not in ("runs", "process")}
    return {**facts.run, **tables}
