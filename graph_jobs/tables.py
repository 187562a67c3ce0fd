"""The tables of the network: their names, their columns, and how they are made."""

from typing import TYPE_CHECKING

from lakehouse.delta import add_missing_columns, create_missing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EDGES = "graph.actor_edges"
METRICS = "graph.actor_metrics"
DISTANCES = "graph.actor_distances"
PERIODS = "graph.network_periods"
TOP = "graph.network_top_actors"
RUNS = "graph.network_runs"

_COLUMNS = {
    EDGES: {
        "person_id_a": "bigint comment 'the lesser person id'",
        "person_id_b": "bigint comment 'the greater person id'",
        "shared_movies": "int comment 'movies in which both acted'",
        "first_year": "int comment 'release year of the first of them; null where none is known'",
        "last_year": "int comment 'release year of the last of them; null where none is known'",
    },
    METRICS: {
        "person_id": "bigint comment 'TMDB person id'",
        "degree": "int comment 'people they acted with'",
        "weighted_degree": "bigint comment 'shared movies over all of them'",
        "pagerank": "double comment 'PageRank without weights, sums to 1 over the network'",
        "component_id": "bigint comment 'least person id of the connected component'",
        "community_id": "bigint comment 'the person for whom the community is named'",
        "weighted_pagerank": "double comment 'PageRank with shared movies as weights, sums to 1'",
        "betweenness": "double comment 'share of the pairs of others whose shortest path leads through the actor'",
        "betweenness_error": "double comment 'half of its 95 % confidence interval; 0 where it is exact'",
        "triangles": "bigint comment 'pairs of partners who acted together themselves'",
        "clustering_coefficient": "double comment 'their share of all pairs of partners'",
    },
    DISTANCES: {
        "person_id": "bigint comment 'TMDB person id'",
        "target_person_id": "bigint comment 'the actor to whom the path leads'",
        "distance": "int comment 'edges of the shortest path'",
        "next_person_id": "bigint comment 'the first step of it; null for the target'",
    },
    PERIODS: {
        "period_kind": "string comment 'decade or window'",
        "first_year": "int comment 'first year of release'",
        "last_year": "int comment 'last year of release'",
        "movies": "bigint comment 'movies with a cast'",
        "actors": "bigint comment 'vertices'",
        "edges": "bigint comment 'pairs who shared a movie'",
        "shared_movies": "bigint comment 'movies over all pairs'",
        "components": "bigint comment 'connected components, lone actors included'",
        "largest_component": "bigint comment 'actors in the largest of them'",
        "communities": "bigint comment 'communities, lone actors included'",
        "triangles": "bigint comment 'triangles, each counted once'",
        "connected_triples": "bigint comment 'paths of two edges'",
        "kept_actors": "bigint comment 'actors of the period before who act in this one; null for the first'",
        "previous_actors": "bigint comment 'actors of the period before; null for the first'",
    },
    TOP: {
        "period_kind": "string comment 'decade or window'",
        "first_year": "int comment 'first year of release'",
        "last_year": "int comment 'last year of release'",
        "place": "int comment 'from 1, by weighted degree'",
        "person_id": "bigint comment 'TMDB person id'",
        "degree": "int comment 'people they acted with in the period'",
        "weighted_degree": "bigint comment 'shared movies over all of them'",
    },
    RUNS: {
        "network_sha256": "string comment 'hash of the casts and of the options'",
        "movies": "bigint comment 'movies with a cast'",
        "actors": "bigint comment 'vertices'",
        "edges": "bigint comment 'pairs who shared a movie'",
        "components": "bigint comment 'connected components, lone actors included'",
        "largest_component": "bigint comment 'actors in the largest of them'",
        "communities": "bigint comment 'communities, lone actors included'",
        "modularity": "double comment 'of the communities; null without edges'",
        "betweenness_sources": "bigint comment 'actors with an edge'",
        "betweenness_pivots": "bigint comment 'how many of them betweenness followed'",
        "betweenness_bound": "double comment 'what no betweenness is off by, with 95 % probability; 0 where exact'",
        "target_person_id": "bigint comment 'to whom distances lead; null without actors'",
    },
}

_COMMENTS = {
    EDGES: "Who acted with whom: one row a pair of people",
    METRICS: "Each actor in the network: one row a person",
    DISTANCES: "How far each actor is from one: one row a person who is connected",
    PERIODS: "The network of each decade and rolling window: one row a period",
    TOP: "The most connected actors of each period: one row a period and place",
    RUNS: "The network that the other tables hold: one row, none while they are written",
}


TABLES = tuple(_COLUMNS)


def ensure_tables(spark: "SparkSession") -> None:
    """Create the tables and columns that do not exist yet, so that dbt always finds its sources."""
    created = create_missing(spark, {name: _statement(name) for name in _COLUMNS})
    if METRICS not in created:
        add_missing_columns(spark, METRICS, _COLUMNS[METRICS])


def _statement(name: str) -> str:
    columns = ", ".join(f"{column} {declared}" for column, declared in _COLUMNS[name].items())
    return f"create table if not exists {name} ({columns}) using delta comment '{_COMMENTS[name]}'"
