"""A process that builds, audits, publishes and exports small marts, round after round: a good version, then a bad one.

    python -m tests.integration.dbt.publishing_rounds ROUNDS

Every row of a version carries its number; a bad version's is negative, and the audit refuses it. What came of each is
written to standard output, a line, and the next one is begun when a line comes from standard input.
"""

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings, load_settings
from serving.marts import Mart

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from serving.publication import Publication

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


def audit(spark: "SparkSession") -> None:
    """In place of the suites, which are of the real marts."""
    for mart in MARTS:
        if spark.sql(f"select 1 from gold_build.{mart.name} where marker < 0 limit 1").head() is not None:
            raise LakehouseError(f"gold_build.{mart.name} is bad.")


def publish_audited(spark: "SparkSession", settings: Settings, run_id: str, at: datetime) -> "Publication":
    """As `orchestration.publishing` does it."""
    from serving.publication import newest, publish_gold

    marts = newest(spark)
    audit(spark)
    return publish_gold(spark, settings, run_id, at, at, marts)


def _tell(outcome: str) -> None:
    print(outcome, flush=True)
    sys.stdin.readline()


def main(rounds: int) -> None:
    from lakehouse.spark import spark_session
    from serving.commands import export_marts

    settings = load_settings()
    spark = spark_session(settings, "rounds")
    for number in range(1, rounds + 1):
        at = _AT + timedelta(minutes=number)
        build(spark, number)
        publish_audited(spark, settings, f"round-{number}", at)
        export_marts(spark, settings, f"round-{number}", marts=MARTS)
        _tell(f"published {number}")
        build(spark, -number)
        try:
            publish_audited(spark, settings, f"bad-{number}", at)
        except LakehouseError as refused:
            _tell(f"refused {number}: {refused.message}")
    spark.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]))
