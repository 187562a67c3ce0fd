from pathlib import Path
from typing import Any

import pytest
import yaml

from expectations.suites import (
    LAYERS,
    DriftRule,
    NeverFallsRule,
    QueryRule,
    ReferenceRule,
    RowRule,
    TimelinessRule,
    UniqueRule,
    VolumeRule,
    read_suite,
    read_suites,
)
from lakehouse.errors import ConfigurationError

ROW = {"name": "title_is_known", "dimension": "completeness", "holds": "title is not null", "reason": "no title"}
VOLUME = {"name": "volume", "dimension": "volume"}
DRIFT = {"name": "as_before", "dimension": "drift", "bins": "a"}


def write(folder: Path, rules: list[dict[str, Any]], **more: Any) -> Path:
    suite = {"table": "silver.movies", "key": ["movie_id"], "description": "Movies.", "rules": rules, **more}
    file = folder / "silver" / "movies.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(suite))
    return file


def test_each_kind_of_rule_is_known_by_what_it_declares(tmp_path: Path) -> None:
    rules = [
        ROW,
        {"name": "key_is_unique", "dimension": "uniqueness", "unique": ["movie_id"]},
        {"name": "movie_exists", "dimension": "references", "column": "a", "of": "silver.b", "of_column": "c"},
        {"name": "votes", "dimension": "consistency", "never_falls": "v", "by": ["a"], "over": ["b"]},
        {"name": "crew", "dimension": "consistency", "broken_by": "select 1", "reason": "no crew"},
        VOLUME,
        {"name": "in_time", "dimension": "timeliness", "hours": "max(h)"},
        DRIFT,
    ]
    found = read_suite(write(tmp_path, rules)).rules
    kinds = [RowRule, UniqueRule, ReferenceRule, NeverFallsRule, QueryRule, VolumeRule, TimelinessRule, DriftRule]
    assert [type(rule) for rule in found] == kinds
    assert [rule.severity for rule in found] == [*["critical"] * 5, "warning", "critical", "warning"]


@pytest.mark.parametrize(
    ("rules", "more", "said"),
    [
        ([{**ROW, "hold": "x"}], {}, r"rules\.0\.RowRule\.hold: extra inputs"),
        ([{**VOLUME, "severity": "critical"}], {}, r"VolumeRule\.severity: input should be 'warning'"),
        ([{**DRIFT, "severity": "critical"}], {}, r"DriftRule\.severity: input should be 'warning'"),
        ([{"name": "a", "dimension": "completeness"}], {}, r"rules\.0: a rule has one of holds, "),
        ([{**ROW, "bins": "a"}], {}, r"rules\.0: a rule has one of holds, "),
        ([{**ROW, "dimension": "drift"}], {}, r"dimension: input should be 'completeness'"),
        ([{**ROW, "least": 95}], {}, "least: input should be less than or equal to 1"),
        ([{**ROW, "reason": ""}], {}, "reason: string should have at least 1 character"),
        ([ROW, ROW], {}, "several rules are called title_is_known"),
        ([{**ROW, "name": "table_completeness"}], {}, "the gate itself calls a score table_completeness"),
        ([], {}, "rules: tuple should have at least 1 item"),
        ([ROW], {"table": "tin.movies"}, r"tin\.movies is in none of the layers bronze, silver, gold"),
        ([ROW], {"table": "silver.films"}, r"is about silver\.films. Call it silver/films\.yaml"),
        ([ROW], {"fed_bye": "a.b"}, "fed_bye: extra inputs"),
    ],
)
def test_what_cannot_be_used_is_named(
    tmp_path: Path, rules: list[dict[str, Any]], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read_suite(write(tmp_path, rules, **more))


def test_a_file_that_is_no_yaml_or_not_in_utf_8_and_one_that_is_not_there_are_named(tmp_path: Path) -> None:
    file, foreign = write(tmp_path, [ROW]), tmp_path / "foreign.yaml"
    file.write_text("table: [")
    foreign.write_bytes("description: für alle\n".encode("latin-1"))
    for path in (file, foreign, tmp_path / "none.yaml"):
        with pytest.raises(ConfigurationError, match=f"{path.name} cannot be read"):
            read_suite(path)


def test_a_layer_without_suites_is_named(tmp_path: Path) -> None:
    write(tmp_path, [ROW])
    assert [suite.table for suite in read_suites(["silver"], tmp_path)] == ["silver.movies"]
    with pytest.raises(ConfigurationError, match="no suite for 'tin'"):
        read_suites(["silver", "tin"], tmp_path)
    assert read_suites([]) == ()
    assert set(LAYERS) == {"bronze", "silver", "gold"}
