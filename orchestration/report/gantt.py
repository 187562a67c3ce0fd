"""When each step ran, and the dbt nodes that took longest, on one axis of time."""

from collections.abc import Sequence

import altair as alt

from orchestration.report.charts import PHONE, Chart, colour, colours, data, draw, finished, lookup
from orchestration.report.facts import Row
from orchestration.report.section import table_of
from orchestration.report.wording import plural, seconds, time_of_day

_SLOWEST = 12
_BAD = ("failed", "error", "fail", "runtime error", "killed")
_KINDS = {"step": "c1", "dbt model": "c3", "dbt test": "c7", "other dbt node": "other", "failed": "bad"}


def gantt(steps: Sequence[Row], nodes: Sequence[Row]) -> Chart | None:
    """Draw the run; None where nothing of it has a start.

    Args:
        steps: as the question `steps` gives them.
        nodes: as the question `nodes` gives them.
    """
    timed = [row for row in steps if row["started_ms"] is not None]
    slowest = sorted(
        (row for row in nodes if row["started_ms"] is not None and row["seconds"]),
        key=lambda row: (-row["seconds"], row["node_id"]),
    )[:_SLOWEST]
    slowest.sort(key=lambda row: (row["started_ms"], row["node_id"]))
    shown = [
        *(_shown(row["step"], "step", row) for row in timed),
        *(_shown(row["node_name"], _kind(row["kind"]), row) for row in slowest),
    ]
    if not shown:
        return None
    start = min(row["started_ms"] for row in shown)
    whole = max(row["started_ms"] / 1000 + row["seconds"] for row in shown) - start / 1000
    unit, name = (60, "minutes") if whole > 180 else (1, "seconds")
    drawn = [
        {
            **row,
            "row": f"{place:03}",
            "from": (row["started_ms"] - start) / 1000 / unit,
            "to": ((row["started_ms"] - start) / 1000 + row["seconds"]) / unit,
            "text": seconds(row["seconds"]),
        }
        for place, row in enumerate(shown)
    ]
    longest = max(timed, key=lambda row: row["seconds"] or 0) if timed else None
    says = f"{plural(len(timed), 'step')} and the {plural(len(slowest), 'slowest dbt node')}, over {seconds(whole)}."
    if longest is not None:
        says += f" The longest step is {longest['step']} with {seconds(longest['seconds'])}."
    table = table_of(
        "Steps and slowest dbt nodes",
        drawn,
        (
            ("What", "label", None),
            ("Kind", "said", None),
            ("Status", "status", None),
            ("Start, UTC", "started_ms", time_of_day),
            ("Took", "seconds", seconds),
        ),
    )
    return draw(
        "gantt",
        "When what ran",
        says,
        table,
        lambda width: _drawn(drawn, width, whole / unit, f"{name} since the start"),
        span="full",
    )


def _shown(label: str, kind: str, row: Row) -> Row:
    is_bad = row["status"] in _BAD
    return {
        "label": label,
        "kind": "failed" if is_bad else kind,
        "said": kind,
        "status": row["status"],
        "started_ms": row["started_ms"],
        "seconds": row["seconds"] or 0.0,
    }


def _kind(kind: str) -> str:
    return {"model": "dbt model", "test": "dbt test", "unit_test": "dbt test"}.get(kind, "other dbt node")


def _drawn(drawn: Sequence[Row], width: int, whole: float, title: str) -> alt.TopLevelMixin:
    is_narrow = width <= PHONE
    kinds = [kind for kind in _KINDS if any(row["kind"] == kind for row in drawn)]
    names = {row["row"]: row["label"] for row in drawn}
    # The figure stands behind its bar; where the bar ends far to the right, before it.
    late = "datum.to > " + str(whole * (0.68 if is_narrow else 0.88))
    labels = alt.Axis(
        labelExpr=lookup(names),
        labelColor=colour("text"),
        labelLimit=250,
        ticks=False,
        domain=False,
        grid=False,
        labelPadding=8,
    )
    y = alt.Y("row:N", title=None, sort=None, axis=None if is_narrow else labels)
    axis = alt.Axis(tickCount=4 if is_narrow else 10, grid=True)
    x = alt.X("from:Q", title=title, scale=alt.Scale(domain=[0, whole], nice=False), axis=axis)
    tint = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=kinds, range=colours([_KINDS[kind] for kind in kinds])),
        legend=alt.Legend(title=None, orient="top", columns=2 if is_narrow else 5, symbolType="square"),
    )
    shift = 8 if is_narrow else 0
    base = alt.Chart(data(drawn))
    marks = base.mark_bar(size=12, yOffset=shift, cornerRadius=2, minBandSize=2).encode(y=y, x=x, x2="to:Q", color=tint)
    behind = (
        base.transform_filter(f"!({late})")
        .mark_text(align="left", dx=5, dy=shift + 1)
        .encode(y=y, x="to:Q", text="text:N")
    )
    before = (
        base.transform_filter(late).mark_text(align="right", dx=-5, dy=shift + 1).encode(y=y, x="from:Q", text="text:N")
    )
    layers: list[alt.Chart] = [marks, behind, before]
    if is_narrow:
        layers.append(base.mark_text(align="left", dy=-9, limit=width - 20).encode(y=y, x=alt.value(0), text="label:N"))
    return finished(alt.layer(*layers), width, (38 if is_narrow else 24) * len(drawn))
