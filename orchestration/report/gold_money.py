"""What Gold says of the box office, of what is trending, and of who is best."""

from collections.abc import Sequence

import altair as alt

from orchestration.report.charts import Chart, bars, colour, data, draw, finished, line_layer
from orchestration.report.facts import Facts, Row
from orchestration.report.section import Section, section, table_of
from orchestration.report.wording import NOTHING, change, count, decimal, dollars, share, signed

_WINDOWS = {"7d": "7 days", "30d": "30 days", "90d": "90 days"}


def sections(facts: Facts) -> list[Section]:
    """The sections on money, trends and rankings."""
    return [
        section(
            facts,
            "box-office",
            "Box office",
            "Revenue counts in the month in which a movie came out, where it is known.",
            (("box_office", _box_office), ("growth", _growth)),
        ),
        section(
            facts,
            "trending",
            "Trending now",
            "Half of a score is how fast popularity rises, three tenths how far it rose, two tenths how the rating "
            "moved; each as its rank among all movies of the window, 100 the best.",
            (("trending", _trending),),
        ),
        section(
            facts,
            "rankings",
            "Rankings",
            "By weighted rating: few votes draw a movie's rating to the mean of all.",
            (
                ("directors", lambda rows: [_ranked("directors", "Directors", "director_rank", "person_name", rows)]),
                ("studios", lambda rows: [_ranked("studios", "Studios", "studio_rank", "company_name", rows)]),
                ("best_movies", _best),
                ("richest_movies", _richest),
            ),
        ),
    ]


def _box_office(rows: tuple[Row, ...]) -> list[Chart]:
    whole = [row for row in rows if not row["is_partial_month"]]
    known = [row for row in whole if row["rolling_12m_revenue"] is not None]
    if not known:
        return []
    last = known[-1]
    told = f"{dollars(last['rolling_12m_revenue'])} in the twelve months to {last['month'][:7]}"
    grew = (
        ""
        if last["rolling_12m_growth"] is None
        else f", {change(last['rolling_12m_growth'])} against the twelve before"
    )
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


def _trending(rows: tuple[Row, ...]) -> list[Chart]:
    charts = []
    for window, name in _WINDOWS.items():
        of = [row for row in rows if row["trend_window"] == window]
        if not of:
            continue
        table = table_of(
            f"Trending over {name}",
            of,
            (
                ("Rank", "place", count),
                ("Movie", "title", None),
                ("Score", "trend_score", lambda value: decimal(value, 1)),
                ("Velocity a day", "velocity", lambda value: signed(value, 4)),
                ("Popularity", "last_popularity", lambda value: decimal(value, 1)),
                ("Its change", "popularity_change", change),
                ("Rating's change", "rating_momentum", signed),
            ),
        )
        drawn = [
            {
                "label": row["title"] or row["movie_id"],
                "value": row["trend_score"],
                "text": decimal(row["trend_score"], 1),
            }
            for row in of
        ]
        charts.append(
            draw(
                f"trending-{window}",
                f"Trending over {name}",
                f"{drawn[0]['label']} leads with {drawn[0]['text']} of 100.",
                table,
                lambda width, drawn=drawn: bars(drawn, width, "trend score", "c2"),  # type: ignore[misc]
                "third",
            )
        )
    return charts


def _ranked(key: str, title: str, rank: str, name: str, rows: tuple[Row, ...]) -> Chart:
    table = table_of(
        f"{title} by mean weighted rating",
        rows,
        (
            ("Rank", rank, count),
            ("Name", name, None),
            ("Movies", "total_movies", count),
            ("Mean rating", "mean_weighted_rating", decimal),
            ("Revenue", "total_revenue", dollars),
            ("Return", "roi", decimal),
            ("Hits", "hit_rate", share),
        ),
    )
    known = [row for row in rows if row["mean_weighted_rating"] is not None]
    return _dots(
        f"ranking-{key}",
        f"{title} by mean weighted rating",
        [
            {
                "label": row[name],
                "value": row["mean_weighted_rating"],
                "text": f"{decimal(row['mean_weighted_rating'])}  ({row['total_movies']:,} movies)",
            }
            for row in known
        ],
        table,
    )


def _best(rows: tuple[Row, ...]) -> list[Chart]:
    table = table_of(
        "Movies by weighted rating",
        rows,
        (
            ("Movie", "title", None),
            ("Year", lambda row: str(row["release_year"] or NOTHING), None),
            ("Genre", "primary_genre", None),
            ("Weighted rating", "weighted_rating", decimal),
            ("Votes", "vote_count", count),
            ("Revenue", "revenue", dollars),
            ("Return", "roi", decimal),
        ),
    )
    drawn = [
        {
            "label": _titled(row),
            "value": row["weighted_rating"],
            "text": f"{decimal(row['weighted_rating'])}  ({row['vote_count'] or 0:,} votes)",
        }
        for row in rows
    ]
    return [_dots("ranking-movies", "Movies by weighted rating", drawn, table)]


def _richest(rows: tuple[Row, ...]) -> list[Chart]:
    table = table_of(
        "Movies by revenue",
        rows,
        (
            ("Movie", "title", None),
            ("Year", lambda row: str(row["release_year"] or NOTHING), None),
            ("Genre", "primary_genre", None),
            ("Revenue", "revenue", dollars),
            ("Budget", "budget", dollars),
            ("Return", "roi", decimal),
            ("Weighted rating", "weighted_rating", decimal),
        ),
    )
    drawn = [{"label": _titled(row), "value": row["revenue"] / 1e6, "text": dollars(row["revenue"])} for row in rows]
    return [
        draw(
            "ranking-revenue",
            "Movies by revenue",
            f"{drawn[0]['label']} earned most: {drawn[0]['text']}.",
            table,
            lambda width: bars(drawn, width, "million US dollars"),
        )
    ]


def _dots(key: str, title: str, drawn: list[Row], table: "object") -> Chart:
    values = [row["value"] for row in drawn] or [0, 10]
    # Ratings differ by little: dots on an axis that begins near the least, as bars they would look alike.
    spread = max(max(values) - min(values), 0.1)
    domain = (min(values) - 0.15 * spread, max(values))
    says = f"{drawn[0]['label']} leads with {drawn[0]['text'].split('  ')[0]} of 10." if drawn else "None has a rating."
    return draw(key, title, says, table, lambda width: bars(drawn, width, "weighted rating, 0 to 10", domain=domain))  # type: ignore[arg-type]


def _titled(row: Row) -> str:
    title = row["title"] or row["movie_id"]
    return f"{title} ({row['release_year']})" if row["release_year"] else str(title)
