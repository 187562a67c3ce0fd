"""The suites of Silver and Gold against the models that they are about: keys, columns, contracts."""

from collections.abc import Iterable
from typing import Any

import pytest
import yaml
from sqlglot import parse_one
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.qualify import qualify

from expectations.suites import DriftRule, QueryRule, ReferenceRule, RowRule, Suite, UniqueRule, read_suites
from tests.instance import ROOT

DBT = ROOT / "dbt_project"


def declared(folder: str, within: str) -> dict[str, dict[str, Any]]:
    """What the YAML files of a folder declare as models, snapshots or sources, by name."""
    files = sorted((DBT / folder).rglob("*.yml"))
    found = [each for file in files for each in yaml.safe_load(file.read_text(encoding="utf-8")).get(within, [])]
    return {each["name"]: each for each in found}


def columns(tables: Iterable[dict[str, Any]]) -> dict[str, dict[str, str]]:
    return {
        table["name"]: {column["name"]: column.get("data_type", "string") for column in table["columns"]}
        for table in tables
    }


GOLD = declared("models/gold", "models")
SILVER = {**declared("models/silver", "models"), **declared("snapshots", "snapshots")}
BRONZE = declared("models/staging", "sources")["bronze"]["tables"]
COLUMNS: dict[str, object] = {
    "bronze": columns(BRONZE),
    "silver": columns(SILVER.values()),
    "gold": columns(GOLD.values()),
}
SUITES = {suite.table.removeprefix("gold."): suite for suite in read_suites(["gold"])}


def statements(suite: Suite) -> dict[str, str]:
    """The SQL of each rule, as one SELECT that names every column that the rule needs."""
    found = {}
    for rule in suite.rules:
        kept = ", ".join(dict.fromkeys((*suite.key, *rule.columns)))
        about = getattr(rule, "where", "") or "true"
        match rule:
            case RowRule():
                found[rule.name] = f"select {kept} from {suite.table} where {about} and ({rule.holds})"
            case QueryRule():
                found[rule.name] = f"select {kept} from ({rule.broken_by}) as broken"
            case UniqueRule():
                found[rule.name] = f"select {', '.join(rule.unique)} from {suite.table}"
            case ReferenceRule():
                known = f"exists (select {rule.of_column} from {rule.of})"
                found[rule.name] = f"select {kept}, {rule.column} as value from {suite.table} where {about} and {known}"
            case DriftRule():
                found[rule.name] = f"select {rule.bins} as bin from {suite.table} where {about}"
    return found


def resolve(sql: str) -> None:
    """Raise OptimizeError where a table or a column of the SQL is not declared."""
    qualify(parse_one(sql, dialect="spark"), schema=COLUMNS, dialect="spark")


def test_every_mart_has_a_suite_and_every_suite_a_mart() -> None:
    assert sorted(SUITES) == sorted(GOLD)


@pytest.mark.parametrize("mart", sorted(GOLD))
def test_the_key_is_that_of_the_model(mart: str) -> None:
    (keys,) = [test["keys"]["arguments"] for test in GOLD[mart]["data_tests"] if "keys" in test]
    unique = {rule.name: rule.unique for rule in SUITES[mart].rules if isinstance(rule, UniqueRule)}
    assert SUITES[mart].key == unique["key_is_unique"] == (keys["primary"],)


@pytest.mark.parametrize("mart", sorted(GOLD))
def test_foreign_keys_of_the_model_are_followed(mart: str) -> None:
    """To the same column, or to a mart whose own key refers to it."""
    (keys,) = [test["keys"]["arguments"] for test in GOLD[mart]["data_tests"] if "keys" in test]
    declared = {foreign["column"] for foreign in keys.get("foreign", [])}
    assert declared <= {rule.column for rule in SUITES[mart].rules if isinstance(rule, ReferenceRule)}


@pytest.mark.parametrize("mart", sorted(GOLD))
def test_the_columns_that_a_contract_requires_must_be_filled(mart: str) -> None:
    required = {
        column["name"]
        for column in GOLD[mart]["columns"]
        if any(constraint["type"] == "not_null" for constraint in column.get("constraints", []))
    }
    (rule,) = [each for each in SUITES[mart].rules if each.name == "required_columns_are_filled"]
    assert isinstance(rule, RowRule)
    assert rule.least == 1
    assert set(rule.holds.replace("\n", " ").split(" and ")) == {f"{column} is not null" for column in required}


@pytest.mark.parametrize("mart", sorted(GOLD))
def test_what_the_sql_of_gold_computes_must_hold_in_every_row(mart: str) -> None:
    """Only what the source may lack, or say oddly, has a share of rows to be wrong in."""
    shared = {rule.name for rule in SUITES[mart].rules if isinstance(rule, RowRule) and rule.least is None}
    told = {rule.name for rule in SUITES[mart].rules if rule.severity == "warning"}
    assert shared - told <= {
        "title_is_known",
        "release_date_is_known",
        "primary_genre_is_known",
        "year_is_possible",
        "decade_is_possible",
        "latest_movies_fit_the_shared_ones",
    }


@pytest.mark.parametrize("suite", read_suites(["silver", "gold"]), ids=lambda suite: suite.table)
def test_every_column_that_a_rule_names_is_declared(suite: Suite) -> None:
    for name, sql in statements(suite).items():
        try:
            resolve(sql)
        except OptimizeError as error:
            pytest.fail(f"{suite.table}, {name}: {error}")


@pytest.mark.parametrize(
    "sql",
    [
        "select titel from gold.movie_performance",
        "select title from gold.movie_performance where forall(array(1), each -> each > voted)",
        "select release_year from (select *, 1 as one from gold.yoy_growth) as found where two > 1",
    ],
)
def test_a_column_that_is_not_declared_is_found(sql: str) -> None:
    with pytest.raises(OptimizeError, match=r"titel|voted|two"):
        resolve(sql)
