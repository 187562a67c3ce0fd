"""MongoDB as the exporter uses it: one pooled client a process, one retry policy, no secret in a message.

Only what MongoDB 5 to 8, and the in-memory stand-in, have in common is used: inserts, bulk upserts, find, indexes,
rename. No sessions, transactions or update pipelines.
"""

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient, ReplaceOne
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    ExecutionTimeout,
    InvalidURI,
    PyMongoError,
    WaitQueueTimeoutError,
)
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from lakehouse.settings import mask
from serving.documents import Document
from serving.errors import ExportError

Answer = TypeVar("Answer")

ATTEMPTS = 6
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.2, 5.0
SELECTION_TIMEOUT_MS = 5000

_DUPLICATE_KEY = 11000


def client(uri: str) -> "MongoClient[Document]":
    """The process's one client of `uri`, with its pool; a forked process gets its own."""
    return _client(uri, os.getpid())


@lru_cache(maxsize=8)
def _client(uri: str, process_id: int) -> "MongoClient[Document]":
    return MongoClient(
        uri,
        appname="tmdb-lakehouse-export",
        tz_aware=True,
        maxPoolSize=4,
        serverSelectionTimeoutMS=SELECTION_TIMEOUT_MS,
        connectTimeoutMS=SELECTION_TIMEOUT_MS,
    )


def connect(uri: str, database: str) -> "Database[Document]":
    """The database, after its server answered a ping.

    Raises:
        ExportError: the URI cannot be read, or no server answers; the message holds no user and no password.
    """
    try:
        connected = client(uri)
        connected.admin.command("ping")
    except (InvalidURI, ConfigurationError, ValueError) as error:
        # The driver's own text may repeat a part of the URI that holds the password.
        raise ExportError(
            f"The MongoDB URI {mask(uri)} cannot be used ({type(error).__name__}).",
            "Correct mongo.uri (LAKEHOUSE_MONGO__URI); %-encode special characters in user and password.",
        ) from None
    except PyMongoError as error:
        raise ExportError(
            f"MongoDB at {mask(uri)} does not answer: {reason(error, uri)}.",
            "Start it (`lakehouse up` starts the local one), or correct mongo.uri (LAKEHOUSE_MONGO__URI).",
        ) from None
    return connected[database]


def reason(error: BaseException, uri: str) -> str:
    """First clause of a driver's message: without what it adds about its topology, and without secrets."""
    text = str(error).replace(uri, mask(uri))
    for tail in (" (configured timeouts", ", Timeout:", ", full error:"):
        text = text.partition(tail)[0]
    return text.strip().rstrip(".")


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed a moment later: a lost connection, an election, a full pool."""
    if isinstance(error, AutoReconnect | WaitQueueTimeoutError | ExecutionTimeout):
        return True
    return isinstance(error, PyMongoError) and error.has_error_label("RetryableWriteError")


def retried(call: Callable[[], Answer]) -> Answer:
    """Call, and call again after a growing pause while the error is transient; `call` must be idempotent."""
    policy = Retrying(
        retry=retry_if_exception(is_transient),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential_jitter(initial=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS),
        reraise=True,
    )
    return policy(call)


def write(collection: "Collection[Document]", batch: Sequence[tuple[str, RawBSONDocument]]) -> None:
    """Write documents, each given with its `_id`, replacing what is there; doing it twice is doing it once.

    They are inserted, which costs half of an upsert; all are upserted where one of them is there already.
    """
    if not batch:
        return
    try:
        retried(lambda: collection.insert_many([document for _, document in batch], ordered=False))
    except BulkWriteError as error:
        if {fault["code"] for fault in error.details["writeErrors"]} != {_DUPLICATE_KEY}:
            raise
        requests: list[Any] = [ReplaceOne({"_id": key}, document, upsert=True) for key, document in batch]
        retried(lambda: collection.bulk_write(requests, ordered=False))
