import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from small_project import catalog, manifest

from orchestration import column_lineage
from orchestration.column_lineage import readable_sql
from orchestration.dbt import DbtFailed
from orchestration.tables import read_tables

FILMS, PEOPLE, RANKINGS = "model.shop.films", "model.shop.people", "model.shop.director_rankings"
RAW = "source.shop.bronze.raw_films"


def shown_by(page: Path) -> Any:
    encoded = re.search(r'colibriData = JSON\.parse\(atob\("([^"]+)"', page.read_text())
    assert encoded
    return json.loads(base64.b64decode(encoded[1]))


def test_columns_are_traced_through_versions_changes_unions_and_named_windows(tmp_path: Path) -> None:
    parents = column_lineage.write(manifest(), read_tables(manifest(), catalog()), tmp_path / "columns.html").parents
    assert parents[FILMS, "title"] == ((RAW, "payload"),)
    assert parents[PEOPLE, "name"] == ((RAW, "payload"),)
    assert parents[RANKINGS, "director_id"] == ((PEOPLE, "person_id"),)
    assert parents[RANKINGS, "director_rank"] == ((PEOPLE, "name"),)
    assert parents[RANKINGS, "total_films"] == ()


def test_the_page_shows_the_sql_that_runs_and_where_columns_come_from(tmp_path: Path) -> None:
    given = manifest()
    column_lineage.write(given, read_tables(given, catalog()), tmp_path / "columns.html")
    shown = shown_by(tmp_path / "columns.html")
    assert shown["nodes"][FILMS]["compiledCode"] == given["nodes"][FILMS]["compiled_code"]
    edges = {
        (edge["source"], edge["sourceColumn"], edge["target"], edge["targetColumn"])
        for edge in shown["lineage"]["edges"]
    }
    assert (RAW, "payload", PEOPLE, "person_id") in edges
    assert given == manifest()


def test_the_page_reports_to_nobody(tmp_path: Path) -> None:
    column_lineage.write(manifest(), read_tables(manifest(), catalog()), tmp_path / "columns.html")
    page = (tmp_path / "columns.html").read_text()
    assert "window.colibriTelemetry = false" in page
    assert "posthog.com" not in page
    assert "connect-src data: blob:;" in page


def test_a_model_whose_sql_cannot_be_read_is_named_and_the_others_are_traced(tmp_path: Path) -> None:
    given = manifest()
    given["nodes"][RANKINGS]["compiled_code"] = "select from where"
    lineage = column_lineage.write(given, read_tables(given, catalog()), tmp_path / "columns.html")
    assert list(lineage.unread) == [RANKINGS]
    assert lineage.parents[FILMS, "title"] == ((RAW, "payload"),)


def test_a_manifest_that_was_only_parsed_is_refused(tmp_path: Path) -> None:
    given = manifest()
    for node in given["nodes"].values():
        node["compiled_code"] = ""
    with pytest.raises(DbtFailed, match="no compiled SQL"):
        column_lineage.write(given, read_tables(given, catalog()), tmp_path / "columns.html")


@pytest.mark.parametrize(
    ("sql", "readable"),
    [
        ("select a from silver.t version as of 3", "SELECT a FROM spark_catalog.silver.t"),
        ("select a from table_changes('silver.t', 1, 2)", "SELECT a FROM spark_catalog.silver.t"),
        ("select c.a from table_changes('silver.t', 1, 2) as c", "SELECT c.a FROM spark_catalog.silver.t AS c"),
        ("with t as (select 1 as a) select a from t", "WITH t AS (SELECT 1 AS a) SELECT a FROM t"),
        (
            "select rank() over w as r from s.t window w as (partition by a order by b)",
            "SELECT RANK() OVER (PARTITION BY a ORDER BY b) AS r FROM spark_catalog.s.t",
        ),
        ("select from where", "select from where"),
    ],
)
def test_sql_is_made_readable(sql: str, readable: str) -> None:
    assert readable_sql(sql) == readable
