"""Silver and Gold in DuckDB, for comparison: the models that dbt compiled, translated by sqlglot, over the same Bronze.

Staging, which is parsing, is written for DuckDB by hand (`duckdb_peer.sql`). Models over the network are left out:
they read what a job has made.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import sqlglot
from sqlglot import exp

from udfs.functions.sentiment import vader_category, vader_compound
from udfs.functions.titles import clean_title

_STAGING = Path(__file__).with_suffix(".sql")
_SCHEMAS = {"staging": "staging", "silver": "silver", "gold": "gold_build"}
_OBSERVATIONS = "stg_tmdb__observations"

# Of a table that dbt reads as of a version, the peer has that version alone.
_VERSION = re.compile(r" version as of \d+")

_MACROS = (
    """create macro "get"(elements, place) as elements[place + 1]""",
    """create macro text_of(text) as case when trim(text) != '' then text end""",
    """create macro count_of(text) as case
        when try_cast(text as decimal(38, 6)) between 0 and 9223372036854775807
            and try_cast(text as decimal(38, 6)) % 1 = 0
            then cast(try_cast(text as decimal(38, 6)) as bigint) end""",
    """create macro measure_of(text, most) as
        case when try_cast(text as double) between 0 and most then try_cast(text as double) end""",
)


class Built(NamedTuple):
    """A model that was built: its rows, and the seconds that it took."""

    model: str
    layer: str
    rows: int
    seconds: float


def translated(sql: str) -> str:
    """A compiled model as DuckDB takes it."""
    tree = sqlglot.parse_one(_VERSION.sub("", sql), read="spark")
    return tree.transform(_as_duckdb).sql(dialect="duckdb")


def _as_duckdb(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.UnixMillis):
        return exp.Anonymous(this="epoch_ms", expressions=[node.this])
    if isinstance(node, exp.MakeInterval):
        return exp.Anonymous(this="to_days", expressions=[node.args["day"]])
    if isinstance(node, exp.Aliases) and isinstance(node.this, exp.Stack):
        return _unnested(node)
    if isinstance(node, exp.DataType) and node.this == exp.DataType.Type.DECIMAL and node.expressions:
        # DuckDB multiplies narrow decimals in 64 bits, and overflows.
        precision, *scale = (int(one.name) for one in node.expressions)
        if precision < _WIDE:
            return exp.DataType.build(f"decimal({_WIDE}, {scale[0] if scale else 0})", dialect="duckdb")
    return node


_WIDE = 20
_GIVES_NULL: Any = "special"


def _unnested(node: exp.Aliases) -> exp.Expr:
    """`stack(n, ...) as (a, b)` as structs, unnested."""
    names = [name.name for name in node.expressions]
    values = [value.transform(_as_duckdb).sql(dialect="duckdb") for value in node.this.expressions]
    structs = (
        "{" + ", ".join(f"'{name}': {value}" for name, value in zip(names, values[at:], strict=False)) + "}"
        for at in range(0, len(values), len(names))
    )
    return sqlglot.parse_one(f"unnest([{', '.join(structs)}], recursive := true)", read="duckdb")


def connected(threads: int, memory_gib: int, database: Path) -> "duckdb.DuckDBPyConnection":
    """A database in a file, with the project's functions."""
    connection = duckdb.connect(str(database))
    connection.execute(f"set timezone = 'UTC'; set threads = {threads}; set memory_limit = '{memory_gib}GiB'")
    for statement in _MACROS:
        connection.execute(statement)
    functions: tuple[tuple[Any, Any, Any], ...] = (
        (vader_compound, "varchar", "double"),
        (vader_category, "double", "varchar"),
        (clean_title, "varchar", "varchar"),
    )
    for function, taken, given in functions:
        connection.create_function(function.__name__, function, [taken], given, null_handling=_GIVES_NULL)
    for schema in ("bronze", *_SCHEMAS.values()):
        connection.execute(f"create schema {schema}")
    return connection


def build(connection: "duckdb.DuckDBPyConnection", compiled: Path, bronze: Path) -> Iterator[Built]:
    """Build all models, each after those that it reads.

    Args:
        connection: see `connected`.
        compiled: dbt's `target/compiled/<project>/models`, of a full refresh.
        bronze: a folder of Parquet files for each of `movies` and `batches`.
    """
    for table in ("movies", "batches"):
        connection.execute(f"create view bronze.{table} as select * from read_parquet('{bronze / table}/*.parquet')")
    for model, layer, sql in _ordered(compiled):
        began = time.perf_counter()
        connection.execute(f"create table {_SCHEMAS[layer]}.{model} as {sql}")
        seconds = time.perf_counter() - began
        counted = connection.execute(f"select count(*) from {_SCHEMAS[layer]}.{model}").fetchone()
        assert counted
        yield Built(model, layer, int(counted[0]), seconds)


def _ordered(compiled: Path) -> Iterator[tuple[str, str, str]]:
    """Each model as (name, layer, SQL) after those that it reads."""
    layers = {
        path.stem: path.relative_to(compiled).parts[0]
        for path in sorted(compiled.rglob("*.sql"))
        if path.parent.suffix != ".yml" and path.relative_to(compiled).parts[1] not in ("graph", "network")
    }
    statements = {}
    for path in compiled.rglob("*.sql"):
        if path.stem in layers and path.parent.suffix != ".yml":
            own = _STAGING.read_text() if path.stem == _OBSERVATIONS else translated(path.read_text())
            statements[path.stem] = own
    reads = {
        name: {
            table.name
            for table in sqlglot.parse_one(sql, read="duckdb").find_all(exp.Table)
            if table.db in _SCHEMAS.values()
        }
        for name, sql in statements.items()
    }
    built: set[str] = set()
    while statements:
        ready = sorted(name for name in statements if reads[name] <= built)
        if not ready:
            raise LookupError(f"What {', '.join(sorted(statements))} read is no model.")
        for name in ready:
            yield name, layers[name], statements.pop(name)
        built.update(ready)
