import random
from datetime import UTC, date, datetime
from decimal import Decimal

import bson
import pyarrow as pa
import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from hypothesis import given
from hypothesis import strategies as st

from serving.documents import Fingerprint, documents, encoded, fingerprint
from serving.errors import ExportError

SCHEMA = pa.schema(
    [
        ("genre_id", pa.int64()),
        ("release_year", pa.int32()),
        ("share", pa.float64()),
        ("budget", pa.decimal128(20, 2)),
        ("computed_date", pa.date32()),
        ("as_of", pa.timestamp("us", tz="UTC")),
        ("top", pa.list_(pa.struct([("movie_id", pa.string()), ("votes", pa.int64()), ("on", pa.date32())]))),
        ("names", pa.list_(pa.string())),
        ("by_code", pa.map_(pa.int32(), pa.int64())),
    ]
)
ROW = {
    "genre_id": 28,
    "release_year": 2024,
    "share": 1.0,
    "budget": Decimal("1.50"),
    "computed_date": date(2026, 1, 31),
    "as_of": datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    "top": [{"movie_id": "603", "votes": 7, "on": date(1999, 3, 31)}, {"movie_id": "604", "votes": None, "on": None}],
    "names": ["Zoë", "🎬", None],
    "by_code": [(1, 5)],
}


def one(row: dict[str, object], key: tuple[str, ...] = ("genre_id", "release_year")) -> dict[str, object]:
    return next(documents(pa.RecordBatch.from_pylist([row], schema=SCHEMA), key))


def test_a_row_becomes_a_document_with_bson_types() -> None:
    document = one(ROW)
    assert document == {
        "_id": "28|2024",
        "genre_id": 28,
        "release_year": 2024,
        "share": 1.0,
        "budget": Decimal128("1.50"),
        "computed_date": datetime(2026, 1, 31, tzinfo=UTC),
        "as_of": datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
        "top": [
            {"movie_id": "603", "votes": 7, "on": datetime(1999, 3, 31, tzinfo=UTC)},
            {"movie_id": "604", "votes": None, "on": None},
        ],
        "names": ["Zoë", "🎬", None],
        "by_code": {"1": 5},
    }
    assert next(iter(document)) == "_id"
    assert isinstance(document["genre_id"], Int64)
    assert isinstance(document["top"][0]["votes"], Int64)  # type: ignore[index]
    assert not isinstance(document["release_year"], Int64)


def test_null_lists_and_values_stay_null() -> None:
    row = {**dict.fromkeys(ROW), "genre_id": 28, "release_year": 2024}
    document = one(row)
    assert {document[name] for name in ("share", "budget", "as_of", "top", "names", "by_code")} == {None}


def test_a_null_in_the_key_is_refused_and_named() -> None:
    with pytest.raises(ExportError, match=r"release_year is NULL in the row genre_id=28"):
        one({**ROW, "release_year": None})


def test_the_bytes_survive_being_read() -> None:
    document = encoded(one(ROW))
    options: bson.CodecOptions[dict[str, object]] = bson.CodecOptions(tz_aware=True)
    assert bson.encode(bson.decode(document.raw, options)) == document.raw


def test_the_hash_tells_types_apart() -> None:
    values = (1, Int64(1), 1.0, "1", True, None, Decimal128("1"), b"1")
    assert len({fingerprint([encoded({"a": value})]) for value in values}) == len(values)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
contents = st.lists(
    st.fixed_dictionaries({"_id": texts, "v": st.one_of(texts, st.integers(-(2**63), 2**63 - 1), st.floats())}),
    max_size=20,
)


@given(contents, st.randoms(use_true_random=False), st.integers(0, 20))
def test_fingerprint_is_the_same_in_any_order_and_split(
    plain: list[dict[str, object]], rng: random.Random, cut: int
) -> None:
    content = [encoded(document) for document in plain]
    shuffled = rng.sample(content, len(content))
    parts = fingerprint(shuffled[:cut]) + fingerprint(shuffled[cut:])
    assert parts == fingerprint(content)
    assert parts.rows == len(content)


def test_fingerprint_sees_a_changed_a_missing_and_a_doubled_document() -> None:
    content = [encoded({"_id": str(number), "v": number}) for number in range(5)]
    whole = fingerprint(content)
    assert fingerprint([*content[:4], encoded({"_id": "4", "v": 5})]).digest != whole.digest
    assert fingerprint(content[:4]).digest != whole.digest
    assert fingerprint([*content, content[0]]).digest != whole.digest
    assert fingerprint([content[0], content[0]]).digest != Fingerprint().digest
    assert len(whole.content_hash) == 32


def test_a_timestamp_of_another_zone_is_the_same_instant_in_utc() -> None:
    schema = pa.schema([("id", pa.string()), ("at", pa.timestamp("us", tz="Europe/Berlin"))])
    instant = datetime(2026, 7, 1, 12, 0, 0, 1500, tzinfo=UTC)
    (document,) = documents(pa.RecordBatch.from_pylist([{"id": "a", "at": instant}], schema=schema), ("id",))
    assert document["at"] == datetime(2026, 7, 1, 12, 0, 0, 1000, tzinfo=UTC)
    assert document["at"].tzinfo is UTC
