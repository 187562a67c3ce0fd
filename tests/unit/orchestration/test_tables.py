from pathlib import Path

import pytest
from small_project import catalog, manifest

from orchestration.dbt import DbtFailed
from orchestration.tables import ForeignKey, Table, read_artefacts, read_tables


@pytest.fixture
def tables() -> dict[str, Table]:
    return {table.name: table for table in read_tables(manifest(), catalog())}


def test_tables_stand_in_the_order_in_which_data_flows(tables: dict[str, Table]) -> None:
    assert [(table.layer, table.name) for table in tables.values()] == [
        ("bronze", "raw_films"),
        ("silver", "as_of"),
        ("silver", "films"),
        ("silver", "people"),
        ("gold", "director_rankings"),
    ]


def test_keys_are_those_of_the_test_keys(tables: dict[str, Table]) -> None:
    assert tables["films"].primary == ("film_id",)
    assert tables["films"].foreign == (ForeignKey("director_id", "model.shop.people", "person_id"),)
    assert tables["as_of"].primary == ()


def test_a_key_of_several_columns_is_all_of_them() -> None:
    given = manifest()
    given["nodes"]["test.shop.keys_of_films.1a2b"]["test_metadata"]["kwargs"]["primary"] = ["film_id", "title"]
    films = next(table for table in read_tables(given, catalog()) if table.name == "films")
    assert films.primary == ("film_id", "title")
    assert {"film_id", "title"} <= films.data_tested


def test_columns_are_those_of_the_table_with_the_descriptions_of_its_yaml(tables: dict[str, Table]) -> None:
    columns = {column.name: (column.data_type, column.description) for column in tables["films"].columns}
    assert columns == {
        "film_id": ("string", "Its id."),
        "title": ("string", "Title."),
        "director_id": ("bigint", ""),
        "prices": ("array<struct<price:double>>", ""),
    }


def test_a_table_that_is_not_built_has_the_columns_of_its_yaml(tables: dict[str, Table]) -> None:
    assert [column.name for column in tables["people"].columns] == ["person_id", "name"]


def test_a_column_is_tested_where_a_test_names_it(tables: dict[str, Table]) -> None:
    rankings = tables["director_rankings"]
    assert rankings.data_tested == {"director_id"}
    assert rankings.unit_tested == {"director_id", "total_films"}
    assert rankings.tests == 2


def test_columns_in_an_expression_are_tested_and_those_of_other_tables_are_not() -> None:
    given = manifest()
    arguments = given["nodes"]["test.shop.keys_of_films.1a2b"]["test_metadata"]["kwargs"]
    arguments["expression"] = "title <> 'film' and nothing_here > 0"
    arguments["foreign"][0]["field"] = "film_id"
    arguments["primary"] = "director_id"
    films = next(table for table in read_tables(given, catalog()) if table.name == "films")
    assert films.data_tested == {"director_id", "title"}


def test_artefacts_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(DbtFailed, match=r"manifest\.json.*`lakehouse docs`"):
        read_artefacts(tmp_path)
