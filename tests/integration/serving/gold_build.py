"""Small marts in `gold_build`, whose rows carry the marker of their version."""

from pyspark.sql import SparkSession

PROPERTIES = "tblproperties ('delta.enableInCommitTimestamps' = 'true')"


def build(spark: SparkSession, marker: str, *marts: str) -> None:
    spark.sql("create database if not exists gold_build")
    for mart in marts or ("genres", "movies"):
        spark.sql(
            f"create table if not exists gold_build.{mart} (id int comment 'its id', marker string comment 'whose') "
            f"using delta comment 'One row per thing.' {PROPERTIES}"
        )
        spark.sql(f"insert overwrite gold_build.{mart} select 1, '{marker}'")


def clear(spark: SparkSession) -> None:
    for schema in ("gold", "gold_build"):
        spark.sql(f"drop database if exists {schema} cascade")
    spark.sql("drop view if exists ops.published")
    spark.sql("delete from ops.publications")
