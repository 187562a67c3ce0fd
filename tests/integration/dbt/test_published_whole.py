"""Readers in a loop, of `gold.*` through Thrift and of MongoDB: good versions are published meanwhile, bad ones not."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pyhive.exc import Error
from pymongo.errors import PyMongoError

from lakehouse.errors import LakehouseError
from lakehouse.hive import connect, query
from lakehouse.ops.schema import PUBLICATIONS as RECORD
from lakehouse.settings import Settings, load_settings
from orchestration import maintenance_command
from serving.announcement import CURRENT, PUBLICATIONS
from tests import lake
from tests.instance import ROOT, environment, selected
from tests.integration.dbt.publishing_rounds import MARTS, ROWS

PUBLISHES = int(os.environ.get("TMDB_TEST_PUBLISHES", "2"))
pytestmark = [pytest.mark.stack, pytest.mark.timeout(600 + 90 * PUBLISHES)]

NAMES = [mart.name for mart in MARTS]


@dataclass
class Reader:
    """What a reader in a loop has seen: how often it read, the versions, and what was wrong."""

    read: Callable[[], list[int] | None]
    reads: int = 0
    versions: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def loop(self, ended: threading.Event) -> None:
        is_last = False
        try:
            # The last read begins after the last publication.
            while not is_last:
                is_last = ended.is_set()
                markers = self.read()
                if markers is None:
                    continue
                self.reads += 1
                if len(set(markers)) != 1 or markers[0] < 0:
                    self.wrong.append(f"torn: {markers}")
                elif not self.versions or markers[0] != self.versions[-1]:
                    self.versions.append(markers[0])
        except (Error, PyMongoError) as error:
            self.wrong.append(f"{type(error).__name__}: {error}")


@pytest.fixture
def settings(stack: dict[str, str]) -> Iterator[Settings]:
    with selected(stack):
        settings = load_settings()
        lake.drop(settings)
        lake.drop_documents(settings)
        yield settings
        lake.drop(settings)
        lake.drop_documents(settings)


def _rows(cursor: Any, sql: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql)
    return [tuple(row) for row in cursor.fetchall()]


def _whole(cursor: Any, tables: list[str]) -> list[int]:
    """The least and the greatest marker of each table, of one query; a table with rows missing has the marker -1."""
    union = " union all ".join(f"select min(marker), max(marker), count(*) from gold.{table}" for table in tables)
    return [marker for low, high, count in _rows(cursor, union) for marker in ((low, high) if count == ROWS else (-1,))]


def _in_turn(cursor: Any) -> list[int] | None:
    """Table by table; what counts is what was read while the same was published before and after."""
    asked = "select distinct publication_id from ops.published"
    before = _rows(cursor, asked)
    each = [_whole(cursor, [name]) for name in NAMES]
    if any(len(set(markers)) != 1 or markers[0] < 0 for markers in each):
        return [marker for markers in each for marker in markers]
    return [markers[0] for markers in each] if _rows(cursor, asked) == before else None


def _collections(database: Any) -> list[int] | None:
    """All collections, by what `serving.announcement` says of them."""
    # Without a pause it would read thousands of times a minute, and leave the others no core.
    time.sleep(0.1)
    about = database[PUBLICATIONS].find_one({"_id": CURRENT})
    each = [[document["marker"] for document in database[name].find()] for name in NAMES]
    if any(len(markers) != ROWS or len(set(markers)) != 1 or markers[0] < 0 for markers in each):
        return [marker for markers in each for marker in markers] or [-1]
    if not about["is_whole"] or database[PUBLICATIONS].find_one({"_id": CURRENT}) != about:
        return None
    number = int(about["publication_id"].removeprefix("round-"))
    return [number, *(markers[0] for markers in each)]


def _await_reads(readers: Iterable[Reader]) -> None:
    for reader in readers:
        before, deadline = reader.reads, time.monotonic() + 60
        while reader.reads == before and not reader.wrong and time.monotonic() < deadline:
            time.sleep(0.02)


def test_readers_in_a_loop_see_whole_good_versions_only(
    stack: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    ended = threading.Event()
    log = tmp_path / "rounds.log"
    with ExitStack() as held:
        cursors = [held.enter_context(connect(settings)).cursor() for _ in range(2)]
        client = held.enter_context(pymongo.MongoClient[dict[str, Any]](settings.mongo.uri.get_secret_value()))
        readers = {
            "gold, all marts in one query": Reader(lambda: _whole(cursors[0], NAMES)),
            "gold, mart by mart": Reader(lambda: _in_turn(cursors[1])),
            "MongoDB": Reader(lambda: _collections(client[settings.mongo.database])),
        }
        threads = [threading.Thread(target=reader.loop, args=(ended,)) for reader in readers.values()]
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.dbt.publishing_rounds", str(PUBLISHES)],
            env=environment(stack),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=held.enter_context(log.open("wb")),
            text=True,
        )
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            said: list[str] = []
            for line in child.stdout:
                said.append(line.strip())
                if len(said) == 1:
                    for thread in threads:
                        thread.start()
                # However slow the machine is: each has read once more before the next round begins.
                _await_reads(readers.values())
                child.stdin.write("\n")
                child.stdin.flush()
            assert child.wait(timeout=60) == 0, log.read_text()
        finally:
            child.kill()
            ended.set()
            for thread in threads:
                if thread.ident is not None:
                    thread.join(timeout=120)
    assert [line.split()[0] for line in said] == ["published", "refused"] * PUBLISHES
    for name, reader in readers.items():
        print(f"{name}: {reader.reads} reads over {PUBLISHES} good and {PUBLISHES} bad rounds, wrong: {reader.wrong}")
    assert {name: reader.wrong for name, reader in readers.items()} == {name: [] for name in readers}
    for reader in readers.values():
        assert reader.versions == sorted(reader.versions)
        assert reader.versions[-1] == PUBLISHES
        assert reader.reads >= 2 * PUBLISHES


def test_vacuum_leaves_the_files_of_what_is_published(
    stack: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    project = Path(shutil.copytree(ROOT / "dbt_project", tmp_path / "dbt_project"))
    configuration = project / "dbt_project.yml"
    text = configuration.read_text(encoding="utf-8")
    assert "vacuum_retain_hours: 168" in text
    configuration.write_text(text.replace("vacuum_retain_hours: 168", "vacuum_retain_hours: 0"), encoding="utf-8")
    eager = settings.model_copy(
        update={
            "dbt": settings.dbt.model_copy(update={"project_dir": project}),
            "publication": settings.publication.model_copy(update={"kept": 1}),
        }
    )

    def maintained() -> tuple[str, ...]:
        (found,) = maintenance_command.run(eager, dry_run=False, names=["yoy_growth"])
        return found.done

    table, check = "gold_build.yoy_growth", "spark.databricks.delta.retentionDurationCheck.enabled"
    query(settings, "create database if not exists gold_build")
    query(settings, f"create table {table} using delta as select 'one' as marker")
    instant = f"timestamp '{query(settings, f'describe history {table}').rows[0][1]}'"
    query(settings, RECORD.statement)
    # p2 was killed before readers saw it: p1 is the one that is kept.
    for name, day, mart in (("p1", "2026-01-01", "yoy_growth"), ("p2", "2026-01-02", "another")):
        query(
            settings,
            f"insert into {RECORD.full_name} select '{name}', 'publish', '{name}', null, timestamp'{day}', "
            f"map('{mart}', {instant})",
        )
    query(settings, f"insert overwrite {table} select 'two'")
    published = f"select marker from {table} version as of 0"
    query(settings, f"set {check} = false")
    try:
        assert maintained() == ()
        assert query(settings, published).rows == [("one",)]
        # What readers see stays, whatever the record says.
        query(
            settings,
            f"create view ops.published as select * from values ('yoy_growth', {instant}, 'p1') "
            "as published (mart, instant, publication_id)",
        )
        query(settings, f"delete from {RECORD.full_name}")
        assert maintained() == ()
        assert query(settings, published).rows == [("one",)]
        query(settings, "drop view ops.published")
        assert maintained() == ("deleted old files: 1",)
        with pytest.raises(LakehouseError):
            query(settings, published)
    finally:
        query(settings, f"set {check} = true")
