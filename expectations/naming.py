"""Where a table that readers know by one name is looked for: Gold is held to its suites before readers see it."""

import re
from collections.abc import Callable

BUILT_IN = {"gold": "gold_build"}
"""Schema that readers know -> schema that the gate reads."""

Where = Callable[[str], str]
"""`schema.table` as readers know it -> the table or view to read."""

_NAMED = re.compile(r"(?<![\w.'])(?:bronze|silver|gold)\.[a-z]\w*\b(?!\.)")


def built(table: str) -> str:
    """Give the table to read: of Gold the one that was just built, else the table itself."""
    schema, _, name = table.partition(".")
    return f"{BUILT_IN.get(schema, schema)}.{name}"


def relocated(sql: str, where: Where) -> str:
    """Give the SQL with every `schema.table` of the layers in it replaced."""
    return _NAMED.sub(lambda found: where(found.group()), sql)
