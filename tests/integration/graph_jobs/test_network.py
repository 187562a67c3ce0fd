import random
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from graph_jobs.betweenness import BetweennessOptions
from graph_jobs.network import METRICS_SCHEMA, MetricsOptions, metrics
from graph_jobs.paths import distances, distances_in_arrays
from tests.unit.graph_jobs.graphs import GRAPHS, Pair, casts, in_igraph, least_members, small_casts, triangle_corners

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark

# In GraphFrames, an iteration of PageRank is a Spark job; where ranks are not looked at, a few will do.
QUICK = MetricsOptions(pagerank_iterations=5)


def rows(frame: "DataFrame") -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in frame.collect())


def weight(pair: Pair) -> int:
    return 1 + sum(pair) % 3


def graph(spark: "SparkSession", people: Iterable[int], pairs: Iterable[Pair]) -> tuple["DataFrame", "DataFrame"]:
    nodes = spark.createDataFrame([(person,) for person in people], "id bigint")
    links = spark.createDataFrame(
        [(*pair, weight(pair)) for pair in pairs], "src bigint, dst bigint, shared_movies int"
    )
    return nodes, links


def test_nobody_gives_an_empty_network(spark: "SparkSession") -> None:
    found = metrics(*graph(spark, [], []))
    assert rows(found.rows) == []
    assert found.rows.columns == [column.split()[0] for column in METRICS_SCHEMA.split(", ")]
    assert (found.modularity, found.pivots, found.bound) == (None, 0, 0)


def test_one_actor_alone_is_a_network(spark: "SparkSession") -> None:
    alone = (42, 0, 0, 1.0, 1.0, 0.0, 0.0, 0, 0.0, 42, 42)
    assert rows(metrics(*graph(spark, [42], []), options=QUICK).rows) == [alone]


def test_two_cliques_and_a_loner(spark: "SparkSession") -> None:
    people = [*range(10, 15), *range(20, 24), 99]
    pairs = [(a, b) for group in (range(10, 15), range(20, 24)) for a in group for b in group if a < b]
    found = {row.person_id: row for row in metrics(*graph(spark, people, pairs), options=QUICK).rows.collect()}
    assert [found[person].degree for person in people] == [4] * 5 + [3] * 4 + [0]
    assert [found[person].component_id for person in people] == [10] * 5 + [20] * 4 + [99]
    # Named for the best connected of each.
    assert [found[person].community_id for person in people] == [12] * 5 + [21] * 4 + [99]


# Of the graphs that the arrays are tested with, those on which GraphFrames could go wrong in ways of its own.
HARD = ("casts", "one vertex", "two strangers", "star", "two cliques and a bridge", "disconnected")


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("array_edges", [0, 10_000])
def test_metrics_are_those_of_igraph(spark: "SparkSession", array_edges: int, name: str) -> None:
    people, pairs = GRAPHS[name]
    expected = in_igraph(people, pairs)
    weights = [weight(pair) for pair in sorted(pairs)]
    options = MetricsOptions(array_edges=array_edges)
    found = metrics(*graph(spark, range(people), pairs), options=options).rows.orderBy("person_id").collect()

    assert [row.person_id for row in found] == list(range(people))
    assert [row.degree for row in found] == expected.degree()
    assert [row.weighted_degree for row in found] == expected.strength(weights=weights)
    assert [row.pagerank for row in found] == pytest.approx(expected.pagerank(damping=0.85), rel=1e-6)
    weighted = expected.pagerank(damping=0.85, weights=weights) if pairs else expected.pagerank(damping=0.85)
    assert [row.weighted_pagerank for row in found] == pytest.approx(weighted, rel=1e-6)
    others = max((people - 1) * (people - 2) / 2, 1)
    between = [count / others for count in expected.betweenness()]
    assert [row.betweenness for row in found] == pytest.approx(between, rel=1e-6, abs=1e-12)
    assert {row.betweenness_error for row in found} == {0.0}
    assert [row.triangles for row in found] == triangle_corners(expected)
    local = expected.transitivity_local_undirected(mode="zero")
    assert [row.clustering_coefficient for row in found] == pytest.approx(local, rel=1e-9)
    assert [row.component_id for row in found] == least_members(expected)


def test_beyond_the_limit_betweenness_is_sampled_and_says_how_far_off(spark: "SparkSession") -> None:
    people, pairs = 300, small_casts(5, 300, 110)
    sampled = replace(QUICK, betweenness=BetweennessOptions(exact_actors=10, pivots=64))
    found = metrics(*graph(spark, range(people), pairs), options=sampled)
    assert (found.pivots, 0 < found.bound < 1) == (64, True)
    assert found.sources == sum(degree > 0 for degree in in_igraph(people, pairs).degree())
    others = (people - 1) * (people - 2) / 2
    truth = [count / others for count in in_igraph(people, pairs).betweenness()]
    measured = [(row.betweenness, row.betweenness_error) for row in found.rows.orderBy("person_id").collect()]
    off = [abs(value - true) for (value, _), true in zip(measured, truth, strict=True)]
    assert max(off) <= found.bound
    within = [distance <= error for distance, (_, error) in zip(off, measured, strict=True) if error]
    assert sum(within) / len(within) > 0.85


def test_graphframes_and_the_arrays_give_the_same_to_the_last_digit(spark: "SparkSession") -> None:
    pairs = small_casts(6, 300, 110)
    in_arrays, in_graphframes = (
        metrics(*graph(spark, range(300), pairs), options=MetricsOptions(array_edges=limit)) for limit in (10_000, 0)
    )
    assert rows(in_arrays.rows) == rows(in_graphframes.rows)
    way = distances_in_arrays(spark, in_arrays.graph, 7)
    assert rows(way) == rows(distances(*graph(spark, range(300), pairs), 7))


def test_the_order_of_the_rows_and_the_number_of_parts_do_not_matter(spark: "SparkSession") -> None:
    pairs = sorted(casts(7, 200, 90))
    first = rows(metrics(*graph(spark, range(200), pairs), options=QUICK).rows)
    shuffled = random.Random(1).sample(pairs, len(pairs))
    nodes, links = graph(spark, range(199, -1, -1), shuffled)
    for partitions, array_edges in ((1, 10_000), (2, 0), (8, 0)):
        cut = nodes.repartition(partitions), links.repartition(partitions)
        found = metrics(*cut, options=replace(QUICK, partitions=partitions, array_edges=array_edges))
        assert rows(found.rows) == first


def test_the_session_is_left_as_it_was(spark: "SparkSession") -> None:
    before = [spark.conf.get(key) for key in ("spark.sql.adaptive.enabled", "spark.sql.shuffle.partitions")]
    metrics(*graph(spark, range(1, 4), [(1, 2)]), options=QUICK)
    assert [spark.conf.get(k) for k in ("spark.sql.adaptive.enabled", "spark.sql.shuffle.partitions")] == before
