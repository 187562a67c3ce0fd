import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import igraph
import pytest

from graph_jobs.errors import GraphError
from graph_jobs.run import NetworkOptions, run
from graph_jobs.tables import EDGES, METRICS, ensure_tables

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

OPTIONS = NetworkOptions(cast_members="graph_test.cast_members", movies="graph_test.movies")

Credit = tuple[str, int, int | None, str | None]


@pytest.fixture(autouse=True)
def _own_database(spark: "SparkSession") -> Iterator[None]:
    spark.sql("create database if not exists graph_test")
    for table in (EDGES, METRICS):
        spark.sql(f"drop table if exists {table}")
    yield
    spark.sql("drop database if exists graph_test cascade")
    for table in (EDGES, METRICS):
        spark.sql(f"drop table if exists {table}")
    ensure_tables(spark)


def silver(spark: "SparkSession", credits: list[Credit], years: dict[str, int | None]) -> None:
    cast = spark.createDataFrame(credits, "movie_id string, person_id bigint, billing_order int, credit_id string")
    movies = spark.createDataFrame(list(years.items()), "movie_id string, release_year int")
    cast.coalesce(1).write.format("delta").mode("overwrite").saveAsTable(OPTIONS.cast_members)
    movies.coalesce(1).write.format("delta").mode("overwrite").saveAsTable(OPTIONS.movies)


def versions(spark: "SparkSession") -> list[int]:
    return [spark.sql(f"describe history {t} limit 1").collect()[0]["version"] for t in (EDGES, METRICS)]


def rows(spark: "SparkSession", table: str) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in spark.table(table).collect())


SMALL: list[Credit] = [("m1", 1, 0, "a"), ("m1", 2, 1, "b"), ("m2", 2, 0, "c"), ("m2", 3, 1, "d"), ("m3", 9, 0, "e")]
YEARS: dict[str, int | None] = {"m1": 1999, "m2": None, "m3": 2001}


def test_a_second_run_writes_nothing_and_a_change_is_written(spark: "SparkSession") -> None:
    silver(spark, SMALL, YEARS)
    first = run(spark, OPTIONS)
    assert (first.movies, first.actors, first.edges) == (3, 4, 2)
    assert (first.components, first.largest_component, first.changed) == (2, 3, (EDGES, METRICS))
    assert rows(spark, EDGES) == [(1, 2, 1, 1999, 1999), (2, 3, 1, None, None)]
    assert [row[:3] for row in rows(spark, METRICS)] == [(1, 1, 1), (2, 2, 2), (3, 1, 1), (9, 0, 0)]
    assert spark.table(METRICS).schema.simpleString() == (
        "struct<person_id:bigint,degree:int,weighted_degree:bigint,pagerank:double,"
        "component_id:bigint,community_id:bigint>"
    )
    before = versions(spark)

    silver(spark, SMALL[::-1], YEARS)
    again = run(spark, OPTIONS)
    assert again.changed == ()
    assert str(again).endswith(", unchanged")
    assert versions(spark) == before

    # A year alone changes the edges, not the metrics.
    silver(spark, SMALL, {**YEARS, "m2": 1980})
    assert run(spark, OPTIONS).changed == (EDGES,)
    assert rows(spark, EDGES)[1] == (2, 3, 1, 1980, 1980)


def test_an_empty_silver_empties_the_tables(spark: "SparkSession") -> None:
    silver(spark, SMALL, YEARS)
    run(spark, OPTIONS)
    silver(spark, [], {})
    summary = run(spark, OPTIONS)
    assert (summary.actors, summary.edges, summary.modularity) == (0, 0, None)
    assert str(summary) == "no actors"
    assert rows(spark, EDGES) == rows(spark, METRICS) == []
    assert run(spark, OPTIONS).changed == ()


def test_no_silver_yet_is_an_empty_network(spark: "SparkSession") -> None:
    assert run(spark, NetworkOptions(cast_members="graph_test.not_there")).actors == 0
    assert rows(spark, METRICS) == []


def test_people_of_one_name_stay_apart(spark: "SparkSession") -> None:
    # Silver's cast carries ids only, so two who share a name can only be told apart, never merged.
    silver(spark, [("m1", 5, 0, "a"), ("m1", 6, 1, "b"), ("m2", 5, 0, "c"), ("m2", 7, 1, "d")], {})
    run(spark, OPTIONS)
    assert [(row[0], row[1]) for row in rows(spark, METRICS)] == [(5, 2), (6, 1), (7, 1)]


@pytest.mark.parametrize("options", [NetworkOptions(max_billing=1), NetworkOptions(partitions=0)])
def test_bounds_out_of_range_are_refused(spark: "SparkSession", options: NetworkOptions) -> None:
    with pytest.raises(GraphError, match="max_billing is"):
        run(spark, options)


def test_the_real_network_is_the_one_that_igraph_sees(spark: "SparkSession", tmdb_data: Path) -> None:
    credits: list[Credit] = []
    years: dict[str, int | None] = {}
    with gzip.open(tmdb_data / "tmdb_movies.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            movie, released = str(record["id"]), record.get("release_date") or ""
            years[movie] = int(released[:4]) if released else None
            for member in (record.get("credits") or {}).get("cast", []):
                credits.append((movie, member["id"], member.get("order"), member.get("credit_id")))
    silver(spark, credits, years)
    summary = run(spark, OPTIONS)

    casts: dict[str, dict[int, tuple[int, str]]] = {}
    for movie, person, order, credit in credits:
        place = (2**31 - 1 if order is None else order, credit or "")
        cast = casts.setdefault(movie, {})
        cast[person] = min(place, cast.get(person, place))
    shared: dict[tuple[int, int], int] = {}
    actors: set[int] = set()
    for cast in casts.values():
        people = sorted(sorted(cast, key=lambda person: (cast[person], person))[: OPTIONS.max_billing])
        actors.update(people)
        for i, a in enumerate(people):
            for b in people[i + 1 :]:
                shared[a, b] = shared.get((a, b), 0) + 1

    assert {(row[0], row[1]): row[2] for row in rows(spark, EDGES)} == shared
    metrics = {row.person_id: row for row in spark.table(METRICS).collect()}
    assert set(metrics) == actors
    ids = sorted(actors)
    at = {person: i for i, person in enumerate(ids)}
    expected = igraph.Graph(n=len(ids), edges=[(at[a], at[b]) for a, b in shared])
    assert [metrics[p].degree for p in ids] == expected.degree()
    least = {ids[i]: ids[min(part)] for part in expected.connected_components() for i in part}
    assert {p: metrics[p].component_id for p in ids} == least
    ranks = expected.pagerank(damping=0.85)
    assert [metrics[p].pagerank for p in ids] == pytest.approx(ranks, rel=1e-3)
    assert summary.modularity == pytest.approx(expected.modularity([at[metrics[p].community_id] for p in ids]))
    print(f"{summary} (largest component {summary.largest_component:,})")
