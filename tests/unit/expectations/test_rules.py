from pathlib import Path

import pytest

from expectations.rules import read_rules
from lakehouse.errors import ConfigurationError


def test_the_declared_rules_require_what_the_specification_requires() -> None:
    rules = read_rules()
    assert [column.column for column in rules.required] == [
        "movie_id",
        "title",
        "overview",
        "release_date",
        "genres",
        "rating",
        "original_language",
    ]
    assert len({rule.name for rule in rules.consistency}) == len(rules.consistency)
    assert {key.table for key in rules.keys} == {"silver.movies", "silver.movie_genres", "silver.cast_members"}


def test_a_column_is_known_where_it_is_not_null_unless_the_rule_says_otherwise() -> None:
    conditions = {column.column: column.condition for column in read_rules().required}
    assert conditions["rating"] == "rating is not null"
    assert conditions["genres"] == "size(genres) > 0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("table: [", "cannot be read"),
        ("table: a\nkey: b\n", "fed_by: field required"),
        (
            "table: a\nkey: b\nfed_by: c\nrequired: [{column: d, knwon_when: e}]\nconsistency: []\nkeys: []\n",
            r"required\.0\.knwon_when: extra inputs",
        ),
    ],
)
def test_rules_that_cannot_be_used_are_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        read_rules(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yaml cannot be read"):
        read_rules(tmp_path / "none.yaml")
