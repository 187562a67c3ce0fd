"""A dbt project of five tables, as dbt's artefacts would state it: films and people in Bronze, Silver and Gold."""

import json
from pathlib import Path
from typing import Any

PACKAGE = "shop"


def _node(kind: str, layer: str, name: str, columns: dict[str, str], sql: str = "", reads: tuple[str, ...] = ()) -> Any:
    return {
        "unique_id": f"{kind}.{PACKAGE}.{name}",
        "resource_type": kind,
        "database": None,
        "schema": layer,
        "name": name,
        "alias": name,
        "relation_name": f"{layer}.{name}",
        "path": f"{layer}/{name}.sql",
        "original_file_path": f"models/{layer}/{name}.sql",
        "description": f"One row per thing in `{name}`.",
        "config": {"materialized": "table"},
        "columns": {column: {"name": column, "description": text} for column, text in columns.items()},
        "raw_code": sql,
        "compiled_code": sql,
        "depends_on": {"nodes": list(reads)},
        "refs": [],
        "tags": [],
    }


def _keys(table: str, primary: str, *foreign: tuple[str, str, str]) -> Any:
    return {
        "unique_id": f"test.{PACKAGE}.keys_of_{table}.1a2b",
        "resource_type": "test",
        "name": f"keys_of_{table}",
        "attached_node": f"model.{PACKAGE}.{table}",
        "column_name": None,
        "config": {},
        "test_metadata": {
            "name": "keys",
            "kwargs": {
                "model": "{{ get_where_subquery(ref('" + table + "')) }}",
                "primary": primary,
                "foreign": [{"column": column, "to": f"ref('{to}')", "field": field} for column, to, field in foreign],
            },
        },
        "depends_on": {"nodes": [f"model.{PACKAGE}.{to}" for _, to, _ in foreign] + [f"model.{PACKAGE}.{table}"]},
    }


def manifest() -> Any:
    """The manifest, made anew for each call."""
    films, people = f"model.{PACKAGE}.films", f"model.{PACKAGE}.people"
    nodes = [
        _node(
            "model",
            "silver",
            "films",
            {"film_id": "Its id.", "title": "Title.", "director_id": ""},
            "select payload.id as film_id, payload.title as title, payload.director as director_id "
            "from (select * from bronze.raw_films version as of 3) /* a mark */",
            (f"source.{PACKAGE}.bronze.raw_films",),
        ),
        _node(
            "model",
            "silver",
            "people",
            {"person_id": "Their id.", "name": "Name."},
            "with said as (select payload.director as person_id, payload.name as name from bronze.raw_films "
            "union all select payload.actor as person_id, payload.actor_name as name "
            "from (select * from table_changes('bronze.raw_films', 2, 3))) select * from said",
            (f"source.{PACKAGE}.bronze.raw_films",),
        ),
        _node(
            "model",
            "silver",
            "as_of",
            {"as_of_at": "The instant."},
            "select max(seen_at) as as_of_at from bronze.raw_films",
            (f"source.{PACKAGE}.bronze.raw_films",),
        ),
        _node(
            "model",
            "gold_build",
            "director_rankings",
            {"director_id": "Who.", "total_films": "How many.", "director_rank": "Place."},
            "select people.person_id as director_id, count(*) as total_films, rank() over by_name as director_rank "
            "from silver.films as films inner join silver.people as people on films.director_id = people.person_id "
            "group by people.person_id, people.name window by_name as (order by people.name)",
            (films, people),
        ),
        _keys("films", "film_id", ("director_id", "people", "person_id")),
        _keys("people", "person_id"),
        _keys("director_rankings", "director_id", ("director_id", "people", "person_id")),
    ]
    source = _node("source", "bronze", "raw_films", {"payload": "What came in.", "seen_at": "When."})
    source["unique_id"] = f"source.{PACKAGE}.bronze.raw_films"
    source["identifier"] = "raw_films"
    return {
        "metadata": {
            "adapter_type": "spark",
            "project_name": PACKAGE,
            "dbt_version": "1.11.0",
            "generated_at": "2026-01-31T12:00:00Z",
        },
        "nodes": {node["unique_id"]: node for node in nodes},
        "sources": {source["unique_id"]: source},
        "exposures": {},
        "unit_tests": {
            f"unit_test.{PACKAGE}.director_rankings.ties": {
                "model": "director_rankings",
                "depends_on": {"nodes": [f"model.{PACKAGE}.director_rankings"]},
                "expect": {"rows": [{"director_id": 1, "total_films": 2}]},
            }
        },
    }


def catalog() -> Any:
    """The catalogue: types of one table, which has a column more than its YAML says."""
    return {
        "nodes": {
            f"model.{PACKAGE}.films": {
                "columns": {
                    "film_id": {"type": "string", "index": 0},
                    "title": {"type": "string", "index": 1},
                    "director_id": {"type": "bigint", "index": 2},
                    "prices": {"type": "array<struct<price:double>>", "index": 3},
                }
            }
        },
        "sources": {},
    }


def left_by_dbt(folder: Path) -> Path:
    """Write what `dbt docs generate --static` would leave into a folder; give it."""
    (folder / "manifest.json").write_text(json.dumps(manifest()))
    (folder / "catalog.json").write_text(json.dumps(catalog()))
    (folder / "static_index.html").write_text(
        '<html><head></head><body>dbt<script>load("//d1fc8wv8zag5ca.cloudfront.net/2.9.0/sp.js")</script></body></html>'
    )
    return folder
