"""The suites: what each table must hold to, one YAML file a table in `expectations/suites/<layer>/`.

docs/quality.md says how to add a rule. This module reads the files and knows nothing of Spark.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator

from lakehouse.errors import ConfigurationError

SUITES = Path(__file__).with_name("suites")

Layer = Literal["bronze", "silver", "gold"]
Severity = Literal["critical", "warning"]
SummedDimension = Literal["completeness", "consistency", "accuracy"]
"""The dimensions whose critical rules are added up to a score of the table."""

LAYERS: tuple[Layer, ...] = get_args(Layer)
SUMMED: tuple[SummedDimension, ...] = get_args(SummedDimension)

_NAME = r"^[a-z][a-z0-9_]*$"
_TABLE = r"^[a-z_]+\.[a-z][a-z0-9_]*$"

Name = Annotated[str, Field(pattern=_NAME)]
Table = Annotated[str, Field(pattern=_TABLE)]
Columns = Annotated[tuple[Name, ...], Field(min_length=1)]
Sql = Annotated[str, Field(min_length=1)]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Rule(_Declared):
    """What all rules have.

    Args:
        name: says what holds, in words joined by `_`.
        severity: critical shuts the gate, a warning is told.
        least: a bound of the rule's own, from 0 to 1; by default that of its dimension.
        reason: what is wrong with a row that breaks it, for a person.
        columns: what is kept of such a row, beside its key.
    """

    name: Name
    severity: Severity = "critical"
    least: float | None = Field(None, ge=0, le=1)
    reason: str = ""
    columns: tuple[Name, ...] = ()


class RowRule(_Rule):
    """What must hold of each row.

    Args:
        where: SQL over one row; the rows that it is about, all by default.
        holds: SQL over one row; NULL counts as false.
    """

    dimension: SummedDimension
    holds: Sql
    where: str = ""
    reason: str = Field(min_length=1)


class NeverFallsRule(_Rule):
    """A value that is at least the one before it; NULLs are passed over.

    Args:
        never_falls: the value, SQL over one row.
        by: columns whose values make a series.
        over: columns that order a series.
    """

    dimension: SummedDimension
    never_falls: Sql
    by: Columns
    over: Columns
    where: str = ""


class QueryRule(_Rule):
    """What must hold between tables: a query gives the rows that break it.

    Args:
        broken_by: a SELECT that gives the table's key, and the rule's columns, of each row that breaks it, once.
        where: SQL over one row of the table; the rows that the rule is about, all by default.
    """

    dimension: SummedDimension
    broken_by: Sql
    where: str = ""
    reason: str = Field(min_length=1)


class UniqueRule(_Rule):
    """Columns that no two rows share, and that are all known."""

    dimension: Literal["uniqueness"]
    unique: Columns


class ReferenceRule(_Rule):
    """A column whose every value, NULL too, is found in another table: `of_column` of `of`."""

    dimension: Literal["references"]
    column: Sql
    of: Table
    of_column: Name
    where: str = ""


class VolumeRule(_Rule):
    """As many rows as in the runs before; always a warning."""

    dimension: Literal["volume"]
    severity: Literal["warning"] = "warning"
    least: None = None


class TimelinessRule(_Rule):
    """Hours that something took.

    Args:
        hours: SQL aggregate over the table, or a query in brackets; NULL is none. `:measured_at` and `:as_of` stand for
            the gate's instants, `:measured_before` for when Silver was built before, NULL where it was not.
    """

    dimension: Literal["timeliness"]
    hours: Sql
    least: None = None


class DriftRule(_Rule):
    """A distribution that is as in the runs before; always a warning.

    Args:
        bins: SQL over one row, which gives the bin that the row is in.
    """

    dimension: Literal["drift"]
    bins: Sql
    where: str = ""
    severity: Literal["warning"] = "warning"
    least: None = None


_KINDS = {
    "holds": RowRule,
    "never_falls": NeverFallsRule,
    "broken_by": QueryRule,
    "unique": UniqueRule,
    "of": ReferenceRule,
    "hours": TimelinessRule,
    "bins": DriftRule,
}


def _kind(declared: Any) -> str | None:
    if not isinstance(declared, dict):
        return type(declared).__name__ if isinstance(declared, _Rule) else None
    kinds = [kind.__name__ for word, kind in _KINDS.items() if word in declared]
    if not kinds and declared.get("dimension") == "volume":
        return VolumeRule.__name__
    return kinds[0] if len(kinds) == 1 else None


Rule = Annotated[
    Annotated[RowRule, Tag("RowRule")]
    | Annotated[NeverFallsRule, Tag("NeverFallsRule")]
    | Annotated[QueryRule, Tag("QueryRule")]
    | Annotated[UniqueRule, Tag("UniqueRule")]
    | Annotated[ReferenceRule, Tag("ReferenceRule")]
    | Annotated[VolumeRule, Tag("VolumeRule")]
    | Annotated[TimelinessRule, Tag("TimelinessRule")]
    | Annotated[DriftRule, Tag("DriftRule")],
    Discriminator(
        _kind,
        custom_error_type="rule_kind",
        custom_error_message=f"a rule has one of {', '.join(_KINDS)}, or the dimension volume",
    ),
]


class Suite(_Declared):
    """What a table must hold to.

    Args:
        table: as readers know it, schema.table.
        key: the columns by which a row is shown to a person.
        description: what the suite is about, in a sentence or two.
        fed_by: only where that table is empty may this one be: else the rule `has_rows` fails.
        rules: what must hold; names are unique.
    """

    table: Table
    key: Columns
    description: str = Field(min_length=1)
    fed_by: Table | None = None
    rules: tuple[Rule, ...] = Field(min_length=1)

    @property
    def layer(self) -> Layer:
        """The layer of the table."""
        (layer,) = [known for known in LAYERS if known == self.table.partition(".")[0]]
        return layer

    @model_validator(mode="after")
    def _coherent(self) -> "Suite":
        if self.table.partition(".")[0] not in LAYERS:
            raise ValueError(f"{self.table} is in none of the layers {', '.join(LAYERS)}")
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"several rules are called {', '.join(twice)}")
        reserved = [name for name in names if name == "has_rows" or re.match("table_", name)]
        if reserved:
            raise ValueError(f"the gate itself calls a score {', '.join(reserved)}: take another name")
        return self


def read_suite(path: Path) -> Suite:
    """Read one suite.

    Raises:
        ConfigurationError: the file is not there, not YAML in UTF-8, declares something that is no suite, or is called
            otherwise than the table that it is about.
    """
    try:
        suite = Suite.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"The suite {path} cannot be read: {error}.") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg'].lower()}" for item in error.errors())
        raise ConfigurationError(
            f"The suite {path} cannot be used: {problems}.", "docs/quality.md says what a rule may have."
        ) from error
    if (path.parent.name, path.stem) != tuple(suite.table.split(".")):
        raise ConfigurationError(
            f"The suite {path} is about {suite.table}.", f"Call it {suite.table.replace('.', '/')}.yaml."
        )
    return suite


def read_suites(layers: Sequence[str], folder: Path = SUITES) -> tuple[Suite, ...]:
    """Read every suite of these layers, in the order of layers and tables.

    Raises:
        ConfigurationError: a layer is unknown or has no suite, or a suite cannot be used.
    """
    return tuple(suite for layer in layers for suite in _of_layer(layer, folder))


def _of_layer(layer: str, folder: Path) -> Iterator[Suite]:
    files = sorted((folder / layer).glob("*.yaml"))
    if layer not in LAYERS or not files:
        raise ConfigurationError(f"There is no suite for {layer!r} in {folder}.", f"Layers are {', '.join(LAYERS)}.")
    yield from map(read_suite, files)
