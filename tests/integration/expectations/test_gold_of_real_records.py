"""Gold of the real records, as the oracle computes it, is held to its suites: nothing is broken, little is told."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from expectations import gate as gate_module
from expectations.gate import run_gate
from expectations.suites import SUMMED
from lakehouse.settings import load_settings
from tests.integration.expectations.small_gold import gold_of, neighbours, typed, write
from tests.oracle.lake import lake
from tests.oracle.observations import Observation
from tests.oracle.silver import silver

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("long_tests")]

# docs/quality.md says why.
BELOW_ONE = {
    ("gold.movie_performance", "release_date_is_known"),
    ("gold.movie_performance", "primary_genre_is_known"),
}

DATABASE = "gold_of_real_records"


def there(table: str) -> str:
    return f"{DATABASE}.{table.replace('.', '_')}"


def observations(data: Path) -> Iterator[Observation]:
    """The details with their credits, and the same movies as seen at several dates since.

    Details say no date; their votes are those of September 2017. Of a month that is all that is known, it is the first
    day.
    """
    for record in _lines(data / "tmdb_movies.jsonl.gz"):
        yield _observation(record, "2017-09-01")
    for line in _lines(data / "tmdb_observations.jsonl.gz"):
        yield _observation(line["record"], line["observed_by"])


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _observation(record: dict[str, Any], day: str) -> Observation:
    payload = json.dumps(record)
    seen = datetime.fromisoformat(f"{day}-01"[:10]).replace(tzinfo=UTC)
    return Observation(str(record["id"]), seen, payload, hashlib.sha256(payload.encode("utf-8")).hexdigest())


def test_gold_of_the_real_records_passes(
    spark: "SparkSession", tmdb_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = list(observations(tmdb_data))
    here = lake(silver(seen), max(each.observed_at for each in seen))
    marts = typed(here, gold_of(here))
    monkeypatch.setattr(gate_module, "read_history", lambda *arguments: {})
    monkeypatch.setattr(gate_module, "keep_rows", lambda *arguments: None)
    settings = load_settings(home=str(tmp_path))
    tables = [f"gold.{mart}" for mart in marts]
    spark.sql(f"create database {DATABASE}")
    try:
        write(spark, there, marts, neighbours(here))
        found = run_gate(spark, settings, ["gold"], "real", here.as_of, here.as_of, tables=tables, where=there)
    finally:
        spark.sql(f"drop database {DATABASE} cascade")
    print(found.summary())
    shares = [score for score in found.scores if score.dimension in SUMMED and not score.is_sum]
    below = [score for score in shares if score.score < 1]
    print(*(f"{score.table_name} {score.rule} {score.told} {score.detail}" for score in below), sep="\n")
    assert [(score.table_name, score.rule, score.detail) for score in found.scores if score.status != "pass"] == []
    assert {(score.table_name, score.rule) for score in below} == BELOW_ONE
