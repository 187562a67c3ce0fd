"""One defect after another is planted in a lake without a fault: each is found by the rule meant for it."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from pyspark.sql import SparkSession

from expectations.counting import Instants, breaking, failing_rows, shown_columns
from expectations.gate import GateFailed, GateResult, run_gate
from expectations.suites import (
    DriftRule,
    NeverFallsRule,
    QueryRule,
    ReferenceRule,
    RowRule,
    TimelinessRule,
    UniqueRule,
    VolumeRule,
    read_suites,
)
from lakehouse.settings import Settings, load_settings
from tests.integration.expectations.small_lake import AS_OF, MEASURED_AT, MOVIES, TABLES, make, planted, view

pytestmark = pytest.mark.spark

LAYERS = ("bronze", "silver")
SHUT, TOLD = "fail", "warn"


class Defect(NamedTuple):
    """What is planted, and what must come of it: the rule's status."""

    table: str
    rule: str
    select: str
    status: str = SHUT


def changed(table: str, rule: str, column: str, value: str, when: str = "true", status: str = SHUT) -> Defect:
    """A column that holds another value, in some or all rows."""
    kept = f"* except ({column}), case when {when} then {value} else {column} end as {column}"
    return Defect(table, rule, f"select {kept} from {{table}}", status)


def twice(table: str, rule: str, when: str = "true") -> Defect:
    return Defect(table, rule, f"select * from {{table}} union all (select * from {{table}} where {when} limit 1)")


def emptied(table: str) -> Defect:
    return Defect(table, "has_rows", "select * from {table} where false")


SCORE_AND_CATEGORY = "sentiment_category_agrees_with_score"
DEFECTS = [
    # Bronze
    changed("bronze.movies", "payload_is_json", "payload", "substr(payload, 1, 9)", "movie_id = '7'"),
    changed("bronze.movies", "payload_is_as_hashed", "payload", "replace(payload, 'Title', 'Film')", "movie_id = '7'"),
    changed("bronze.movies", "movie_is_that_of_payload", "movie_id", "'8'", "movie_id = '7'"),
    changed("bronze.movies", "movie_id_is_a_positive_number", "movie_id", "'tt7'", "movie_id = '7'"),
    changed("bronze.movies", "partition_is_day_of_ingestion", "day", "day - 1", "movie_id = '7'"),
    changed("bronze.movies", "observed_before_it_was_ingested", "observed_at", "timestamp '2027-01-01'", status=TOLD),
    changed("bronze.movies", "observation_is_dated", "observed_at", "null", "day = 15"),
    changed("bronze.movies", "origin_is_known", "endpoint", "null", "day = 15"),
    changed("bronze.movies", "content_is_hashed", "content_sha256", "null", "day = 15", TOLD),
    twice("bronze.movies", "observation_is_unique"),
    changed("bronze.movies", "batch_is_recorded", "batch_id", "'batch-9'", "movie_id = '7'"),
    changed("bronze.batches", "counts_add_up", "landed", "landed - 1", "batch_id = 'batch-14'"),
    changed("bronze.batches", "landed_rows_are_there", "landed", "landed - 1", "batch_id = 'batch-15'"),
    changed("bronze.batches", "status_is_known", "status", "'done'", "batch_id = 'batch-14'"),
    changed("bronze.batches", "counts_are_not_negative", "duplicates", "-1"),
    changed("bronze.batches", "batch_ends_after_it_starts", "finished_at", "started_at - interval 1 hour"),
    changed("bronze.batches", "end_is_known", "finished_at", "null"),
    changed("bronze.batches", "few_records_are_refused", "quarantined", "30", "batch_id = 'batch-14'", TOLD),
    changed("bronze.batches", "no_batch_is_left_behind", "status", "'running'", "batch_id = 'batch-14'", TOLD),
    twice("bronze.batches", "batch_is_unique"),
    emptied("bronze.batches"),
    changed("bronze.quarantine", "reason_is_known", "reason", "'odd'"),
    changed("bronze.quarantine", "detail_is_given", "detail", "' '"),
    changed("bronze.quarantine", "replayed_after_it_was_refused", "replayed_at", "timestamp '2025-01-01'", status=TOLD),
    changed("bronze.quarantine", "batch_is_recorded", "batch_id", "null"),
    twice("bronze.quarantine", "text_is_unique"),
    changed("bronze.fields", "parts_are_within_the_whole", "nulls", "61"),
    changed("bronze.fields", "types_are_those_of_values", "types", "map('text', 3L)"),
    changed("bronze.fields", "records_were_looked_into", "sampled_records", "0"),
    changed("bronze.requested_movies", "positions_leave_no_gap", "position", "99", "position = 7"),
    changed("bronze.requested_movies", "movie_id_is_a_positive_number", "movie_id", "0", "position = 7"),
    changed("bronze.requested_movies", "position_is_unique", "position", "6", "position = 7"),
    # Silver: movies
    changed("silver.movies", "movie_id_is_known", "movie_id", "null", "movie_id = '7'"),
    changed("silver.movies", "title_is_known", "title", "' '"),
    changed("silver.movies", "overview_is_known", "overview", "null"),
    changed("silver.movies", "release_date_is_known", "release_date", "null"),
    changed("silver.movies", "genres_are_known", "genres", "array()"),
    # real: new films that nobody voted for; alone they are told, and let pass
    changed("silver.movies", "rating_is_known", "rating", "null", "cast(movie_id as int) % 10 = 0", TOLD),
    changed("silver.movies", "language_is_known", "original_language", "null"),
    changed("silver.movies", "release_year_and_month_are_those_of_release_date", "release_year", "release_year + 1"),
    changed("silver.movies", "profit_is_revenue_less_budget", "profit", "revenue"),
    changed("silver.movies", "roi_is_profit_over_budget", "roi", "roi * 100"),
    # real: zero is TMDB's word for unknown
    changed("silver.movies", "unknown_amounts_are_null", "budget", "0"),
    changed("silver.movies", "rating_needs_votes", "rating", "0"),
    changed("silver.movies", "sentiment_is_scored_where_there_is_an_overview", "sentiment_score", "null"),
    changed("silver.movies", SCORE_AND_CATEGORY, "sentiment_category", "'positive'"),
    changed("silver.movies", "primary_genre_is_among_genres", "primary_genre", "'Western'"),
    changed("silver.movies", "director_is_among_directors", "director", "'Nobody'"),
    changed("silver.movies", "top_cast_has_at_most_five", "top_cast", "array('a', 'b', 'c', 'd', 'e', 'f')"),
    # real: Released, and the release date is to come
    changed("silver.movies", "released_movie_has_been_released", "release_date", "date '2026-12-01'", status=TOLD),
    changed("silver.movies", "observed_before_it_was_processed", "observed_at", "timestamp '2027-01-01'", status=TOLD),
    changed("silver.movies", "release_year_is_plausible", "release_year", "1066"),
    changed("silver.movies", "rating_is_in_range", "rating", "rating * 10"),
    changed("silver.movies", "sentiment_is_in_range", "sentiment_score", "1.5D", "movie_id = '7'"),
    # real: a popularity that came as text once
    changed("silver.movies", "popularity_is_not_negative", "popularity_score", "-1"),
    changed("silver.movies", "runtime_is_plausible", "runtime", "runtime * 60"),
    # real: a revenue above 32 bits is right, one of millions of millions is not
    changed("silver.movies", "money_is_plausible", "revenue", "revenue * 1000000"),
    # real: budgets that were entered in millions
    changed("silver.movies", "money_is_in_dollars", "budget", "150", "cast(movie_id as int) % 10 = 0", TOLD),
    changed("silver.movies", "language_is_a_code", "original_language", "'English'"),
    changed("silver.movies", "status_is_known", "status", "'Gone'", "cast(movie_id as int) % 10 = 0", TOLD),
    changed("silver.movies", "movie_is_unique", "movie_id", "'8'", "movie_id = '7'"),
    changed("silver.movies", "record_exists", "movie_id", "'7777'", "movie_id = '7'"),
    emptied("silver.movies"),
    # Silver: around the movies
    Defect("silver.crew_members", "director_is_among_crew", "select * from {table} where movie_id > '3'"),
    changed("silver.movie_records", "observation_is_dated", "ingested_at", "null", "movie_id = '7'"),
    changed(
        "silver.movie_records", "nothing_is_said_after_the_last_observation", "observed_at", "timestamp '2026-01-01'"
    ),
    twice("silver.movie_records", "record_is_unique"),
    Defect("silver.movies", "movie_exists", "select * from {table} where movie_id != '7'"),
    # real: TMDB takes votes back
    changed("silver.movie_observations", "votes_never_fall", "vote_count", "90", "observed_at > '2026-01-15'", TOLD),
    changed("silver.movie_observations", "popularity_is_known", "popularity", "null", status=TOLD),
    changed("silver.movie_observations", "unknown_amounts_are_null", "vote_count", "0"),
    changed("silver.movie_observations", "rating_is_in_range", "rating", "11"),
    twice("silver.movie_observations", "observation_is_unique"),
    changed("silver.movie_observations", "observed_once_with_a_text", "movie_id", "'8'", "movie_id = '7'")._replace(
        select="select * except (movie_id, payload_sha256), '7' as movie_id, 'a' as payload_sha256 from {table}"
    ),
    changed("silver.movies_history", "version_ends_after_it_begins", "dbt_valid_to", "timestamp '2020-01-01'"),
    changed("silver.movies_history", "one_version_is_current", "dbt_valid_to", "null", "movie_id = '7'"),
    twice("silver.movies_history", "version_is_unique"),
    changed("silver.genres", "genre_is_in_the_list", "genre_id", "4242", "genre_id = 35", TOLD),
    # real: the Danish list has "Historie "
    changed("silver.genres", "genre_is_called_as_in_the_list", "genre_name", "'Historie '", "genre_id = 35", TOLD),
    changed("silver.genres", "name_is_known", "genre_name", "null"),
    changed("silver.movie_genres", "genre_is_in_the_list", "genre_id", "4242", "movie_id < '3'", TOLD),
    changed("silver.movie_genres", "genre_exists", "genre_id", "4242", "movie_id = '7'"),
    changed("silver.movie_genres", "position_is_not_negative", "position", "-1"),
    changed("silver.movie_genres", "key_is_made_of_movie_and_genre", "movie_genre_id", "concat('x', movie_genre_id)"),
    changed("silver.movie_genres", "name_is_that_of_the_genre", "genre_name", "'Comédie'"),
    twice("silver.movie_genres", "place_is_taken_once"),
    emptied("silver.movie_genres"),
    # real: 127 names with stray spaces
    changed("silver.people", "name_has_no_stray_space", "person_name", "concat(person_name, ' ')", status=TOLD),
    changed("silver.people", "gender_is_a_code", "gender", "4"),
    changed("silver.people", "person_id_is_a_positive_number", "person_id", "0", "person_id = 1"),
    changed("silver.people", "name_is_known", "person_name", "''"),
    # real: roles that are not said
    changed("silver.cast_members", "role_is_known", "character", "''", status=TOLD),
    changed("silver.cast_members", "billing_order_is_not_negative", "billing_order", "-1"),
    changed("silver.cast_members", "person_exists", "person_id", "null", "movie_id = '7'"),
    # real: one credit id in two movies is right, twice in a movie is not
    changed("silver.cast_members", "credit_is_unique", "cast_member_id", "'8-a8'", "movie_id = '7'"),
    changed("silver.crew_members", "job_is_known", "job", "null"),
    changed("silver.crew_members", "key_begins_with_the_movie", "crew_member_id", "concat('x', crew_member_id)"),
    changed("silver.crew_members", "movie_exists", "movie_id", "'7777'", "movie_id = '7'"),
    # real: 17 keywords and 29 companies share a name, which is right; an id is not shared
    twice("silver.companies", "company_is_unique"),
    changed("silver.keywords", "keyword_id_is_a_positive_number", "keyword_id", "null"),
    changed("silver.movie_companies", "company_exists", "company_id", "9", "movie_id = '7'"),
    changed("silver.movie_keywords", "key_is_made_of_movie_and_keyword", "movie_keyword_id", "concat('7', movie_id)"),
    changed("silver.reviews", "sentiment_is_in_range", "sentiment_score", "-2", "movie_id = '7'"),
    changed("silver.reviews", SCORE_AND_CATEGORY, "sentiment_category", "'negative'"),
    changed("silver.reviews", "author_rating_is_in_range", "author_rating", "80"),
    changed("silver.reviews", "changed_after_it_was_written", "updated_at", "timestamp '2020-01-01'", status=TOLD),
    changed("silver.reviews", "content_is_known", "content", "''"),
    changed("silver.as_of", "as_of_is_known", "as_of_at", "null"),
    Defect("silver.as_of", "there_is_one_row", "select * from {table} union all select timestamp '2020-01-01'"),
    changed("silver.as_of", "nothing_is_observed_long_after", "as_of_at", "timestamp '2030-01-01'", status=TOLD),
    changed("silver.cast_failures", "field_is_one_of_movies", "field_name", "'colour'"),
    changed("silver.cast_failures", "failures_are_counted", "failed_observations", "0"),
    changed("silver.cast_failures", "batch_is_recorded", "batch_id", "'batch-9'"),
    # what waited too long is told at once, and let pass
    changed("bronze.batches", "processed_in_time", "finished_at", "timestamp '2026-01-15 03:00:00'", status=TOLD),
]

# The table whose gate finds it, where that is another one than the one that it is planted in.
FOUND_IN = {
    ("silver.crew_members", "director_is_among_crew"): "silver.movies",
    ("silver.movies", "movie_exists"): "silver.movie_genres",
    ("bronze.batches", "processed_in_time"): "silver.movies",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    # failing rows are a query more: test_gate.py reads them
    return load_settings(home=str(tmp_path_factory.mktemp("gate")), gate={"failing_rows": 0})


@pytest.fixture(scope="module", autouse=True)
def _small_lake(spark: SparkSession) -> Iterator[None]:
    make(spark)
    yield
    for name in TABLES:
        spark.catalog.dropTempView(view(name))


def gate(spark: SparkSession, settings: Settings, tables: tuple[str, ...] = (), is_kept: bool = False) -> GateResult:
    return run_gate(spark, settings, LAYERS, "planted", MEASURED_AT, tables=tables, where=view, is_kept=is_kept)


def test_a_lake_without_a_fault_passes_without_a_warning(spark: SparkSession, settings: Settings) -> None:
    result = gate(spark, settings)
    assert [(score.table_name, score.rule, score.detail) for score in result.scores if score.status != "pass"] == []
    assert result.rows["silver.movies"] == MOVIES
    assert result.require_passed().alerts() == ()


@pytest.mark.parametrize("defect", DEFECTS, ids=[f"{d.table}-{d.rule}" for d in DEFECTS])
def test_a_planted_defect_is_found_by_the_rule_meant_for_it(
    spark: SparkSession, settings: Settings, defect: Defect
) -> None:
    table = FOUND_IN.get((defect.table, defect.rule), defect.table)
    with planted(spark, defect.table, defect.select):
        result = gate(spark, settings, (table,))
    (score,) = [score for score in result.scores if score.rule == defect.rule]
    assert score.status == defect.status, result.scores
    assert defect.rule in {alert.rule for alert in result.alerts()}
    if defect.status == SHUT:
        with pytest.raises(GateFailed, match=f"{table} "):
            result.require_passed()


def test_all_rows_that_share_a_key_or_lack_it_break_its_rule(spark: SparkSession, settings: Settings) -> None:
    select = (
        "select * except (movie_id), case movie_id when '1' then '2' when '3' then null else movie_id end as movie_id"
    )
    with planted(spark, "silver.movies", f"{select} from {{table}}"):
        result = gate(spark, settings, ("silver.movies",))
    (score,) = [score for score in result.scores if score.rule == "movie_is_unique"]
    assert (score.numerator, score.denominator, score.status) == (MOVIES - 3, MOVIES, SHUT)


def test_the_query_that_shows_broken_rows_can_be_run_for_every_rule(spark: SparkSession) -> None:
    """As far as Spark looks at it before it reads a row."""
    instants = Instants(MEASURED_AT, AS_OF, AS_OF)
    for suite in read_suites(LAYERS):
        for rule in suite.rules:
            shown = spark.sql(f"{breaking(suite, rule, view, instants)} limit 20")
            if not isinstance(rule, (VolumeRule, TimelinessRule, DriftRule)):
                assert shown.columns[: len(shown_columns(suite, rule))] == list(shown_columns(suite, rule)), rule.name
                kept = spark.sql(failing_rows(suite, [rule], view, instants, 20))
                assert kept.columns == ["rule", "row_key", "row_values"]


@pytest.mark.parametrize("day", [14, 15])
def test_a_day_that_retention_took_shuts_no_gate(spark: SparkSession, settings: Settings, day: int) -> None:
    """Also where an older day stays because Silver has not read all of it."""
    with planted(spark, "bronze.movies", f"select * from {{table}} where day != {day}"):
        result = gate(spark, settings, ("bronze.batches",))
    assert result.passed, [score.detail for score in result.failures]


def test_every_kind_of_rule_has_a_planted_defect() -> None:
    rules = {(suite.table, rule.name): rule for suite in read_suites(LAYERS) for rule in suite.rules}
    found = {type(rules[FOUND_IN.get(d[:2], d.table), d.rule]) for d in DEFECTS if d.rule != "has_rows"}
    # volume and drift need runs before: test_gate.py plants those
    assert found == {RowRule, NeverFallsRule, QueryRule, UniqueRule, ReferenceRule, TimelinessRule}
    assert {VolumeRule, DriftRule} == {type(rule) for rule in rules.values()} - found
    assert len(DEFECTS) >= 45
