"""What Bronze lets go of, and when: `plan_retention` says it, `delete_expired` does it.

- Observations (`movies`) two years after their ingestion date, whole partitions only, and only where Silver has read
  every row of them. Silver notes how far it has read in a property of its staging table, as `version@commit time`
  (macros/incremental/new_rows.sql). Where it cannot be told what Silver has read, nothing is deleted.
- Texts in quarantine after the same time, where they were replayed.
- The lists of movies that API batches asked for (`requested_movies`), thirty days after the batch succeeded.
- `batches` is kept: one short row a batch.

Partitions of a batch that was killed and may still go on are kept as well: it finds out how far it came from its
rows.

Each deletion is one Delta commit; killed between two of them, the next run plans what is left.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ingestion.tables import BRONZE, BronzeTables
from lakehouse.clock import instant_text

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lakehouse.lease import Lease

SILVER_READER = "staging.stg_tmdb__observations"
"""The one table downstream that reads `movies`; everything else in Silver reads this table."""

PLAN_DAYS = 30
"""How long it is kept what a batch asked for, once it has succeeded."""

# Commits after which a table holds the same rows as before.
_NO_CHANGE = frozenset(
    {"SET TBLPROPERTIES", "OPTIMIZE", "VACUUM START", "VACUUM END", "CHANGE COLUMN", "CHANGE COLUMNS", "ADD COLUMNS"}
)


class Partition(NamedTuple):
    """The observations that were ingested as of one day."""

    date: date
    rows: int
    bytes_: int


class Expired(NamedTuple):
    """A partition that is old enough to go. `kept_because` says why it stays all the same; empty: it goes."""

    partition: Partition
    kept_because: str


class Commit(NamedTuple):
    """A commit of `movies`.

    `batch_id` is empty where it was not made for a batch. `has_files` is False where it added no file: each movie that
    was asked for was as before.
    """

    version: int
    at: datetime
    operation: str
    batch_id: str
    has_files: bool = True

    @property
    def changes_rows(self) -> bool:
        """Whether the table may hold other rows than before."""
        return self.has_files and self.operation not in _NO_CHANGE


class Reading(NamedTuple):
    """How far Silver has read `movies`: up to commit `version`; None where that cannot be told, and `unknown` why."""

    version: int | None
    unknown: str


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """What is old enough to go.

    Args:
        before: partitions and quarantined texts of earlier days are; UTC.
        plans_before: so are the plans of batches that ended earlier.
        partitions: those of `movies`, oldest first.
        replayed: rows of `quarantine`.
        plans: rows of `requested_movies`.
    """

    before: date
    plans_before: datetime
    partitions: tuple[Expired, ...]
    replayed: int
    plans: int

    @property
    def going(self) -> tuple[Partition, ...]:
        """The partitions that are deleted."""
        return tuple(one.partition for one in self.partitions if not one.kept_because)


class Span(NamedTuple):
    """Partitions that follow each other and share a fate. `first` and `last` are days that have a partition."""

    first: date
    last: date
    days: int
    rows: int
    bytes_: int
    kept_because: str


def oldest_kept(as_of: datetime, retention_days: int) -> date:
    """The first ingestion date that is kept: a partition goes when it is more than `retention_days` days old."""
    return as_of.astimezone(UTC).date() - timedelta(days=retention_days)


def reading_of(remembered: str | None, commits: Iterable[Commit], reader: str = SILVER_READER) -> Reading:
    """How far Silver has read, from what it noted and from the history of `movies`.

    Args:
        remembered: what it noted, `12@2026-01-29T00:00:00.123000`; None: nothing, or it does not exist.
        commits: the commits that the history still has.
        reader: the table that noted it.
    """
    if remembered is None:
        return Reading(None, f"{reader} has not read Bronze yet")
    version, _, instant = remembered.partition("@")
    read = (int(version), datetime.fromisoformat(instant).replace(tzinfo=UTC))
    if read not in {(commit.version, commit.at) for commit in commits}:
        return Reading(None, f"{reader} has read up to commit {remembered}, which the table's history no longer has")
    return Reading(int(version), "")


def is_behind(reading: Reading, commits: Iterable[Commit]) -> bool:
    """Whether Silver will read changes of which a part may stand in old files.

    One that has not read at all, or whose place is lost, reads the whole table, and needs none.
    """
    if reading.version is None:
        return False
    return any(commit.version > reading.version and commit.changes_rows for commit in commits)


def decide(
    partitions: Iterable[Partition],
    reading: Reading,
    unread: Collection[date],
    unfinished: Mapping[date, Sequence[str]],
) -> tuple[Expired, ...]:
    """Which of the partitions that are old enough go, and why the others stay.

    Args:
        partitions: those that are old enough.
        reading: how far Silver has read.
        unread: dates of the partitions with rows that Silver has not read.
        unfinished: date -> the batches with rows there that may still go on.
    """

    def reason(day: date) -> str:
        if reading.version is None:
            return reading.unknown
        if day in unread:
            return "Silver has not read all of it"
        if day in unfinished:
            return f"not finished: {', '.join(sorted(unfinished[day]))}"
        return ""

    oldest_first = sorted(partitions, key=lambda partition: partition.date)
    return tuple(Expired(partition, reason(partition.date)) for partition in oldest_first)


def spans(expired: Sequence[Expired]) -> list[Span]:
    """Put neighbours of the same fate together, for a person: two years are 730 partitions."""
    found = []
    for kept_because, group in groupby(expired, key=lambda one: one.kept_because):
        partitions = [one.partition for one in group]
        found.append(
            Span(
                first=partitions[0].date,
                last=partitions[-1].date,
                days=len(partitions),
                rows=sum(partition.rows for partition in partitions),
                bytes_=sum(partition.bytes_ for partition in partitions),
                kept_because=kept_because,
            )
        )
    return found


class BronzeState(NamedTuple):
    """The history of `movies`, and how far Silver has read it."""

    commits: tuple[Commit, ...]
    reading: Reading


def bronze_state(spark: "SparkSession", tables: BronzeTables = BRONZE, reader: str = SILVER_READER) -> BronzeState:
    """Read the history of `movies`, and what Silver has noted."""
    # Before the history: what Silver reads meanwhile is then a commit that the history has.
    remembered = _remembered(spark, tables, reader)
    history = spark.sql(f"describe history {tables.movies}").selectExpr(
        "version",
        "unix_micros(timestamp) as micros",
        "operation",
        "userMetadata",
        "not (operation = 'WRITE' and operationMetrics['numFiles'] <=> '0') as has_files",
    )
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    commits = tuple(
        Commit(
            row.version,
            epoch + timedelta(microseconds=row.micros),
            row.operation,
            _batch_of(row.userMetadata),
            row.has_files,
        )
        for row in history.collect()
    )
    return BronzeState(commits, reading_of(remembered, commits, reader))


def plan_retention(
    spark: "SparkSession",
    state: BronzeState,
    as_of: datetime,
    retention_days: int,
    tables: BronzeTables = BRONZE,
) -> RetentionPlan:
    """Say what is old enough to go. Reads no payload.

    Args:
        spark: a session in which the Bronze tables exist.
        state: of these tables, just now.
        as_of: the instant from which age is counted.
        retention_days: how long observations are kept, by their ingestion date.
        tables: the tables.
    """
    before = oldest_kept(as_of, retention_days)
    plans_before = as_of - timedelta(days=PLAN_DAYS)
    partitions = _partitions(spark, before, tables)
    unread: set[date] = set()
    unfinished: dict[date, list[str]] = {}
    if partitions:
        unread = _unread(spark, state, before, tables)
        unfinished = _unfinished(spark, state, before, tables)
    return RetentionPlan(
        before,
        plans_before,
        decide(partitions, state.reading, unread, unfinished),
        replayed=spark.read.table(tables.quarantine).where(_is_replayed(before)).count(),
        plans=spark.sql(
            f"select 1 from {tables.requested_movies} left semi join ({_ended(tables, plans_before)}) using (batch_id)"
        ).count(),
    )


def delete_expired(spark: "SparkSession", plan: RetentionPlan, lease: "Lease", tables: BronzeTables = BRONZE) -> None:
    """Delete what a plan says. The plan must have been made under the same lease, so that no row came since.

    The files stay for the week that VACUUM leaves them; until then, earlier versions of the tables can be read.

    Raises:
        LeaseLost: another process has taken the lease.
    """
    if plan.going:
        days = ", ".join(f"date'{partition.date}'" for partition in plan.going)
        with lease.kept():
            # On partition columns only: Delta drops whole files, and reads none.
            spark.sql(f"delete from {tables.movies} where make_date(year, month, day) in ({days})")
    if plan.replayed:
        with lease.kept():
            spark.sql(f"delete from {tables.quarantine} where {_is_replayed(plan.before)}")
    if plan.plans:
        with lease.kept():
            spark.sql(
                f"""
                merge into {tables.requested_movies} as planned
                using ({_ended(tables, plan.plans_before)}) as ended
                on planned.batch_id = ended.batch_id
                when matched then delete
                """
            )


class _Note(msgspec.Struct):
    """The part of what a commit of a batch carries that matters here; see `ingestion.bronze`."""

    batch_id: str


def _batch_of(user_metadata: str | None) -> str:
    try:
        return msgspec.json.decode(user_metadata or "", type=_Note).batch_id
    except msgspec.MsgspecError:
        return ""


def _remembered(spark: "SparkSession", tables: BronzeTables, reader: str) -> str | None:
    if not spark.catalog.tableExists(reader):
        return None
    properties = {row.key: row.value for row in spark.sql(f"show tblproperties {reader}").collect()}
    return properties.get(f"lakehouse.read.{tables.movies}")


def _partitions(spark: "SparkSession", before: date, tables: BronzeTables) -> list[Partition]:
    rows = spark.sql(
        f"""
        with
            observations as (
                select
                    make_date(year, month, day) as ingestion_date,
                    _metadata.file_path as file,
                    _metadata.file_size as size
                from {tables.movies}
                where {_is_before(before)}
            ),
            files as (select ingestion_date, size, count(*) as n from observations group by ingestion_date, file, size)
        select ingestion_date, sum(n) as n, sum(size) as size from files group by ingestion_date
        """
    )
    return [Partition(row.ingestion_date, row.n, row.size) for row in rows.collect()]


def _unread(spark: "SparkSession", state: BronzeState, before: date, tables: BronzeTables) -> set[date]:
    """The old days of which rows were landed by a commit that Silver has not read."""
    last = max(commit.version for commit in state.commits)
    if state.reading.version is None or state.reading.version >= last:
        return set()
    rows = spark.sql(
        f"""
        select distinct make_date(year, month, day) as ingestion_date
        from table_changes('{tables.movies}', {state.reading.version + 1}, {last})
        where _change_type in ('insert', 'update_postimage') and {_is_before(before)}
        """
    )
    return {row.ingestion_date for row in rows.collect()}


def _unfinished(spark: "SparkSession", state: BronzeState, before: date, tables: BronzeTables) -> dict[date, list[str]]:
    """The old days with rows of batches that have not succeeded, and that the history still lets go on."""
    from pyspark.sql.functions import col

    noted = {commit.batch_id for commit in state.commits if commit.batch_id}
    succeeded = (
        spark.read.table(tables.batches)
        .where((col("status") == "succeeded") & col("batch_id").isin(sorted(noted)))
        .select("batch_id")
    )
    unfinished = noted - {row.batch_id for row in succeeded.collect()}
    if not unfinished:
        return {}
    rows = (
        spark.read.table(tables.movies)
        .where(_is_before(before))
        .where(col("batch_id").isin(sorted(unfinished)))
        .selectExpr("make_date(year, month, day) as ingestion_date", "batch_id")
        .distinct()
        .collect()
    )
    found: dict[date, list[str]] = {}
    for row in rows:
        found.setdefault(row.ingestion_date, []).append(row.batch_id)
    return found


def _is_before(day: date) -> str:
    return f"make_date(year, month, day) < date'{day}'"


def _is_replayed(before: date) -> str:
    midnight = instant_text(datetime.combine(before, time(), UTC))
    return f"replayed_at is not null and ingested_at < timestamp'{midnight}'"


def _ended(tables: BronzeTables, before: datetime) -> str:
    """The batches that succeeded, and ended before an instant."""
    return (
        f"select distinct batch_id from {tables.batches} "
        f"where status = 'succeeded' and finished_at < timestamp'{instant_text(before)}'"
    )
