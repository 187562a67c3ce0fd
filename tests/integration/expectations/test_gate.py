import socket
from collections.abc import Iterator
from typing import Any

import pytest
from pyspark.sql import SparkSession

from expectations.commands import scores
from expectations.engine import Expected, validate
from expectations.gate import GateFailed, GateResult, Thresholds, evaluate
from expectations.rules import Rules, read_rules
from lakehouse.terminal import Console

pytestmark = pytest.mark.spark

SCHEMA = """
    movie_id string, title string, overview string, release_date date, release_year int, release_month int,
    genres array<string>, primary_genre string, rating double, vote_count bigint, revenue bigint, budget bigint,
    profit bigint, roi double, runtime int, sentiment_score double, sentiment_category string, director string,
    directors array<string>, top_cast array<string>, original_language string
"""
# 40 rows: one broken row (1 of 40, 0.975) is below a consistency threshold of 0.98 for its rule, and the sum is not.
ROWS = 40


def movie(number: int) -> dict[str, str]:
    """A row without a fault, as SQL by column."""
    score, category = [("0.5", "positive"), ("-0.05", "negative"), ("0.04", "neutral")][number % 3]
    return {
        "movie_id": f"'{number}'",
        "title": f"'Title {number}'",
        "overview": "'A story.'",
        "release_date": "date '2020-05-17'",
        "release_year": "2020",
        "release_month": "5",
        "genres": "array('Drama', 'War')",
        "primary_genre": "'Drama'",
        "rating": "7.5",
        "vote_count": "10",
        "revenue": "300",
        "budget": "100",
        "profit": "200",
        "roi": "2.0",
        "runtime": "90",
        "sentiment_score": score,
        "sentiment_category": f"'{category}'",
        "director": "'Ann'",
        "directors": "array('Ann', 'Bob')",
        "top_cast": "array('Cy', 'Di')",
        "original_language": "'en'",
    }


# What is not known at all is no inconsistency.
UNKNOWN = {
    "revenue": "null",
    "profit": "null",
    "roi": "null",
    "primary_genre": "null",
    "genres": "array()",
    "director": "null",
    "directors": "array()",
    "top_cast": "array()",
    "release_date": "null",
    "release_year": "null",
    "release_month": "null",
    "overview": "null",
    "sentiment_score": "null",
    "sentiment_category": "null",
}


@pytest.fixture(scope="module")
def rules() -> Rules:
    """The declared rules, over tables of this module's own database."""
    text = read_rules().model_dump_json().replace("silver.", "silver_t.").replace("bronze.", "bronze_t.")
    return Rules.model_validate_json(text)


@pytest.fixture(scope="module", autouse=True)
def _silver(spark: SparkSession) -> Iterator[None]:
    spark.sql("create database silver_t")
    spark.sql("create database bronze_t")
    spark.sql("create table bronze_t.movies using parquet as select '1' as movie_id")
    write_child(spark, "movie_genres", "movie_genre_id", [("a", "'1'"), ("b", "'2'")])
    write_child(spark, "cast_members", "cast_member_id", [("a", "'1'"), ("b", "'2'")])
    yield
    spark.sql("drop database silver_t cascade")
    spark.sql("drop database bronze_t cascade")


def write_movies(spark: SparkSession, rows: list[dict[str, str]]) -> None:
    columns = [line.split()[0] for line in SCHEMA.replace("\n", " ").split(",") if line.strip()]
    spark.sql("drop table if exists silver_t.movies")
    spark.sql(f"create table silver_t.movies ({SCHEMA}) using parquet")
    if rows:
        values = ", ".join("(" + ", ".join(row[column] for column in columns) + ")" for row in rows)
        spark.sql(f"insert into silver_t.movies ({', '.join(columns)}) values {values}")


def write_child(spark: SparkSession, name: str, key: str, rows: list[tuple[str, str]]) -> None:
    values = ", ".join(f"({'null' if value == '' else repr(value)}, {movie_id})" for value, movie_id in rows)
    spark.sql(f"drop table if exists silver_t.{name}")
    spark.sql(f"create table silver_t.{name} using parquet as select * from values {values} as t({key}, movie_id)")


def gate(spark: SparkSession, rules: Rules, defects: dict[int, dict[str, str]]) -> GateResult:
    write_movies(spark, [{**movie(number), **defects.get(number, {})} for number in range(ROWS)])
    return evaluate(spark, rules, Thresholds())


def test_clean_rows_and_unknown_values_are_wholly_consistent(spark: SparkSession, rules: Rules) -> None:
    found = gate(spark, rules, {7: UNKNOWN})
    assert found.passed
    assert found.rows == ROWS
    assert (found.consistency.passed, found.consistency.total) == (ROWS * 9 - 7, ROWS * 9 - 7)
    # its budget and votes are known: two rules still apply to it. Not known are its overview, release_date and genres
    assert (found.completeness.passed, found.completeness.total) == (ROWS * 7 - 3, ROWS * 7)
    assert [key.violations for key in found.keys] == [0, 0, 0, 0, 0]


DEFECTS = {
    "release_year_and_month_are_those_of_release_date": {"release_year": "2021"},
    "profit_is_revenue_less_budget": {"profit": "201", "roi": "2.01"},
    "roi_is_profit_over_budget": {"roi": "2.1"},
    "unknown_amounts_are_null": {"runtime": "0"},
    "sentiment_is_scored_where_there_is_an_overview": {"sentiment_score": "null", "sentiment_category": "null"},
    "sentiment_category_agrees_with_score": {"sentiment_score": "0.05", "sentiment_category": "'neutral'"},
    "primary_genre_is_among_genres": {"primary_genre": "'Comedy'"},
    "director_is_among_directors": {"director": "null"},
    "top_cast_has_at_most_five": {"top_cast": "array('a', 'b', 'c', 'd', 'e', 'f')"},
}


def test_each_rule_finds_its_planted_defect_and_no_other_does(spark: SparkSession, rules: Rules) -> None:
    assert set(DEFECTS) == {rule.name for rule in rules.consistency}
    found = gate(spark, rules, dict(enumerate(DEFECTS.values())))
    assert {rule.name: rule.total - rule.passed for rule in found.rules} == dict.fromkeys(DEFECTS, 1)
    assert {low.name for low in found.warnings} >= set(DEFECTS)
    for place, rule in enumerate(found.rules):
        shown = spark.sql(rule.look).collect()
        assert [row.movie_id for row in shown] == [str(list(DEFECTS).index(rule.name))], place


MISSING = {
    "movie_id": "null",
    "title": "'  '",
    "overview": "null",
    "release_date": "null",
    "genres": "array()",
    "rating": "null",
    "original_language": "null",
}


def test_each_required_column_counts_its_missing_cells(spark: SparkSession, rules: Rules) -> None:
    found = gate(spark, rules, {place: {column: value} for place, (column, value) in enumerate(MISSING.items())})
    assert {column.name: column.passed for column in found.columns} == dict.fromkeys(MISSING, ROWS - 1)
    for column in found.columns:
        assert spark.sql(column.look).count() == 1


def test_completeness_below_its_threshold_shuts_the_gate(spark: SparkSession, rules: Rules) -> None:
    found = gate(spark, rules, {number: {"rating": "null"} for number in range(15)})
    with pytest.raises(
        GateFailed, match=r"completeness is 0\.9464 \(265 of 280\), at least 0\.95 .* worst is rating"
    ) as caught:
        found.require_passed()
    assert "where not coalesce(rating is not null, false)" in caught.value.next_step
    assert evaluate(spark, rules, Thresholds(completeness=0.94)).passed


def test_consistency_below_its_threshold_shuts_the_gate(spark: SparkSession, rules: Rules) -> None:
    found = gate(spark, rules, {number: {"primary_genre": "'Comedy'"} for number in range(8)})
    with pytest.raises(GateFailed, match=r"consistency is 0\.9778 .*worst is primary_genre_is_among_genres"):
        found.require_passed()


def test_broken_keys_shut_the_gate_and_are_shown(spark: SparkSession, rules: Rules) -> None:
    write_child(spark, "movie_genres", "movie_genre_id", [("a", "'1'"), ("a", "'99'"), ("c", "null")])
    write_child(spark, "cast_members", "cast_member_id", [("", "'1'"), ("b", "'2'")])
    try:
        found = gate(spark, rules, {3: {"movie_id": "'2'"}})
        assert {key.name: key.violations for key in found.keys} == {
            "the key silver_t.movies.movie_id": 1,
            "the key silver_t.movie_genres.movie_genre_id": 1,
            "the foreign key silver_t.movie_genres.movie_id to silver_t.movies.movie_id": 2,
            "the key silver_t.cast_members.cast_member_id": 1,
            "the foreign key silver_t.cast_members.movie_id to silver_t.movies.movie_id": 0,
        }
        assert [spark.sql(key.look).count() for key in found.keys] == [1, 1, 2, 1, 0]
        with pytest.raises(GateFailed, match=r"1 rows break the key silver_t\.movies\.movie_id"):
            found.require_passed()
    finally:
        write_child(spark, "movie_genres", "movie_genre_id", [("a", "'1'"), ("b", "'2'")])
        write_child(spark, "cast_members", "cast_member_id", [("a", "'1'"), ("b", "'2'")])


def test_an_empty_silver_passes_only_where_bronze_is_empty_too(spark: SparkSession, rules: Rules) -> None:
    write_movies(spark, [])
    fed = rules.model_copy(update={"keys": rules.keys[:1]})
    with pytest.raises(GateFailed, match=r"no row, though bronze_t\.movies has"):
        evaluate(spark, fed, Thresholds()).require_passed()
    empty = fed.model_copy(update={"fed_by": "bronze_t.nothing"})
    assert evaluate(spark, empty, Thresholds()).require_passed().rows == 0


def test_a_missing_table_is_named(spark: SparkSession, rules: Rules) -> None:
    with pytest.raises(GateFailed, match=r"silver_t\.nowhere does not exist"):
        evaluate(spark, rules.model_copy(update={"table": "silver_t.nowhere"}), Thresholds())


def test_nothing_is_sent_over_the_network(spark: SparkSession, rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[Any] = []
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "localhost", "::1"):
            reached.append(address)
            raise OSError("no network in this test")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    gate(spark, rules, {})
    assert reached == []


def test_an_expectation_that_cannot_be_computed_is_an_error(spark: SparkSession) -> None:
    wrong = Expected("wrong", "ExpectColumnValuesToBeInSet", {"column": "nowhere", "value_set": [True]})
    with pytest.raises(RuntimeError, match="could not evaluate wrong"):
        validate(spark.range(1), "wrong", [wrong])


def test_the_scores_are_printed_with_numerator_and_denominator(spark: SparkSession, rules: Rules) -> None:
    console = Console(width=140, record=True)
    console.print(scores(gate(spark, rules, {7: UNKNOWN})))
    printed = console.export_text()
    assert "completeness" in printed
    assert "277" in printed
    assert "280" in printed
