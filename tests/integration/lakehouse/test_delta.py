"""Declared Delta tables, made on top of what a killed creation left."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse

import pytest

from lakehouse.delta import create_missing
from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

TABLE = "delta_test.things"
STATEMENTS = {TABLE: f"create table if not exists {TABLE} (id bigint comment 'which') using delta comment 'Things'"}


@pytest.fixture
def folder(spark: "SparkSession") -> Iterator[Path]:
    spark.sql("create database delta_test")
    yield Path(urlparse(spark.catalog.getDatabase("delta_test").locationUri).path) / "things"
    spark.sql("drop database delta_test cascade")


@pytest.mark.parametrize("left", ["_delta_log/.00000000000000000000.json.1a2b.tmp", "_delta_log/_staged_commits/", ""])
def test_a_creation_killed_before_its_commit_is_done_again(spark: "SparkSession", folder: Path, left: str) -> None:
    (folder / left).parent.mkdir(parents=True, exist_ok=True)
    if left.endswith("/") or not left:
        (folder / left).mkdir(parents=True, exist_ok=True)
    else:
        (folder / left).write_text("{", encoding="utf-8")
    create_missing(spark, STATEMENTS)
    assert spark.table(TABLE).columns == ["id"]
    assert spark.table(TABLE).count() == 0


def test_a_creation_killed_after_its_commit_is_done_again(spark: "SparkSession", folder: Path) -> None:
    create_missing(spark, STATEMENTS)
    unregister(spark, folder)
    create_missing(spark, STATEMENTS)
    assert spark.table(TABLE).count() == 0


def test_data_that_the_metastore_does_not_know_is_kept_and_named(spark: "SparkSession", folder: Path) -> None:
    create_missing(spark, STATEMENTS)
    spark.sql(f"insert into {TABLE} values (1), (2)")
    unregister(spark, folder)
    with pytest.raises(
        LakehouseError, match=r"things holds data, but the metastore has no table delta_test\.things"
    ) as e:
        create_missing(spark, STATEMENTS)
    register = e.value.next_step.partition("register it: ")[2].partition(";")[0]
    spark.sql(register)
    assert spark.table(TABLE).count() == 2


def unregister(spark: "SparkSession", folder: Path) -> None:
    """Take the table out of the metastore and leave its files; nothing of it stays cached, as in another process."""
    kept = folder.with_name("kept")
    folder.rename(kept)
    spark.sql(f"drop table {TABLE}")
    kept.rename(folder)
    assert spark._jvm
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()


def test_a_table_that_is_there_is_not_touched(spark: "SparkSession", folder: Path) -> None:
    create_missing(spark, STATEMENTS)
    spark.sql(f"insert into {TABLE} values (1)")
    create_missing(spark, STATEMENTS)
    assert spark.sql(f"describe history {TABLE}").count() == 2
