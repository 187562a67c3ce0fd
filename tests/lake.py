"""What a lake holds, as values that tests compare: a content hash a table, whatever the order of its rows or files."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import pymongo

from lakehouse.hive import connect, query
from lakehouse.settings import Settings

# When a batch started and ended is the wall clock's, and no content.
_COLUMNS = dict.fromkeys(("bronze.batches", "staging.stg_tmdb__batches"), "* except (started_at, finished_at)")
_VIEWS = ("staging.stg_graph", "staging.stg_tmdb__batches", "gold.")
SCHEMAS = ("bronze", "staging", "silver", "graph", "gold_build", "gold")


def tables(settings: Settings, *schemas: str) -> list[str]:
    """`schema.table` of every table and view."""
    present = {row[0] for row in query(settings, "show databases").rows}
    return [
        f"{schema}.{row[1]}"
        for schema in schemas or SCHEMAS
        if schema in present
        for row in query(settings, f"show tables in {schema}").rows
        if row[0] == schema
    ]


def answers(settings: Settings, statements: Iterable[str]) -> list[dict[str, Any]]:
    """The first row of what each statement gives, over one connection: the server makes a session for each."""
    rows = []
    with connect(settings) as connection:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
            rows.append(dict(zip([name for name, *_ in cursor.description], cursor.fetchone(), strict=True)))
    return rows


def content(settings: Settings, *schemas: str, without: tuple[str, ...] = ()) -> dict[str, tuple[int, str]]:
    """Rows and content hash of each table: `schema.table` -> (count, hash)."""
    names = [name for name in tables(settings, *schemas) if name not in without]
    union = " union all ".join(
        f"select '{name}', count(*), "
        f"cast(sum(cast(xxhash64(to_json(struct({_COLUMNS.get(name, '*')}))) as decimal(20, 0))) as string) from {name}"
        for name in names
    )
    return {name: (count, total) for name, count, total in query(settings, union).rows}


def documents(settings: Settings) -> dict[str, tuple[int, str]]:
    """Count and content hash of each published collection; the record of publications is left out."""
    client: pymongo.MongoClient[dict[str, Any]]
    with pymongo.MongoClient(settings.mongo.uri.get_secret_value()) as client:
        database = client[settings.mongo.database]
        found = {}
        for name in sorted(database.list_collection_names()):
            if name.startswith("_"):
                continue
            digests = sorted(
                hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()
                for document in database[name].find()
            )
            found[name] = (len(digests), hashlib.sha256("".join(digests).encode()).hexdigest())
        return found


def drop(settings: Settings, *schemas: str, without: tuple[str, ...] = ()) -> None:
    """Drop the tables and views of `schemas`, of all when none is named; with `gold` goes what names its versions."""
    names = [name for name in tables(settings, *schemas) if name not in without]
    with connect(settings) as connection:
        cursor = connection.cursor()
        for name in names:
            kind = "view" if name.startswith(_VIEWS) else "table"
            cursor.execute(f"drop {kind} if exists {name}")
        if "gold" in (schemas or SCHEMAS) and query(settings, "show databases like 'ops'").rows:
            cursor.execute("drop view if exists ops.published")
            if not schemas:
                cursor.execute("drop table if exists ops.publications")


def drop_documents(settings: Settings) -> None:
    """Drop what was published."""
    client: pymongo.MongoClient[dict[str, Any]]
    with pymongo.MongoClient(settings.mongo.uri.get_secret_value()) as client:
        client.drop_database(settings.mongo.database)
