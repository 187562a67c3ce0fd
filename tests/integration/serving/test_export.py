import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pyspark.sql import SparkSession

from serving.announcement import CURRENT, PUBLICATIONS
from serving.documents import Fingerprint, encoded, fingerprint
from serving.errors import ExportError, ReconciliationError
from serving.export import MartReport, export
from serving.marts import Index, Mart
from serving.tasks import Target, read_back, slices
from tests.instance import free_ports

pytestmark = pytest.mark.spark

AS_OF = datetime(2026, 1, 31, tzinfo=UTC)
SCORES = Mart(
    "scores",
    key=("movie_id", "trend_window"),
    indexes=(
        Index((("trend_window", 1), ("score", -1))),
        Index((("movie_id", 1), ("trend_window", 1)), unique=True),
    ),
    schema="gold_t",
)
GENRES = Mart("genres", key=("genre_id",), indexes=(Index((("top.movie_id", 1),)),), schema="gold_t")
MARTS = (SCORES, GENRES)

Collections = dict[str, dict[str, Any]]


@pytest.fixture(scope="module", autouse=True)
def _gold(spark: SparkSession) -> Iterator[None]:
    spark.sql("create database if not exists gold_t")
    write_scores(spark, 2500)
    spark.sql(
        """
        create or replace table gold_t.genres using delta as
        select
            id as genre_id,
            array(struct(cast(id as string) as movie_id, id * 10000000000 as revenue)) as top,
            cast(id / 3 as decimal(20, 4)) as share,
            date '2026-01-31' as computed_date,
            if(id % 2 = 0, null, timestamp '2026-01-31 08:00:00.123456') as seen_at
        from range(19)
        """
    )
    yield
    spark.sql("drop database gold_t cascade")


def write_scores(spark: SparkSession, rows: int, factor: float = 1.0) -> None:
    spark.sql(
        f"""
        create or replace table gold_t.scores using delta as
        select cast(id div 2 as string) as movie_id, if(id % 2 = 0, '7d', '30d') as trend_window,
               id / 7 * {factor} as score, id as votes
        from range({rows})
        """
    )


@pytest.fixture
def run(spark: SparkSession, mongo_uri: str, database: str) -> Any:
    def call(run_id: str = "one", marts: tuple[Mart, ...] = MARTS, **more: Any) -> list[MartReport]:
        return export(spark, mongo_uri, database, marts, run_id, batch_size=500, as_of=AS_OF, **more)

    return call


@pytest.fixture
def served(mongo_uri: str, database: str) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](mongo_uri, tz_aware=True) as client:
        yield client[database]


def content(served: Any) -> Collections:
    """Every collection but the metadata: documents by id, and the index names."""
    return {
        name: {
            "documents": {document["_id"]: document for document in served[name].find()},
            "indexes": sorted(served[name].index_information()),
        }
        for name in served.list_collection_names()
        if name != PUBLICATIONS
    }


def current(served: Any) -> Any:
    """What readers are told of all collections."""
    return served[PUBLICATIONS].find_one({"_id": CURRENT})


def test_the_collections_hold_the_marts_with_their_indexes(run: Any, served: Any) -> None:
    reports = run()
    assert [(report.mart, report.rows, report.indexes) for report in reports] == [
        ("scores", 2500, 3),
        ("genres", 19, 2),
    ]
    found = content(served)
    assert set(found) == {"scores", "genres"}
    assert len(found["scores"]["documents"]) == 2500
    assert found["scores"]["documents"]["5|30d"] == {
        "_id": "5|30d",
        "movie_id": "5",
        "trend_window": "30d",
        "score": 11 / 7,
        "votes": 11,
    }
    genre = found["genres"]["documents"]["3"]
    assert genre["top"] == [{"movie_id": "3", "revenue": 30_000_000_000}]
    assert str(genre["share"]) == "1.0000"
    assert genre["computed_date"] == datetime(2026, 1, 31, tzinfo=UTC)
    assert genre["seen_at"] == datetime(2026, 1, 31, 8, 0, 0, 123000, tzinfo=UTC)
    assert found["genres"]["documents"]["2"]["seen_at"] is None
    assert found["scores"]["indexes"] == [
        "_id_",
        "movie_id_1_trend_window_1",
        "trend_window_1_score_-1",
    ]
    assert found["genres"]["indexes"] == ["_id_", "top.movie_id_1"]


def test_publications_say_what_is_served(run: Any, served: Any) -> None:
    reports = run("run-7")
    published = {document["_id"]: document for document in served[PUBLICATIONS].find()}
    assert set(published) == {"scores", "genres", "current"}
    for report in reports:
        assert published[report.mart] == {
            "_id": report.mart,
            "run_id": "run-7",
            "publication_id": None,
            "as_of": AS_OF,
            "rows": report.rows,
            "content_hash": report.content_hash,
        }
    assert published["current"] == {
        "_id": "current",
        "is_whole": True,
        "run_id": "run-7",
        "publication_id": None,
        "as_of": AS_OF,
        "changes": 2,
    }


def test_a_second_export_of_the_same_content_changes_nothing(run: Any, served: Any) -> None:
    first = run("one")
    before = content(served)
    second = run("two")
    assert content(served) == before
    assert [report.content_hash for report in first] == [report.content_hash for report in second]


def test_a_row_that_is_gone_from_gold_is_gone_from_mongodb(run: Any, served: Any, spark: SparkSession) -> None:
    before = run("one", marts=(SCORES,))
    write_scores(spark, 100, factor=2.0)
    try:
        after = run("two", marts=(SCORES,))
        assert len(content(served)["scores"]["documents"]) == 100
        assert content(served)["scores"]["documents"]["5|30d"]["score"] == 11 / 7 * 2.0
        assert before[0].content_hash != after[0].content_hash
    finally:
        write_scores(spark, 2500)


def test_an_empty_mart_is_an_empty_collection_with_indexes(run: Any, served: Any, spark: SparkSession) -> None:
    write_scores(spark, 0)
    try:
        assert run(marts=(SCORES,))[0].rows == 0
        assert served["scores"].count_documents({}) == 0
        assert "trend_window_1_score_-1" in served["scores"].index_information()
    finally:
        write_scores(spark, 2500)


@pytest.mark.parametrize(
    ("mart", "phase"),
    [
        ("scores", "stage"),
        ("genres", "stage"),
        ("genres", "index"),
        ("genres", "reconcile"),
        ("scores", "publish"),
        ("genres", "publish"),
    ],
)
def test_broken_off_anywhere_and_run_again_it_is_as_if_never_broken_off(
    run: Any, served: Any, spark: SparkSession, phase: str, mart: str
) -> None:
    run("old")
    old, changes = content(served), current(served)["changes"]
    write_scores(spark, 300)
    try:

        def break_off(at_mart: str, at_phase: str) -> None:
            if (at_mart, at_phase) == (mart, phase):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run("broken", on_step=break_off)
        visible = {name: found for name, found in content(served).items() if "__staging__" not in name}
        if (mart, phase) != ("genres", "publish"):
            assert visible == old
        assert set(visible) == {"scores", "genres"}
        assert current(served)["is_whole"] is (phase != "publish")
        run("again")
        assert current(served)["is_whole"] is True
        assert current(served)["run_id"] == "again"
        assert current(served)["changes"] > changes
        after = content(served)
        assert set(after) == {"scores", "genres"}
        assert len(after["scores"]["documents"]) == 300
        assert after["genres"] == old["genres"]
    finally:
        write_scores(spark, 2500)


def tamper(served: Any, name: str, change: Any) -> Any:
    """A listener that changes the staging collection just before it is reconciled."""

    def on_step(mart: str, phase: str) -> None:
        if (mart, phase) == (name, "reconcile"):
            (staging,) = (known for known in served.list_collection_names() if known.startswith(f"{name}__staging__"))
            change(served[staging])

    return on_step


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda staging: staging.update_one({"_id": "5|30d"}, {"$set": {"score": 0.0}}), "content hash"),
        (lambda staging: staging.delete_one({"_id": "5|30d"}), "holds 2499 documents"),
        (lambda staging: staging.insert_one({"_id": "x"}), "holds 2501 documents"),
    ],
)
def test_a_tampered_collection_is_found_and_nothing_is_published(run: Any, served: Any, change: Any, said: str) -> None:
    run("old")
    old = content(served)
    with pytest.raises(ReconciliationError, match=rf"gold_t.scores.*{said}.*nothing was published"):
        run("new", on_step=tamper(served, "scores", change))
    assert {name: found for name, found in content(served).items() if "__staging__" not in name} == old
    assert {document["run_id"] for document in served[PUBLICATIONS].find()} == {"old"}


def test_a_key_that_is_not_unique_fails_the_count(run: Any) -> None:
    mart = Mart("scores", key=("movie_id",), schema="gold_t")
    with pytest.raises(ReconciliationError, match="2500 rows were sent, but MongoDB holds 1250") as caught:
        run(marts=(mart,))
    assert "key (movie_id) is not unique" in caught.value.next_step


def test_a_null_key_is_one_sentence(run: Any) -> None:
    mart = Mart("genres", key=("genre_id", "seen_at"), schema="gold_t")
    with pytest.raises(ExportError, match=r"^Key column seen_at is NULL in the row genre_id=\d+, seen_at=None"):
        run(marts=(mart,))


def test_a_missing_mart_and_a_missing_column_are_named_before_anything_is_written(run: Any, served: Any) -> None:
    with pytest.raises(ExportError, match=r"gold_t\.nowhere does not exist"):
        run(marts=(GENRES, Mart("nowhere", key=("a",), schema="gold_t")))
    with pytest.raises(ExportError, match=r"gold_t\.genres has no column genre, which"):
        run(marts=(Mart("genres", key=("genre",), schema="gold_t"),))
    assert content(served) == {}


def test_no_mongodb_is_one_sentence(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.mongo.SELECTION_TIMEOUT_MS", 300)
    with pytest.raises(ExportError, match=r"^MongoDB at mongodb://\*\*\*@127\.0\.0\.1:\d+ does not answer"):
        export(spark, f"mongodb://u:hunter2@127.0.0.1:{free_ports(1)[0]}", "t", MARTS, "one")


def test_a_run_id_that_cannot_name_a_collection_is_refused(run: Any) -> None:
    with pytest.raises(ExportError, match="run id"):
        run("a/$b")


def test_the_collection_of_a_mart_that_goes_goes_too_and_no_other(run: Any, served: Any) -> None:
    def break_off(mart: str, phase: str) -> None:
        if phase == "drop":
            raise KeyboardInterrupt

    run("one")
    served["own"].insert_one({"_id": "mine"})
    with pytest.raises(KeyboardInterrupt):
        run("broken", marts=(SCORES,), on_step=break_off)
    assert set(content(served)) == {"scores", "genres", "own"}
    assert current(served)["is_whole"] is False
    steps: list[tuple[str, str]] = []
    run("two", marts=(SCORES,), on_step=lambda mart, phase: steps.append((mart, phase)))
    assert steps[-1] == ("genres", "drop")
    assert set(content(served)) == {"scores", "own"}
    assert {document["_id"] for document in served[PUBLICATIONS].find()} == {"scores", "current"}
    assert current(served)["is_whole"] is True


def test_an_index_on_a_column_that_is_not_there_is_left_out(run: Any, served: Any) -> None:
    mart = replace(GENRES, indexes=(*GENRES.indexes, Index((("genre_id", 1), ("grade", -1)))))
    (report,) = run(marts=(mart,))
    assert (report.indexes, report.left_out) == (2, ("genre_id_1_grade_-1",))
    assert sorted(served["genres"].index_information()) == ["_id_", "top.movie_id_1"]


def test_slices_together_hold_every_document_once(mongo_uri: str, database: str, served: Any) -> None:
    documents = [{"_id": f"{number}|7d", "score": number / 7} for number in range(1000)]
    served["sliced"].insert_many(documents)
    target = Target(mongo_uri, database, "sliced")
    parts = slices(target, [document["_id"] for document in documents[::50]], 3)
    found = [read_back(part) for part in parts]
    assert all(200 < part.rows < 500 for part in found)
    assert sum(found, Fingerprint()) == fingerprint(map(encoded, documents))


# Another process with a Spark of its own, which is killed as hard as can be when it gets to a phase.
EXPORTER = """
import os, signal, sys
from pathlib import Path
from lakehouse.settings import load_settings
from lakehouse.spark import start_session
from serving.export import export
from serving.marts import Mart

folder, uri, database, mart, phase = sys.argv[1:]
settings = load_settings(home=folder)
conf = {
    "spark.master": "local[2]", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2",
    "spark.sql.session.timeZone": "UTC", "spark.sql.warehouse.dir": folder + "/warehouse",
}
spark = start_session(conf, "killed", settings, Path(folder) / "err")
spark.sql("create database gold_t")
for name in ("first", "second"):
    spark.range(20000).selectExpr("id as movie_id", "id / 7 as score").write.saveAsTable(f"gold_t.{name}")
marts = [Mart(name, ("movie_id",), schema="gold_t") for name in ("first", "second")]

def on_step(at_mart, at_phase):
    if (at_mart, at_phase) == (mart, phase):
        os.kill(os.getpid(), signal.SIGKILL)

export(spark, uri, database, marts, "killed", on_step=on_step)
"""


@pytest.mark.parametrize("phase", ["reconcile", "publish"])
def test_killed_hard_and_run_again_it_ends_in_the_same_collections(
    run: Any, served: Any, spark: SparkSession, mongo_uri: str, database: str, tmp_path: Path, phase: str
) -> None:
    argv = [sys.executable, "-c", EXPORTER, str(tmp_path), mongo_uri, database, "second", phase]
    assert subprocess.run(argv, timeout=180, check=False).returncode == -signal.SIGKILL
    assert "second__staging__killed" in served.list_collection_names()
    assert ("first" in served.list_collection_names()) == (phase == "publish")
    told = current(served)
    assert told is None if phase == "reconcile" else told["is_whole"] is False

    marts = tuple(Mart(name, ("movie_id",), schema="gold_t") for name in ("first", "second"))
    for mart in marts:
        spark.range(20000).selectExpr("id as movie_id", "id / 7 as score").write.mode("overwrite").saveAsTable(
            mart.table
        )
    run("again", marts=marts)
    assert current(served)["is_whole"] is True
    assert current(served)["changes"] > (told["changes"] if told else 0)
    found = content(served)
    assert set(found) == {"first", "second"}
    assert len(found["first"]["documents"]) == 20_000
    assert found["first"] == found["second"]
    assert found["second"]["documents"]["10"]["score"] == 10 / 7
