"""The tables of the dbt project with their columns, keys and tests, read from what dbt leaves behind."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.dbt import DbtFailed

LAYERS = ("bronze", "staging", "silver", "graph", "gold")
# Gold is built in a schema of its own; readers know it by the other name.
_LAYER_OF = {"gold_build": "gold"}

# dbt's artefacts are JSON of dbt's making; what is read of them is typed here.
Artefact = dict[str, Any]

_KINDS = ("model", "snapshot", "source", "seed")
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_QUOTED = re.compile(r"""['"]([^'"]+)['"]""")


@dataclass(frozen=True)
class Column:
    """A column: its name, its type where one is known, and its description ('' where there is none)."""

    name: str
    data_type: str
    description: str


@dataclass(frozen=True)
class ForeignKey:
    """A column whose values name rows of another table.

    Args:
        column: the column that refers.
        table: dbt's id of the table referred to, e.g. `model.tmdb_lakehouse.movies`.
        field: the column referred to.
    """

    column: str
    table: str
    field: str


@dataclass(frozen=True)
class Table:
    """A model, snapshot, seed or source.

    Args:
        id: dbt's id.
        name: its name in its schema.
        layer: bronze, staging, silver, graph, gold: the schema in which readers find it.
        kind: model, snapshot, seed or source.
        description: '' where there is none.
        columns: those that the table has, and those that its YAML alone knows, in this order.
        primary: the columns of the primary key, from the test `keys`.
        foreign: the foreign keys, from the same test.
        data_tested: the columns that a data test names.
        unit_tested: the columns whose values a unit test expects.
        tests: how many data tests and unit tests it has.
        schema: the schema in which dbt builds it.
    """

    id: str
    name: str
    layer: str
    kind: str
    description: str
    columns: tuple[Column, ...]
    primary: tuple[str, ...] = ()
    foreign: tuple[ForeignKey, ...] = ()
    data_tested: frozenset[str] = frozenset()
    unit_tested: frozenset[str] = frozenset()
    tests: int = 0
    schema: str = ""


def read_artefacts(folder: Path) -> tuple[Artefact, Artefact]:
    """Read manifest.json and catalog.json from dbt's target folder.

    Raises:
        DbtFailed: one of them is not there, or is no JSON.
    """
    return _read(folder / "manifest.json"), _read(folder / "catalog.json")


def read_tables(manifest: Artefact, catalog: Artefact) -> list[Table]:
    """All tables of the project, layer by layer, each layer by name."""
    nodes = {
        id_: node
        for id_, node in {**manifest["nodes"], **manifest["sources"]}.items()
        if node["resource_type"] in _KINDS
    }
    built = {**catalog.get("nodes", {}), **catalog.get("sources", {})}
    data_tests = _by_table(
        (test["attached_node"], test)
        for test in manifest["nodes"].values()
        if test["resource_type"] == "test" and test.get("attached_node")
    )
    unit_tests = _by_table(
        (parent, test) for test in manifest.get("unit_tests", {}).values() for parent in test["depends_on"]["nodes"][:1]
    )
    tables = [
        _table(node, built.get(id_, {}), data_tests.get(id_, []), unit_tests.get(id_, []))
        for id_, node in nodes.items()
    ]
    return sorted(tables, key=lambda table: (layer_rank(table.layer), table.layer, table.name))


def layer_rank(layer: str) -> int:
    """The place of a layer in the order in which data flows; layers that are not known come last."""
    return LAYERS.index(layer) if layer in LAYERS else len(LAYERS)


def _read(file: Path) -> Artefact:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DbtFailed(f"{file} cannot be read: {error}", "Run `lakehouse docs`, which makes it anew.") from error
    if not isinstance(content, dict):
        raise DbtFailed(f"{file} holds no JSON object.", "Run `lakehouse docs`, which makes it anew.")
    return content


def _by_table(pairs: Iterator[tuple[str, Artefact]]) -> dict[str, list[Artefact]]:
    grouped: dict[str, list[Artefact]] = {}
    for table, test in pairs:
        grouped.setdefault(table, []).append(test)
    return grouped


def _table(node: Artefact, built: Artefact, data_tests: list[Artefact], unit_tests: list[Artefact]) -> Table:
    columns = _columns(node, built)
    names = {column.name for column in columns}
    keys = [test for test in data_tests if _metadata(test).get("name") == "keys"]
    return Table(
        id=node["unique_id"],
        name=node.get("identifier") or node.get("alias") or node["name"],
        layer=str(_LAYER_OF.get(node["schema"], node["schema"])),
        schema=node["schema"],
        kind=node["resource_type"],
        description=" ".join((node.get("description") or "").split()),
        columns=columns,
        primary=tuple(name for test in keys for name in _primary_key(test)),
        foreign=tuple(key for test in keys for key in _foreign_keys(test)),
        data_tested=frozenset(name for test in data_tests for name in _named_columns(test, names)),
        unit_tested=frozenset(name for test in unit_tests for name in _expected_columns(test) if name in names),
        tests=len(data_tests) + len(unit_tests),
    )


def _columns(node: Artefact, built: Artefact) -> tuple[Column, ...]:
    written = {name.lower(): column for name, column in node["columns"].items()}
    existing = {
        name.lower(): str(column.get("type") or "")
        for name, column in sorted(built.get("columns", {}).items(), key=lambda item: int(item[1].get("index") or 0))
    }
    return tuple(
        Column(
            name=name,
            data_type=existing.get(name) or (written.get(name, {}).get("data_type") or ""),
            description=" ".join((written.get(name, {}).get("description") or "").split()),
        )
        for name in {**existing, **written}
    )


def _primary_key(test: Artefact) -> list[str]:
    named: str | list[str] = _arguments(test)["primary"]
    return [named] if isinstance(named, str) else named


def _metadata(test: Artefact) -> Artefact:
    return test.get("test_metadata") or {}


def _arguments(test: Artefact) -> Artefact:
    return _metadata(test).get("kwargs") or {}


def _foreign_keys(test: Artefact) -> Iterator[ForeignKey]:
    for key in _arguments(test).get("foreign") or []:
        name = _QUOTED.findall(key["to"])[-1]
        for parent in test["depends_on"]["nodes"]:
            if parent.rsplit(".", 1)[-1] == name:
                yield ForeignKey(key["column"].lower(), parent, key["field"].lower())


def _named_columns(test: Artefact, names: set[str]) -> set[str]:
    """The table's columns that a test's arguments name, alone or in an expression."""

    def words(value: Any, argument: str = "") -> Iterator[str]:
        if argument in ("model", "to", "field", "name"):
            return
        if isinstance(value, str):
            yield from _WORD.findall(value.lower())
        elif isinstance(value, dict):
            for key, inner in value.items():
                yield from words(inner, key)
        elif isinstance(value, list):
            for inner in value:
                yield from words(inner)

    return {word for word in words(_arguments(test)) if word in names}


def _expected_columns(test: Artefact) -> set[str]:
    rows = test["expect"].get("rows") or []
    return {name.lower() for row in rows if isinstance(row, dict) for name in row}
