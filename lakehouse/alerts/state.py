"""What was told when, and what waits: `home/ops/alerts.sqlite`. No Spark, so that it works where nothing else does."""

import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from lakehouse.alerts.alert import Alert
from lakehouse.alerts.told import Raised, Status, Told
from lakehouse.clock import instant_text, parse_instant

_log = logging.getLogger(__name__)

Why = Literal["owed", "digest"]
"""Why an alert waits on a channel: it is owed at the next occasion, or it is for the digest."""

KEPT = timedelta(days=90)

_SKEW = timedelta(hours=1)
"""Clocks of two machines may differ by so much; what was told later than that is from a clock that was wrong."""

_HOUR = timedelta(hours=1)
_VERSION = 1
_BROKEN = ("SQLITE_NOTADB", "SQLITE_CORRUPT")

_SCHEMA = f"""
create table if not exists alerts (
    alert_id text primary key, run_id text not null, fingerprint text not null, raised_at text not null,
    alert text not null, status text not null, channels text not null
);
create index if not exists alerts_by_time on alerts (raised_at);
create table if not exists waiting (
    channel text not null, alert_id text not null, why text not null, primary key (channel, alert_id)
);
create table if not exists told (
    channel text not null, fingerprint text not null, told_at text not null, primary key (channel, fingerprint)
);
create table if not exists messages (channel text not null, sent_at text not null);
create table if not exists digests (channel text primary key, told_at text not null);
pragma user_version = {_VERSION};
"""


class State:
    """The state, within one connection to a database with the schema. Every method may raise `sqlite3.Error`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @contextmanager
    def change(self) -> Iterator[None]:
        """Everything within is written, or nothing; no other process writes meanwhile."""
        self._connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()

    def keep(self, told: Told) -> None:
        """Write an alert and what became of it."""
        raised = told.raised
        self._connection.execute(
            "insert or replace into alerts values (?, ?, ?, ?, ?, ?, ?)",
            (
                raised.alert_id,
                raised.run_id,
                raised.alert.fingerprint,
                instant_text(raised.raised_at),
                json.dumps(vars(raised.alert)),
                told.status,
                json.dumps(told.channels),
            ),
        )

    def find(self, alert_id: str) -> Told | None:
        """The alert as it was kept; None where it was not."""
        rows = self._connection.execute("select * from alerts where alert_id = ?", (alert_id,)).fetchall()
        return _told(rows[0]) if rows else None

    def recent(self, count: int) -> list[Told]:
        """The latest alerts, the newest first."""
        newest_first = "select * from alerts order by raised_at desc, rowid desc limit ?"
        return [_told(row) for row in self._connection.execute(newest_first, (count,))]

    def wait(self, channel: str, alert_id: str, why: Why) -> None:
        """Let an alert wait on a channel."""
        self._connection.execute("insert or replace into waiting values (?, ?, ?)", (channel, alert_id, why))

    def waiting(self, channel: str) -> list[tuple[Raised, Why]]:
        """What waits on a channel, the oldest first."""
        rows = self._connection.execute(
            "select alerts.*, why from alerts join waiting using (alert_id) where channel = ? "
            "order by raised_at, alerts.rowid",
            (channel,),
        )
        return [(_told(row).raised, row["why"]) for row in rows]

    def is_quiet(self, channel: str, fingerprint: str, at: datetime, minutes: int) -> bool:
        """Whether the same was told on the channel less than so many minutes ago."""
        rows = self._connection.execute(
            "select told_at from told where channel = ? and fingerprint = ?", (channel, fingerprint)
        ).fetchall()
        return bool(rows) and -_SKEW <= at - parse_instant(rows[0]["told_at"]) < timedelta(minutes=minutes)

    def sent_this_hour(self, channel: str, at: datetime) -> int:
        """Messages to the channel in the hour before."""
        rows = self._connection.execute(
            "select count(*) from messages where channel = ? and sent_at > ? and sent_at <= ?",
            (channel, instant_text(at - _HOUR), instant_text(at + _SKEW)),
        ).fetchall()
        return int(rows[0][0])

    def is_digest_due(self, channel: str, at: datetime, hours: int) -> bool:
        """Whether something waits for a digest, and the last digest, or the first that waits, is so long ago."""
        waiting = [raised.raised_at for raised, why in self.waiting(channel) if why == "digest"]
        if not waiting:
            return False
        rows = self._connection.execute("select told_at from digests where channel = ?", (channel,)).fetchall()
        since = parse_instant(rows[0]["told_at"]) if rows else min(waiting)
        return not -_SKEW <= at - since < timedelta(hours=hours)

    def delivered(self, channel: str, alerts: Iterable[Raised], at: datetime, digest: bool) -> None:
        """Note that a message with these alerts reached a channel: they and what tells the same wait no more."""
        now = instant_text(at)
        for raised in alerts:
            self._connection.execute(
                "delete from waiting where channel = ? "
                "and alert_id in (select alert_id from alerts where fingerprint = ?)",
                (channel, raised.alert.fingerprint),
            )
            told = (channel, raised.alert.fingerprint, now)
            self._connection.execute("insert or replace into told values (?, ?, ?)", told)
        self._connection.execute("insert into messages values (?, ?)", (channel, now))
        if digest:
            self._connection.execute("insert or replace into digests values (?, ?)", (channel, now))

    def forget(self, at: datetime) -> None:
        """Delete what is older than it is of use; not what waits, for `at` may be of a clock that is wrong."""
        old = instant_text(at - KEPT)
        self._connection.execute(
            "delete from alerts where raised_at < ? and alert_id not in (select alert_id from waiting)", (old,)
        )
        self._connection.execute("delete from waiting where alert_id not in (select alert_id from alerts)")
        self._connection.execute("delete from told where told_at < ?", (old,))
        self._connection.execute("delete from messages where sent_at < ?", (instant_text(at - 2 * _HOUR),))


@contextmanager
def opened(home: Path, at: datetime, patience_seconds: float) -> Iterator[State]:
    """Open the state; a broken file is moved aside.

    Args:
        home: the instance's folder.
        at: the present, which names the file that is moved aside.
        patience_seconds: how long to wait for another process that writes.

    Raises:
        sqlite3.Error: it cannot be used now.
        OSError: nor its folder.
    """
    with closing(_connect(state_file(home), at, patience_seconds)) as connection:
        yield State(connection)


@contextmanager
def in_memory() -> Iterator[State]:
    """A state that knows of nothing and is lost, for where the true one cannot be used."""
    with closing(_prepared(sqlite3.connect(":memory:", isolation_level=None))) as connection:
        yield State(connection)


def state_file(home: Path) -> Path:
    """Where the state is kept."""
    return home / "ops" / "alerts.sqlite"


def _connect(path: Path, at: datetime, patience_seconds: float) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _checked(path, patience_seconds)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "") not in _BROKEN:
            raise
        aside = path.with_name(f"{path.name}.broken-{instant_text(at).replace(':', '')}")
        _log.warning("%s is broken (%s): it is moved to %s, and a new one is begun.", path, error, aside.name)
        path.replace(aside)
        for companion in ("-wal", "-shm"):
            path.with_name(path.name + companion).unlink(missing_ok=True)
        return _checked(path, patience_seconds)


def _checked(path: Path, patience_seconds: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=patience_seconds, isolation_level=None)
    try:
        connection.execute("pragma journal_mode = wal").fetchall()
        connection.execute("pragma synchronous = normal")
        problems = [row[0] for row in connection.execute("pragma quick_check")]
        if problems != ["ok"]:
            error = sqlite3.DatabaseError("; ".join(problems[:3]))
            error.sqlite_errorname = "SQLITE_CORRUPT"
            raise error
        return _prepared(connection)
    except sqlite3.Error:
        connection.close()
        raise


def _prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.row_factory = sqlite3.Row
    if connection.execute("pragma user_version").fetchall()[0][0] != _VERSION:
        connection.executescript(_SCHEMA)
    return connection


def _told(row: Any) -> Told:
    # A later version of the project may have written more than this one knows.
    known = {field.name for field in fields(Alert)}
    content = {name: value for name, value in json.loads(row["alert"]).items() if name in known}
    content["examples"] = tuple(content.get("examples", ()))
    raised = Raised(Alert(**content), row["run_id"], parse_instant(row["raised_at"]))
    status: Status = row["status"]
    return Told(raised, status, tuple(json.loads(row["channels"])))
