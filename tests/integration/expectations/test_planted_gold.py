"""Defects planted in a Gold that is whole: each is caught by the rule that is meant for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from expectations import gate as gate_module
from expectations.gate import GateResult, Score, run_gate
from expectations.history import CountedBefore, TableHistory
from expectations.naming import Where
from expectations.suites import RowRule, read_suites
from lakehouse.settings import Settings, load_settings
from tests.integration.expectations.small_gold import schema, with_changed, write_gold

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

AT = datetime(2026, 2, 1, 13, tzinfo=UTC)
DATABASE = "gold_planted"


def changed(where: str, **columns: str) -> Mapping[str, str]:
    """These columns, SQL each, in the rows where SQL holds."""
    return {"where": where, **columns}


@dataclass(frozen=True)
class Defect:
    """What is planted, and what must come of it.

    Args:
        mart: where it is planted.
        rule: the rule that is meant for it.
        change: columns with their new values, and the rows (`where`).
        query: instead of a change, a query that gives the whole mart; `mart` is what it was.
        told_by: the mart whose rule it is, where that is another one.
        status: fail shuts the gate, warn is told.
    """

    mart: str
    rule: str
    change: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    told_by: str = ""
    status: str = "fail"

    def sql(self, table: str) -> str:
        """The query that gives the mart with the defect."""
        if self.query:
            return f"with mart as (select * from {table}) {self.query}"
        columns = {name: value for name, value in self.change.items() if name != "where"}
        return f"select {with_changed(schema(self.mart), columns, self.change['where'])} from {table}"


def twice(where: str) -> str:
    return f"select * from mart union all select * from mart where {where}"


def without(where: str) -> str:
    return f"select * from mart where not coalesce({where}, false)"


MOVIE = "movie_id = '105'"
OF_TWO = "size(top_movies) > 1"

DEFECTS = [
    # movies
    Defect("movie_performance", "has_rows", query=without("true")),
    Defect("movie_performance", "key_is_unique", query=twice(MOVIE)),
    Defect("genre_movies", "released_movie_is_in_its_genres", query=without(MOVIE), told_by="movie_performance"),
    Defect("movie_performance", "required_columns_are_filled", changed(MOVIE, is_released="null")),
    Defect("movie_performance", "title_is_known", changed("movie_id % 4 = 0", title="' '")),
    Defect("movie_performance", "title_is_known", changed("movie_id % 10 = 0", title="null"), status="warn"),
    Defect("movie_performance", "computed_for_the_day_of_silver", changed("true", computed_date="'2026-01-31'")),
    Defect("movie_performance", "released_is_what_came_out_by_the_day", changed("not is_released", is_released="true")),
    Defect("movie_performance", "profit_is_revenue_less_budget", changed("movie_id = '101'", profit="profit + 1")),
    Defect(
        "movie_performance",
        "percentiles_stand_where_measure_and_group_are_known",
        changed(MOVIE, revenue_percentile_in_year="null"),
    ),
    Defect(
        "movie_performance",
        "year_is_possible",
        changed(
            "movie_id % 2 = 0",
            release_date="add_months(release_date, 12 * 543)",
            release_year="release_year + 543",
        ),
    ),
    Defect("movie_performance", "rating_is_in_range", changed(MOVIE, rating="rating * 10")),
    Defect("movie_performance", "amounts_are_above_zero", changed(MOVIE, revenue="0", profit="null", roi="null")),
    Defect("trending_scores", "short_windows_lie_within_the_longest", query=without("trend_window = '90d'")),
    Defect("trending_scores", "title_is_known", changed("true", title="null"), status="warn"),
    Defect(
        "trending_scores",
        "velocity_and_change_point_the_same_way",
        changed("observations = 2", velocity="-velocity"),
    ),
    Defect("trending_scores", "window_is_known", changed(MOVIE, trend_window="'60d'")),
    Defect("performance_correlations", "coefficients_are_in_range", changed("scope = 'overall'", pearson="1.2")),
    Defect("performance_correlations", "coefficients_need_enough_movies", changed("scope = 'overall'", movies="2")),
    # genres
    Defect(
        "genre_movies",
        "nothing_is_of_the_future",
        changed(MOVIE, release_date="date '2026-12-24'", release_year="2026", release_month="12"),
    ),
    Defect("genre_analytics", "counts_are_within_movies", changed("genre_id = 18", rated_movies="total_movies + 1")),
    Defect("genre_analytics", "top_movies_are_in_order", changed(OF_TWO, top_movies="reverse(top_movies)")),
    Defect(
        "genre_analytics",
        "lists_hold_nobody_twice",
        changed("true", top_directors="concat(top_directors, slice(top_directors, 1, 1))"),
    ),
    Defect("genre_trends", "growth_is_over_the_year_before", changed("movies_growth > -1", movies_growth="0.123")),
    Defect("genre_trends", "growth_is_over_the_year_before", query=without("release_year = 2022")),
    Defect("genre_trends", "partial_year_is_that_of_the_day", changed("is_partial_year", is_partial_year="false")),
    Defect("genre_seasonality", "ranks_are_shared_by_none", changed("month_rank = 2", month_rank="1")),
    Defect("genre_seasonality", "shares_of_a_genre_sum_to_one", query=without("release_month = 7")),
    Defect("genre_market_share", "rank_agrees_with_share", changed("movie_share_rank = 1", movie_share_rank="9")),
    Defect("emerging_genre_pairs", "change_is_recent_less_earlier", changed("true", share_change="-share_change - 1")),
    Defect("cross_genre_performance", "pair_stands_both_ways", query=without("genre_id = 18 and other_genre_id = 35")),
    # people
    Defect("director_rankings", "person_exists", changed("director_rank = 1", person_id="999")),
    Defect("director_rankings", "ranks_follow_the_ratings", changed("true", director_rank="4 - director_rank")),
    Defect("studio_rankings", "median_fits_the_sum", changed("true", median_revenue="total_revenue")),
    # time
    Defect(
        "yoy_growth",
        "years_are_those_of_box_office_trends",
        changed("release_year = 2022", total_movies="total_movies + 1"),
    ),
    Defect("release_seasonality", "shares_of_the_year_sum_to_one", query=without("release_month = 12")),
    Defect("box_office_trends", "top_movie_exists", changed("top_movie_id is not null", top_movie_id="'999'")),
    Defect("box_office_trends", "windows_are_those_of_the_months", query=without("month_start_date = '2022-05-01'")),
    Defect("industry_indicators", "quantiles_are_in_order", changed("true", p90_budget="p25_budget - 1")),
    # network
    Defect("actor_centrality", "degree_is_within_the_network", changed("person_id = 3", degree="5")),
    Defect(
        "actor_centrality", "clustering_is_triangles_over_pairs", changed("person_id = 3", clustering_coefficient="0.5")
    ),
    Defect("actor_centrality", "pagerank_agrees_with_its_rank", changed("person_id = 3", pagerank_rank="4")),
    Defect("actor_collaborations", "person_b_is_in_the_network", changed("true", person_id_b="999")),
    Defect("actor_communities", "members_are_those_of_actor_centrality", changed("true", actors="5")),
    Defect("actor_distances", "each_step_leads_nearer", changed("person_id = 4", distance="3")),
    Defect("network_evolution", "turnover_is_of_who_came_and_went", changed("first_year = 2020", turnover="0.9")),
]

# More of the same kinds, for `make test-long`.
FURTHER_DEFECTS = [
    Defect("movie_performance", "movie_exists", changed(MOVIE, movie_id="'999'")),
    Defect("movie_performance", "primary_genre_exists", changed(MOVIE, primary_genre_id="7777")),
    Defect(
        "movie_performance", "release_year_and_month_are_those_of_release_date", changed(MOVIE, release_year="1999")
    ),
    Defect("movie_performance", "roi_is_profit_over_budget", changed("movie_id = '101'", roi="roi * 100")),
    Defect("movie_performance", "weighted_rating_needs_rating_and_votes", changed(MOVIE, weighted_rating="null")),
    Defect("movie_performance", "audience_sentiment_needs_reviews", changed("review_count > 0", review_count="0")),
    Defect("movie_performance", "popularity_is_not_negative", changed(MOVIE, popularity_score="-1")),
    Defect("movie_performance", "sentiment_is_in_range", changed(MOVIE, sentiment_score="-1.01")),
    Defect("movie_performance", "percentiles_are_in_range", changed(MOVIE, revenue_percentile_in_year="55")),
    Defect("trending_scores", "key_is_made_of_its_parts", changed(MOVIE, trending_score_id="movie_id")),
    Defect("trending_scores", "score_is_in_range", changed(MOVIE, trend_score="100.5")),
    Defect("trending_scores", "two_observations_at_least", changed(MOVIE, observations="1")),
    Defect("trending_scores", "change_is_possible", changed(MOVIE, popularity_change="-1.5")),
    Defect("performance_correlations", "group_agrees_with_scope", changed("scope = 'genre'", scope="'overall'")),
    Defect("performance_correlations", "both_coefficients_or_none", changed("spearman < 1", spearman="null")),
    Defect("genre_movies", "movie_exists", changed(MOVIE, movie_id="'999'")),
    Defect("genre_analytics", "has_rows", query=without("true")),
    Defect("genre_analytics", "genre_exists", changed("genre_id = 18", genre_id="7777")),
    Defect(
        "genre_analytics", "figures_stand_where_something_is_counted", changed("rated_movies > 0", avg_rating="null")
    ),
    Defect(
        "genre_analytics", "lists_are_not_too_long", changed(OF_TWO, top_movies="flatten(array_repeat(top_movies, 3))")
    ),
    Defect("genre_trends", "partial_year_is_compared_with_nothing", changed("is_partial_year", movies_growth="-0.9")),
    Defect("genre_trends", "rolling_mean_is_possible", changed("release_year = 2023", rolling_3y_movies="0.1")),
    Defect("genre_trends", "nothing_falls_by_more_than_all", changed("release_year = 2023", movies_growth="-1.1")),
    Defect("genre_seasonality", "index_is_share_over_share_of_all", changed("share_of_all > 0", seasonality_index="7")),
    Defect(
        "genre_market_share", "shares_of_a_year_sum_to_one", changed("genre_id = 18", movie_share="movie_share / 2")
    ),
    Defect("emerging_genre_pairs", "emerging_is_what_grew", changed("true", is_emerging="not is_emerging")),
    Defect("emerging_genre_pairs", "each_pair_stands_once", changed("true", genre_id_a="genre_id_b")),
    Defect("cross_genre_performance", "genres_differ", changed("genre_id = 18", other_genre_id="18")),
    Defect("director_rankings", "person_is_named", changed("true", person_name="''"), status="warn"),
    Defect("director_rankings", "hit_rate_is_of_whole_movies", changed("hit_rate > 0", hit_rate="hit_rate * 0.99")),
    Defect("director_rankings", "loss_is_not_more_than_all", changed("director_rank = 1", roi="-1.5")),
    Defect("studio_rankings", "enough_movies", changed("studio_rank = 1", total_movies="2")),
    Defect("yoy_growth", "growth_is_over_the_year_before", changed("release_year = 2022", rating_change="-9")),
    Defect("release_seasonality", "mean_times_count_is_the_sum", changed("true", avg_revenue="median_revenue * 1.5")),
    Defect("release_seasonality", "index_is_twelve_times_the_share", changed("true", seasonality_index="1")),
    Defect(
        "box_office_trends",
        "windows_hold_the_shorter_ones",
        changed("release_year = 2023", rolling_12m_revenue="rolling_3m_revenue - 1"),
    ),
    Defect(
        "box_office_trends",
        "december_closes_the_year",
        changed("release_month = 12", year_to_date_revenue="year_to_date_revenue - 1"),
    ),
    Defect("box_office_trends", "top_movie_fits_the_sum", changed("true", top_movie_revenue="total_revenue + 1")),
    Defect("industry_indicators", "diversity_is_within_kinds", changed("true", effective_languages="languages + 1")),
    Defect("actor_centrality", "triangles_are_within_pairs_of_partners", changed("person_id = 4", triangles="1")),
    Defect("actor_centrality", "betweenness_is_in_range", changed("person_id = 3", betweenness="1.01")),
    Defect("actor_centrality", "lone_actors_are_alone", changed("person_id = 5", community_id="3")),
    Defect("actor_collaborations", "enough_movies", changed("true", shared_movies="1")),
    Defect("actor_communities", "density_is_edges_over_pairs", changed("true", density="1.0")),
    Defect("actor_distances", "only_the_target_is_at_no_distance", changed("person_id = 4", distance="0")),
    Defect("network_evolution", "edges_are_within_pairs_of_actors", changed("first_year = 2020", edges="7")),
    Defect("network_evolution", "components_fit_the_edges", changed("first_year = 2020", edges="1", components="2")),
]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An instance without services, whose thresholds take a few rows for a distribution."""
    home = tmp_path_factory.mktemp("planted")
    there = load_settings(home=str(home))
    text = Path(there.gate.thresholds).read_text(encoding="utf-8")
    thresholds = home / "thresholds.yaml"
    thresholds.write_text(text.replace("minimum_rows: 200", "minimum_rows: 20"), encoding="utf-8")
    return load_settings(home=str(home), gate={"thresholds": str(thresholds)})


@pytest.fixture(scope="module", autouse=True)
def _gold(spark: "SparkSession") -> Iterator[None]:
    spark.sql(f"create database {DATABASE}")
    write_gold(spark, there)
    yield
    spark.sql(f"drop database {DATABASE} cascade")


@pytest.fixture(autouse=True)
def before(monkeypatch: pytest.MonkeyPatch) -> dict[str, TableHistory]:
    """What runs before counted; nothing is kept of these runs, which test_gate.py sees to."""
    history: dict[str, TableHistory] = {}
    monkeypatch.setattr(gate_module, "read_history", lambda *arguments: history)
    monkeypatch.setattr(gate_module, "keep_rows", lambda *arguments: None)
    return history


def there(table: str) -> str:
    return f"{DATABASE}.{table.replace('.', '_')}"


def gate(spark: "SparkSession", settings: Settings, where: Where, *marts: str) -> GateResult:
    tables = [f"gold.{mart}" for mart in marts]
    return run_gate(spark, settings, ["gold"], "run", AT, AT, tables=tables, where=where)


def test_gold_that_is_whole_passes_without_a_word(spark: "SparkSession", settings: Settings) -> None:
    found = gate(spark, settings, there)
    assert [(score.table_name, score.rule, score.detail) for score in found.scores if score.status != "pass"] == []
    assert found.passed
    assert all(found.rows.values())


def _name(defect: Defect) -> str:
    return f"{defect.mart}-{defect.rule}{'-told' * (defect.status == 'warn')}"


def caught(spark: "SparkSession", settings: Settings, defect: Defect) -> Score:
    """The score of the rule that is meant for a defect, once that is planted and the gate has done as it should."""
    spark.sql(defect.sql(there(f"gold.{defect.mart}"))).createOrReplaceTempView("planted")

    def planted(table: str) -> str:
        return "planted" if table == f"gold.{defect.mart}" else there(table)

    found = gate(spark, settings, planted, defect.told_by or defect.mart)
    (score,) = [score for score in found.scores if score.rule == defect.rule]
    assert score.status == defect.status, [(s.rule, s.status, s.detail) for s in found.scores if s.status != "pass"]
    assert found.passed == (defect.status == "warn")
    assert score.detail
    assert score.examples or defect.rule == "has_rows"
    return score


@pytest.mark.parametrize("defect", DEFECTS, ids=_name)
def test_a_planted_defect_is_caught(spark: "SparkSession", settings: Settings, defect: Defect) -> None:
    caught(spark, settings, defect)


@pytest.mark.parametrize("defect", FURTHER_DEFECTS, ids=_name)
@pytest.mark.usefixtures("long_tests")
def test_a_further_planted_defect_is_caught(spark: "SparkSession", settings: Settings, defect: Defect) -> None:
    look = caught(spark, settings, defect).look
    assert not look or spark.sql(look).count()


def test_each_mart_has_a_defect_that_shuts_the_gate() -> None:
    shut = {defect.told_by or defect.mart for defect in DEFECTS if defect.status == "fail"}
    assert {f"gold.{mart}" for mart in shut} == {suite.table for suite in read_suites(["gold"])}


def test_revenue_whose_product_has_no_place_in_64_bits_is_no_error(spark: "SparkSession") -> None:
    (suite,) = [suite for suite in read_suites(["gold"]) if suite.table == "gold.box_office_trends"]
    (rule,) = [rule for rule in suite.rules if rule.name == "top_movie_fits_the_sum"]
    assert isinstance(rule, RowRule)
    month = (
        "select 9000000000000000000 as top_movie_revenue, 9000000000000000001 as total_revenue, 12L as revenue_movies"
    )
    assert spark.sql(f"select {rule.holds} as holds from ({month})").collect()[0]["holds"] is True


def test_half_of_the_rows_gone_is_told(
    spark: "SparkSession", settings: Settings, before: dict[str, TableHistory]
) -> None:
    runs = tuple(CountedBefore(AT - timedelta(days=day), 120 + day % 2) for day in range(1, 9))
    before["gold.movie_performance"] = TableHistory(runs)
    found = gate(spark, settings, there, "movie_performance")
    assert found.passed
    assert [score.rule for score in found.warnings] == ["volume_is_usual"]


def test_a_distribution_that_moved_is_told(
    spark: "SparkSession", settings: Settings, before: dict[str, TableHistory]
) -> None:
    was = {"primary_genres_are_as_before": [{"Drama": 5, "Comedy": 5, "War": 50}] * 4}
    before["gold.movie_performance"] = TableHistory(distributions=was)
    found = gate(spark, settings, there, "movie_performance")
    assert found.passed
    assert [score.rule for score in found.warnings] == ["primary_genres_are_as_before"]
