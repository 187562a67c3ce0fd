"""Publications on small marts: what readers of `gold.*` see, whatever is built, published, killed and rolled back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from lakehouse.settings import Settings, load_settings
from serving import publication
from serving.commands import gold_as_of
from serving.errors import PublicationError
from serving.publication import kept, newest, publications, publish_gold, roll_back
from tests.integration.serving.gold_build import PROPERTIES, build, clear

pytestmark = pytest.mark.spark

AS_OF = datetime(2026, 1, 31, tzinfo=UTC)
AT = datetime(2026, 2, 1, 8, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=str(tmp_path), publication={"kept": 3})


@pytest.fixture(autouse=True)
def _clean(spark: SparkSession) -> Iterator[None]:
    yield
    clear(spark)


def seen(spark: SparkSession, *marts: str) -> list[str]:
    return [spark.table(f"gold.{mart}").head().marker for mart in marts or ("genres", "movies")]  # type: ignore[union-attr]


@pytest.fixture
def publish(spark: SparkSession, settings: Settings) -> Any:
    def call(run_id: str, **more: Any) -> publication.Publication:
        return publish_gold(spark, settings, run_id, AS_OF, AT, **more)

    return call


class Killed(BaseException):
    """What a kill is to a test that goes on."""


def test_readers_see_what_is_published_and_not_what_is_built(
    spark: SparkSession, publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[list[str]] = []
    move = publication._move

    def watched(session: SparkSession, wanted: publication.Publication) -> None:
        found.append(seen(spark))
        move(session, wanted)
        found.append(seen(spark))

    build(spark, "one")
    assert not spark.catalog.tableExists("gold.genres")
    first = publish("r1")
    assert (first.publication_id, first.content_of, first.is_current) == ("r1", "r1", True)
    assert seen(spark) == ["one", "one"]
    build(spark, "bad")
    assert seen(spark) == ["one", "one"]
    build(spark, "two")
    monkeypatch.setattr(publication, "_move", watched)
    second = publish("r2")
    assert found == [["one", "one"], ["two", "two"]]
    assert second.published_at == first.published_at + timedelta(milliseconds=1)
    assert [(one.publication_id, one.is_current) for one in publications(spark)] == [("r2", True), ("r1", False)]
    both = spark.sql("select genres.marker, movies.marker from gold.genres cross join gold.movies").collect()
    assert both == [("two", "two")]


def test_views_say_what_the_columns_are_and_follow_the_marts_columns(
    spark: SparkSession, settings: Settings, publish: Any
) -> None:
    def described() -> list[tuple[Any, ...]]:
        return [tuple(row) for row in spark.sql("describe gold.movies").collect()]

    build(spark, "one")
    publish("r1")
    before = [("id", "int", "its id"), ("marker", "string", "whose")]
    assert described() == before
    assert spark.catalog.getTable("gold.movies").description == "One row per thing."
    spark.sql(
        f"create or replace table gold_build.movies (id int comment 'its id', votes int comment 'how many', "
        f"marker string comment 'of whom') using delta {PROPERTIES}"
    )
    spark.sql("insert into gold_build.movies select 1, 7, 'two'")
    assert described() == before
    assert seen(spark, "movies") == ["one"]
    publish("r2")
    assert described() == [("id", "int", "its id"), ("votes", "int", "how many"), ("marker", "string", "of whom")]
    assert spark.sql("select votes, marker from gold.movies").collect() == [(7, "two")]
    roll_back(spark, settings, None, AT)
    assert described() == before


def test_the_same_run_publishes_the_same_once(spark: SparkSession, publish: Any) -> None:
    build(spark, "one")
    first = publish("r1")
    assert publish("r1") == first
    assert len(publications(spark)) == 1
    build(spark, "mended")
    assert publish("r1").publication_id == "r1-2"
    assert seen(spark) == ["mended", "mended"]
    assert publish("r1").publication_id == "r1-2"


def test_what_ends_before_the_move_leaves_readers_where_they_are(
    spark: SparkSession, settings: Settings, publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: object) -> None:
        raise Killed

    build(spark, "one")
    publish("r1")
    build(spark, "two")
    with monkeypatch.context() as patch:
        patch.setattr(publication, "_move", stop)
        with pytest.raises(Killed):
            publish("r2")
    assert seen(spark) == ["one", "one"]
    assert [one.publication_id for one in publications(spark)] == ["r1"]

    # Another run takes its place, and nothing remembers it.
    build(spark, "three")
    with monkeypatch.context() as patch:
        patch.setattr(publication, "_move", stop)
        with pytest.raises(Killed):
            publish("r3")
    assert seen(spark) == ["one", "one"]
    publish("r3")
    assert seen(spark) == ["three", "three"]
    assert [one.publication_id for one in publications(spark)] == ["r3", "r1"]
    assert roll_back(spark, settings, None, AT).content_of == "r1"


def test_what_ends_after_the_move_is_completed(
    spark: SparkSession, publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: object) -> None:
        raise Killed

    build(spark, "one")
    with monkeypatch.context() as patch:
        patch.setattr(publication.views, "see_to", stop)
        with pytest.raises(Killed):
            publish("r1")
    assert publish("r1").publication_id == "r1"
    assert seen(spark) == ["one", "one"]


def test_a_rollback_gives_back_what_was_before_what_readers_see(
    spark: SparkSession, settings: Settings, publish: Any
) -> None:
    for marker in ("one", "two", "three"):
        build(spark, marker)
        publish(f"r-{marker}")
    # An idle run is a publication, but no other version.
    publish("r-idle")
    back = roll_back(spark, settings, None, AT)
    assert (back.action, back.content_of, back.as_of) == ("rollback", "r-two", AS_OF)
    assert seen(spark) == ["two", "two"]
    assert roll_back(spark, settings, None, AT + timedelta(hours=1)).content_of == "r-one"
    assert seen(spark) == ["one", "one"]
    with pytest.raises(PublicationError, match="no publication before r-one"):
        roll_back(spark, settings, None, AT + timedelta(hours=2))
    roll_back(spark, settings, "r-three", AT + timedelta(hours=3))
    assert seen(spark) == ["three", "three"]
    build(spark, "four")
    publish("r-four")
    assert seen(spark) == ["four", "four"]
    assert roll_back(spark, settings, "r-one", AT + timedelta(hours=4)).content_of == "r-one"


def test_so_many_versions_are_kept(spark: SparkSession, settings: Settings, publish: Any) -> None:
    for marker in ("one", "two", "three", "four"):
        build(spark, marker)
        publish(marker)
    publish("idle")
    found = publications(spark)
    assert [one.publication_id for one in kept(found, settings.publication.kept)] == ["idle", "four", "three", "two"]
    with pytest.raises(PublicationError, match=r"one is no longer kept \(publication.kept is 3\)"):
        roll_back(spark, settings, "one", AT)
    with pytest.raises(PublicationError, match="never is not there"):
        roll_back(spark, settings, "never", AT)
    assert seen(spark) == ["four", "four"]


def test_what_was_never_shown_pushes_none_out_of_those_that_are_kept(
    spark: SparkSession, settings: Settings, publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: object) -> None:
        raise Killed

    for marker in ("one", "two", "three"):
        build(spark, marker)
        publish(marker)
    build(spark, "four")
    with monkeypatch.context() as patch:
        patch.setattr(publication, "_move", stop)
        with pytest.raises(Killed):
            publish("four")
    with pytest.raises(PublicationError, match="four is not there"):
        roll_back(spark, settings, "four", AT)
    assert roll_back(spark, settings, "one", AT).content_of == "one"
    assert seen(spark) == ["one", "one"]


def test_a_view_that_is_no_marts_stays(spark: SparkSession, publish: Any) -> None:
    build(spark, "one")
    publish("r1")
    spark.sql("create view gold.mine as select 7 as id")
    build(spark, "two", "genres")
    spark.sql("drop table gold_build.movies")
    publish("r2")
    assert not spark.catalog.tableExists("gold.movies")
    assert spark.table("gold.mine").collect() == [(7,)]


@pytest.fixture
def _no_silver(spark: SparkSession) -> Iterator[None]:
    spark.sql("create database if not exists silver")
    spark.sql("drop table if exists silver.as_of")
    yield
    spark.sql("drop table if exists silver.as_of")


@pytest.mark.usefixtures("_no_silver")
def test_gold_is_of_the_silver_that_it_was_built_from(spark: SparkSession) -> None:
    def state(day: str, statement: str) -> None:
        spark.sql(f"{statement} select timestamp'{day} 00:00:00Z' as as_of_at")

    build(spark, "before")
    assert gold_as_of(spark, newest(spark)) is None
    state("2026-01-31", "create or replace table silver.as_of using delta as")
    # The table was made after the marts.
    assert gold_as_of(spark, newest(spark)) is None
    build(spark, "one")
    marts = newest(spark)
    state("2026-02-28", "insert overwrite silver.as_of")
    assert gold_as_of(spark, marts) == AS_OF
    assert gold_as_of(spark, {}) is None
    files = spark.sql("select * from silver.as_of version as of 0").inputFiles()
    build(spark, "two")
    assert gold_as_of(spark, newest(spark)) == datetime(2026, 2, 28, tzinfo=UTC)
    for file in files:
        Path(unquote(urlsplit(file).path)).unlink()
    assert gold_as_of(spark, marts) is None


def test_a_mart_comes_and_another_goes(spark: SparkSession, settings: Settings, publish: Any) -> None:
    build(spark, "one")
    publish("r1")
    build(spark, "two", "genres", "people")
    spark.sql("drop table gold_build.movies")
    assert not spark.catalog.tableExists("gold.people")
    publish("r2")
    assert seen(spark, "genres", "people") == ["two", "two"]
    assert not spark.catalog.tableExists("gold.movies")
    with pytest.raises(PublicationError, match=r"gold_build\.movies is not there as r1 published it"):
        roll_back(spark, settings, None, AT)
    assert seen(spark, "genres", "people") == ["two", "two"]


def test_a_mart_that_came_later_is_not_there_after_a_rollback(
    spark: SparkSession, settings: Settings, publish: Any
) -> None:
    build(spark, "one")
    publish("r1")
    build(spark, "two", "genres", "movies", "people")
    publish("r2")
    roll_back(spark, settings, None, AT)
    assert seen(spark) == ["one", "one"]
    with pytest.raises(AnalysisException, match="TABLE_OR_VIEW_NOT_FOUND"):
        seen(spark, "people")
    roll_back(spark, settings, "r2", AT)
    assert seen(spark, "genres", "movies", "people") == ["two"] * 3


def test_what_changed_during_the_audit_is_not_published(spark: SparkSession, publish: Any) -> None:
    build(spark, "one")
    publish("r1", audited=newest(spark))
    audited = newest(spark)
    build(spark, "two", "movies")
    with pytest.raises(PublicationError, match=r"gold_build\.movies changed while Gold was audited"):
        publish("r2", audited=audited)
    assert seen(spark) == ["one", "one"]


def test_nothing_to_publish_and_a_run_id_that_names_nothing_are_told(spark: SparkSession, publish: Any) -> None:
    with pytest.raises(PublicationError, match="no mart in gold_build"):
        publish("r1")
    with pytest.raises(PublicationError, match="cannot name a publication"):
        publish("r'1")


def test_tables_of_an_older_version_are_put_aside_with_their_rows(spark: SparkSession, publish: Any) -> None:
    build(spark, "new")
    spark.sql("create database if not exists gold")
    spark.sql("create table gold.movies using delta as select 1 as id, 'old' as marker")
    spark.sql("create table gold.unrelated using delta as select 1 as id")
    assert publish("r1").put_aside == ("gold.movies_before_views",)
    assert seen(spark) == ["new", "new"]
    assert spark.sql("select marker from gold.movies_before_views").collect() == [("old",)]
    assert spark.catalog.tableExists("gold.unrelated")
    assert publish("r1").put_aside == ()
