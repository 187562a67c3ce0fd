"""The rules of a gate, as `silver.yaml` declares them."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from lakehouse.errors import ConfigurationError

SILVER_RULES = Path(__file__).with_name("silver.yaml")


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RequiredColumn(_Declared):
    """A column of which every row should hold a value.

    Args:
        column: its name.
        known_when: SQL that is true where the value is known; by default, where it is not NULL.
    """

    column: str
    known_when: str = ""

    @property
    def condition(self) -> str:
        """SQL that is true where the value is known."""
        return self.known_when or f"{self.column} is not null"


class ConsistencyRule(_Declared):
    """What must hold between the columns of a row.

    Args:
        name: says what holds, in words joined by `_`.
        applies_when: SQL; the rows that the rule is about.
        holds_when: SQL; NULL counts as false.
        columns: what a person looks at where it does not hold.
    """

    name: str
    applies_when: str
    holds_when: str
    columns: tuple[str, ...]


class Reference(_Declared):
    """A foreign key: every value of `column`, NULL too, must be a `key` of `table`."""

    column: str
    table: str
    key: str


class KeyRule(_Declared):
    """A table's primary key, and the foreign keys out of it."""

    table: str
    key: str
    references: tuple[Reference, ...] = ()


class Rules(_Declared):
    """Everything that one gate checks.

    Args:
        table: the table whose rows are checked.
        key: its primary key, by which findings are shown.
        fed_by: the table that it is built from; only where that is empty may it be empty.
        required: what completeness counts.
        consistency: what consistency counts.
        keys: primary and foreign keys, of this table and those around it.
    """

    table: str
    key: str
    fed_by: str
    required: tuple[RequiredColumn, ...]
    consistency: tuple[ConsistencyRule, ...]
    keys: tuple[KeyRule, ...]


def read_rules(path: Path = SILVER_RULES) -> Rules:
    """Read a YAML file of rules.

    Raises:
        ConfigurationError: the file is not there, not YAML, or declares something that is no rule.
    """
    try:
        return Rules.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f"The rules in {path} cannot be read: {error}.") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg'].lower()}" for item in error.errors())
        raise ConfigurationError(f"The rules in {path} cannot be used: {problems}.") from error
