"""Replay on real tables: what lands, what is marked, and that a kill anywhere changes nothing."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ingestion import bronze, records
from ingestion import replay as replay_module
from ingestion.batch import Batch, BatchSummary
from ingestion.errors import QuarantineError
from ingestion.quarantine import QuarantineWriter, find_quarantined, list_quarantine
from ingestion.reasons import Reason
from ingestion.records import DefaultTime, RawRecord, Record, Reject, parse_record
from ingestion.replay import Replayed, Selection, replay
from ingestion.run import IngestRequest, ingest
from ingestion.tables import BronzeTables
from tests.integration.ingestion.conftest import Killed, Limits, wall_clock

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

AS_OF = datetime(2026, 1, 29, 6, tzinfo=UTC)
STATED = datetime(2025, 6, 1, tzinfo=UTC)
REPLAYED_AT = AS_OF + timedelta(days=2)
EVERYTHING = Selection()
LIMITS = Limits(chunk_rows=3, max_record_bytes=1024 * 1024)
_files = count()


Land = Callable[..., BatchSummary]


@pytest.fixture
def land(spark: "SparkSession", tables: BronzeTables, tmp_path: Path) -> Land:
    def land(lines: Iterable[str], as_of: datetime = AS_OF, **rest: Any) -> BatchSummary:
        path = tmp_path / f"{next(_files)}.jsonl"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return ingest(spark, LIMITS, IngestRequest("file", as_of, path=path, **rest), wall_clock, tables=tables)

    return land


Replay = Callable[..., list[Replayed]]


@pytest.fixture
def run_replay(spark: "SparkSession", tables: BronzeTables) -> Replay:
    def run(selection: Selection = EVERYTHING, as_of: datetime = REPLAYED_AT, **rest: Any) -> list[Replayed]:
        return replay(spark, selection, as_of, LIMITS, wall_clock, tables=tables, **rest)

    return run


TEXT_IDS = [json.dumps({"id": str(number), "title": f"Movie {number}"}) for number in range(1, 8)]
"""What an older version refuses: ids written as text."""


@pytest.fixture
def newer_code(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A version of the parser that has learned to read ids that are text."""

    def install() -> None:
        original = records._movie_id

        def reads_text(value: dict[str, Any]) -> str:
            given = value.get("id")
            return given if isinstance(given, str) and given.isdecimal() else original(value)

        monkeypatch.setattr(records, "_movie_id", reads_text)

    return install


def table_rows(spark: "SparkSession", tables: BronzeTables, name: str) -> list[tuple[Any, ...]]:
    rows = spark.read.table(f"{tables.database}.{name}").toArrow().to_pylist()
    return sorted((tuple(row.values()) for row in rows), key=repr)


def everything(spark: "SparkSession", tables: BronzeTables) -> dict[str, list[tuple[Any, ...]]]:
    return {name: table_rows(spark, tables, name) for name in ("movies", "quarantine", "batches")}


def marks(spark: "SparkSession", tables: BronzeTables) -> list[datetime | None]:
    return spark.read.table(tables.quarantine).toArrow().column("replayed_at").to_pylist()


def test_what_today_can_be_read_lands_as_it_would_have_at_first_and_the_rest_waits(
    spark: "SparkSession", tables: BronzeTables, land: Land, run_replay: Replay, newer_code: Any
) -> None:
    land([*TEXT_IDS[:4], "broken", '{"id": 9, "x": "' + "x" * 1024 * 1024 + '"}'])
    land(TEXT_IDS[4:5], observed_at=STATED)
    before = table_rows(spark, tables, "quarantine")
    newer_code()
    (outcome,) = run_replay()
    assert (outcome.source, outcome.replayed, outcome.failed) == ("file", 5, 1)
    assert (outcome.not_whole, outcome.nobody_to_ask, outcome.failures) == (1, 0, {"invalid_json": 1})
    assert outcome.batch is not None
    assert (outcome.batch.requested, outcome.batch.landed, outcome.batch.watermark) == (5, 5, STATED)
    rows = spark.read.table(tables.movies).toArrow().to_pylist()
    assert {(row["movie_id"], row["payload"], row["observed_at"]) for row in rows} == {
        (str(number), TEXT_IDS[number - 1], STATED if number == 5 else AS_OF) for number in range(1, 6)
    }
    assert {(row["source"], row["batch_id"], row["ingested_at"]) for row in rows} == {
        ("file", outcome.batch.batch_id, REPLAYED_AT)
    }
    after = spark.read.table(tables.quarantine).toArrow().to_pylist()
    assert {(row["reason"], row["replayed_at"]) for row in after} == {
        ("id_not_integer", REPLAYED_AT),
        ("invalid_json", None),
        ("record_too_large", None),
    }
    assert len(after) == len(before)
    listed = {line.reason: (line.texts, line.waiting) for line in list_quarantine(spark, tables)}
    assert listed == {"id_not_integer": (5, 0), "invalid_json": (1, 1), "record_too_large": (1, 1)}


def test_a_replay_of_what_still_fails_changes_nothing(
    spark: "SparkSession", tables: BronzeTables, land: Land, run_replay: Replay
) -> None:
    land(["broken", '{"title": 1}'])
    before = everything(spark, tables)
    (outcome,) = run_replay()
    assert (outcome.replayed, outcome.failed, outcome.batch) == (0, 2, None)
    assert everything(spark, tables) == before
    assert run_replay(Selection(reason="too_deep")) == []


def test_a_second_replay_finds_nothing_left(
    spark: "SparkSession", tables: BronzeTables, land: Land, run_replay: Replay, newer_code: Any
) -> None:
    land(TEXT_IDS)
    newer_code()
    run_replay()
    before = everything(spark, tables)
    assert run_replay(as_of=REPLAYED_AT + timedelta(days=1)) == []
    assert everything(spark, tables) == before


def test_only_what_is_selected_is_tried(
    spark: "SparkSession", tables: BronzeTables, land: Land, run_replay: Replay, newer_code: Any
) -> None:
    land([*TEXT_IDS, "broken"])
    newer_code()
    names = sorted(row.quarantine_id for row in spark.read.table(tables.quarantine).collect() if row.raw != "broken")
    assert run_replay(Selection(source="api")) == []
    (by_id,) = run_replay(Selection(ids=(names[0][:12].upper(), names[1])))
    assert (by_id.replayed, by_id.failed) == (2, 0)
    (by_reason,) = run_replay(Selection(reason="id_not_integer"))
    assert (by_reason.replayed, by_reason.failed) == (5, 0)


def test_texts_that_were_refused_after_the_as_of_time_are_left_alone(
    land: Land, run_replay: Replay, newer_code: Any
) -> None:
    land(TEXT_IDS)
    newer_code()
    assert run_replay(as_of=AS_OF - timedelta(seconds=1)) == []


# Where the replay dies, one run after the other: before or after which call of what.
DEATHS = [
    (bronze, "_append", 1),
    (bronze, "_append", 2),
    (bronze, "record_batch", 1),
    (replay_module, "mark_replayed", 1),
]


@pytest.mark.parametrize("after", [False, True])
def test_a_replay_that_is_killed_again_and_again_gives_the_same_tables_in_the_end(
    spark: "SparkSession",
    land: Land,
    tables: BronzeTables,
    run_replay: Replay,
    newer_code: Any,
    monkeypatch: pytest.MonkeyPatch,
    after: bool,
) -> None:
    land([*TEXT_IDS, "broken"])
    newer_code()
    for module, name, call in DEATHS:
        original = getattr(module, name)
        calls = count(1)

        def dying(*args: Any, original: Any = original, calls: Any = calls, call: int = call, **kwargs: Any) -> Any:
            if next(calls) < call:
                return original(*args, **kwargs)
            if after:
                original(*args, **kwargs)
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(module, name, dying)
            with pytest.raises(Killed):
                # After its last step, marking, nothing waits: the run that follows is one of nothing.
                run_replay()
    final = run_replay()
    assert [(outcome.replayed, outcome.failed) for outcome in final] == ([(0, 1)] if after else [(7, 1)])
    rows = spark.read.table(tables.movies).toArrow().to_pylist()
    assert sorted(row["movie_id"] for row in rows) == [str(number) for number in range(1, 8)]
    assert len({row["batch_id"] for row in rows}) == 1
    assert sorted(marks(spark, tables), key=repr) == [None] + [REPLAYED_AT] * 7
    batches = {row.batch_id: row for row in spark.read.table(tables.batches).collect()}
    (batch,) = [row for name, row in batches.items() if name.startswith("replay-")]
    assert (batch.status, batch.requested, batch.landed, batch.quarantined) == ("succeeded", 7, 7, 0)


def test_a_killed_replay_run_again_at_another_time_lands_nothing_twice(
    spark: "SparkSession",
    tables: BronzeTables,
    land: Land,
    run_replay: Replay,
    newer_code: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    land([TEXT_IDS[0]])
    land(TEXT_IDS[1:3], observed_at=STATED)
    newer_code()

    def dying(*args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(replay_module, "mark_replayed", dying)
        with pytest.raises(Killed):
            run_replay()
    # Movie 1 shows something else meanwhile, so that its latest observation is not the replayed one.
    land(['{"id": "1", "title": "Another"}'], as_of=REPLAYED_AT + timedelta(hours=1))
    later = REPLAYED_AT + timedelta(days=1)
    (outcome,) = run_replay(as_of=later)
    assert outcome.batch is not None
    assert (outcome.replayed, outcome.batch.landed, outcome.batch.duplicates) == (3, 0, 3)
    assert spark.read.table(tables.movies).count() == 4
    assert marks(spark, tables) == [later] * 3


def test_a_movie_that_has_landed_meanwhile_counts_as_replayed(
    spark: "SparkSession", tables: BronzeTables, land: Land, run_replay: Replay, newer_code: Any
) -> None:
    land(TEXT_IDS[:2])
    newer_code()
    land(TEXT_IDS[:1], as_of=AS_OF + timedelta(hours=4))
    (outcome,) = run_replay()
    assert outcome.batch is not None
    assert (outcome.replayed, outcome.batch.landed, outcome.batch.unchanged) == (2, 1, 1)
    assert marks(spark, tables) == [REPLAYED_AT] * 2
    assert spark.read.table(tables.movies).count() == 2


def test_movies_that_were_asked_for_are_asked_for_again_or_wait(
    spark: "SparkSession", tables: BronzeTables, run_replay: Replay
) -> None:
    writer = QuarantineWriter(spark, Batch("asked", "api", AS_OF), tables)
    for number in (5, 6, 7):
        writer.add(
            Reject(f"<html>{number}", Reason.INVALID_JSON, f"movie {number}", movie_id=str(number), observed_at=AS_OF)
        )
    writer.flush()
    before = everything(spark, tables)
    (outcome,) = run_replay()
    assert (outcome.replayed, outcome.failed, outcome.nobody_to_ask) == (0, 0, 3)
    assert everything(spark, tables) == before
    asked = []

    def refetch(movies: list[str]) -> Iterator[Record | Reject]:
        asked.append(movies)
        default = DefaultTime(REPLAYED_AT, is_assumed=True)
        for movie_id in sorted(movies):
            if movie_id == "7":
                yield Reject("<html>", Reason.INVALID_JSON, "again", movie_id=movie_id)
            else:
                yield parse_record(RawRecord(b'{"id": %s}' % movie_id.encode(), f"movie {movie_id}"), default)

    (outcome,) = run_replay(refetch=refetch)
    assert sorted(asked[0]) == ["5", "6", "7"]
    assert (outcome.source, outcome.replayed, outcome.failed, outcome.failures) == ("api", 2, 1, {"invalid_json": 1})
    rows = spark.read.table(tables.movies).toArrow().to_pylist()
    assert {(row["movie_id"], row["source"], row["observed_at"]) for row in rows} == {
        ("5", "api", REPLAYED_AT),
        ("6", "api", REPLAYED_AT),
    }
    held = {row["movie_id"]: row for row in spark.read.table(tables.quarantine).toArrow().to_pylist()}
    assert {name: row["replayed_at"] for name, row in held.items()} == {"5": REPLAYED_AT, "6": REPLAYED_AT, "7": None}
    assert held["7"]["observed_at"] == AS_OF


def test_a_text_is_found_by_the_beginning_of_its_id(spark: "SparkSession", tables: BronzeTables, land: Land) -> None:
    land([f"broken {number}" for number in range(40)], observed_at=STATED)
    names = [row.quarantine_id for row in spark.read.table(tables.quarantine).collect()]
    found = find_quarantined(spark, names[0][:16].upper(), tables)
    assert (found.quarantine_id, found.reason, found.replayed_at) == (names[0], "invalid_json", None)
    assert (found.ingested_at, found.observed_at) == (AS_OF, STATED)
    assert found.raw.startswith("broken ")
    with pytest.raises(QuarantineError, match="No text in quarantine"):
        find_quarantined(spark, "xyz", tables)
    # Of forty, some two begin with the same of sixteen digits.
    shared = next(name[0] for name in names if sum(other[0] == name[0] for other in names) > 1)
    with pytest.raises(QuarantineError, match="Several ids begin with"):
        find_quarantined(spark, shared, tables)


def test_the_list_can_be_narrowed(spark: "SparkSession", tables: BronzeTables, land: Land) -> None:
    land(["broken", "[]", "[1]"])
    (line,) = list_quarantine(spark, tables, reason="not_an_object")
    assert (line.reason, line.texts, line.waiting) == ("not_an_object", 2, 2)
    assert find_quarantined(spark, line.example_id, tables).detail == line.example
    assert len(list_quarantine(spark, tables, source="file")) == 2
    assert list_quarantine(spark, tables, source="api") == []
