"""The page of column lineage, by dbt-colibri: which columns a column is made from, back to Bronze."""

import copy
import json
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration import offline
from orchestration.dbt import DbtFailed
from orchestration.tables import Artefact, Table

# Spark's own name for the catalogue that dbt-spark leaves out. colibri looks a table up by three names.
_CATALOGUE = "spark_catalog"
# colibri knows no adapter `spark`; Databricks' SQL is Spark's.
_DIALECT = "databricks"

# Teasers for the hosted edition of colibri: buttons that lead out of the site.
_STYLE = (
    '<style>a[href^="https://colibri-data.com"]{pointer-events:none}'
    'a[href^="https://colibri-data.com"][class*="dashed"]{display:none!important}</style>'
)


@dataclass(frozen=True)
class ColumnLineage:
    """What is known of where columns come from.

    Args:
        parents: by (table id, column), the (table id, column) that it is made from; none for a count of rows or a
            constant.
        unread: by table id, why its SQL could not be followed.
    """

    parents: dict[tuple[str, str], tuple[tuple[str, str], ...]]
    unread: dict[str, str]


def write(manifest: Artefact, tables: list[Table], page: Path, body: str = "") -> ColumnLineage:
    """Write the page of column lineage; give what it knows.

    Args:
        manifest: dbt's, with compiled code.
        tables: from `read_tables`.
        page: the HTML file to write.
        body: what else stands in the page's body.

    Raises:
        DbtFailed: the manifest holds no compiled SQL.
        LakehouseError: the page would load something from the network.
    """
    from dbt_colibri.report import generator

    compiled = {id_: node["compiled_code"] for id_, node in manifest["nodes"].items() if node.get("compiled_code")}
    if not any(id_.startswith("model.") for id_ in compiled):
        raise DbtFailed(
            "dbt's manifest holds no compiled SQL, which column lineage is read from.",
            "Run `lakehouse docs` with the services up.",
        )
    prepared = _prepared(manifest)
    with tempfile.TemporaryDirectory() as folder, _quiet():
        files = Path(folder, "manifest.json"), Path(folder, "catalog.json")
        for file, content in zip(files, (prepared, _catalogue(tables)), strict=True):
            file.write_text(json.dumps(content), encoding="utf-8")
        report = generator.DbtColibriReportGenerator(_extractor(*files), disable_telemetry=True).build_full_lineage()

        # What is shown is the SQL that runs, not the one that was made readable for colibri.
        for id_, node in report["nodes"].items():
            node["compiledCode"] = compiled.get(id_, node.get("compiledCode"))
        raw = Path(folder, "page.html")
        generator.inject_data_into_html(
            {
                "metadata": {**report["metadata"], "adapter_type": manifest["metadata"].get("adapter_type")},
                "nodes": report["nodes"],
                "lineage": {"edges": report["lineage"]["edges"]},
                "tree": report["tree"],
            },
            str(Path(generator.__file__).parent / "index.html"),
            str(raw),
            disable_telemetry=True,
        )
        html = offline.seal(raw.read_text(encoding="utf-8"), _STYLE, body)
    offline.check(page.name, html)
    page.write_text(html, encoding="utf-8")
    return _known(report, tables)


def readable_sql(sql: str) -> str:
    """Write compiled Spark SQL such that lineage can be followed: plain tables, each with its three names.

    A table read as of a version, or as its changes between two versions (`table_changes`), is that table; a window that
    is named stands where it is used. SQL that cannot be parsed is given back as it is; colibri then says why.
    """
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(sql, dialect=_DIALECT)
    except sqlglot.errors.SqlglotError:
        return sql
    for table in list(tree.find_all(exp.Table)):
        call = table.this
        if isinstance(call, exp.Anonymous) and call.name.lower() == "table_changes":
            changed = exp.to_table(call.expressions[0].name, dialect=_DIALECT)
            for part in ("this", "db", "catalog"):
                table.set(part, changed.args.get(part))
        table.set("version", None)
        table.set("when", None)
        if table.db and not table.catalog:
            table.set("catalog", exp.to_identifier(_CATALOGUE))
    for select in tree.find_all(exp.Select):
        named = {window.name: window for window in select.args.get("windows") or []}
        for use in select.find_all(exp.Window):
            window = named.get(use.alias)
            if window is not None and use is not window:
                use.set("alias", None)
                for part in ("partition_by", "order", "spec"):
                    use.set(part, copy.deepcopy(window.args.get(part)))
        select.set("windows", None)
    return tree.sql(dialect=_DIALECT)


def _prepared(manifest: Artefact) -> Artefact:
    """A copy of the manifest that colibri can read."""
    prepared = copy.deepcopy(manifest)
    prepared["metadata"]["adapter_type"] = _DIALECT
    for node in (*prepared["nodes"].values(), *prepared["sources"].values()):
        node["database"] = _CATALOGUE
        if node.get("relation_name"):
            node["relation_name"] = f"{_CATALOGUE}.{node['relation_name']}"
        if node["resource_type"] in ("model", "snapshot") and node.get("compiled_code"):
            node["compiled_code"] = readable_sql(node["compiled_code"])
    return prepared


def _catalogue(tables: list[Table]) -> Artefact:
    """A catalogue in dbt's form; it has each column that is known, of tables that are not built yet too."""
    entries = {
        table.id: {
            "unique_id": table.id,
            "metadata": {"type": "table", "database": _CATALOGUE, "schema": table.schema, "name": table.name},
            "columns": {
                column.name: {"name": column.name, "type": column.data_type or "unknown", "index": index}
                for index, column in enumerate(table.columns, start=1)
            },
        }
        for table in tables
    }
    return {
        "nodes": {id_: entry for id_, entry in entries.items() if not id_.startswith("source.")},
        "sources": {id_: entry for id_, entry in entries.items() if id_.startswith("source.")},
    }


def _extractor(manifest: Path, catalogue: Path) -> Any:
    from dbt_colibri.lineage_extractor.extractor import DbtColumnLineageExtractor
    from sqlglot.optimizer.scope import Scope

    # colibri 0.3.7 follows a union by a name that sqlglot 30 has changed; without it no column of one has a parent.
    if not hasattr(Scope, "union_scopes"):
        Scope.union_scopes = property(lambda scope: scope.set_operation_scopes)  # type: ignore[attr-defined]
    return DbtColumnLineageExtractor(str(manifest), str(catalogue))


def _known(report: Artefact, tables: list[Table]) -> ColumnLineage:
    columns = {(table.id, column.name) for table in tables for column in table.columns}
    parents = {
        (id_, column): tuple(sorted({pair for pair in _pairs(found) if pair in columns}))
        for id_, by_column in report["lineage"]["parents"].items()
        for column, found in by_column.items()
        if (id_, column) in columns
    }
    unread = {error["node_id"]: error["error_message"] for error in report["errors"]}
    return ColumnLineage(parents, unread)


def _pairs(found: list[Artefact]) -> Iterator[tuple[str, str]]:
    return ((parent["dbt_node"], parent["column"]) for parent in found)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep colibri and sqlglot from writing to the terminal; what they could not follow is in the result."""
    loggers = [logging.getLogger(name) for name in ("colibri", "sqlglot")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
