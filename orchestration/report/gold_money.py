"""What Gold says of the box office."""

from collections.abc import Sequence

import altair as alt

from orchestration.report.charts import Chart, Table, colour, data, draw, finished, line_layer
from orchestration.report.facts import Facts, Row
from orchestration.report.section import Section, section, table_of
from orchestration.report.wording import change, count, decimal, dollars


def sections(facts: Facts) -> list[Section]:
    """The section on money."""
    return [
        section(
            facts,
            "box-office",
            "Box office",
            "Revenue counts in the month in which a movie came out, where it is known.",
            (("box_office", _box_office), ("growth", _growth)),
            "No movie is known of a month or a year that is over.",
        ),
    ]


def _box_office(rows: tuple[Row, ...]) -> list[Chart | Table]:
    whole = [row for row in rows if not row["is_partial_month"]]
    known = [row for row in whole if row["rolling_12m_revenue"] is not None]
    if not whole:
        return []
    table = table_of(
        "Box office by month, the latest first",
        whole[::-1],
        (
            ("Month", lambda row: row["month"][:7], None),
            ("Movies", "total_movies", count),
            ("Revenue", "total_revenue", dollars),
            ("12 months", "rolling_12m_revenue", dollars),
            ("Change", "rolling_12m_growth", change),
            ("Largest", "top_movie_title", None),
            ("Its revenue", "top_movie_revenue", dollars),
        ),
    )
    if not known:
        return [table]
    last = known[-1]
    told = f"{dollars(last['rolling_12m_revenue'])} in the twelve months to {last['month'][:7]}"
    grew = (
        ""
        if last["rolling_12m_growth"] is None
        else f", {change(last['rolling_12m_growth'])} against the twelve before"
    )

    def make(width: int) -> alt.TopLevelMixin:
        monthly = [
            {"x": row["month"], "y": row["total_revenue"] / 1e9} for row in whole if row["total_revenue"] is not None
        ]
        rolling = [{"x": row["month"], "series": "", "y": row["rolling_12m_revenue"] / 1e9} for row in known]
        columns = (
            alt.Chart(data(monthly))
            .mark_bar(color=colour("c1"), opacity=0.35, size=max(1.5, (width - 60) / max(1, len(whole)) - 1.5))
            .encode(x=alt.X("x:T", title=None), y=alt.Y("y:Q"))
        )
        line = line_layer(rolling, width, "billion US dollars", tints=("c1",), zero=True, is_date=True)
        return finished(alt.layer(columns, line), width, 250)

    return [
        draw(
            "box-office-months",
            "Revenue: twelve months (line) and each month (bars)",
            f"{told}{grew}.",
            table,
            make,
            span="full",
        )
    ]


def _growth(rows: tuple[Row, ...]) -> list[Chart]:
    whole = [row for row in rows if not row["is_partial_year"]]
    if not whole:
        return []
    table = table_of(
        "Years, the latest first",
        whole[::-1],
        (
            ("Year", lambda row: str(row["release_year"]), None),
            ("Movies", "total_movies", count),
            ("Change", "movies_growth", change),
            ("Mean rating", "avg_rating", decimal),
            ("Revenue", "total_revenue", dollars),
            ("Change", "revenue_growth", change),
        ),
    )
    last = whole[-1]
    return [
        draw(
            f"years-{name}",
            title,
            f"{last['release_year']}: {write(last[measure])}, {change(last[grown])} against the year before.",
            table,
            lambda width, measure=measure, unit=unit, label=label: _years(whole, measure, unit, label, width),  # type: ignore[misc]
        )
        for name, title, measure, grown, unit, label, write in (
            ("movies", "Movies a year", "total_movies", "movies_growth", 1, "movies", count),
            ("revenue", "Revenue a year", "total_revenue", "revenue_growth", 1e9, "billion US dollars", dollars),
        )
        if any(row[measure] is not None for row in whole)
    ]


def _years(rows: Sequence[Row], measure: str, unit: float, label: str, width: int) -> alt.TopLevelMixin:
    drawn = [{"x": row["release_year"], "y": (row[measure] or 0) / unit} for row in rows]
    bar = max(2, (width - 70) / max(1, len(rows)) * 0.72)
    chart = (
        alt.Chart(data(drawn))
        .mark_bar(color=colour("c1"), size=bar, cornerRadiusEnd=1)
        .encode(
            x=alt.X(
                "x:Q",
                title=None,
                axis=alt.Axis(format="d", grid=False, tickCount=5),
                scale=alt.Scale(zero=False, nice=False, padding=bar / 2 + 2),
            ),
            y=alt.Y("y:Q", title=label, axis=alt.Axis(tickCount=5)),
        )
    )
    return finished(chart, width, 220)
