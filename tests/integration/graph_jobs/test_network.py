import random
from collections.abc import Iterable
from typing import TYPE_CHECKING

import igraph
import pytest
from pyspark.sql import functions as F

from graph_jobs.errors import GraphError
from graph_jobs.network import MetricsOptions, check, communities, metrics
from graph_jobs.pairs import billed_people, build_edges, build_vertices
from graph_jobs.run import modularity

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark

CAST = "movie_id string, person_id bigint, billing_order int, credit_id string"
MOVIES = "movie_id string, release_year int"

Pair = tuple[int, int]


def billed(
    spark: "SparkSession",
    cast: Iterable[tuple[str, int | None, int | None, str | None]],
    years: dict[str, int | None] | None = None,
    max_billing: int = 15,
) -> "DataFrame":
    movies = spark.createDataFrame(list((years or {}).items()), MOVIES)
    return billed_people(spark.createDataFrame(list(cast), CAST), movies, max_billing)


def rows(frame: "DataFrame") -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in frame.collect())


def graph(spark: "SparkSession", people: Iterable[int], pairs: Iterable[Pair]) -> tuple["DataFrame", "DataFrame"]:
    vertices = spark.createDataFrame([(person,) for person in people], "id bigint")
    edges = spark.createDataFrame(
        [(a, b, 1 + (a + b) % 3) for a, b in pairs], "person_id_a bigint, person_id_b bigint, shared_movies int"
    )
    return vertices, edges


def test_an_edge_joins_two_who_shared_a_movie(spark: "SparkSession") -> None:
    frame = billed(
        spark,
        [("m1", 1, 0, "a"), ("m1", 2, 1, "b"), ("m1", 3, 2, "c"), ("m2", 2, 0, "d"), ("m2", 1, 1, "e")],
        {"m1": 1999, "m2": 1987},
    )
    assert rows(build_edges(frame)) == [(1, 2, 2, 1987, 1999), (1, 3, 1, 1999, 1999), (2, 3, 1, 1999, 1999)]
    assert rows(build_vertices(frame)) == [(1,), (2,), (3,)]


def test_a_person_with_several_credits_in_a_movie_counts_once_and_takes_one_place(spark: "SparkSession") -> None:
    cast = [("m1", 7, 0, "a"), ("m1", 7, 1, "b"), ("m1", 7, 2, "c"), ("m1", 8, 3, "d"), ("m1", 9, 4, "e")]
    frame = billed(spark, cast, {"m1": 2000}, max_billing=2)
    assert rows(build_edges(frame)) == [(7, 8, 1, 2000, 2000)]


def test_only_the_first_places_of_billing_count_and_ties_go_to_the_lesser_credit(spark: "SparkSession") -> None:
    cast = [("m1", 1, 5, "z"), ("m1", 2, 5, "y"), ("m1", 3, 5, "x"), ("m1", 4, None, "a"), ("m1", 5, 0, None)]
    for max_billing, people in ((2, [3, 5]), (3, [2, 3, 5]), (4, [1, 2, 3, 5]), (5, [1, 2, 3, 4, 5])):
        assert rows(build_vertices(billed(spark, cast, max_billing=max_billing))) == [(p,) for p in people]


def test_years_that_are_not_known_are_left_out(spark: "SparkSession") -> None:
    cast = [(movie, person, person, f"{movie}{person}") for movie in ("m1", "m2", "m3") for person in (1, 2)]
    known = billed(spark, cast, {"m1": None, "m2": 1990})
    assert rows(build_edges(known)) == [(1, 2, 3, 1990, 1990)]
    unknown = billed(spark, cast)
    assert build_edges(unknown).collect()[0]["first_year"] is None


def test_credits_without_a_person_are_left_out(spark: "SparkSession") -> None:
    frame = billed(spark, [("m1", None, 0, "a"), ("m1", 1, 1, "b")])
    assert rows(build_vertices(frame)) == [(1,)]
    assert rows(build_edges(frame)) == []


def test_nobody_gives_an_empty_network(spark: "SparkSession") -> None:
    frame = billed(spark, [])
    found = metrics(build_vertices(frame), build_edges(frame))
    assert rows(found) == []
    assert found.columns == ["person_id", "degree", "weighted_degree", "pagerank", "component_id", "community_id"]


def test_one_actor_alone_is_a_network(spark: "SparkSession") -> None:
    frame = billed(spark, [("m1", 42, 0, "a")])
    assert rows(metrics(build_vertices(frame), build_edges(frame))) == [(42, 0, 0, 1.0, 42, 42)]


def test_two_cliques_and_a_loner(spark: "SparkSession") -> None:
    people = [*range(10, 15), *range(20, 24), 99]
    pairs = [(a, b) for group in (range(10, 15), range(20, 24)) for a in group for b in group if a < b]
    found = {row.person_id: row for row in metrics(*graph(spark, people, pairs)).collect()}
    assert [found[person].degree for person in people] == [4] * 5 + [3] * 4 + [0]
    assert [found[person].component_id for person in people] == [10] * 5 + [20] * 4 + [99]
    assert [found[person].community_id for person in people] == [10] * 5 + [20] * 4 + [99]


def random_pairs(seed: int, people: int, movies: int) -> set[Pair]:
    """Casts of small movies, so that the graph has cliques, components and loners as the real one has."""
    chance = random.Random(seed)
    pairs = set()
    for _ in range(movies):
        cast = sorted(chance.sample(range(1, people + 1), chance.randint(1, 5)))
        pairs |= {(a, b) for a in cast for b in cast if a < b}
    return pairs


def in_igraph(people: int, pairs: set[Pair]) -> igraph.Graph:
    return igraph.Graph(n=people, edges=[(a - 1, b - 1) for a, b in sorted(pairs)])


def test_metrics_are_those_of_igraph(spark: "SparkSession") -> None:
    people, pairs = 300, random_pairs(5, 300, 110)
    expected = in_igraph(people, pairs)
    vertices, edges = graph(spark, range(1, people + 1), pairs)
    found = {row.person_id: row for row in metrics(vertices, edges).collect()}
    weights = dict.fromkeys(range(1, people + 1), 0)
    for a, b in pairs:
        for person in (a, b):
            weights[person] += 1 + (a + b) % 3
    assert len(found) == people
    assert [found[p].degree for p in range(1, people + 1)] == expected.degree()
    assert {p: row.weighted_degree for p, row in found.items()} == weights
    components = {min(member) + 1: {m + 1 for m in member} for member in expected.connected_components()}
    assert len(components) > 5
    for component, members in components.items():
        assert {p for p, row in found.items() if row.component_id == component} == members
    ranks = expected.pagerank(damping=0.85)
    assert [found[p].pagerank for p in range(1, people + 1)] == pytest.approx(ranks, rel=1e-3)
    converged = metrics(vertices, edges, MetricsOptions(pagerank_iterations=100)).orderBy("person_id").collect()
    assert [row.pagerank for row in converged] == pytest.approx(ranks, rel=1e-6)


def test_communities_obey_the_rules_of_label_propagation(spark: "SparkSession") -> None:
    people, pairs = 300, random_pairs(6, 300, 110)
    vertices, edges = graph(spark, range(1, people + 1), pairs)
    found = metrics(vertices, edges).persist()
    belongs = {row.person_id: row.community_id for row in found.collect()}
    component = {row.person_id: row.component_id for row in found.collect()}
    for community in set(belongs.values()):
        members = [p for p, c in belongs.items() if c == community]
        assert min(members) == community
        assert len({component[p] for p in members}) == 1
    expected = in_igraph(people, pairs)
    by_igraph = expected.modularity([belongs[p] for p in range(1, people + 1)])
    assert modularity(edges, found, len(pairs)) == pytest.approx(by_igraph, abs=1e-9)
    assert by_igraph > 0.5


def propagated(people: Iterable[int], pairs: set[Pair], rounds: int) -> dict[int, int]:
    """Label propagation as its definition says, one vertex at a time."""
    labels = {p: p for p in people}
    for _ in range(rounds):
        heard: dict[int, dict[int, int]] = {p: {} for p in labels}
        for a, b in pairs:
            heard[a][labels[b]] = heard[a].get(labels[b], 0) + 1
            heard[b][labels[a]] = heard[b].get(labels[a], 0) + 1
        labels = {
            p: min(votes, key=lambda label: (-votes[label], label)) if (votes := heard[p]) else labels[p]
            for p in labels
        }
    return labels


def test_labels_are_those_of_the_definition(spark: "SparkSession") -> None:
    pairs = random_pairs(8, 120, 60)
    vertices, edges = graph(spark, range(1, 121), pairs)
    links = edges.toDF("src", "dst", "shared_movies")
    found = {row.id: row.label for row in communities(vertices, links, 120, 4).collect()}
    assert found == propagated(range(1, 121), pairs, 4)


def test_the_order_of_the_rows_and_the_run_do_not_matter(spark: "SparkSession") -> None:
    pairs = sorted(random_pairs(7, 200, 90))
    first = rows(metrics(*graph(spark, range(1, 201), pairs)))
    shuffled = random.Random(1).sample(pairs, len(pairs))
    vertices, edges = graph(spark, range(200, 0, -1), shuffled)
    assert rows(metrics(vertices.repartition(5), edges.repartition(7))) == first
    assert rows(metrics(vertices, edges, MetricsOptions(partitions=1))) == first


def test_a_result_that_breaks_a_law_is_refused(spark: "SparkSession") -> None:
    vertices, edges = graph(spark, range(1, 5), [(1, 2), (3, 4)])
    found = metrics(vertices, edges)
    links = edges.toDF("src", "dst", "shared_movies")
    check(found, links, 4)
    torn = found.withColumn("component_id", F.col("person_id"))
    with pytest.raises(GraphError, match="2 of 2 edges join two components"):
        check(torn, links, 4)
    with pytest.raises(GraphError, match="PageRank sums to"):
        check(found.withColumn("pagerank", F.col("pagerank") * 2), links, 4)
    with pytest.raises(GraphError, match="degrees sum to 4 for 1 edges"):
        check(found, links.limit(1), 4)
    with pytest.raises(GraphError, match="4 rows for 5 actors"):
        check(found, links, 5)


def test_the_session_is_left_as_it_was(spark: "SparkSession") -> None:
    before = [spark.conf.get(key) for key in ("spark.sql.adaptive.enabled", "spark.sql.shuffle.partitions")]
    metrics(*graph(spark, range(1, 4), [(1, 2)]))
    assert [spark.conf.get(k) for k in ("spark.sql.adaptive.enabled", "spark.sql.shuffle.partitions")] == before
