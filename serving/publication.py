"""Which version of Gold readers see: published all at once, kept, rolled back to (ADR 0009).

dbt builds the marts in `gold_build`. A reader's `gold.<mart>` is a view over one version of its table there, the one
that `ops.published` names: a view of literals, one row a mart. To publish is to replace that view, in one call to the
metastore.

`ops.publications` is the record of what was published. It is written before the move, so a record that is younger than
what readers see is of a publication that was killed in between: the next one completes it where it is its own, and
removes it where it is not.
"""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lakehouse.locks import exclusive
from lakehouse.ops.schema import PUBLICATIONS
from lakehouse.settings import Settings
from serving import views
from serving.errors import PublicationError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BUILD, READERS, PUBLISHED = "gold_build", "gold", "ops.published"
_AT_ONCE = 4
_RUN_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


@dataclass(frozen=True)
class Publication:
    """A version of Gold that readers see or have seen.

    Args:
        publication_id: the run that published it; the rollback.
        action: publish, or rollback.
        content_of: the publication whose content readers see: its own, or the one rolled back to.
        as_of: the instant that Gold was computed for.
        published_at: when; later than that of every publication before it.
        marts: mart -> the instant of its commit in `gold_build`.
        is_current: whether readers see it.
        put_aside: tables of an older version of this program that stood where readers' views belong, under their new
            names.
    """

    publication_id: str
    action: str
    content_of: str
    as_of: datetime | None
    published_at: datetime
    marts: Mapping[str, datetime]
    is_current: bool = False
    put_aside: tuple[str, ...] = ()

    def row(self) -> dict[str, Any]:
        """Give it as a row of `ops.publications`."""
        return {
            "publication_id": self.publication_id,
            "action": self.action,
            "content_of": self.content_of,
            "as_of": self.as_of,
            "published_at": self.published_at,
            "marts": dict(self.marts),
        }


def newest(spark: "SparkSession") -> dict[str, datetime]:
    """The instant of the last commit of every mart in `gold_build`; none before the first build."""
    if not spark.catalog.databaseExists(BUILD):
        return {}
    names = sorted(row.tableName for row in spark.sql(f"show tables in {BUILD}").collect() if not row.isTemporary)

    def last_commit(name: str) -> datetime:
        history = spark.sql(f"describe history {BUILD}.`{name}` limit 1")
        (row,) = history.selectExpr("unix_millis(timestamp) as instant").collect()
        return _instant(row.instant)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(names, pool.map(last_commit, names), strict=True))


def publish_gold(
    spark: "SparkSession",
    settings: Settings,
    run_id: str,
    as_of: datetime | None,
    at: datetime,
    audited: Mapping[str, datetime] | None = None,
) -> Publication:
    """Let readers see every mart as it now is in `gold_build`, all at once.

    Run again with the same `run_id` and the same marts, it completes what was begun, and changes nothing else. With
    other marts it is a further publication, `<run_id>-2`.

    Args:
        spark: a session that sees the `gold_build` tables.
        settings: names the instance, of which one process at a time publishes.
        run_id: names the publication; letters, digits, `_`, `.`, `:` and `-`.
        as_of: the instant that Gold was computed for.
        at: now.
        audited: what `newest` gave before the audit; what has changed since is not published.

    Raises:
        PublicationError: there is no mart, a mart has changed since the audit, or the run id cannot be used.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise PublicationError(f"The run id {run_id!r} cannot name a publication.", "Use letters, digits, _ . : and -.")
    with _only_publisher(settings):
        marts = newest(spark)
        _require_publishable(marts, audited)
        current, unfinished, known = _settled(spark)
        name = _free(run_id, known)
        fresh = Publication(name, "publish", name, as_of, _after(known, at), marts)
        again = re.compile(rf"{re.escape(run_id)}(-\d+)?")
        begun = [
            one
            for one in (current, unfinished)
            if one and one.action == "publish" and one.marts == marts and again.fullmatch(one.publication_id)
        ]
        # Just now these versions are the newest ones, which are cheaper to look at.
        versions = {mart: f"{BUILD}.`{mart}`" for mart in marts}
        return _shown(spark, begun[0] if begun else fresh, current, unfinished, known, versions)


def roll_back(spark: "SparkSession", settings: Settings, to: str | None, at: datetime) -> Publication:
    """Give readers back an earlier version of all marts: that of the publication `to`.

    Without `to` it is the last one before what readers see now that differs from it. Nothing is built or deleted, and
    the next publication moves readers on.

    Raises:
        PublicationError: there is no such publication, or it is no longer kept.
    """
    with _only_publisher(settings):
        current, unfinished, known = _settled(spark)
        if current is None:
            raise PublicationError("Nothing is published yet.", "Run `lakehouse publish`.")
        # What was never shown is no version that readers can be given back, and pushes none out of those that are kept.
        shown = [one for one in known if one != unfinished]
        target = _target(current, shown, to, settings.publication.kept)
        versions = {mart: views.pinned(BUILD, mart, instant) for mart, instant in target.marts.items()}
        _require_readable(spark, target, versions)
        if unfinished and unfinished.action == "rollback" and unfinished.content_of == target.content_of:
            return _shown(spark, unfinished, current, unfinished, known, versions)
        name = _free(f"rollback-{at:%Y%m%dT%H%M%SZ}", known)
        back = Publication(name, "rollback", target.content_of, target.as_of, _after(known, at), target.marts)
        return _shown(spark, back, current, unfinished, known, versions)


def publications(spark: "SparkSession") -> list[Publication]:
    """What readers see and have seen, newest first."""
    current, unfinished, known = _settled(spark)
    return [one for one in known if current is not None and one != unfinished]


def current_publication(spark: "SparkSession") -> Publication | None:
    """What readers see; None before the first publication."""
    return _settled(spark)[0]


def kept(known: Sequence[Publication], number: int) -> list[Publication]:
    """Those of `known` (newest first) that a rollback can go to: the last `number` that differ in their marts.

    The operation `maintain` (dbt_project/macros/maintenance.sql) keeps the files of these at least.
    """
    contents: list[Mapping[str, datetime]] = []
    for one in known:
        if one.marts not in contents:
            contents.append(one.marts)
    return [one for one in known if one.marts in contents[:number]]


def _only_publisher(settings: Settings) -> AbstractContextManager[None]:
    return exclusive(settings.home / "run" / "publication.lock")


def _settled(spark: "SparkSession") -> tuple[Publication | None, Publication | None, list[Publication]]:
    """What readers see; what was recorded after it and never shown; and all that is recorded, newest first."""
    known = _recorded(spark)
    shown = _seen(spark)
    if shown is None:
        return None, known[0] if known else None, known
    publication_id, marts = shown
    for place, one in enumerate(known):
        if one.publication_id == publication_id:
            known[place] = replace(one, is_current=True)
            return known[place], known[0] if place else None, known
    # The record is gone, and readers are still served.
    lost = Publication(publication_id, "publish", publication_id, None, datetime.fromtimestamp(0, UTC), marts, True)
    return lost, None, [*known, lost]


def _recorded(spark: "SparkSession") -> list[Publication]:
    if not spark.catalog.tableExists(PUBLICATIONS.full_name):
        return []
    rows = spark.sql(
        "select publication_id, action, content_of, unix_millis(as_of) as as_of, "
        "unix_millis(published_at) as published_at, "
        "transform_values(marts, (mart, instant) -> unix_millis(instant)) as marts "
        f"from {PUBLICATIONS.full_name} order by published_at desc"
    ).collect()
    return [
        Publication(
            row.publication_id,
            row.action,
            row.content_of,
            None if row.as_of is None else _instant(row.as_of),
            _instant(row.published_at),
            {mart: _instant(instant) for mart, instant in row.marts.items()},
        )
        for row in rows
    ]


def _seen(spark: "SparkSession") -> tuple[str, dict[str, datetime]] | None:
    if not spark.catalog.tableExists(PUBLISHED):
        return None
    rows = spark.sql(f"select mart, unix_millis(instant) as instant, publication_id from {PUBLISHED}").collect()
    return rows[0].publication_id, {row.mart: _instant(row.instant) for row in rows}


def _shown(
    spark: "SparkSession",
    wanted: Publication,
    current: Publication | None,
    unfinished: Publication | None,
    known: Sequence[Publication],
    versions: Mapping[str, str],
) -> Publication:
    """Record it, move readers to it, and see to their views; what is done already is left out."""
    if unfinished is not None and unfinished != wanted:
        spark.sql(f"delete from {PUBLICATIONS.full_name} where publication_id = '{unfinished.publication_id}'")
    if current != wanted:
        if unfinished != wanted:
            _record(spark, wanted)
        _move(spark, wanted)
    ever = {mart for one in known for mart in one.marts}
    put_aside = views.see_to(spark, versions, ever, PUBLISHED, BUILD, READERS)
    return replace(wanted, is_current=True, put_aside=put_aside)


def _record(spark: "SparkSession", wanted: Publication) -> None:
    marts = ", ".join(f"'{mart}', {views.literal(instant)}" for mart, instant in wanted.marts.items())
    as_of = "cast(null as timestamp)" if wanted.as_of is None else views.literal(wanted.as_of)
    spark.sql(
        f"insert into {PUBLICATIONS.full_name} (publication_id, action, content_of, as_of, published_at, marts) select "
        f"'{wanted.publication_id}', '{wanted.action}', '{wanted.content_of}', {as_of}, "
        f"{views.literal(wanted.published_at)}, map({marts})"
    )


def _move(spark: "SparkSession", wanted: Publication) -> None:
    """The one call to the metastore after which readers see other versions, of all marts."""
    rows = ", ".join(
        f"('{mart}', {views.literal(instant)}, '{wanted.publication_id}')" for mart, instant in wanted.marts.items()
    )
    # `create or replace view` would drop the view first.
    verb = "alter view" if spark.catalog.tableExists(PUBLISHED) else "create view"
    spark.sql(f"{verb} {PUBLISHED} as select * from values {rows} as published (mart, instant, publication_id)")


def _require_publishable(marts: Mapping[str, datetime], audited: Mapping[str, datetime] | None) -> None:
    if not marts:
        raise PublicationError(f"There is no mart in {BUILD} to publish.", "Run `lakehouse build` first.")
    if audited is None or audited == marts:
        return
    changed = sorted(mart for mart in {*marts, *audited} if marts.get(mart) != audited.get(mart))
    raise PublicationError(
        f"{BUILD}.{f', {BUILD}.'.join(changed)} changed while Gold was audited; nothing was published.",
        "Run `lakehouse publish`, which audits it again, when nothing else builds Gold.",
    )


def _target(current: Publication, known: Sequence[Publication], to: str | None, number: int) -> Publication:
    reachable = kept(known, number)
    if to is not None:
        found = next((one for one in known if one.publication_id == to), None)
        if found is None or found not in reachable:
            why = "is not there" if found is None else f"is no longer kept (publication.kept is {number})"
            raise PublicationError(
                f"The publication {to} {why}.", "`lakehouse publications` lists those that are kept."
            )
        return found
    # After a rollback, what is "before" is before what readers see, not before the rollback.
    seen = next((one for one in known if one.publication_id == current.content_of), current)
    for one in reachable:
        if one.action == "publish" and one.published_at < seen.published_at and one.marts != seen.marts:
            return one
    raise PublicationError(
        f"There is no publication before {current.content_of} that is kept and differs from it.",
        "`lakehouse publications` lists those that are kept.",
    )


def _require_readable(spark: "SparkSession", target: Publication, versions: Mapping[str, str]) -> None:
    """Refuse a version that Delta no longer knows, before any reader is moved to it."""
    from pyspark.errors import PySparkException

    def look(mart: str) -> None:
        try:
            spark.sql(f"select * from {versions[mart]}").schema  # noqa: B018
        except PySparkException as error:
            raise PublicationError(
                f"{BUILD}.{mart} is not there as {target.publication_id} published it; readers stay where they are.",
                "`lakehouse publications` lists the others that are kept.",
            ) from error

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(look, versions))


def _free(name: str, known: Sequence[Publication]) -> str:
    """`name`, or `name-2` and so on where it is taken."""
    taken = {one.publication_id for one in known}
    number = 1
    while (found := name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return found


def _after(known: Sequence[Publication], at: datetime) -> datetime:
    """`at`, or where clocks went back or stand still, just after the last publication: their order is their time's."""
    return max([at, *(one.published_at + timedelta(milliseconds=1) for one in known)])


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
