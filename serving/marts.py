"""The declared list: which Gold marts are served, under which key, with which indexes.

To serve another mart, add it to `MARTS`. Its collection has the mart's name. The `_id` of a document is made of
the key columns, joined by `|` (a movie's trend over 30 days: `603|30d`), so the same row is the same document in
every run.
"""

from dataclasses import dataclass

ASCENDING, DESCENDING = 1, -1


@dataclass(frozen=True)
class Index:
    """An index of a served collection.

    Args:
        keys: (field, `ASCENDING` or `DESCENDING`) pairs; a field within an array of structs is `array.field`.
        unique: whether two documents with equal keys are refused.
    """

    keys: tuple[tuple[str, int], ...]
    unique: bool = False

    @property
    def name(self) -> str:
        """MongoDB's own default name, e.g. `movie_id_1_window_1`."""
        return "_".join(f"{field}_{direction}" for field, direction in self.keys)


@dataclass(frozen=True)
class Mart:
    """A Gold mart that is served.

    Args:
        name: the mart's name; also the collection's.
        key: the columns that make a row unique; none may be NULL.
        indexes: what is created beside the index on `_id`.
        schema: the database in the metastore that holds the mart.
    """

    name: str
    key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()
    schema: str = "gold"

    @property
    def table(self) -> str:
        """The mart's table, `gold.<name>`."""
        return f"{self.schema}.{self.name}"


MARTS: tuple[Mart, ...] = (
    Mart(
        "genre_analytics",
        key=("genre_id", "release_year", "release_month"),
        indexes=(
            Index((("genre_name", ASCENDING), ("release_year", DESCENDING), ("release_month", DESCENDING))),
            Index((("release_year", DESCENDING), ("release_month", DESCENDING))),
        ),
    ),
    Mart(
        "trending_scores",
        key=("movie_id", "trend_window"),
        indexes=(
            Index((("trend_window", ASCENDING), ("trend_score", DESCENDING))),
            Index((("movie_id", ASCENDING), ("trend_window", ASCENDING)), unique=True),
        ),
    ),
    Mart(
        "movie_performance",
        key=("movie_id",),
        indexes=(
            Index((("weighted_rating", DESCENDING),)),
            Index((("release_year", DESCENDING), ("weighted_rating", DESCENDING))),
            Index((("primary_genre", ASCENDING), ("weighted_rating", DESCENDING))),
        ),
    ),
    Mart(
        "director_rankings",
        key=("person_id",),
        indexes=(Index((("director_rank", ASCENDING),)), Index((("person_name", ASCENDING),))),
    ),
    Mart(
        "genre_trends",
        key=("genre_id", "release_year"),
        indexes=(Index((("genre_name", ASCENDING), ("release_year", DESCENDING))),),
    ),
    Mart(
        "genre_seasonality",
        key=("genre_id", "release_month"),
        indexes=(Index((("genre_name", ASCENDING), ("month_rank", ASCENDING))),),
    ),
    Mart(
        "genre_market_share",
        key=("genre_id", "release_year"),
        indexes=(Index((("release_year", DESCENDING), ("movie_share_rank", ASCENDING))),),
    ),
    Mart(
        "emerging_genre_pairs",
        key=("genre_id_a", "genre_id_b"),
        indexes=(Index((("emerging_rank", ASCENDING),)),),
    ),
    Mart(
        "cross_genre_performance",
        key=("genre_id", "other_genre_id"),
        indexes=(Index((("genre_name", ASCENDING), ("total_movies", DESCENDING))),),
    ),
    Mart("performance_correlations", key=("performance_correlation_id",)),
    Mart(
        "studio_rankings",
        key=("company_id",),
        indexes=(Index((("studio_rank", ASCENDING),)), Index((("company_name", ASCENDING),))),
    ),
    Mart("yoy_growth", key=("release_year",)),
    Mart("release_seasonality", key=("release_month",)),
    Mart("box_office_trends", key=("month_start_date",)),
    Mart("industry_indicators", key=("release_year",)),
    Mart(
        "actor_collaborations",
        key=("person_id_a", "person_id_b"),
        indexes=(
            Index((("person_id_a", ASCENDING), ("shared_movies", DESCENDING))),
            Index((("person_id_b", ASCENDING), ("shared_movies", DESCENDING))),
        ),
    ),
    Mart(
        "actor_centrality",
        key=("person_id",),
        indexes=(
            Index((("pagerank", DESCENDING),)),
            Index((("betweenness", DESCENDING),)),
            Index((("community_id", ASCENDING), ("pagerank", DESCENDING))),
        ),
    ),
    Mart("actor_communities", key=("community_id",), indexes=(Index((("size_rank", ASCENDING),)),)),
    Mart("actor_distances", key=("person_id",), indexes=(Index((("distance", ASCENDING),)),)),
    Mart("network_evolution", key=("period_kind", "first_year", "last_year")),
)
