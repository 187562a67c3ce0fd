"""The page of all runs: how long each took, step by step, and what became of it."""

from collections import defaultdict
from collections.abc import Sequence

import altair as alt

from orchestration.report.charts import (
    PHONE,
    SERIES,
    Chart,
    Column,
    Table,
    colour,
    colours,
    data,
    draw,
    finished,
    lookup,
)
from orchestration.report.facts import Facts, Row
from orchestration.report.quality import status
from orchestration.report.section import Section, section, table_of
from orchestration.report.wording import identifier, moment, seconds, short_instant


def sections(facts: Facts) -> list[Section]:
    """The sections of the page of all runs."""
    return [
        section(
            facts,
            "durations",
            "How long runs took",
            "The cycles, the latest at the right; a run that failed ends early.",
            (("steps_before", lambda rows: _durations(rows, facts.rows("runs"))),),
        ),
        section(facts, "all-runs", "Runs", "", (("runs", _runs),)),
    ]


def _durations(rows: tuple[Row, ...], runs: Sequence[Row]) -> list[Chart]:
    cycles = [row for row in runs if row["kind"] in ("demo", "run", "tmdb_transform")] or list(runs)
    cycles = sorted(cycles, key=lambda row: (row["started_ms"] or 0, row["run_id"]))[-20:]
    of: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of[row["run_id"]].append(row)
    shown = [run for run in cycles if of[run["run_id"]]]
    if not shown:
        return []
    steps = list(
        dict.fromkeys(
            row["step"]
            for row in sorted(
                (row for run in shown for row in of[run["run_id"]]), key=lambda row: (row["step_number"], row["step"])
            )
        )
    )
    tints = [*SERIES, "other", "d6", "d2", "soft"][: len(steps)]
    drawn = [
        {
            "place": place,
            "step": row["step"],
            "order": steps.index(row["step"]),
            "y": (row["seconds"] or 0) / 60,
        }
        for place, run in enumerate(shown)
        for row in of[run["run_id"]]
    ]
    whens = [short_instant(run["started_ms"]) for run in shown]
    # Above the bars of runs that did not succeed stands what became of them.
    ended = [
        {
            "when": f"{place:02}",
            "y": sum(row["seconds"] or 0 for row in of[run["run_id"]]) / 60,
            "text": run["status"],
        }
        for place, run in enumerate(shown)
        if run["status"] != "succeeded"
    ]
    table = Table(
        "Time a step, the latest run first",
        (Column("Run"), Column("Status"), *(Column(step, True) for step in steps), Column("In all", True)),
        tuple(
            (
                moment(run["started_ms"]),
                status(run["status"]),
                *(seconds(_of_step(of[run["run_id"]], step)) for step in steps),
                seconds(run["seconds"]),
            )
            for run in shown[::-1]
        ),
    )

    def make(width: int) -> alt.TopLevelMixin:
        is_narrow = width <= PHONE
        every = max(1, -(-len(shown) // (3 if is_narrow else 12)))
        axis = alt.Axis(
            labelAngle=0,
            labelExpr=lookup({f"{place:02}": when for place, when in enumerate(whens)}),
            values=[f"{place:02}" for place in range(len(shown) - 1, -1, -every)],
            ticks=False,
        )
        x = alt.X("when:N", title="start, UTC", axis=axis, scale=alt.Scale(paddingInner=0.3))
        tint = alt.Color(
            "step:N",
            sort=None,
            scale=alt.Scale(domain=steps, range=colours(tints)),
            legend=alt.Legend(title=None, orient="top", columns=3 if is_narrow else 10, symbolType="square"),
        )
        stacked = (
            alt.Chart(data([row | {"when": f"{row['place']:02}"} for row in drawn]))
            .mark_bar()
            .encode(
                x=x,
                y=alt.Y("y:Q", title="minutes", axis=alt.Axis(tickCount=5)),
                color=tint,
                order=alt.Order("order:Q"),
            )
        )
        marks = (
            alt.Chart(data(ended))
            .mark_text(color=colour("bad"), fontWeight="bold", baseline="bottom", dy=-4)
            .encode(x=x, y="y:Q", text="text:N")
        )
        return finished(alt.layer(stacked, marks) if ended else stacked, width, 260)

    last = shown[-1]
    said = f"The last one took {seconds(last['seconds'])}."
    return [draw("durations", "Minutes a run, by step", said, table, make, span="full")]


def _of_step(rows: Sequence[Row], step: str) -> float | None:
    of = [row["seconds"] or 0 for row in rows if row["step"] == step]
    return sum(of) if of else None


def _runs(rows: tuple[Row, ...]) -> list[Table]:
    return [
        table_of(
            "Runs, the latest first",
            rows,
            (
                ("Start", lambda row: moment(row["started_ms"]), None),
                ("Kind", "kind", None),
                ("Run", lambda row: identifier(row["run_id"]), None),
                ("Status", lambda row: status(row["status"]), None),
                ("Took", "seconds", seconds),
                ("Gold computed for", lambda row: moment(row["as_of_ms"]), None),
                ("What ended it", "error", None),
            ),
        )
    ]
