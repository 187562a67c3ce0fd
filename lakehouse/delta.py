"""Delta tables that are declared by a statement, and made where they are missing."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def create_missing(spark: "SparkSession", statements: Mapping[str, str]) -> set[str]:
    """Create each table that the metastore does not know, and its database; give the names of those.

    Cheap where all are known: one look-up a table. A creation that was killed before the metastore knew of it leaves a
    folder in which Delta then refuses to create the table; such a folder is removed first, unless it holds data.

    Args:
        spark: a Delta session.
        statements: `database.table` -> its `create table if not exists` statement.

    Raises:
        LakehouseError: the folder of a table that the metastore does not know holds data.
    """
    created = set()
    for name, statement in statements.items():
        if spark.catalog.tableExists(name):
            continue
        database, _, table = name.partition(".")
        spark.sql(f"create database if not exists {database}")
        _clear(spark, f"{spark.catalog.getDatabase(database).locationUri}/{table}", name)
        spark.sql(statement)
        created.add(name)
    return created


def add_missing_columns(spark: "SparkSession", name: str, columns: Mapping[str, str]) -> None:
    """Add the columns that a table of an earlier version lacks; their values are NULL in the rows that it has.

    Args:
        spark: a Delta session.
        name: `database.table`.
        columns: column -> its type and comment, as in a `create table` statement.
    """
    known = set(spark.read.table(name).columns)
    missing = [f"{column} {declared}" for column, declared in columns.items() if column not in known]
    if missing:
        spark.sql(f"alter table {name} add columns ({', '.join(missing)})")


def _clear(spark: "SparkSession", location: str, name: str) -> None:
    context = spark.sparkContext
    assert context._jvm
    assert context._jsc
    path = context._jvm.org.apache.hadoop.fs.Path(location)
    files = path.getFileSystem(context._jsc.hadoopConfiguration())
    if not files.exists(path):
        return
    found = files.listFiles(path, True)
    while found.hasNext():
        if found.next().getPath().getName().endswith(".parquet"):
            raise LakehouseError(
                f"{location} holds data, but the metastore has no table {name}.",
                f"If it is the table's, register it: create table {name} using delta location '{location}'; "
                "else move the folder away.",
            )
    files.delete(path, True)
