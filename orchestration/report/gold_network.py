"""What Gold says of what goes with what, and of the actors' network."""

from collections.abc import Sequence

import altair as alt

from orchestration.report.charts import Chart, Table, draw, heat, ranking
from orchestration.report.facts import Facts, Row
from orchestration.report.gold_genres import bin_of, facets
from orchestration.report.section import Section, section, table_of
from orchestration.report.wording import NOTHING, count, decimal, share

_MEASURES = {
    "budget_revenue": "budget and revenue",
    "rating_revenue": "rating and revenue",
    "sentiment_rating": "sentiment and rating",
    "popularity_rating": "popularity and rating",
}
_SHORT = {
    "budget_revenue": ("Budget, revenue"),
    "rating_revenue": ("Rating, revenue"),
    "sentiment_rating": ("Sentiment, rating"),
    "popularity_rating": ("Popularity, rating"),
}
_BINS = ("−1 to −0.6", "to −0.3", "to −0.1", "about 0", "from 0.1", "from 0.3", "0.6 to 1")  # noqa: RUF001
_BOUNDS = (-0.6, -0.3, -0.1, 0.1, 0.3, 0.6)
# Below so many movies, a correlation says little.
_ENOUGH = 10


def sections(facts: Facts) -> list[Section]:
    """The sections on correlations and the network."""
    return [
        section(
            facts,
            "correlations",
            "What goes with what",
            "Spearman's rank correlation: 1, who is high in one is high in the other; 0, nothing to see; below, the "
            f"reverse. Groups of fewer than {_ENOUGH} movies are in the tables only.",
            (("correlations", _correlations),),
        ),
        section(
            facts,
            "network",
            "The actors' network",
            "Two actors are joined by a movie in which both stand high in the billing. PageRank says who is joined to "
            "those who are well joined themselves.",
            (("actors", _actors), ("communities", _communities), ("evolution", _evolution)),
        ),
    ]


def _correlations(rows: tuple[Row, ...]) -> list[Chart | Table]:
    overall = {row["measures"]: row for row in rows if row["scope"] == "overall"}
    told = ", ".join(
        f"{_MEASURES.get(name, name)} {decimal(row['spearman'])}"
        for name, row in sorted(overall.items())
        if row["spearman"] is not None
    )
    return [
        chart
        for key, title, scope in (
            ("correlations-decade", "Rank correlations by decade", "decade"),
            ("correlations-genre", "Rank correlations by genre", "genre"),
        )
        for chart in _by(
            key, title, scope, rows, f"Over all movies: {told}." if told else "Over all movies none is known."
        )
    ]


def _by(key: str, title: str, scope: str, rows: Sequence[Row], says: str) -> list[Chart | Table]:
    def group(row: Row) -> str:
        if row["scope"] == "overall":
            return "All"
        return f"{row['decade']}s" if scope == "decade" else str(row["genre_name"])

    of = [row for row in rows if row["scope"] in ("overall", scope)]
    shown = [row for row in of if row["spearman"] is not None and row["movies"] >= _ENOUGH]
    table = table_of(
        title,
        of,
        (
            ("Group", group, None),
            ("Measures", lambda row: _MEASURES.get(row["measures"], row["measures"]), None),
            ("Movies", "movies", count),
            ("Spearman", "spearman", decimal),
            ("Pearson", "pearson", decimal),
        ),
    )
    if not shown:
        return [table]
    groups = ["All", *dict.fromkeys(group(row) for row in shown if row["scope"] != "overall")]
    drawn = [
        {
            "across": _SHORT.get(row["measures"], row["measures"]),
            "down": group(row),
            "bin": bin_of(row["spearman"], _BOUNDS, _BINS),
            "text": decimal(row["spearman"]),
        }
        for row in shown
    ]
    across = [name for measure, name in _SHORT.items() if any(row["measures"] == measure for row in shown)]
    return [draw(key, title, says, table, lambda width: heat(drawn, width, across, groups, _BINS))]


def _actors(rows: tuple[Row, ...]) -> list[Chart | Table]:
    table = table_of(
        "Actors by PageRank",
        rows,
        (
            ("Rank", "pagerank_rank", count),
            ("Actor", "person_name", None),
            ("PageRank, per mille", _per_mille, decimal),
            ("Partners", "degree", count),
            ("Betweenness", "betweenness", lambda value: decimal(value, 4)),
            ("Its rank", "betweenness_rank", count),
            ("Clustering", "clustering_coefficient", decimal),
            ("Movies", "total_movies", count),
            ("Genres", "main_genres", None),
        ),
    )
    drawn = [
        {
            "label": row["person_name"] or str(row["person_id"]),
            "value": _per_mille(row),
            "text": f"{decimal(_per_mille(row))} ({count(row['degree'])} partners)",
        }
        for row in rows
    ]
    return [
        ranking(
            "actors",
            "The best connected actors",
            "{label} stands first with {text}.",
            table,
            drawn,
            "PageRank, per mille of all",
            "c7",
        )
    ]


def _per_mille(row: Row) -> float | None:
    return None if row["pagerank"] is None else row["pagerank"] * 1000


def _communities(rows: tuple[Row, ...]) -> list[Chart | Table]:
    table = table_of(
        "The largest communities",
        rows,
        (
            ("Rank", "size_rank", count),
            ("Named for", "community_name", None),
            ("Actors", "actors", count),
            ("Density", "density", share),
            ("Movies", "movies", count),
            ("Years", _years, None),
            ("Genres", "main_genres", None),
        ),
    )
    drawn = [
        {
            "label": row["community_name"] or str(row["community_id"]),
            "value": row["actors"],
            "text": f"{count(row['actors'])} actors",
        }
        for row in rows
    ]
    return [
        ranking(
            "communities",
            "The largest communities",
            "People who act with each other more than with others, named for the best connected three.",
            table,
            drawn,
            "actors",
            "c3",
        )
    ]


def _years(row: Row) -> str:
    if row["first_year"] is None:
        return NOTHING
    return f"{row['first_year']}–{row['last_year']}"  # noqa: RUF001


def _evolution(rows: tuple[Row, ...]) -> list[Chart | Table]:
    windows = [row for row in rows if row["period_kind"] == "window"]
    decades = [row for row in rows if row["period_kind"] == "decade"]
    made: list[Chart | Table] = []
    columns = (
        ("Years", _years, None),
        ("Movies", "movies", count),
        ("Actors", "actors", count),
        ("Pairs", "edges", count),
        ("Mean partners", "mean_degree", decimal),
        ("In the largest part", "giant_component_share", share),
        ("Clustering", "clustering", decimal),
        ("Communities", "communities", count),
        ("Turnover", "turnover", share),
    )
    if len(windows) > 1:
        length = windows[-1]["last_year"] - windows[-1]["first_year"] + 1
        measures = {
            "Actors": ("actors", 1.0),
            "Mean partners": ("mean_degree", 1.0),
            "In the largest part, %": ("giant_component_share", 100.0),
            "Clustering": ("clustering", 1.0),
        }
        drawn = [
            {"x": row["last_year"], "series": name, "y": None if row[measure] is None else row[measure] * factor}
            for name, (measure, factor) in measures.items()
            for row in windows
        ]

        def make(width: int) -> alt.TopLevelMixin:
            return facets(drawn, list(measures), width, "", True, own_scales=True)

        made.append(
            draw(
                "evolution",
                f"How the network changed, over windows of {length} years",
                f"Each point is the network of the {length} years that end there. The last: "
                f"{windows[-1]['actors']:,} actors in {windows[-1]['communities']:,} communities.",
                table_of("The network in windows of years", windows[::-1], columns),
                make,
                span="full",
            )
        )
    if decades:
        made.append(table_of("The network by decade", decades, columns))
    return made
