"""What Gold says of genres and of the seasons."""

from collections import defaultdict
from collections.abc import Sequence

import altair as alt

from orchestration.report.charts import (
    HALF,
    PHONE,
    SERIES,
    Chart,
    colour,
    colours,
    data,
    draw,
    finished,
    heat,
)
from orchestration.report.facts import Facts, Row
from orchestration.report.section import Section, pivot, section, table_of
from orchestration.report.wording import change, count, decimal, dollars, month_name, share

_SHOWN = 8
# Of a genre of fewer movies, a month says little.
_LARGE = 50
_INDEX_BINS = ("under 0.5", "to 0.7", "to 0.9", "about 1", "from 1.1", "from 1.3", "over 1.5")
_INDEX_BOUNDS = (0.5, 0.7, 0.9, 1.1, 1.3, 1.5)
MONTHS = tuple(month_name(month)[:3] for month in range(1, 13))


# 1500 as 1.5k, 0.8 as it is.
_SHORT = "format(datum.value, datum.value >= 1000 ? '~s' : '~g')"


def sections(facts: Facts) -> list[Section]:
    """The sections on genres and seasons."""
    return [
        section(
            facts,
            "genres",
            "Genres",
            "A movie counts in each of its genres; in the shares, it is split between them. "
            "The year that is not over is left out.",
            (("genre_trends", _trends), ("market_share", _shares)),
            "No movie is known of a year that is over.",
        ),
        section(
            facts,
            "seasons",
            "Seasons",
            "Over all years. An index of 1 is what a month has on average; 1.5 is half as much again.",
            (("release_seasonality", _months), ("genre_seasonality", _genre_months)),
        ),
    ]


def bin_of(value: float, bounds: Sequence[float], bins: Sequence[str]) -> str:
    """The bin that a value falls into, of one more than there are bounds."""
    return bins[sum(value >= bound for bound in bounds)]


def facets(
    rows: Sequence[Row], names: Sequence[str], width: int, unit: str, zero: bool, own_scales: bool = False
) -> alt.TopLevelMixin:
    """A small chart each name, over years: `x`, `y`, `series` a row."""
    columns = 2 if width <= HALF else 4
    columns = min(columns, len(names))
    # What axes and gaps take of the width.
    cell = (width - 46 - columns * (46 if own_scales else 14)) // columns
    base = alt.Chart(data(rows)).encode(
        x=alt.X(
            "x:Q",
            title=None,
            axis=alt.Axis(format="d", grid=False, tickCount=3, labelFlush=False, labelOverlap=True),
            scale=alt.Scale(zero=False, nice=False),
        ),
        y=alt.Y("y:Q", title=None, axis=alt.Axis(tickCount=4, labelExpr=_SHORT), scale=alt.Scale(zero=zero)),
    )
    marks = base.mark_line(color=colour("c1"), strokeWidth=2)
    layered = (
        alt.layer(base.mark_area(color=colour("c1"), opacity=0.18), marks) if zero else alt.layer(marks)
    ).properties(width=cell, height=105)
    made = layered.facet(
        facet=alt.Facet(
            "series:N", title=None, sort=list(names), header=alt.Header(labelAnchor="start", labelPadding=4)
        ),
        columns=columns,
        spacing={"row": 18, "column": 14 if not own_scales else 18},
    )
    if own_scales:
        made = made.resolve_scale(y="independent")
    return finished(made)


def _trends(rows: tuple[Row, ...]) -> list[Chart]:
    whole = [row for row in rows if not row["is_partial_year"] and row["genre_name"]]
    if not whole:
        return []
    last = max(row["release_year"] for row in whole)
    recent: dict[str, int] = defaultdict(int)
    for row in whole:
        if row["release_year"] > last - 10:
            recent[row["genre_name"]] += row["total_movies"]
    names = sorted(recent, key=lambda name: (-recent[name], name))[:_SHOWN]
    years = sorted({row["release_year"] for row in whole})
    movies = {(row["release_year"], row["genre_name"]): row["total_movies"] for row in whole}
    ratings = {(row["release_year"], row["genre_name"]): row["avg_rating"] for row in whole}

    def cells(of: dict[tuple[int, str], float]) -> list[Row]:
        return [{"x": year, "series": name, "y": of.get((year, name))} for name in names for year in years]

    first = f"The {len(names)} genres with most movies in the last ten years, {years[0]} to {last}."
    return [
        draw(
            "genre-movies",
            "Movies a year, by genre",
            f"{first} {names[0]} leads with {recent[names[0]]:,} movies in those ten.",
            pivot("Movies a year, by genre", "Year", years[::-1], names, movies, count),
            lambda width: facets(cells(movies), names, width, "", True),
            span="full",
        ),
        draw(
            "genre-ratings",
            "Mean rating a year, by genre",
            f"{first} Few rated movies make a line jump.",
            pivot("Mean rating a year, by genre", "Year", years[::-1], names, ratings, decimal),
            lambda width: facets(cells(ratings), names, width, "", False),
            span="full",
        ),
    ]


def _shares(rows: tuple[Row, ...]) -> list[Chart]:
    rows = tuple(row for row in rows if not row["is_partial_year"])
    total: dict[str, float] = defaultdict(float)
    for row in rows:
        total[row["genre_name"]] += row["split_movies"] or 0
    names = sorted(total, key=lambda name: (-total[name], name))[:_SHOWN]
    has_others = len(total) > len(names)
    shown = [*names, "Others"] if has_others else names
    return [
        _share_chart(key, title, says, rows, names, shown, measure)
        for key, title, says, measure in (
            ("share-movies", "Share of a year's movies", "Each movie is split between its genres.", "movie_share"),
            ("share-revenue", "Share of a year's known revenue", "A few hits may make a year.", "revenue_share"),
        )
        if any(row[measure] is not None for row in rows)
    ]


def _share_chart(
    key: str,
    title: str,
    says: str,
    rows: Sequence[Row],
    names: Sequence[str],
    shown: Sequence[str],
    measure: str,
) -> Chart:
    cells: dict[tuple[int, str], float] = defaultdict(float)
    # A share that is not known is none of nothing: a year without a known one is left out.
    known = [row for row in rows if row[measure] is not None]
    for row in known:
        name = row["genre_name"] if row["genre_name"] in names else "Others"
        cells[row["release_year"], name] += row[measure]
    years = sorted({row["release_year"] for row in known})
    drawn = [
        {"x": year, "series": name, "y": 100 * cells.get((year, name), 0), "order": place}
        for place, name in enumerate(shown)
        for year in years
    ]
    largest = max(shown, key=lambda name: cells.get((years[-1], name), 0) if name != "Others" else -1)

    def make(width: int) -> alt.TopLevelMixin:
        columns = 3 if width <= PHONE else 4
        chart = (
            alt.Chart(data(drawn))
            .mark_area(stroke=colour("card"), strokeWidth=1, opacity=1)
            .encode(
                x=alt.X(
                    "x:Q",
                    title=None,
                    axis=alt.Axis(format="d", grid=False, tickCount=5),
                    scale=alt.Scale(zero=False, nice=False),
                ),
                y=alt.Y(
                    "y:Q",
                    title="per cent",
                    stack="zero",
                    scale=alt.Scale(domain=[0, 100], clamp=True),
                    axis=alt.Axis(tickCount=5),
                ),
                color=alt.Color(
                    "series:N",
                    sort=None,
                    scale=alt.Scale(domain=list(shown), range=colours([*SERIES[: len(names)], "other"][: len(shown)])),
                    legend=alt.Legend(title=None, orient="bottom", columns=columns, symbolType="square"),
                ),
                order=alt.Order("order:Q"),
            )
        )
        return finished(chart, width, 270)

    return draw(
        key,
        title,
        f"{says} In {years[-1]} the largest is {largest} with {share(cells.get((years[-1], largest)))}.",
        pivot(title, "Year", years[::-1], shown, dict(cells), share),
        make,
    )


def _months(rows: tuple[Row, ...]) -> list[Chart]:
    table = table_of(
        "Releases and revenue by month",
        rows,
        (
            ("Month", lambda row: month_name(row["release_month"]), None),
            ("Movies", "total_movies", count),
            ("Index", "seasonality_index", decimal),
            ("Mean rating", "avg_rating", decimal),
            ("Revenue", "total_revenue", dollars),
            ("Median revenue", "median_revenue", dollars),
            ("Hits", "hit_rate", share),
        ),
    )
    charts = []
    most = max(rows, key=lambda row: (row["total_movies"], -row["release_month"]))
    charts.append(
        draw(
            "months-movies",
            "Movies by month of release",
            f"Most come out in {month_name(most['release_month'])}: {most['total_movies']:,}.",
            table,
            lambda width: _columns(rows, "total_movies", 1, "movies", width),
        )
    )
    known = [row for row in rows if row["median_revenue"] is not None]
    if known:
        best = max(known, key=lambda row: (row["median_revenue"], -row["release_month"]))
        charts.append(
            draw(
                "months-revenue",
                "Median revenue by month of release",
                f"A movie of {month_name(best['release_month'])} earns most: {dollars(best['median_revenue'])}.",
                table,
                lambda width: _columns(rows, "median_revenue", 1e6, "million US dollars", width),
            )
        )
    return charts


def _columns(rows: Sequence[Row], measure: str, unit: float, title: str, width: int) -> alt.TopLevelMixin:
    drawn = [{"month": MONTHS[row["release_month"] - 1], "y": (row[measure] or 0) / unit} for row in rows]
    label = alt.Axis(
        labelAngle=0, ticks=False, labelExpr="slice(datum.label, 0, 1)" if width <= PHONE else "datum.label"
    )
    chart = (
        alt.Chart(data(drawn))
        .mark_bar(color=colour("c1"), cornerRadiusEnd=2)
        .encode(
            x=alt.X("month:N", sort=list(MONTHS), title=None, axis=label, scale=alt.Scale(paddingInner=0.25)),
            y=alt.Y("y:Q", title=title, axis=alt.Axis(tickCount=5)),
        )
    )
    return finished(chart, width, 220)


def _genre_months(rows: tuple[Row, ...]) -> list[Chart]:
    total: dict[str, int] = defaultdict(int)
    for row in rows:
        total[row["genre_name"]] += row["total_movies"]
    names = sorted((name for name in total if total[name]), key=lambda name: (-total[name], name))
    known = [row for row in rows if row["seasonality_index"] is not None and total[row["genre_name"]]]
    if not known:
        return []
    cells = {(row["genre_name"], MONTHS[row["release_month"] - 1]): row["seasonality_index"] for row in known}
    drawn = [
        {
            "across": month,
            "down": name,
            "bin": bin_of(value, _INDEX_BOUNDS, _INDEX_BINS),
            "text": decimal(value, 1),
        }
        for (name, month), value in cells.items()
    ]
    large = [row for row in known if total[row["genre_name"]] >= _LARGE]
    strongest = max(large, key=lambda row: row["seasonality_index"], default=None)
    stands_out = (
        f" {strongest['genre_name']} in {month_name(strongest['release_month'])} stands out, of the genres with "
        f"{_LARGE} movies or more: {change(strongest['seasonality_index'] - 1)} against the same month of all movies."
        if strongest
        else ""
    )
    return [
        draw(
            "genre-months",
            "Which genre prefers which month",
            f"The month's share of the genre's movies over its share of all movies.{stands_out}",
            pivot("Seasonality index by genre and month", "Genre", names, MONTHS, cells, decimal),
            lambda width: heat(drawn, width, MONTHS, names, _INDEX_BINS),
            span="full",
        )
    ]
