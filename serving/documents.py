"""From rows of a mart to MongoDB documents, and the content hash by which both sides are compared.

How types travel:

| Spark | BSON |
|---|---|
| bigint | int64, also where the value would fit into 32 bits |
| tinyint, smallint, int | int32 |
| float, double | double |
| decimal | Decimal128: exact, up to 34 digits |
| date | datetime, midnight UTC |
| timestamp | datetime, UTC, cut to milliseconds (BSON has no finer ones) |
| string, boolean, binary | the same |
| array, struct, map | array, document, document (keys as text) |
| NULL | null: the field is there |
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import bson
import pyarrow as pa
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.raw_bson import RawBSONDocument

from serving.errors import ExportError

Document = dict[str, Any]
Convert = Callable[[Any], Any]

# Digests are added up modulo this, so that the order of documents does not count.
_MODULUS = 1 << 128


@dataclass(frozen=True)
class Fingerprint:
    """The number of documents and the sum of their digests: equal for equal content, whatever its order."""

    rows: int = 0
    digest: int = 0

    def __add__(self, other: "Fingerprint") -> "Fingerprint":
        """The fingerprint of both contents together."""
        return Fingerprint(self.rows + other.rows, (self.digest + other.digest) % _MODULUS)

    @property
    def content_hash(self) -> str:
        """The digest as 32 hexadecimal characters."""
        return f"{self.digest:032x}"


def encoded(document: Document) -> RawBSONDocument:
    """Give a document as the bytes that are sent; MongoDB keeps them as they are, the order of fields included."""
    return RawBSONDocument(bson.encode(document))


def fingerprint(documents: Iterable[RawBSONDocument]) -> Fingerprint:
    """Add up the first 128 bits of the SHA-256 of each document's bytes.

    A sum, and not an exclusive or, so that a document that is there twice does not cancel itself out.
    """
    rows = total = 0
    for document in documents:
        rows += 1
        total += int.from_bytes(hashlib.sha256(document.raw).digest()[:16])
    return Fingerprint(rows, total % _MODULUS)


def documents(batch: pa.RecordBatch, key: tuple[str, ...]) -> Iterator[Document]:
    """Give each row of an Arrow batch as a document, `_id` first.

    Args:
        batch: rows of a mart.
        key: the columns that `_id` is made of.

    Raises:
        ExportError: a key column is NULL.
    """
    converts = [(field.name, convert) for field in batch.schema if (convert := _converter(field.type))]
    for row in batch.to_pylist():
        parts = [row[column] for column in key]
        if None in parts:
            raise ExportError(f"Key column {key[parts.index(None)]} is NULL in the row {_shown(row, key)}.")
        for name, convert in converts:
            if row[name] is not None:
                row[name] = convert(row[name])
        yield {"_id": "|".join(str(part) for part in parts), **row}


def _shown(row: Document, key: tuple[str, ...]) -> str:
    return ", ".join(f"{column}={row[column]}" for column in key)


def _converter(kind: pa.DataType) -> Convert | None:
    """How a value of an Arrow type becomes a BSON value; None where it is one already."""
    if pa.types.is_int64(kind):
        return Int64
    if pa.types.is_decimal(kind):
        return _decimal
    if pa.types.is_timestamp(kind):
        return _in_milliseconds if kind.tz in (None, "UTC") else _in_utc_milliseconds
    if pa.types.is_date(kind):
        return _midnight
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _list_converter(_converter(kind.value_type))
    if pa.types.is_map(kind):
        return _map_converter(_converter(kind.item_type))
    if pa.types.is_struct(kind):
        return _struct_converter({field.name: _converter(field.type) for field in kind})
    return None


def _decimal(value: Decimal) -> Decimal128:
    return Decimal128(value)


def _in_milliseconds(value: datetime) -> datetime:
    return value.replace(microsecond=value.microsecond // 1000 * 1000, tzinfo=UTC)


def _in_utc_milliseconds(value: datetime) -> datetime:
    return _in_milliseconds(value.astimezone(UTC))


def _midnight(value: date) -> datetime:
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def _list_converter(inner: Convert | None) -> Convert | None:
    if inner is None:
        return None
    return lambda values: [None if value is None else inner(value) for value in values]


def _map_converter(inner: Convert | None) -> Convert:
    def convert(pairs: list[tuple[Any, Any]]) -> Document:
        return {str(key): value if inner is None or value is None else inner(value) for key, value in pairs}

    return convert


def _struct_converter(inner: dict[str, Convert | None]) -> Convert | None:
    needed = {name: convert for name, convert in inner.items() if convert}
    if not needed:
        return None

    def convert(value: Document) -> Document:
        for name, convert_field in needed.items():
            if value[name] is not None:
                value[name] = convert_field(value[name])
        return value

    return convert
