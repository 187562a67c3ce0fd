"""A lake that never was, for the tests of the report: `ops` and `gold` in DuckDB, with the columns of Spark's.

The tables are made from their declarations (lakehouse.ops.schema, the contracts of the marts), so a question that names
a column that is not there fails here too. Its SQL is translated from Spark's.
"""

from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from lakehouse.hive import Answer
from lakehouse.ops.schema import TABLES
from tests.made_up_gold import contracts, gold
from tests.made_up_ops import ops

Row = dict[str, Any]


class MadeUpLake:
    """Answers the report's questions as the Thrift server would.

    Args:
        tables: rows by `schema.table`; a table with none is there and empty.
    """

    def __init__(self, tables: dict[str, list[Row]]) -> None:
        self._database = duckdb.connect()
        self._database.execute("set timezone = 'UTC'")
        self._tables = set(tables)
        kinds = {table.full_name: {column.name: column.kind for column in table.columns} for table in TABLES}
        kinds |= {f"gold.{mart}": columns for mart, columns in contracts().items()}
        for schema in ("ops", "gold"):
            self._database.execute(f"create schema {schema}")
        for name, rows in tables.items():
            columns = ", ".join(f"`{column}` {kind}" for column, kind in kinds[name].items())
            self._run(f"create table {name} ({columns})")
            if rows:
                self._database.register("rows", pa.Table.from_pylist(rows))
                self._database.execute(f"insert into {name} by name select * from rows")
                self._database.unregister("rows")

    def __call__(self, sql: str) -> Answer:
        """Answer one statement."""
        if sql == "show databases":
            return Answer(
                ["namespace"], [(schema,) for schema in sorted({name.split(".")[0] for name in self._tables})]
            )
        if sql.startswith("show tables in "):
            schema = sql.removeprefix("show tables in ")
            names = sorted(name.split(".")[1] for name in self._tables if name.startswith(f"{schema}."))
            return Answer(["namespace", "tableName", "isTemporary"], [(schema, name, False) for name in names])
        cursor = self._run(sql)
        return Answer([column[0] for column in cursor.description or []], cursor.fetchall())

    def _run(self, sql: str) -> "duckdb.DuckDBPyConnection":
        translated = sqlglot.parse_one(sql, read="spark").transform(_as_duckdb).sql(dialect="duckdb")
        return self._database.execute(translated)


def _as_duckdb(node: exp.Expression) -> exp.Expression:
    """What sqlglot does not translate by itself: instants as milliseconds, and lists joined."""
    if isinstance(node, exp.UnixMillis):
        return exp.Anonymous(this="epoch_ms", expressions=[node.this])
    if isinstance(node, exp.ConcatWs):
        separator, joined = node.expressions
        return exp.Anonymous(this="array_to_string", expressions=[joined, separator])
    return node


def good_lake(runs: int = 14) -> MadeUpLake:
    """A lake after so many cycles, the last of which went well."""
    return MadeUpLake(ops(runs) | gold())


def failed_lake() -> MadeUpLake:
    """The same after one more cycle, which Gold's audit ended."""
    return MadeUpLake(ops(15, fails="audit") | gold())


def empty_lake() -> MadeUpLake:
    """A lake whose tables hold nothing."""
    return MadeUpLake(
        {name: [] for name in (*(table.full_name for table in TABLES), *(f"gold.{m}" for m in contracts()))}
    )


def bare_lake() -> MadeUpLake:
    """A lake without any of the tables."""
    return MadeUpLake({})


def sparse_lake() -> MadeUpLake:
    """A lake of which little is known: no measure has a value, and no text but names and states."""
    kept = {"run_id", "status", "kind", "step", "node_id", "table_name", "rule", "dimension", "layer", "severity"}
    ids = ("_id", "_key", "_window", "scope", "measures", "content_of")
    tables = ops(3) | gold()
    for rows in tables.values():
        for row in rows:
            for column, value in row.items():
                is_known = column in kept or column.endswith(ids)
                if isinstance(value, float) or (isinstance(value, str) and not is_known):
                    row[column] = None
    for row in tables["ops.runs"]:
        row["finished_at"] = row["as_of"] = None
    return MadeUpLake(tables)
