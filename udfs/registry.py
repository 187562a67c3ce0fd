"""The one registry that publishes Python functions to SQL.

A function becomes callable from SQL (dbt models, beeline, ``lakehouse sql``, Spark jobs) by being decorated with
`sql_function` in any module of `udfs.functions`. Nothing else has to be edited: `register_all` walks that package.

The decorated function stays an ordinary Python function. It is sent to the workers by its import path, so the `udfs`
package must be importable there (it is installed in the environment that runs the workers), and anything that a
module caches lives once a worker process, not once a query.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# What SQL accepts without back-ticks; lower case because Spark folds the case of a function's name.
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_MARK = "__sql_function__"

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


class UdfError(LakehouseError):
    """A SQL function that cannot be published as it is declared."""


@dataclass(frozen=True)
class SqlFunction:
    """How one Python function is published to SQL.

    Attributes:
        name: its name in SQL.
        returns: its SQL type, as in ``cast(... as <type>)``.
        function: the Python function itself.
        vectorised: True where it maps `pandas.Series` to `pandas.Series`, False where it maps one value to one value.
        deterministic: True where equal arguments always give an equal result, which lets Spark reorder and reuse it.
    """

    name: str
    returns: str
    function: Callable[..., Any]
    vectorised: bool = False
    deterministic: bool = True


def sql_function(
    returns: str, *, name: str | None = None, vectorised: bool = False, deterministic: bool = True
) -> Callable[[AnyFunction], AnyFunction]:
    """Mark a function of `udfs.functions` for publication, and leave it callable as it is.

    Args:
        returns: its SQL return type, for example ``"double"``, ``"string"`` or ``"array<string>"``.
        name: its name in SQL; by default the Python name.
        vectorised: True for a function with `pandas.Series` type hints. It is meant for work that pandas does in
            bulk; its workers import pandas.
        deterministic: False for a function that may answer differently to equal arguments.

    Raises:
        UdfError: the name is not lower-case letters, digits and underscores.
    """

    def mark(function: AnyFunction) -> AnyFunction:
        published = name or function.__name__
        if not _NAME.fullmatch(published):
            raise UdfError(
                f"{published!r} cannot be the name of a SQL function.",
                "Use lower-case letters, digits and underscores, starting with a letter.",
            )
        setattr(function, _MARK, SqlFunction(published, returns, function, vectorised, deterministic))
        return function

    return mark


def discover(package: ModuleType | None = None) -> dict[str, SqlFunction]:
    """Return every marked function of a package's modules by its SQL name, in order of name.

    Args:
        package: the package to walk, sub-packages included; by default `udfs.functions`.

    Raises:
        UdfError: two different functions claim one name.
    """
    package = package or importlib.import_module("udfs.functions")
    found: dict[str, SqlFunction] = {}
    for module in _modules(package):
        for member in vars(module).values():
            declared = getattr(member, _MARK, None)
            if not isinstance(declared, SqlFunction):
                continue
            earlier = found.setdefault(declared.name, declared)
            if earlier.function is not declared.function:
                raise UdfError(
                    f"Two functions are published to SQL as {declared.name}: {_place(earlier)} and {_place(declared)}.",
                    "Give one of them another name with @sql_function(..., name=...).",
                )
    return dict(sorted(found.items()))


def register_all(spark: SparkSession) -> None:
    """Publish every function of `udfs.functions` to a session under its SQL name.

    Safe to call again on the same session. A Thrift server must run with ``singleSession=true`` for its clients to
    see what was registered here.

    Raises:
        UdfError: a declaration that Spark refuses, such as an unknown return type.
    """
    register(spark, discover())


def register(spark: SparkSession, functions: dict[str, SqlFunction]) -> None:
    """Publish the given functions to a session; see `register_all`."""
    from pyspark.errors import PySparkException
    from pyspark.sql import functions as F
    from pyspark.sql.pandas.functions import pandas_udf

    for declared in functions.values():
        try:
            if declared.vectorised:
                # Its stubs enumerate exact signatures; Spark checks the type hints itself.
                published = cast("Callable[..., Any]", pandas_udf)(declared.function, declared.returns)
            else:
                # Plain pickled rows, so that a worker need import neither pandas nor pyarrow.
                published = F.udf(declared.function, declared.returns, useArrow=False)
            if not declared.deterministic:
                published = published.asNondeterministic()
            spark.udf.register(declared.name, published)
        except (PySparkException, ValueError, NotImplementedError) as error:
            raise UdfError(
                f"Spark refused the SQL function {declared.name} ({_place(declared)}): {error}",
                "Correct its return type or its type hints.",
            ) from error


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        yield importlib.import_module(module.name)


def _place(declared: SqlFunction) -> str:
    return f"{declared.function.__module__}.{declared.function.__qualname__}"
