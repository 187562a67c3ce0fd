"""Every figure of Gold against an oracle that computes it from the same JSON, by other means."""

import json
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import pytest

from lakehouse.hive import query
from lakehouse.settings import Settings
from tests.oracle import gold
from tests.oracle.differences import differences
from tests.oracle.observations import Observation

pytestmark = pytest.mark.stack


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def observations(settings: Settings) -> list[Observation]:
    """What Bronze holds; that it holds what was ingested is tested elsewhere."""
    rows = query(
        settings, "select movie_id, cast(observed_at as string), payload, payload_sha256 from bronze.movies"
    ).rows
    return [Observation(movie_id, _utc(seen), payload, digest) for movie_id, seen, payload, digest in rows]


def rows_of(settings: Settings, mart: str) -> list[dict[str, Any]]:
    columns = ", ".join(gold.COLUMNS[mart])
    answer = query(
        settings,
        f"select to_json(struct({columns}), map('ignoreNullFields', 'false')) from gold_build.{mart}",
    )
    return [json.loads(text) for (text,) in answer.rows]


def assert_gold_is_what_the_oracle_says(settings: Settings, without_rows: Collection[str] = ()) -> None:
    """Compare every mart, cell by cell; those named in `without_rows` are to be empty."""
    ((as_of,),) = query(settings, "select cast(as_of_at as string) from silver.as_of").rows
    found: list[str] = []
    for mart, expected in gold.marts(observations(settings), _utc(as_of)).items():
        assert (not expected) == (mart in without_rows), f"the oracle has {len(expected)} rows for {mart}"
        found += differences(expected, rows_of(settings, mart), gold.KEYS[mart], mart)
    assert not found, "\n".join([f"{len(found)} differences", *found[:50]])


def test_gold_is_what_the_oracle_says(built: Settings) -> None:
    assert_gold_is_what_the_oracle_says(built)
