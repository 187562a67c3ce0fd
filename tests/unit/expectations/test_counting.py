from datetime import UTC, datetime
from typing import Any

from expectations.counting import Instants, breaking, broken_together, failing_rows, passed_in_one
from expectations.naming import built, relocated
from expectations.suites import Suite

AT = Instants(datetime(2026, 1, 15, 6, 30, tzinfo=UTC), datetime(2026, 1, 15, 6, tzinfo=UTC))


def suite(*rules: dict[str, Any], table: str = "silver.movies") -> Suite:
    return Suite.model_validate({"table": table, "key": ["movie_id"], "description": "Movies.", "rules": list(rules)})


TITLE = {
    "name": "title_is_known",
    "dimension": "completeness",
    "where": "year > 2000",
    "holds": "title is not null",
    "columns": ["year"],
    "reason": "no title",
}
UNIQUE = {"name": "unique", "dimension": "uniqueness", "unique": ["a", "b"]}
VOTES = {"name": "votes", "dimension": "consistency", "never_falls": "votes", "by": ["a"], "over": ["b"]}
OF = {"name": "exists", "dimension": "references", "column": "a", "of": "silver.people", "of_column": "b"}


def test_all_rules_over_rows_are_counted_in_one_pass() -> None:
    languages = {"name": "languages", "dimension": "drift", "bins": "language"}
    sql = passed_in_one(suite(TITLE, UNIQUE, languages), built, AT)
    assert sql == (
        "select count(*) as counted, count(flag_0) as about_0, count_if(flag_0) as holds_0, "
        "approx_top_k(bin_2, 500, 1000) as bins_2 "
        "from (select *, case when year > 2000 then coalesce((title is not null), false) end as flag_0, "
        "coalesce(cast((language) as string), 'unknown') as bin_2 from silver.movies) as flagged"
    )


def test_instants_are_written_into_the_sql() -> None:
    rule = {"name": "in_time", "dimension": "timeliness", "hours": "max(a - :measured_at + :measured_before)"}
    sql = passed_in_one(suite(rule), built, AT)
    assert "max(a - timestamp '2026-01-15 06:30:00.000000' + cast(null as timestamp))" in sql


def test_what_needs_a_sort_or_a_join_is_one_query_more() -> None:
    sql = broken_together(suite(UNIQUE, TITLE, VOTES, OF), built, AT)
    assert sql.count(" union all ") == 2
    assert (
        "select 0, coalesce(sum(broken.rows), 0), cast(null as bigint) from (select a, b, count(*) as rows "
        "from silver.movies group by a, b having count(*) > 1 or a is null or b is null) as broken" in sql
    )
    assert "lag(votes) over (partition by a order by b)" in sql
    assert "left anti join silver.people" in sql
    assert broken_together(suite(TITLE), built, AT) == ""


def test_a_broken_row_is_shown_with_its_key_and_the_columns_of_the_rule() -> None:
    whole = suite(TITLE, UNIQUE)
    assert breaking(whole, whole.rules[0], built, AT) == (
        "select movie_id, year from silver.movies where (year > 2000) and not coalesce((title is not null), false)"
    )
    kept = failing_rows(whole, whole.rules, built, AT, 20)
    assert kept.count("limit 20") == 2
    assert "concat_ws('|', coalesce(cast(a as string), 'NULL'), coalesce(cast(b as string), 'NULL'))" in kept


def test_what_a_measure_is_made_of_is_shown_once() -> None:
    whole = suite({"name": "in_time", "dimension": "timeliness", "hours": "(select max(a) from silver.people)"})
    assert breaking(whole, whole.rules[0], built, AT) == (
        "select distinct (select max(a) from silver.people) as hours from silver.movies"
    )


def test_marts_are_read_where_they_are_built() -> None:
    assert built("gold.yoy_growth") == "gold_build.yoy_growth"
    assert built("silver.movies") == "silver.movies"
    sql = "select a from gold.b join silver.c on b.gold = 'gold.d' where x.gold.e"
    assert relocated(sql, built) == ("select a from gold_build.b join silver.c on b.gold = 'gold.d' where x.gold.e")
