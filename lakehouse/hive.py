"""SQL to the Spark Thrift server, as any Hive client sends it."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from lakehouse.errors import LakehouseError, ServiceError
from lakehouse.settings import Settings

# Both write connection errors to the terminal before they raise them; the raised one is enough.
for _name in ("thrift", "pyhive"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Answer:
    """The columns and rows that a statement gave; both empty for one that gives none."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


@contextmanager
def connect(settings: Settings) -> Iterator[Any]:
    """A PyHive connection to the Thrift server.

    Raises:
        ServiceError: the server does not answer.
    """
    from pyhive import hive
    from thrift.transport.TTransport import TTransportException

    try:
        connection = hive.connect(
            host=settings.thrift.host, port=settings.thrift.port, username="lakehouse", auth="NONE"
        )
    except (TTransportException, OSError) as error:
        raise ServiceError(
            f"The Spark Thrift server does not answer on {settings.thrift.host}:{settings.thrift.port}.",
            "Start it with `lakehouse up`.",
        ) from error
    try:
        yield connection
    finally:
        # The server may be gone, or break the connection, when it is closed: what was asked was answered before.
        with suppress(TTransportException):
            connection.close()


def query(settings: Settings, sql: str) -> Answer:
    """Run one statement.

    Raises:
        LakehouseError: Spark refused it; the message is Spark's own, without its stack trace.
    """
    from pyhive.exc import Error

    with connect(settings) as connection:
        cursor = connection.cursor()
        try:
            cursor.execute(sql)
            columns = [name for name, *_ in cursor.description or []]
            rows = [tuple(row) for row in cursor.fetchall()] if columns else []
        except Error as error:
            raise LakehouseError(f"Spark refused the statement: {plain_message(str(error))}") from error
    return Answer(columns, rows)


def plain_message(text: str) -> str:
    """Take Spark's own sentence out of the long text that HiveServer2 wraps it in."""
    found = re.search(r"(\[[A-Z_0-9.]+\] (?!org\.apache).*?)(?:\\n|\n|; line|$)", text)
    if found:
        return found.group(1).strip()
    found = re.search(r"errorMessage=['\"](.*?)(?:\\n|\n|['\"]\))", text)
    return (found.group(1) if found else text.splitlines()[0])[:500]
