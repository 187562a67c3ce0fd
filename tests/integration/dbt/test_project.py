"""The dbt project after one small cycle, and its unit tests from dbt's own command line."""

import pytest

from lakehouse.hive import query
from lakehouse.settings import Settings
from serving.marts import MARTS
from tests import lake
from tests.integration.dbt.conftest import MOVIES, Dbt

pytestmark = pytest.mark.stack


def test_a_cycle_carries_the_catalogue_from_json_to_mongodb(built: Settings) -> None:
    def rows(table: str) -> int:
        return int(query(built, f"select count(*) from {table}").rows[0][0])

    assert rows("silver.movies") == rows("gold.movie_performance") == MOVIES
    assert rows("silver.movie_observations") == rows("bronze.movies") > MOVIES
    published = lake.documents(built)
    assert {name: count for name, (count, _) in published.items()} == {mart.name: rows(mart.table) for mart in MARTS}
    assert all(count > 0 for name, (count, _) in published.items())


def test_every_mart_is_published_but_the_one_that_others_are_made_from(built: Settings) -> None:
    tables = {name.removeprefix("gold.") for name in lake.tables(built, "gold")}
    assert tables - {mart.name for mart in MARTS} == {"genre_movies"}
    readers, build = lake.content(built, "gold"), lake.content(built, "gold_build")
    assert {name.removeprefix("gold."): rows for name, rows in readers.items()} == {
        name.removeprefix("gold_build."): rows for name, rows in build.items()
    }


def test_the_units_pass_from_dbts_own_command_line(built: Settings, dbt: Dbt) -> None:
    answer = dbt("test", "--select", "test_type:unit", is_warm=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "ERROR=0" in answer.stdout
    assert "PASS=0" not in answer.stdout


def test_descriptions_and_constraints_stand_in_the_tables(built: Settings) -> None:
    (comment,) = (row[2] for row in query(built, "describe gold.movie_performance").rows if row[0] == "weighted_rating")
    assert comment.startswith("IMDb's weighted rating")
    properties = dict(query(built, "show tblproperties gold_build.movie_performance").rows)
    assert properties["delta.enableInCommitTimestamps"] == "true"
    assert properties["delta.logRetentionDuration"] == "interval 180 days"
    assert properties["delta.constraints.movie_id_not_null"] == "movie_id is not null"
    assert properties["delta.constraints.profit_matches"] == "coalesce(profit = revenue - budget, true)"
