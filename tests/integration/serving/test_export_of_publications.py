"""What MongoDB holds of publications: moved on, rolled back, and exported by two at once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pyspark.sql import SparkSession

from lakehouse.settings import Settings, load_settings
from serving.announcement import CURRENT, PUBLICATIONS
from serving.commands import export_marts
from serving.marts import Index, Mart
from serving.publication import publish_gold, roll_back
from tests.integration.serving.gold_build import PROPERTIES, build, clear

pytestmark = pytest.mark.spark

AS_OF = datetime(2026, 1, 31, tzinfo=UTC)
AT = datetime(2026, 2, 1, 8, tzinfo=UTC)
MARTS = (Mart("genres", ("id",)), Mart("movies", ("id",), (Index((("votes", -1),)),)), Mart("people", ("id",)))


@pytest.fixture
def settings(mongo_uri: str, database: str, tmp_path: Path) -> Settings:
    return load_settings(home=str(tmp_path), mongo={"uri": mongo_uri, "database": database})


@pytest.fixture(autouse=True)
def _clean(spark: SparkSession) -> Iterator[None]:
    yield
    clear(spark)


@pytest.fixture
def served(mongo_uri: str, database: str) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](mongo_uri, tz_aware=True) as client:
        yield client[database]


def markers(served: Any) -> dict[str, list[str]]:
    return {
        name: [document["marker"] for document in served[name].find()]
        for name in served.list_collection_names()
        if name != PUBLICATIONS
    }


def left_out(spark: SparkSession, settings: Settings, run_id: str) -> dict[str, tuple[str, ...]]:
    """Export; the indexes that each collection was left without."""
    return {report.mart: report.left_out for report in export_marts(spark, settings, run_id, marts=MARTS)}


def test_a_rollback_past_a_mart_and_a_column_brings_mongodb_back(
    spark: SparkSession, settings: Settings, served: Any
) -> None:
    build(spark, "one", "genres", "movies")
    publish_gold(spark, settings, "r1", AS_OF, AT)
    assert left_out(spark, settings, "r1") == {"genres": (), "movies": ("votes_-1",)}
    build(spark, "two", "genres", "people")
    spark.sql(f"create or replace table gold_build.movies (id int, votes int, marker string) using delta {PROPERTIES}")
    spark.sql("insert into gold_build.movies select 1, 7, 'two'")
    publish_gold(spark, settings, "r2", AS_OF, AT)
    assert left_out(spark, settings, "r2") == {"genres": (), "movies": (), "people": ()}
    assert markers(served) == {"genres": ["two"], "movies": ["two"], "people": ["two"]}
    assert "votes_-1" in served["movies"].index_information()

    back = roll_back(spark, settings, None, AT + timedelta(hours=1))
    assert left_out(spark, settings, back.publication_id) == {"genres": (), "movies": ("votes_-1",)}
    assert markers(served) == {"genres": ["one"], "movies": ["one"]}
    told = {document["_id"]: document["publication_id"] for document in served[PUBLICATIONS].find()}
    assert told == dict.fromkeys(("genres", "movies", CURRENT), back.publication_id)
    assert served[PUBLICATIONS].find_one({"_id": CURRENT})["is_whole"] is True


def test_of_two_exports_the_second_waits_and_the_later_publication_is_served(
    spark: SparkSession, settings: Settings, served: Any
) -> None:
    is_publishing, may_go_on = threading.Event(), threading.Event()

    def hold(detail: str) -> None:
        if detail == "publish genres":
            is_publishing.set()
            assert may_go_on.wait(120)

    def export(run_id: str, *listener: Any) -> None:
        export_marts(spark, settings, run_id, *listener, marts=MARTS)

    build(spark, "one", "genres", "movies", "people")
    publish_gold(spark, settings, "r1", AS_OF, AT)
    with ThreadPoolExecutor(2) as pool:
        try:
            first = pool.submit(export, "first", hold)
            assert is_publishing.wait(120)
            build(spark, "two", "genres", "movies", "people")
            publish_gold(spark, settings, "r2", AS_OF, AT)
            second = pool.submit(export, "second")
            with pytest.raises(TimeoutError):
                second.result(timeout=3)
            # Its staging would be there if it had not waited, and that of the first would be gone.
            assert "genres__staging__first" in served.list_collection_names()
            assert "genres__staging__second" not in served.list_collection_names()
        finally:
            may_go_on.set()
        first.result(120)
        second.result(120)
    assert markers(served) == {"genres": ["two"], "movies": ["two"], "people": ["two"]}
    current = served[PUBLICATIONS].find_one({"_id": CURRENT})
    assert (current["is_whole"], current["publication_id"], current["run_id"]) == (True, "r2", "second")
