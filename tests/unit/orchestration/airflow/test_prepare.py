"""The manifests that Cosmos reads."""

from typing import Any

from orchestration.airflow.prepare import reduced


def _node(name: str, kind: str, *parents: str) -> tuple[str, dict[str, Any]]:
    return f"{kind}.p.{name}", {
        "name": name,
        "resource_type": kind,
        "raw_code": "select 1",
        "config": {"enabled": True, "meta": {}},
        "depends_on": {"macros": [], "nodes": list(parents)},
    }


MANIFEST = {
    "metadata": {"project_name": "p"},
    "sources": {"source.p.s": {}},
    "selectors": {"half": {"name": "half"}},
    "macros": {"macro.p.m": {}},
    "nodes": dict(
        (
            _node("records", "model", "source.p.s"),
            _node("movies", "model", "model.p.records"),
            _node("marts", "model", "model.p.movies"),
            _node("keys_of_records", "test", "model.p.records"),
            _node("keys_of_movies", "test", "model.p.movies"),
            _node("rows_are_kept", "test", "model.p.movies", "model.p.records"),
            _node("marts_agree", "test", "model.p.movies", "model.p.marts"),
            _node("keys_of_marts", "test", "model.p.marts"),
        )
    ),
}
SILVER = {
    "model.p.records",
    "model.p.movies",
    "test.p.keys_of_records",
    "test.p.keys_of_movies",
    "test.p.rows_are_kept",
}


def _flags(node: dict[str, Any]) -> list[str]:
    found: list[str] = node["config"]["meta"]["cosmos"]["operator_kwargs"]["dbt_cmd_flags"]
    return found


def test_what_a_group_does_not_run_is_not_in_its_manifest() -> None:
    found = reduced(MANIFEST, SILVER)
    assert set(found["nodes"]) == SILVER
    assert found["sources"] == MANIFEST["sources"]
    assert found["selectors"] == MANIFEST["selectors"]
    assert "macros" not in found
    assert "raw_code" not in found["nodes"]["model.p.movies"]


def test_a_test_of_several_models_belongs_to_the_last_of_them() -> None:
    found = reduced(MANIFEST, SILVER)["nodes"]
    assert found["test.p.rows_are_kept"]["depends_on"]["nodes"] == ["model.p.movies"]
    assert found["test.p.keys_of_records"]["depends_on"]["nodes"] == ["model.p.records"]
    assert found["model.p.movies"]["depends_on"]["nodes"] == ["model.p.records"]


def test_who_asks_for_the_tests_of_a_model_leaves_out_those_of_others() -> None:
    found = reduced(MANIFEST, SILVER)["nodes"]
    units = "resource_type:unit_test"
    assert _flags(found["test.p.keys_of_records"]) == ["--exclude", "rows_are_kept", units]
    assert _flags(found["test.p.keys_of_movies"]) == ["--exclude", "marts_agree", units]
    assert _flags(found["test.p.rows_are_kept"]) == ["--exclude", "marts_agree", units]


def test_the_manifest_that_was_read_stays_as_it_is() -> None:
    nodes: Any = MANIFEST["nodes"]
    reduced(MANIFEST, SILVER)
    assert nodes["test.p.rows_are_kept"]["depends_on"]["nodes"] == ["model.p.movies", "model.p.records"]
    assert nodes["test.p.rows_are_kept"]["config"]["meta"] == {}
