import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import igraph
import numpy as np
import pytest
from scipy.stats import spearmanr

from graph_jobs.errors import GraphError
from graph_jobs.run import NetworkOptions, run
from graph_jobs.tables import DISTANCES, EDGES, METRICS, PERIODS, RUNS, TOP, ensure_tables
from tests.oracle.network import Credit, billed
from tests.unit.graph_jobs.graphs import least_members, triangle_corners

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

# An iteration of PageRank is a Spark job; where ranks are not looked at, a few will do.
REAL = NetworkOptions(cast_members="graph_test.cast_members", movies="graph_test.movies")
OPTIONS = replace(REAL, pagerank_iterations=3)

CONTENT = (EDGES, METRICS, DISTANCES, PERIODS, TOP)
TABLES = (*CONTENT, RUNS)


@pytest.fixture(autouse=True)
def _own_database(spark: "SparkSession") -> Iterator[None]:
    spark.sql("create database if not exists graph_test")
    for table in TABLES:
        spark.sql(f"drop table if exists {table}")
    yield
    spark.sql("drop database if exists graph_test cascade")
    for table in TABLES:
        spark.sql(f"drop table if exists {table}")
    ensure_tables(spark)


def silver(spark: "SparkSession", credits: list[Credit], years: dict[str, int | None]) -> None:
    cast = spark.createDataFrame(credits, "movie_id string, person_id bigint, billing_order int, credit_id string")
    movies = spark.createDataFrame(list(years.items()), "movie_id string, release_year int")
    cast.coalesce(1).write.format("delta").mode("overwrite").saveAsTable(OPTIONS.cast_members)
    movies.coalesce(1).write.format("delta").mode("overwrite").saveAsTable(OPTIONS.movies)


def versions(spark: "SparkSession") -> list[int]:
    return [spark.sql(f"describe history {table} limit 1").collect()[0]["version"] for table in TABLES]


def rows(spark: "SparkSession", table: str) -> list[tuple[object, ...]]:
    return sorted((tuple(row) for row in spark.table(table).collect()), key=str)


SMALL: list[Credit] = [("m1", 1, 0, "a"), ("m1", 2, 1, "b"), ("m2", 2, 0, "c"), ("m2", 3, 1, "d"), ("m3", 9, 0, "e")]
YEARS: dict[str, int | None] = {"m1": 1999, "m2": None, "m3": 2001}


def test_every_table_is_filled(spark: "SparkSession") -> None:
    silver(spark, SMALL, YEARS)
    found = run(spark, OPTIONS)
    assert (found.movies, found.actors, found.edges, found.communities) == (3, 4, 2, 2)
    assert (found.components, found.largest_component, found.computed) == (2, 3, True)
    assert (found.betweenness_sources, found.betweenness_pivots, found.betweenness_bound) == (3, 3, 0)
    assert found.target_person_id == 2
    assert rows(spark, EDGES) == [(1, 2, 1, 1999, 1999), (2, 3, 1, None, None)]
    assert [row[:3] for row in rows(spark, METRICS)] == [(1, 1, 1), (2, 2, 2), (3, 1, 1), (9, 0, 0)]
    centre = spark.table(METRICS).where("person_id = 2").first()
    assert centre is not None
    # Of the three pairs of others, it stands between one.
    assert (centre.betweenness, centre.triangles, centre.community_id) == (pytest.approx(1 / 3), 0, 2)
    assert rows(spark, DISTANCES) == [(1, 2, 1, 2), (2, 2, 0, None), (3, 2, 1, 2)]
    assert rows(spark, PERIODS) == [
        ("decade", 1990, 1999, 1, 2, 1, 1, 1, 2, 1, 0, 0, None, None),
        ("decade", 2000, 2009, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 2),
        ("window", 1997, 2001, 2, 3, 1, 1, 2, 2, 2, 0, 0, None, None),
    ]
    assert rows(spark, TOP) == [
        ("decade", 1990, 1999, 1, 1, 1, 1),
        ("decade", 1990, 1999, 2, 2, 1, 1),
        ("window", 1997, 2001, 1, 1, 1, 1),
        ("window", 1997, 2001, 2, 2, 1, 1),
    ]
    assert [row[1:4] for row in rows(spark, RUNS)] == [(3, 4, 2)]


def test_the_same_casts_in_another_order_are_no_work_and_a_change_is_written(spark: "SparkSession") -> None:
    silver(spark, SMALL, YEARS)
    first = run(spark, OPTIONS)
    before = versions(spark)
    silver(spark, SMALL[::-1], YEARS)
    done: list[str] = []
    again = run(spark, OPTIONS, done.append)
    assert done == ["reading casts"]
    assert again == replace(first, computed=False)
    assert str(again).endswith(", unchanged")
    assert versions(spark) == before

    silver(spark, SMALL, {**YEARS, "m2": 1980})
    changed = run(spark, OPTIONS)
    assert changed.computed
    assert rows(spark, EDGES)[1] == (2, 3, 1, 1980, 1980)
    assert changed.network_sha256 != first.network_sha256


def test_other_options_are_another_network_and_anew_the_same(spark: "SparkSession") -> None:
    silver(spark, SMALL, YEARS)
    run(spark, OPTIONS)
    told = run(spark, replace(OPTIONS, target_person_id=1))
    whole = {table: rows(spark, table) for table in TABLES}
    assert rows(spark, DISTANCES) == [(1, 1, 0, None), (2, 1, 1, 1), (3, 1, 2, 2)]
    with pytest.raises(GraphError, match="Nobody with the id 77"):
        run(spark, replace(OPTIONS, target_person_id=77))
    # What nothing changed can be computed all the same, and is what it was.
    assert run(spark, replace(OPTIONS, target_person_id=1), anew=True) == told
    assert {table: rows(spark, table) for table in TABLES} == whole


def test_a_run_that_is_cut_short_anywhere_is_seen_and_completed(spark: "SparkSession") -> None:
    silver(spark, SMALL, YEARS)
    stages: list[str] = []
    run(spark, OPTIONS, stages.append)
    before = {table: rows(spark, table) for table in TABLES}
    silver(spark, [*SMALL, ("m3", 1, 1, "f")], YEARS)
    run(spark, OPTIONS)
    whole = {table: rows(spark, table) for table in TABLES}
    assert all(whole[table] != before[table] for table in TABLES)
    writes = [stage for stage in stages if stage.startswith("writing")]
    assert len(writes) == len(CONTENT)

    def cut_short(at: str) -> dict[str, list[tuple[object, ...]]]:
        def stop(stage: str) -> None:
            if stage == at:
                raise RuntimeError("cut short")

        with pytest.raises(RuntimeError, match="cut short"):
            run(spark, OPTIONS, stop)
        return {table: rows(spark, table) for table in TABLES}

    held, wanted = whole, before
    for stage in (stages[stages.index(writes[0]) - 1], writes[0], writes[2], writes[-1]):
        silver(spark, SMALL if wanted is before else [*SMALL, ("m3", 1, 1, "f")], YEARS)
        found = cut_short(stage)
        if stage not in writes:
            assert found == held
            continue
        done = CONTENT[: writes.index(stage)]
        # Nothing says that the tables are a network: dbt's test refuses them.
        assert found == {RUNS: []} | {table: (wanted if table in done else held)[table] for table in CONTENT}
        run(spark, OPTIONS)
        assert {table: rows(spark, table) for table in TABLES} == wanted
        # The other way next, so that there is work to do.
        held, wanted = wanted, held


def test_an_empty_silver_empties_the_tables(spark: "SparkSession") -> None:
    silver(spark, SMALL, YEARS)
    run(spark, OPTIONS)
    silver(spark, [], {})
    summary = run(spark, OPTIONS)
    assert (summary.actors, summary.edges, summary.modularity, summary.target_person_id) == (0, 0, None, None)
    assert str(summary) == "no actors"
    assert [rows(spark, table) for table in CONTENT] == [[]] * len(CONTENT)
    assert not run(spark, OPTIONS).computed


def test_no_silver_yet_is_an_empty_network(spark: "SparkSession") -> None:
    assert run(spark, replace(OPTIONS, cast_members="graph_test.not_there")).actors == 0
    assert rows(spark, METRICS) == []


def test_people_of_one_name_stay_apart(spark: "SparkSession") -> None:
    # Silver's cast carries ids only, so two who share a name can only be told apart, never merged.
    silver(spark, [("m1", 5, 0, "a"), ("m1", 6, 1, "b"), ("m2", 5, 0, "c"), ("m2", 7, 1, "d")], {})
    run(spark, OPTIONS)
    assert [(row[0], row[1]) for row in rows(spark, METRICS)] == [(5, 2), (6, 1), (7, 1)]


def test_ids_that_are_none_are_refused(spark: "SparkSession") -> None:
    silver(spark, [("m1", -5, 0, "a"), ("m1", 6, 1, "b")], {})
    with pytest.raises(GraphError, match="person ids from -5 to 6"):
        run(spark, OPTIONS)


@pytest.mark.parametrize(
    "options", [NetworkOptions(max_billing=1), NetworkOptions(partitions=0), NetworkOptions(window_years=0)]
)
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
    summary = run(spark, REAL)

    shared: Counter[tuple[int, int]] = Counter()
    actors: set[int] = set()
    for people in billed(credits, OPTIONS.max_billing).values():
        actors.update(people)
        shared.update(combinations(sorted(people), 2))

    assert {(row[0], row[1]): row[2] for row in rows(spark, EDGES)} == shared
    metrics = {row.person_id: row for row in spark.table(METRICS).collect()}
    assert set(metrics) == actors
    ids = sorted(actors)
    at = {person: i for i, person in enumerate(ids)}
    expected = igraph.Graph(n=len(ids), edges=[(at[a], at[b]) for a, b in shared])
    found = [metrics[person] for person in ids]
    assert [row.degree for row in found] == expected.degree()
    assert [row.weighted_degree for row in found] == expected.strength(weights=list(shared.values()))
    assert [row.component_id for row in found] == [ids[least] for least in least_members(expected)]
    assert [row.pagerank for row in found] == pytest.approx(expected.pagerank(damping=0.85), rel=1e-6)
    weighted = expected.pagerank(damping=0.85, weights=list(shared.values()))
    assert [row.weighted_pagerank for row in found] == pytest.approx(weighted, rel=1e-6)
    assert [row.triangles for row in found] == triangle_corners(expected)
    assert summary.modularity == pytest.approx(expected.modularity([at[row.community_id] for row in found]))
    distances = {row.person_id: row.distance for row in spark.table(DISTANCES).collect()}
    assert summary.target_person_id is not None
    steps = expected.distances(source=at[summary.target_person_id])[0]
    assert distances == {person: step for person, step in zip(ids, steps, strict=True) if step < len(ids)}

    others = (len(ids) - 1) * (len(ids) - 2) / 2
    truth = np.array(expected.betweenness()) / others
    sampled, error = (np.array([row[name] for row in found]) for name in ("betweenness", "betweenness_error"))
    assert np.abs(sampled - truth).max() <= summary.betweenness_bound
    first = np.argsort(-truth)[:100]
    correlation = spearmanr(sampled[first], truth[first]).statistic
    inside = (np.abs(sampled - truth) <= error)[first].mean()
    assert correlation > 0.9
    print(
        f"{summary} (largest component {summary.largest_component:,}); {summary.betweenness_pivots} of "
        f"{summary.betweenness_sources:,} sources: of the first 100 rank correlation {correlation:.3f}, {inside:.0%} "
        f"within their interval, largest error {np.abs(sampled - truth).max():.5f} of {truth.max():.5f}, bound "
        f"{summary.betweenness_bound:.3f}"
    )
