from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from tests.unit.udfs.overviews import real_overviews
from udfs.registry import SqlFunction, UdfError, discover, register, register_all

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def test_sql_calls_the_functions(spark: "SparkSession") -> None:
    register_all(spark)
    register_all(spark)
    row = spark.sql(
        """
        select
            vader_compound('A wonderful, funny film.') as good,
            vader_compound(null) as none,
            vader_compound('  ') as blank,
            vader_category(vader_compound('A wonderful, funny film.')) as category,
            vader_category(null) as no_category,
            VADER_CATEGORY(-0.05D) as negative,
            clean_title('  The\u00a0\u200bHost ') as title
        """
    ).collect()[0]
    good = SentimentIntensityAnalyzer().polarity_scores("A wonderful, funny film.")["compound"]
    assert tuple(row) == (good, None, None, "positive", None, "negative", "The Host")


def test_every_real_overview_scores_in_sql_as_the_original_to_the_last_bit(
    spark: "SparkSession", tmdb_data: Path
) -> None:
    register_all(spark)
    overviews = real_overviews(tmdb_data)
    spark.createDataFrame([(text,) for text in overviews], "overview string").createOrReplaceTempView("real_overviews")
    scored = spark.sql("select overview, vader_compound(overview) as score from real_overviews").collect()
    spark.catalog.dropTempView("real_overviews")
    original = SentimentIntensityAnalyzer()
    assert len(scored) == len(overviews) > 3000
    assert [r.overview[:40] for r in scored if r.score != original.polarity_scores(r.overview)["compound"]] == []


def test_a_megabyte_and_hostile_text_pass_through_sql(spark: "SparkSession") -> None:
    register_all(spark)
    texts = ["😂" * 250_000, "good " * 200_000, "\x00", "nul\x00 good", "\u202egood"]
    frame = spark.createDataFrame([(text,) for text in texts], "text string")
    scores = [row[0] for row in frame.selectExpr("vader_compound(text)").collect()]
    assert None not in scores
    assert all(-1 <= score <= 1 for score in scores)


def test_the_functions_are_published_as_deterministic(spark: "SparkSession") -> None:
    assert all(declared.deterministic for declared in discover().values())


def test_a_vectorised_function_can_be_published(spark: "SparkSession") -> None:
    pytest.importorskip("pandas")
    import pandas as pd

    def doubled(values: pd.Series) -> pd.Series:
        return values * 2

    register(spark, {"doubled": SqlFunction("doubled", "bigint", doubled, vectorised=True)})
    assert [row[0] for row in spark.sql("select doubled(id) from range(3)").collect()] == [0, 2, 4]


def test_a_return_type_that_spark_does_not_know_is_an_error_that_names_the_function(spark: "SparkSession") -> None:
    with pytest.raises(UdfError, match=r"Spark refused the SQL function length_of .*builtins\.len"):
        register(spark, {"length_of": SqlFunction("length_of", "nonsense", len)})
