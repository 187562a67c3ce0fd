"""Schema drift on real tables: what Spark counts, what is compared with what, and that a second run changes nothing."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ingestion import drift as drift_module
from ingestion import fields as fields_module
from ingestion.batches import last_landed
from ingestion.drift import Drift, blocking, check, needed_fields
from ingestion.fields import Field, take_inventory
from ingestion.run import IngestRequest, ingest
from ingestion.tables import BronzeTables
from tests.instance import ROOT
from tests.integration.ingestion.conftest import Killed, Limits, wall_clock

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

AS_OF = datetime(2026, 1, 29, 6, tzinfo=UTC)
NEEDED = needed_fields(ROOT / "dbt_project")
LIMITS = Limits(chunk_rows=3000)
_files = count()


Land = Callable[..., str]


@pytest.fixture
def land(spark: "SparkSession", tables: BronzeTables, tmp_path: Path) -> Land:
    """Land records as one batch a call, an hour after the one before; give the batch's id."""
    hours = count()

    def land(records: list[Mapping[str, Any]] | Path, **rest: Any) -> str:
        if isinstance(records, Path):
            path = records
        else:
            path = tmp_path / f"{next(_files)}.jsonl"
            path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        as_of = AS_OF + timedelta(hours=next(hours))
        return ingest(
            spark, LIMITS, IngestRequest("file", as_of, path=path, **rest), wall_clock, tables=tables
        ).batch_id

    return land


def movie(number: int, **more: Any) -> dict[str, Any]:
    """A movie whose content is its own, so that it is landed."""
    return {"id": number, "title": f"Movie {number}", "budget": 0, "popularity": 1.5, **more}


def movies(number: int = 60, of: int = 0, **more: Any) -> list[Mapping[str, Any]]:
    return [movie(1 + of * 1000 + n, **more) for n in range(number)]


def recorded(spark: "SparkSession", tables: BronzeTables) -> list[tuple[Any, ...]]:
    rows = spark.read.table(tables.fields).toArrow().to_pylist()
    return sorted((tuple(row.values()) for row in rows), key=repr)


def commits(spark: "SparkSession", tables: BronzeTables) -> int:
    return spark.sql(f"describe history {tables.fields}").count()


def counted(fields: list[Field]) -> dict[str, tuple[int, int, int, Mapping[str, int]]]:
    return {field.path: (field.present, field.nulls, field.empties, field.types) for field in fields}


def test_each_kind_of_value_is_counted_where_it_stands(spark: "SparkSession", tables: BronzeTables, land: Land) -> None:
    batch = land(
        [
            {"id": 1, "title": "", "budget": 10, "popularity": 7, "odd.name": True, "homepage": None},
            {"id": 2, "title": "\u0000", "budget": 9e99, "popularity": 7.25, "homepage": "", "genres": []},
            {
                "id": 3,
                "popularity": "0.9",
                "genres": [{"id": 1, "name": "A"}, {"id": None}, "odd"],
                "genre_ids": [5, 6],
            },
            {
                "id": 4,
                "credits": {"cast": [{"id": 7, "gender": 2, "order": 0}, {"id": 8, "new": []}]},
                "reviews": {"results": [{"id": "r", "author_details": {"rating": 7.0}}]},
                "keywords": {"keywords": {"id": 1}},
            },
        ]
    )
    fields = take_inventory(spark, batch, NEEDED, tables)
    assert counted(fields) == {
        "id": (4, 0, 0, {"number": 4}),
        "title": (2, 0, 1, {"text": 2}),
        "budget": (2, 0, 0, {"number": 2}),
        "popularity": (3, 0, 0, {"number": 2, "text": 1}),
        "odd.name": (1, 0, 0, {"boolean": 1}),
        "homepage": (2, 1, 1, {"text": 1}),
        "genres": (2, 0, 1, {"list": 2}),
        "genres[]": (3, 0, 0, {"object": 2, "text": 1}),
        "genres[].id": (2, 1, 0, {"number": 1}),
        "genres[].name": (1, 0, 0, {"text": 1}),
        "genre_ids": (1, 0, 0, {"list": 1}),
        "genre_ids[]": (2, 0, 0, {"number": 2}),
        "credits": (1, 0, 0, {"object": 1}),
        "credits.cast": (1, 0, 0, {"list": 1}),
        "credits.cast[]": (2, 0, 0, {"object": 2}),
        "credits.cast[].id": (2, 0, 0, {"number": 2}),
        "credits.cast[].gender": (1, 0, 0, {"number": 1}),
        "credits.cast[].order": (1, 0, 0, {"number": 1}),
        "credits.cast[].new": (1, 0, 1, {"list": 1}),
        "reviews": (1, 0, 0, {"object": 1}),
        "reviews.results": (1, 0, 0, {"list": 1}),
        "reviews.results[]": (1, 0, 0, {"object": 1}),
        "reviews.results[].id": (1, 0, 0, {"text": 1}),
        "reviews.results[].author_details": (1, 0, 0, {"object": 1}),
        "reviews.results[].author_details.rating": (1, 0, 0, {"number": 1}),
        "keywords": (1, 0, 0, {"object": 1}),
        "keywords.keywords": (1, 0, 0, {"object": 1}),
    }
    assert {(field.source, field.endpoint, field.sampled_records, field.ingested_at) for field in fields} == {
        ("file", "movie_details", 4, AS_OF)
    }


def test_the_sample_is_the_same_each_time_and_taken_of_each_endpoint(
    spark: "SparkSession", tables: BronzeTables, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fields_module, "SAMPLED_RECORDS", 30)
    few = [{"observed_by": "2026-01", "shape": "api_list", "record": movie(9000 + n)} for n in range(3)]
    batch = land([*movies(100, genres=[{"id": n, "name": "A"} for n in range(50)]), *few])
    fields = take_inventory(spark, batch, NEEDED, tables)
    assert {(field.endpoint, field.sampled_records) for field in fields} == {("movie_details", 30), ("api_list", 3)}
    by_path = {field.path: field for field in fields if field.endpoint == "movie_details"}
    assert by_path["genres"].present == 30
    assert by_path["genres[]"].present == 30 * 10
    assert take_inventory(spark, batch, NEEDED, tables) == fields


def test_what_is_gone_blocks_and_stays_reported_until_it_is_accepted(
    spark: "SparkSession", tables: BronzeTables, land: Land
) -> None:
    first = land(movies(video=False))
    assert check(spark, first, NEEDED, tables) == []
    without_title = [{key: value for key, value in one.items() if key != "title"} for one in movies(of=1)]
    second = land(without_title)
    expected = [
        Drift("title", "gone", "text in 60 of 60", "absent in 60", is_needed=True, is_blocking=True),
        Drift("video", "gone", "boolean in 60 of 60", "absent in 60", is_needed=False),
    ]
    assert check(spark, second, NEEDED, tables) == expected
    third = land([{**one, "id": one["id"] + 1000} for one in without_title])
    assert check(spark, third, NEEDED, tables) == expected
    accepted = check(spark, third, NEEDED, tables, accepts=True)
    assert [finding.path for finding in accepted] == ["title", "video"]
    assert blocking(accepted) == []
    assert blocking(check(spark, third, NEEDED, tables)) == []
    fourth = land([{**one, "id": one["id"] + 2000} for one in without_title])
    assert check(spark, fourth, NEEDED, tables) == []
    # Nobody accepted this one.
    assert check(spark, second, NEEDED, tables) == expected


def test_running_again_writes_nothing(spark: "SparkSession", tables: BronzeTables, land: Land) -> None:
    batches = [land(movies(of=n, budget="text" if n else 1)) for n in range(2)]
    findings = [check(spark, batch, NEEDED, tables) for batch in batches]
    assert [len(blocking(found)) for found in findings] == [0, 1]
    rows, version = recorded(spark, tables), commits(spark, tables)
    assert rows
    assert [check(spark, batch, NEEDED, tables) for batch in batches] == findings
    assert (recorded(spark, tables), commits(spark, tables)) == (rows, version)


@pytest.mark.parametrize("after", [False, True])
def test_a_check_that_is_killed_gives_the_same_rows_in_the_end(
    spark: "SparkSession", tables: BronzeTables, land: Land, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    check(spark, land(movies()), NEEDED, tables)
    batch = land(movies(of=1, budget="text"))
    write = fields_module.write_inventory

    def dying(*args: Any) -> None:
        if after:
            write(*args)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(drift_module, "write_inventory", dying)
        with pytest.raises(Killed):
            check(spark, batch, NEEDED, tables)
    (finding,) = blocking(check(spark, batch, NEEDED, tables))
    assert (finding.path, finding.kind) == ("budget", "retyped")
    keys = [(row.batch_id, row.endpoint, row.path) for row in spark.read.table(tables.fields).collect()]
    assert len(keys) == len(set(keys)) == 2 * 4
    assert {row.is_accepted for row in spark.read.table(tables.fields).collect() if row.batch_id == batch} == {False}


def test_an_inventory_that_was_taken_too_early_is_replaced(
    spark: "SparkSession", tables: BronzeTables, land: Land
) -> None:
    batch = land(movies(60))
    assert check(spark, batch, NEEDED, tables) == []
    # The rest of the batch lands, as it does after a kill.
    odd = spark.read.table(tables.movies).selectExpr(
        "* except (payload, payload_sha256)",
        "replace(payload, '\"budget\": 0', '\"budget\": [0]') as payload",
        "sha2(payload, 256) as payload_sha256",
    )
    twice = odd.unionByName(odd.selectExpr("* except (payload_sha256)", "reverse(payload_sha256) as payload_sha256"))
    twice.write.format("delta").mode("append").saveAsTable(tables.movies)
    (finding,) = blocking(check(spark, batch, NEEDED, tables))
    assert (finding.path, finding.now) == ("budget", "list (67%), number (33%) in 180 of 180")
    assert {(row.sampled_records, row.is_accepted) for row in spark.read.table(tables.fields).collect()} == {
        (180, False)
    }


def test_a_small_batch_does_not_take_the_place_of_a_larger_one(
    spark: "SparkSession", tables: BronzeTables, land: Land
) -> None:
    check(spark, land(movies()), NEEDED, tables)
    untitled = [{"id": 5000 + n} for n in range(70)]
    findings = check(spark, land(untitled[:10]), NEEDED, tables)
    assert {finding.path for finding in findings} == {"title", "budget", "popularity"}
    assert blocking(findings) == []
    assert len(blocking(check(spark, land(untitled[10:]), NEEDED, tables))) == 3


def test_a_batch_that_landed_nothing_has_no_findings_and_is_not_the_last(
    spark: "SparkSession", tables: BronzeTables, land: Land
) -> None:
    assert last_landed(spark, tables=tables) is None
    first = land(movies())
    check(spark, first, NEEDED, tables)
    second = land(movies())
    assert check(spark, second, NEEDED, tables) == []
    assert {row.batch_id for row in spark.read.table(tables.fields).collect()} == {first}
    assert last_landed(spark, tables=tables) == first
    assert last_landed(spark, second, tables) == second
    assert last_landed(spark, "unheard-of", tables) is None


def test_a_synthetic_catalogue_has_what_silver_needs(spark: "SparkSession", tables: BronzeTables) -> None:
    for seed in (1, 2):
        request = IngestRequest("synthetic", AS_OF + timedelta(hours=seed), movies=100, seed=seed)
        batch = ingest(spark, LIMITS, request, wall_clock, tables=tables).batch_id
        assert check(spark, batch, NEEDED, tables) == []
        assert NEEDED.keys() - {"genre_ids", "genre_ids[]"} <= {
            field.path for field in take_inventory(spark, batch, NEEDED, tables)
        }


def test_real_files_block_nothing_in_whatever_order_they_come(
    spark: "SparkSession", tables: BronzeTables, land: Land, tmdb_data: Path
) -> None:
    paths = [
        tmdb_data / "tmdb_movies.jsonl.gz",
        tmdb_data / "api_samples",
        tmdb_data / "tmdb_observations.jsonl.gz",
        tmdb_data / "api_samples" / "movie_full",
        tmdb_data / "tmdb_movies.jsonl.gz",
    ]
    endpoints = set()
    for number, path in enumerate(paths):
        batch = land(path, observed_at=AS_OF - timedelta(days=number))
        assert blocking(check(spark, batch, NEEDED, tables)) == []
        endpoints |= {field.endpoint for field in take_inventory(spark, batch, NEEDED, tables)}
    assert endpoints >= {"movie_details", "api_details", "api_list", "kaggle_details", "partial"}
