"""Landing on a real Delta table: what is counted how, and that a kill anywhere changes nothing."""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ingestion import bronze
from ingestion import quarantine as quarantine_module
from ingestion.batch import BatchSummary
from ingestion.errors import BatchError, SourceError
from ingestion.quarantine import list_quarantine
from ingestion.reasons import Reason
from ingestion.records import DefaultTime, RawRecord, Record, Reject, parse_record
from ingestion.run import IngestRequest, ingest
from ingestion.tables import BronzeTables, ensure_tables
from tests.integration.ingestion.conftest import Killed, Limits, wall_clock

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

AS_OF = datetime(2026, 1, 29, 6, tzinfo=UTC)
LATER = AS_OF + timedelta(hours=4)
LIMITS = Limits()


@pytest.fixture
def land_file(spark: "SparkSession", tables: BronzeTables) -> Callable[..., BatchSummary]:
    def land(path: Path, as_of: datetime = AS_OF, limits: Limits = LIMITS, **rest: Any) -> BatchSummary:
        request = IngestRequest("file", as_of, path=path, **rest)
        return ingest(spark, limits, request, wall_clock, tables=tables)

    return land


def write_lines(path: Path, lines: Iterable[bytes]) -> Path:
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def counts(summary: BatchSummary) -> dict[str, int]:
    names = ("requested", "landed", "unchanged", "quarantined", "duplicates")
    return {name: getattr(summary, name) for name in names if getattr(summary, name)}


def content(spark: "SparkSession", tables: BronzeTables) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the three tables, in a fixed order."""
    return {
        name: sorted((tuple(row) for row in spark.read.table(f"{tables.database}.{name}").collect()), key=repr)
        for name in ("movies", "quarantine", "batches")
    }


def test_every_odd_record_ends_where_it_should_and_stops_nothing(
    spark: "SparkSession", tables: BronzeTables, land_file: Any, tmp_path: Path
) -> None:
    cast = ",".join(json.dumps({"id": n, "name": "A", "order": n}) for n in range(1, 401))
    landing = {
        "1": b'{"id": 1, "release_date": ""}',
        "2": b'{"id": 2, "popularity": "0.8995"}',
        "3": f'{{"id": 3, "credits": {{"cast": [{cast}]}}}}'.encode(),
        "4": '{"id": 4, "title": "\\u0000 \N{GRINNING FACE}"}'.encode(),
        "5": b'{"id": 5, "overview": "' + b"long " * 200_000 + b'"}',
        "6": b'{ "id" : 6,  "odd":\t"spacing" }',
    }
    refused = {
        Reason.INVALID_JSON: b'{"id": 7, "title": "cut o',
        Reason.ID_MISSING: b'{"title": "no id"}',
        Reason.ID_NOT_INTEGER: b'{"id": "8"}',
        Reason.NOT_AN_OBJECT: b"[]",
        Reason.TMDB_ERROR_BODY: b'{"success": false, "status_code": 34, "status_message": "none"}',
        Reason.RECORD_TOO_LARGE: b'{"id": 9, "x": "' + b"x" * (3 * 1024 * 1024) + b'"}',
        Reason.INVALID_UTF8: b'{"id": 9, "x": "\xff"}',
    }
    lines = [line for pair in zip([*landing.values(), landing["6"]], refused.values(), strict=True) for line in pair]
    summary = land_file(write_lines(tmp_path / "odd.jsonl", lines))
    assert counts(summary) == {"requested": 14, "landed": 6, "quarantined": 7, "duplicates": 1}
    rows = spark.read.table(tables.movies).collect()
    assert {row.movie_id: row.payload.encode() for row in rows} == landing
    for row in rows:
        assert row.payload_sha256 == hashlib.sha256(row.payload.encode()).hexdigest()
        assert (row.endpoint, row.source, row.batch_id) == ("movie_details", "file", summary.batch_id)
        assert (row.year, row.month, row.day) == (2026, 1, 29)
        assert row.observed_at == row.ingested_at
    held = {row.reason: row for row in spark.read.table(tables.quarantine).collect()}
    assert set(held) == set(refused)
    for reason, text in refused.items():
        expected = text.decode(errors="backslashreplace")
        assert held[reason].raw == expected[: 4096 if reason is Reason.RECORD_TOO_LARGE else None]
        assert "odd.jsonl, line " in held[reason].detail
        assert held[reason].replayed_at is None
    listed = {line.reason: (line.texts, line.waiting) for line in list_quarantine(spark, tables)}
    assert listed == {reason.value: (1, 1) for reason in refused}


def test_a_cut_gzip_file_lands_what_came_before_the_cut(
    spark: "SparkSession", tables: BronzeTables, land_file: Any, tmp_path: Path
) -> None:
    lines = [json.dumps({"id": n, "x": hashlib.sha512(str(n).encode()).hexdigest()}).encode() for n in range(1, 400)]
    whole = gzip.compress(b"\n".join(lines))
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    summary = land_file(path, limits=Limits(chunk_rows=1000))
    assert summary.status == "succeeded"
    assert summary.quarantined == 1
    assert 100 < summary.landed < 300
    assert spark.read.table(tables.movies).count() == summary.landed
    (row,) = spark.read.table(tables.quarantine).collect()
    assert row.reason == "truncated_gzip"


def test_an_empty_file_is_a_batch_of_nothing(
    spark: "SparkSession", tables: BronzeTables, land_file: Any, tmp_path: Path
) -> None:
    path = tmp_path / "empty.jsonl"
    path.touch()
    land_file(path)
    assert spark.read.table(tables.movies).count() == 0
    (row,) = spark.read.table(tables.batches).collect()
    assert (row.status, row.requested, row.landed, row.watermark) == ("succeeded", 0, 0, None)


def test_landing_the_same_content_again_adds_nothing(
    spark: "SparkSession", tables: BronzeTables, land_file: Any, tmp_path: Path
) -> None:
    lines = [*(b'{"id": %d}' % n for n in range(1, 11)), b"broken", b'{"id": "x"}']
    path = write_lines(tmp_path / "movies.jsonl", lines)
    first = land_file(path)
    assert counts(first) == {"requested": 12, "landed": 10, "quarantined": 2}
    before = content(spark, tables)
    version = spark.sql(f"describe history {tables.movies}").count()
    again = land_file(path, as_of=LATER)
    assert counts(again) == {"requested": 12, "unchanged": 10, "quarantined": 2}
    after = content(spark, tables)
    assert after["movies"] == before["movies"]
    assert after["quarantine"] == before["quarantine"]
    assert len(after["batches"]) == 2
    # Not even an empty commit: readers by version see that nothing is new.
    assert spark.sql(f"describe history {tables.movies}").count() == version


def test_content_without_a_date_lands_again_only_where_it_changed(land_file: Any, tmp_path: Path) -> None:
    land_file(write_lines(tmp_path / "a.jsonl", [b'{"id": 1, "v": 1}', b'{"id": 2, "v": 1}']))
    changed = land_file(write_lines(tmp_path / "b.jsonl", [b'{"id": 1, "v": 2}', b'{"id": 2, "v": 1}']), LATER)
    assert counts(changed) == {"requested": 2, "landed": 1, "unchanged": 1}
    back = land_file(tmp_path / "a.jsonl", LATER + timedelta(hours=4))
    assert counts(back) == {"requested": 2, "landed": 1, "unchanged": 1}


def test_the_latest_observation_counts_and_not_one_after_the_as_of_time(land_file: Any, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [b'{"id": 1}'])
    land_file(path, observed_at=AS_OF + timedelta(days=9))
    assert counts(land_file(path, LATER)) == {"requested": 1, "landed": 1}


def test_a_stated_time_makes_the_key_and_the_same_key_is_a_duplicate(land_file: Any, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [b'{"id": 1}', b'{"id": 2}'])
    stated = datetime(2026, 1, 1, tzinfo=UTC)
    first = land_file(path, observed_at=stated)
    assert (counts(first), first.watermark) == ({"requested": 2, "landed": 2}, stated)
    again = land_file(path, LATER, observed_at=stated)
    assert (counts(again), again.watermark) == ({"requested": 2, "duplicates": 2}, stated)
    assert counts(land_file(path, LATER, observed_at=stated + timedelta(days=1))) == {"requested": 2, "landed": 2}


def test_observations_of_many_dates_are_recognised(land_file: Any, tmp_path: Path) -> None:
    lines = [
        json.dumps({"observed_by": f"2020-{month:02}-{day:02}", "record": {"id": 5}}).encode()
        for month in range(1, 11)
        for day in range(1, 4)
    ]
    path = write_lines(tmp_path / "dated.jsonl", lines)
    first = land_file(path, limits=Limits(chunk_rows=1000))
    assert counts(first) == {"requested": 30, "landed": 30}
    assert first.window_start == datetime(2020, 1, 1, tzinfo=UTC)
    assert first.window_end == first.watermark == datetime(2020, 10, 3, tzinfo=UTC)
    again = land_file(path, LATER, limits=Limits(chunk_rows=1000))
    assert counts(again) == {"requested": 30, "duplicates": 30}


def test_the_same_line_in_two_chunks_of_a_batch_lands_once(land_file: Any, tmp_path: Path) -> None:
    lines = [b'{"id": %d}' % (n % 5 + 1) for n in range(20)]
    summary = land_file(write_lines(tmp_path / "a.jsonl", lines))
    assert counts(summary) == {"requested": 20, "landed": 5, "duplicates": 15}


MESSY = [
    line
    for n in range(1, 15)
    for line in (b'{"id": %d}' % n, b"broken %d" % n if n % 3 == 0 else b'{"id": %d}' % (n // 2 + 1))
]

MESSY_LIMITS = Limits(chunk_rows=8)


@dataclass(frozen=True)
class Unkilled:
    """A batch that nobody killed: its input, and the tables as it left them."""

    older: Path
    path: Path
    summary: BatchSummary
    rows: dict[str, list[tuple[Any, ...]]]


def land_messy(spark: "SparkSession", tables: BronzeTables, path: Path, batch_id: str, **rest: Any) -> BatchSummary:
    request = IngestRequest("file", rest.pop("as_of", AS_OF), path=path, batch_id=batch_id)
    return ingest(spark, rest.pop("limits", MESSY_LIMITS), request, wall_clock, tables=tables)


@pytest.fixture(scope="module")
def unkilled(spark: "SparkSession", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unkilled]:
    folder = tmp_path_factory.mktemp("unkilled")
    older = write_lines(folder / "older.jsonl", [b'{"id": 3}', b'{"id": 4}'])
    path = write_lines(folder / "messy.jsonl", MESSY)
    tables = BronzeTables("bronze_unkilled")
    land_messy(spark, tables, older, "older", as_of=AS_OF - timedelta(days=1))
    summary = land_messy(spark, tables, path, "mine")
    yield Unkilled(older, path, summary, content(spark, tables))
    spark.sql(f"drop database {tables.database} cascade")


def kill_at(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, call: int, after: bool) -> None:
    """Make the given call of a function the last thing that happens: just before it works, or just after."""
    original = getattr(module, name)
    calls = count(1)

    def dying(*args: Any, **kwargs: Any) -> Any:
        if next(calls) < call:
            return original(*args, **kwargs)
        if after:
            original(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(module, name, dying)


# Where the batch dies in each run, one run after the other: before or after which call of what.
DEATHS = [
    (bronze, "_append", 1),
    (bronze, "_append", 2),
    (quarantine_module, "_append", 1),
    (bronze, "record_batch", 1),
]


@pytest.mark.parametrize("after", [False, True])
def test_a_batch_that_is_killed_again_and_again_gives_the_same_tables_in_the_end(
    spark: "SparkSession",
    tables: BronzeTables,
    unkilled: Unkilled,
    monkeypatch: pytest.MonkeyPatch,
    after: bool,
) -> None:
    land_messy(spark, tables, unkilled.older, "older", as_of=AS_OF - timedelta(days=1))
    for module, name, call in DEATHS:
        with monkeypatch.context() as patched:
            kill_at(patched, module, name, call, after)
            with pytest.raises(Killed):
                land_messy(spark, tables, unkilled.path, "mine")
    # The second of these finds nothing left to do.
    for _ in range(2):
        assert land_messy(spark, tables, unkilled.path, "mine") == unkilled.summary
        assert content(spark, tables) == unkilled.rows


def test_a_batch_goes_on_with_chunks_of_another_size(
    spark: "SparkSession", tables: BronzeTables, unkilled: Unkilled, monkeypatch: pytest.MonkeyPatch
) -> None:
    land_messy(spark, tables, unkilled.older, "older", as_of=AS_OF - timedelta(days=1))
    with monkeypatch.context() as patched:
        kill_at(patched, bronze, "_append", 2, after=True)
        with pytest.raises(Killed):
            land_messy(spark, tables, unkilled.path, "mine")
    land_messy(spark, tables, unkilled.path, "mine", limits=Limits(chunk_rows=5))
    assert content(spark, tables) == unkilled.rows


def test_a_batch_id_is_not_used_for_something_else(land_file: Any, tmp_path: Path) -> None:
    lines = [b'{"id": %d}' % n for n in range(1, 7)]
    path = write_lines(tmp_path / "a.jsonl", lines)
    land_file(path, batch_id="mine")
    refused = pytest.raises(BatchError, match="Batch mine has landed 6 records of other content")
    with refused:
        land_file(path, LATER, batch_id="mine")
    write_lines(path, [b'{"id": 99}', *lines[1:]])
    with refused:
        land_file(path, batch_id="mine")
    write_lines(path, lines[:2])
    with refused:
        land_file(path, batch_id="mine")


def test_a_batch_id_that_does_not_fit_is_refused(land_file: Any, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [b'{"id": 1}'])
    with pytest.raises(BatchError, match="33 characters"):
        land_file(path, batch_id="x" * 33)


def test_a_source_that_fails_on_the_way_is_recorded_and_its_batch_can_go_on(
    spark: "SparkSession", tables: BronzeTables
) -> None:
    batch = bronze.Batch("failing", "file", AS_OF)
    default = DefaultTime(AS_OF, is_assumed=True)

    def items(fails: bool) -> Iterator[Record | Reject]:
        for number in range(1, 11):
            if number == 7 and fails:
                raise SourceError("movies/7.json cannot be read: Input/output error.")
            text = b"broken" if number == 2 else b'{"id": %d}' % number
            yield parse_record(RawRecord(text, "x"), default)

    def land(fails: bool) -> BatchSummary:
        return bronze.land(spark, items(fails), batch, wall_clock, bronze.ChunkLimits(4), tables)

    with pytest.raises(SourceError):
        land(fails=True)
    (row,) = spark.read.table(tables.batches).collect()
    assert (row.status, row.requested, row.landed, row.quarantined) == ("failed", 6, 5, 1)
    assert spark.read.table(tables.movies).count() == 5
    assert counts(land(fails=False)) == {"requested": 10, "landed": 9, "quarantined": 1}
    (row,) = spark.read.table(tables.batches).collect()
    assert (row.status, row.requested, row.landed) == ("succeeded", 10, 9)


def test_tables_are_as_the_readers_expect_them(spark: "SparkSession", tables: BronzeTables) -> None:
    detail = spark.sql(f"describe detail {tables.movies}").head()
    assert detail.partitionColumns == ["year", "month", "day"]
    assert detail.properties["delta.enableChangeDataFeed"] == "true"
    assert detail.format == "delta"
    ensure_tables(spark, tables)


def test_a_synthetic_catalogue_lands(spark: "SparkSession", tables: BronzeTables) -> None:
    request = IngestRequest("synthetic", AS_OF, movies=60, dirty_rate=0.1)
    limits = Limits(chunk_rows=1000)
    summary = ingest(spark, limits, request, wall_clock, tables=tables)
    assert summary.requested == 180 + summary.duplicates
    assert summary.landed + summary.quarantined == 180
    assert summary.quarantined > 0
    later = ingest(spark, limits, replace(request, as_of=LATER), wall_clock, tables=tables)
    assert (later.landed, later.duplicates) == (0, summary.landed + summary.duplicates)
    assert spark.read.table(tables.quarantine).count() <= summary.quarantined


def test_real_records_land_byte_for_byte_and_once(
    spark: "SparkSession", tables: BronzeTables, land_file: Any, tmdb_data: Path
) -> None:
    path = tmdb_data / "tmdb_movies.jsonl.gz"
    limits = Limits(chunk_rows=2000)
    assert counts(land_file(path, limits=limits)) == {"requested": 2437, "landed": 2437}
    landed = {row.payload for row in spark.read.table(tables.movies).select("payload").collect()}
    assert landed == set(gzip.decompress(path.read_bytes()).decode().split("\n")[:-1])
    assert counts(land_file(path, LATER, limits)) == {"requested": 2437, "unchanged": 2437}
    dated = tmdb_data / "tmdb_observations.jsonl.gz"
    first = land_file(dated, LATER, Limits(chunk_rows=8000))
    assert (first.requested, first.landed + first.duplicates) == (13064, 13064)
    assert first.watermark == datetime(2026, 8, 11, tzinfo=UTC)
    assert land_file(dated, LATER + timedelta(hours=1), Limits(chunk_rows=8000)).landed == 0
