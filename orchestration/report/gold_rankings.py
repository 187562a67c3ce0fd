"""What Gold says of what is trending, and of who is best."""

from orchestration.report.charts import Chart, Table, ranking
from orchestration.report.facts import Facts, Row
from orchestration.report.section import Section, section, table_of
from orchestration.report.wording import NOTHING, change, count, decimal, dollars, share, signed

_WINDOWS = {"7d": "7 days", "30d": "30 days", "90d": "90 days"}


def sections(facts: Facts) -> list[Section]:
    """The sections on trends and rankings."""
    return [
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
                ("directors", _directors),
                ("studios", _studios),
                ("best_movies", _best),
                ("richest_movies", _richest),
            ),
        ),
    ]


def _trending(rows: tuple[Row, ...]) -> list[Chart | Table]:
    made = []
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
        made.append(
            ranking(
                f"trending-{window}",
                f"Trending over {name}",
                "{label} leads with {text} of 100.",
                table,
                drawn,
                "trend score",
                "c2",
                "third",
            )
        )
    return made


def _directors(rows: tuple[Row, ...]) -> list[Chart | Table]:
    return [_ranked("directors", "Directors", "director_rank", "person_name", "person_id", rows)]


def _studios(rows: tuple[Row, ...]) -> list[Chart | Table]:
    return [_ranked("studios", "Studios", "studio_rank", "company_name", "company_id", rows)]


def _ranked(key: str, title: str, rank: str, name: str, person: str, rows: tuple[Row, ...]) -> Chart | Table:
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
    drawn = [
        {
            "label": row[name] or str(row[person]),
            "value": row["mean_weighted_rating"],
            "text": f"{decimal(row['mean_weighted_rating'])} ({count(row['total_movies'])} movies)",
        }
        for row in rows
    ]
    return ranking(
        f"ranking-{key}",
        f"{title} by mean weighted rating",
        "{label} leads with {text}.",
        table,
        drawn,
        "weighted rating, 0 to 10",
        is_dots=True,
    )


def _best(rows: tuple[Row, ...]) -> list[Chart | Table]:
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
            "text": f"{decimal(row['weighted_rating'])} ({count(row['vote_count'])} votes)",
        }
        for row in rows
    ]
    return [
        ranking(
            "ranking-movies",
            "Movies by weighted rating",
            "{label} leads with {text}.",
            table,
            drawn,
            "weighted rating, 0 to 10",
            is_dots=True,
        )
    ]


def _richest(rows: tuple[Row, ...]) -> list[Chart | Table]:
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
        ranking(
            "ranking-revenue",
            "Movies by revenue",
            "{label} earned most: {text}.",
            table,
            drawn,
            "million US dollars",
        )
    ]


def _titled(row: Row) -> str:
    title = row["title"] or row["movie_id"]
    return f"{title} ({row['release_year']})" if row["release_year"] else str(title)
