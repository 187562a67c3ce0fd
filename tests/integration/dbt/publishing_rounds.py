"""A process that builds, audits, publishes and exports small marts, round after round: a good version, then a bad one.

    python -m tests.integration.dbt.publishing_rounds ROUNDS

Every row of a version carries its number; a bad version's is negative, and the audit refuses it. A line is written to
standard output after each round.
"""

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings, load_settings
from serving.marts import Mart

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MARTS = tuple(Mart(name, ("id",)) for name in ("first", "second", "third"))
ROWS = 5
_AT = datetime(2026, 2, 1, tzinfo=UTC)


def build(spark: "SparkSession", number: int) -> None:
    spark.sql("create database if not exists gold_build")
    for mart in MARTS:
        spark.sql(
            f"create table if not exists gold_build.{mart.name} (id bigint, marker int) using delta "
            "tblproperties ('delta.enableInCommitTimestamps' = 'true')"
        )
        spark.sql(f"insert overwrite gold_build.{mart.name} select id, {number} from range({ROWS})")


def audit(spark: "SparkSession", settings: Settings, run_id: str, at: datetime) -> None:
    for mart in MARTS:
        if spark.sql(f"select 1 from gold_build.{mart.name} where marker < 0 limit 1").head() is not None:
            raise LakehouseError(f"gold_build.{mart.name} is bad.")


def main(rounds: int) -> None:
    from lakehouse.spark import spark_session
    from orchestration.publishing import publish_audited
    from serving.export import export

    settings = load_settings()
    spark = spark_session(settings, "rounds")
    for number in range(1, rounds + 1):
        at = _AT + timedelta(minutes=number)
        build(spark, number)
        published = publish_audited(spark, settings, f"round-{number}", at, at, audit)
        export(
            spark,
            settings.mongo.uri.get_secret_value(),
            settings.mongo.database,
            MARTS,
            f"round-{number}",
            as_of=at,
            publication=published,
        )
        print(f"published {number}", flush=True)
        build(spark, -number)
        try:
            publish_audited(spark, settings, f"bad-{number}", at, at, audit)
        except LakehouseError as refused:
            print(f"refused {number}: {refused.message}", flush=True)
    spark.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]))
