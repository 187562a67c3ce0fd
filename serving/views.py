"""The readers' views `gold.<mart>`, each over the version of its table that is published."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse.ops.schema import quoted

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.types import StructType

_AT_ONCE = 4
OLD_TABLE = "{mart}_before_views"


def literal(instant: datetime) -> str:
    """An instant in SQL, to the millisecond, whatever the session's time zone."""
    text = instant.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds")
    return f"timestamp'{text.removesuffix('+00:00')}Z'"


def pinned(schema: str, mart: str, instant: datetime) -> str:
    """The relation of one version of a mart's table, for a FROM clause."""
    return f"{schema}.`{mart}` timestamp as of {literal(instant)}"


def see_to(
    spark: "SparkSession", marts: Mapping[str, str], ever: Collection[str], published: str, build: str, readers: str
) -> tuple[str, ...]:
    """Make the views that are missing, and drop those of marts that are no longer published.

    A view of a new mart can only be made when `published` has its row: until then its reader is told, as before, that
    there is no such table. Names, types and comments of columns follow the version that is published.

    Args:
        spark: a session.
        marts: mart -> a relation with the columns of the version that is published.
        ever: every mart that was ever published; another view among those of the readers is somebody's own, and stays.
        published: the view that names the versions.
        build: the schema of the marts' tables.
        readers: the schema of the views.

    Returns:
        The new names of tables of an older version of this program that stood where views belong.
    """
    spark.sql(f"create database if not exists {readers}")
    there = {row.tableName for row in spark.sql(f"show tables in {readers}").collect() if not row.isTemporary}
    made = {row.viewName for row in spark.sql(f"show views in {readers}").collect() if not row.isTemporary}
    put_aside = [_put_aside(spark, readers, mart, there) for mart in marts if mart in there - made]

    def see_to_one(mart: str) -> None:
        view = f"{readers}.`{mart}`"
        if mart in made:
            _sync(spark, view, marts[mart])
            return
        description = spark.catalog.getTable(f"{build}.{mart}").description or ""
        spark.sql(
            f"create view {view} comment {quoted(description)} with schema evolution as select * from "
            f"{build}.`{mart}` timestamp as of (select instant from {published} where mart = '{mart}')"
        )

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(see_to_one, marts))
    for gone in sorted((made & set(ever)) - marts.keys()):
        spark.sql(f"drop view {readers}.`{gone}`")
    return tuple(put_aside)


def _put_aside(spark: "SparkSession", schema: str, mart: str, there: set[str]) -> str:
    name = OLD_TABLE.format(mart=mart)
    number = 2
    while name in there:
        name = f"{OLD_TABLE.format(mart=mart)}_{number}"
        number += 1
    spark.sql(f"alter table {schema}.`{mart}` rename to {schema}.`{name}`")
    return f"{schema}.{name}"


def _sync(spark: "SparkSession", view: str, version: str) -> None:
    """Have the metastore say of the view what columns it now has; Spark does it when the view is read."""
    said = [(row.col_name, row.data_type, row.comment or "") for row in spark.sql(f"describe table {view}").collect()]
    if said != _described(spark.sql(f"select * from {version}").schema):
        spark.table(view).schema  # noqa: B018


def _described(schema: "StructType") -> list[tuple[str, str, str]]:
    return [
        (field.name, field.dataType.simpleString(), str(field.metadata.get("comment", ""))) for field in schema.fields
    ]
