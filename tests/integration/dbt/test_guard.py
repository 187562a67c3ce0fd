"""dbt must not make anew what it only failed to see: an incomplete listing of a schema once cost whole histories."""

from typing import Any

import pytest

from lakehouse.hive import query
from lakehouse.settings import Settings
from orchestration import dbt
from tests import lake
from tests.instance import selected

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("node", ["movie_records", "movies_history", "yoy_growth"])
def test_a_table_that_a_listing_left_out_is_not_made_anew(
    stack: dict[str, str], built: Settings, monkeypatch: pytest.MonkeyPatch, node: str
) -> None:
    from dbt.adapters.spark.impl import SparkAdapter

    before = lake.content(built, "silver", "gold_build")
    with selected(stack), monkeypatch.context() as patch:
        nothing: Any = lambda adapter, schema_relation: []  # noqa: E731
        patch.setattr(SparkAdapter, "list_relations_without_caching", nothing)
        with pytest.raises(dbt.DbtFailed, match=rf"{node}.*dbt did not see it when it listed the schema"):
            dbt.build(built, ["--select", node, "--exclude", "test_type:unit"])
    assert lake.content(built, "silver", "gold_build") == before


def test_a_full_refresh_may_make_it_anew(stack: dict[str, str], built: Settings) -> None:
    with selected(stack):
        before = lake.content(built, "gold_build")
        dbt.build(built, ["--select", "yoy_growth", "--full-refresh", "--exclude", "test_type:unit"])
        assert lake.content(built, "gold_build") == before


def test_rows_of_a_run_that_was_killed_are_not_taken_for_finished(stack: dict[str, str], built: Settings) -> None:
    before = lake.content(built, "gold_build")
    # As a kill leaves it between the write of the rows and the note of what they were made from.
    query(built, "insert overwrite gold_build.yoy_growth select * from gold_build.yoy_growth where release_year > 2000")
    assert lake.content(built, "gold_build") != before
    with selected(stack):
        dbt.build(built, ["--select", "yoy_growth", "--exclude", "test_type:unit"])
    assert lake.content(built, "gold_build") == before
