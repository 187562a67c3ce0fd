"""What the Python workers of Spark do for the export: write a partition, read a slice back.

These functions travel to the workers by name, so this module imports little.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

import pyarrow as pa
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from serving.documents import Document, Fingerprint, documents, encoded, fingerprint
from serving.mongo import client, retried, write

# Every so many documents a writer reports an `_id`: where the readers may cut the collection into slices.
_ID_EVERY = 5000

WRITTEN_SCHEMA = "rows long, digest string, ids array<string>"
_ARROW_SCHEMA = pa.schema([("rows", pa.int64()), ("digest", pa.string()), ("ids", pa.list_(pa.string()))])


@dataclass(frozen=True)
class Target:
    """A collection to write to or read from. Its text leaves the URI out, which may hold a password."""

    uri: str
    database: str
    collection: str

    def __repr__(self) -> str:
        """Name database and collection only."""
        return f"Target({self.database}.{self.collection})"


@dataclass(frozen=True)
class Slice:
    """The documents with `first <= _id < end`; None is open."""

    target: Target
    first: str | None
    end: str | None


@dataclass(frozen=True)
class Writer:
    """Writes one partition of a mart: the function that `mapInArrow` calls.

    Args:
        target: the staging collection.
        key: the columns that `_id` is made of.
        batch_size: documents in one bulk write.
    """

    target: Target
    key: tuple[str, ...]
    batch_size: int

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Write every row, and give one row: how many, the sum of their digests, and some of their ids."""
        target = self.target
        collection = client(target.uri)[target.database][target.collection]
        rows = (document for batch in batches for document in documents(batch, self.key))
        total, ids = Fingerprint(), []
        while chunk := list(islice(rows, self.batch_size)):
            if total.rows // _ID_EVERY != (total.rows + len(chunk)) // _ID_EVERY:
                ids.append(chunk[-1]["_id"])
            batch = [(document["_id"], encoded(document)) for document in chunk]
            # The digest is of what is sent: taken before the driver sees the documents.
            total += fingerprint(raw for _, raw in batch)
            write(collection, batch)
        answer = {"rows": [total.rows], "digest": [str(total.digest)], "ids": [ids]}
        yield pa.RecordBatch.from_pydict(answer, schema=_ARROW_SCHEMA)


def read_back(part: Slice) -> Fingerprint:
    """The fingerprint of what the server holds in a slice; read from the start again where it breaks off."""
    target = part.target
    # The bytes as they are: nothing is decoded.
    raw = CodecOptions(document_class=RawBSONDocument)
    collection = client(target.uri)[target.database][target.collection].with_options(raw)
    bounds: Document = {}
    if part.first is not None:
        bounds["$gte"] = part.first
    if part.end is not None:
        bounds["$lt"] = part.end
    query = {"_id": bounds} if bounds else {}
    return retried(lambda: fingerprint(collection.find(query, batch_size=2000)))


def slices(target: Target, ids: Iterable[str], count: int) -> list[Slice]:
    """Cut a collection into at most `count` slices of about the same size.

    Args:
        target: the collection.
        ids: a sample of its ids, spread evenly.
        count: how many slices can be read at a time.
    """
    sample = sorted(set(ids))
    cuts = [sample[len(sample) * part // count] for part in range(1, count)] if sample else []
    edges: list[str | None] = [None, *dict.fromkeys(cuts), None]
    return [Slice(target, first, end) for first, end in pairwise(edges)]
