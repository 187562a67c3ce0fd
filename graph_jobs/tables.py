"""The tables of the network: their names, their columns, and how they are made."""

from typing import TYPE_CHECKING

from lakehouse.delta import create_missing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EDGES = "graph.actor_edges"
METRICS = "graph.actor_metrics"

_DDL = {
    EDGES: """
        create table if not exists graph.actor_edges (
            person_id_a bigint comment 'the lesser person id',
            person_id_b bigint comment 'the greater person id',
            shared_movies int comment 'movies in which both acted',
            first_year int comment 'release year of the first of them; null where none is known',
            last_year int comment 'release year of the last of them; null where none is known'
        ) using delta
        comment 'Who acted with whom: one row a pair of people'
    """,
    METRICS: """
        create table if not exists graph.actor_metrics (
            person_id bigint comment 'TMDB person id',
            degree int comment 'people they acted with',
            weighted_degree bigint comment 'shared movies over all of them',
            pagerank double comment 'PageRank, sums to 1 over the network',
            component_id bigint comment 'least person id of the connected component',
            community_id bigint comment 'least person id of the community'
        ) using delta
        comment 'Each actor in the network: one row a person'
    """,
}


def ensure_tables(spark: "SparkSession") -> None:
    """Create the tables that do not exist yet, empty, so that dbt always finds its sources."""
    create_missing(spark, _DDL)
