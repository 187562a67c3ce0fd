"""Gold to MongoDB in four phases: stage, index, reconcile, publish.

A reader sees either the whole previous content of a collection, or the whole new one. Everything is written
into staging collections, `<mart>__staging__<run_id>`. Only when all of them have been indexed and reconciled
(count and content hash, of what Spark sent and of what MongoDB gives back) is each renamed onto its mart.
Between two renames a reader may see one mart new and the next still old; `_publications` says which run each
one is of, and whether all are of one (`serving.announcement`). After the last rename the collections go that an
export made of other marts: those that the publication does not have, or that are no longer declared.

One publication is exported (`serving.publication`), whatever is published or built meanwhile.

Killed at any instruction and run again, it ends in the same collections: staging is dropped at the start of a
run, and a rename happens or does not. Of two at once each would drop the other's staging: `export_marts` in
`serving.commands` lets one run at a time.
"""

import re
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bson.int64 import Int64
from py4j.protocol import Py4JError
from pymongo import IndexModel
from pymongo.database import Database
from pymongo.errors import PyMongoError
from pyspark.errors import PySparkException

from serving import announcement, views
from serving.documents import Document, Fingerprint
from serving.errors import ExportError, ReconciliationError
from serving.marts import Mart
from serving.mongo import connect, reason, retried
from serving.publication import BUILD, Publication
from serving.tasks import WRITTEN_SCHEMA, Slice, Target, Writer, read_back, slices

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_MARTS_AT_ONCE = 2
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,60}")
# The last line of a worker's stack trace, among everything that Spark puts around it.
_WORKER_ERROR = re.compile(r"^(?:pymongo|bson|serving)[\w.]*\.(\w+): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class MartReport:
    """What was published of one mart.

    Args:
        mart: its name, and the collection's.
        rows: documents in the collection.
        content_hash: the order-independent hash of them, as `serving.documents.fingerprint` gives it.
        indexes: how many there are, the one on `_id` included.
        seconds: time that writing and reconciling took.
        left_out: names of declared indexes that there are not: the version that was exported lacks a column of theirs.
    """

    mart: str
    rows: int
    content_hash: str
    indexes: int
    seconds: float
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Staged:
    mart: Mart
    target: Target
    sent: Fingerprint
    ids: tuple[str, ...]
    seconds: float


def _no_news(mart: str, phase: str) -> None:
    """Nobody listens."""


def export(
    spark: "SparkSession",
    mongo_uri: str,
    database: str,
    marts: Sequence[Mart],
    run_id: str,
    batch_size: int = 1000,
    *,
    as_of: datetime | None = None,
    publication: Publication | None = None,
    on_step: Callable[[str, str], None] = _no_news,
) -> list[MartReport]:
    """Publish the marts; what was published of others before goes.

    Args:
        spark: a session that sees the marts.
        mongo_uri: where to; it may hold a password, which no message repeats.
        database: the MongoDB database.
        marts: what to publish, as `serving.marts.MARTS`.
        run_id: names this run in `_publications`; letters, digits, `_` and `-`.
        batch_size: documents in one bulk write.
        as_of: the time that Gold was computed for; kept in `_publications`.
        publication: the version of all marts to export; None: the marts' own tables as they are.
        on_step: told (mart, phase) as each phase of a mart begins: `stage`, `index`, `reconcile`, `publish`; `drop` of
            a collection that goes.

    Returns:
        One report a mart, in the order of `marts`.

    Raises:
        ExportError: no MongoDB answers, a mart or a key's column is missing, or a key is NULL. Nothing was published.
        ReconciliationError: a mart in MongoDB is not what was sent. Nothing was published.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise ExportError(f"The run id {run_id!r} cannot name a collection.", "Use letters, digits, _ and -.")
    served = connect(mongo_uri, database)
    rows = {mart.name: _rows(spark, mart, publication) for mart in marts}
    fitting = [_fitting(mart, rows[mart.name].columns) for mart in marts]
    try:
        gone = announcement.others(served, rows)
        _drop_staging(served, [*rows, *gone])

        def stage(mart: Mart) -> _Staged:
            on_step(mart.name, "stage")
            staging = Target(mongo_uri, database, f"{mart.name}__staging__{run_id}")
            staged = _stage(rows[mart.name], served, mart, staging, batch_size)
            on_step(mart.name, "index")
            _create_indexes(served, staged)
            return staged

        def reconcile(staged: _Staged) -> MartReport:
            on_step(staged.mart.name, "reconcile")
            return _reconcile(spark, served, staged)

        # Most marts are small: while Spark plans the one, it can write the other.
        with ThreadPoolExecutor(_MARTS_AT_ONCE) as pool:
            staged = list(pool.map(stage, fitting))
            reports = list(pool.map(reconcile, staged))
        announcement.begin(served)
        for each, report in zip(staged, reports, strict=True):
            on_step(each.mart.name, "publish")
            _publish(served, each, report, run_id, as_of, publication)
        for name in gone:
            on_step(name, "drop")
            _drop(served, name)
        announcement.end(served, run_id, publication.publication_id if publication else None, as_of)
    except (PySparkException, Py4JError, PyMongoError) as error:
        raise _explained(error, mongo_uri) from error
    return [
        replace(report, left_out=tuple(index.name for index in mart.indexes if index not in fit.indexes))
        for report, mart, fit in zip(reports, marts, fitting, strict=True)
    ]


def _rows(spark: "SparkSession", mart: Mart, publication: Publication | None) -> "DataFrame":
    if publication is not None:
        if mart.name not in publication.marts:
            raise ExportError(
                f"{mart.table} is not in the publication {publication.publication_id}.",
                "Run `lakehouse build`, and then `lakehouse publish`.",
            )
        return spark.sql(f"select * from {views.pinned(BUILD, mart.name, publication.marts[mart.name])}")
    if not spark.catalog.tableExists(mart.table):
        raise ExportError(f"{mart.table} does not exist.", "Run `lakehouse build` first.")
    return spark.table(mart.table)


def _fitting(mart: Mart, columns: Collection[str]) -> Mart:
    """The mart without the indexes on columns that this version does not have: an older one can still be served."""
    missing = sorted(set(mart.key).difference(columns))
    if missing:
        raise ExportError(
            f"{mart.table} has no column {', '.join(missing)}, which serving/marts.py declares.",
            f"Its columns are {', '.join(columns)}.",
        )
    there = [index for index in mart.indexes if all(field.partition(".")[0] in columns for field, _ in index.keys)]
    return replace(mart, indexes=tuple(there))


def _drop_staging(served: "Database[Document]", marts: Collection[str]) -> None:
    """Remove what a killed run left behind, or a failed one kept for inspection."""
    prefixes = tuple(f"{mart}__staging__" for mart in marts)
    for name in retried(served.list_collection_names):
        if name.startswith(prefixes):
            retried(served[name].drop)


def _stage(frame: "DataFrame", served: "Database[Document]", mart: Mart, target: Target, batch_size: int) -> _Staged:
    began = time.perf_counter()
    # An empty mart is published as an empty collection, so it is made here, not by the first write.
    served.create_collection(target.collection)
    rows = frame.repartition(frame.sparkSession.sparkContext.defaultParallelism, *mart.key)
    # Spark's type is wider than needed: any callable on record batches will do.
    writer: Any = Writer(target, mart.key, batch_size)
    written = rows.mapInArrow(writer.__call__, WRITTEN_SCHEMA).collect()
    sent = sum((Fingerprint(row.rows, int(row.digest)) for row in written), Fingerprint())
    ids = tuple(identifier for row in written for identifier in row.ids)
    return _Staged(mart, target, sent, ids, time.perf_counter() - began)


def _create_indexes(served: "Database[Document]", staged: _Staged) -> None:
    models = [IndexModel(list(index.keys), unique=index.unique) for index in staged.mart.indexes]
    if models:
        retried(lambda: served[staged.target.collection].create_indexes(models))


def _reconcile(spark: "SparkSession", served: "Database[Document]", staged: _Staged) -> MartReport:
    began = time.perf_counter()
    mart, sent, collection = staged.mart, staged.sent, served[staged.target.collection]
    counted = retried(lambda: collection.count_documents({}))
    if counted != sent.rows:
        hint = (
            f"Its key ({', '.join(mart.key)}) is not unique."
            if counted < sent.rows
            else "Another export may be running."
        )
        raise ReconciliationError(
            f"{mart.table}: {sent.rows} rows were sent, but MongoDB holds {counted} documents; nothing was published.",
            f"{hint} The staging collection {staged.target.collection} is kept until the next export.",
        )
    found = _read_all(spark, slices(staged.target, staged.ids, spark.sparkContext.defaultParallelism))
    if found != sent:
        raise ReconciliationError(
            f"{mart.table}: the documents in MongoDB are not those that were sent: expected {sent.rows} with "
            f"content hash {sent.content_hash}, found {found.rows} with {found.content_hash}; "
            "nothing was published.",
            f"The staging collection {staged.target.collection} is kept until the next export.",
        )
    missing = {index.name for index in mart.indexes}.difference(collection.index_information())
    if missing:
        raise ReconciliationError(f"{mart.table}: MongoDB did not keep the index {', '.join(sorted(missing))}.")
    seconds = staged.seconds + time.perf_counter() - began
    return MartReport(mart.name, sent.rows, sent.content_hash, len(mart.indexes) + 1, round(seconds, 3))


def _read_all(spark: "SparkSession", parts: list[Slice]) -> Fingerprint:
    if len(parts) == 1:
        return read_back(parts[0])
    return sum(spark.sparkContext.parallelize(parts, len(parts)).map(read_back).collect(), Fingerprint())


def _publish(
    served: "Database[Document]",
    staged: _Staged,
    report: MartReport,
    run_id: str,
    as_of: datetime | None,
    publication: Publication | None,
) -> None:
    # Not retried: a rename whose answer was lost may have happened, and the next run puts either case right.
    served[staged.target.collection].rename(staged.mart.name, dropTarget=True)
    about: Document = {
        "run_id": run_id,
        "publication_id": publication.publication_id if publication else None,
        "as_of": as_of,
        "rows": Int64(report.rows),
        "content_hash": report.content_hash,
    }
    announcement.tell(served, staged.mart.name, about)


def _drop(served: "Database[Document]", mart: str) -> None:
    # In this order: what is told of a collection is how the next run finds it, should this one end in between.
    retried(served[mart].drop)
    announcement.forget(served, mart)


def _explained(error: Exception, uri: str) -> ExportError:
    """One sentence for what broke between Spark and MongoDB; the cause stays attached."""
    within = _WORKER_ERROR.findall(str(error))
    name, text = within[-1] if within else (type(error).__name__, str(error))
    if name == "ExportError":
        return ExportError(text, "Correct the mart; nothing was published.")
    return ExportError(
        f"The export broke off ({name}): {reason(Exception(text.partition(chr(10))[0]), uri)}.",
        "Run `lakehouse export` again: published collections stay whole, and staging is dropped first.",
    )
