"""The SQL that counts: everything of a table's rows in one pass, and what needs a sort or a join in one more query.

Nothing here runs SQL or knows a bound; it gives text, which tests read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from expectations.naming import Where, relocated
from expectations.suites import (
    DriftRule,
    NeverFallsRule,
    QueryRule,
    ReferenceRule,
    RowRule,
    Rule,
    Suite,
    TimelinessRule,
    UniqueRule,
    VolumeRule,
)

# Exact up to this many bins; a distribution with more is none that a person looks at.
_BINS = 500


@dataclass(frozen=True)
class Instants:
    """The instants that SQL may name.

    Args:
        measured_at: when the gate measures.
        as_of: the instant that it looks back from.
        measured_before: since when arrivals are looked at: when Silver was built before.
    """

    measured_at: datetime
    as_of: datetime
    measured_before: datetime | None = None

    def written_into(self, sql: str) -> str:
        """Give the SQL with `:measured_at`, `:as_of` and `:measured_before` as literals."""
        for name in ("measured_at", "as_of", "measured_before"):
            sql = sql.replace(f":{name}", _literal(getattr(self, name)))
        return sql


def _literal(instant: datetime | None) -> str:
    if instant is None:
        return "cast(null as timestamp)"
    return f"timestamp '{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"


def passed_in_one(suite: Suite, where: Where, instants: Instants) -> str:
    """The one aggregated pass over a table.

    Gives one row: `counted` (rows), and by the place of a rule in the suite `about_N` and `holds_N` (rows), `hours_N`,
    and `bins_N`, an array of (item, count).
    """
    flags: list[str] = []
    counts = ["count(*) as counted"]
    for place, rule in enumerate(suite.rules):
        match rule:
            case RowRule():
                flags.append(f"{_when(rule.where, f'coalesce(({rule.holds}), false)')} as flag_{place}")
                counts += [f"count(flag_{place}) as about_{place}", f"count_if(flag_{place}) as holds_{place}"]
            case ReferenceRule() | QueryRule() if rule.where:
                counts.append(f"count_if({rule.where}) as about_{place}")
            case TimelinessRule():
                counts.append(f"cast(({rule.hours}) as double) as hours_{place}")
            case DriftRule():
                flags.append(f"{_when(rule.where, _bin(rule))} as bin_{place}")
                counts.append(f"approx_top_k(bin_{place}, {_BINS}, {2 * _BINS}) as bins_{place}")
            case _:
                pass
    flagged = ", ".join(["*", *flags])
    return _placed(f"select {', '.join(counts)} from (select {flagged} from {suite.table}) as flagged", where, instants)


def _placed(sql: str, where: Where, instants: Instants) -> str:
    return relocated(instants.written_into(sql), where)


def _when(where: str, value: str) -> str:
    return f"case when {where} then {value} end" if where else value


def _bin(rule: DriftRule) -> str:
    return f"coalesce(cast(({rule.bins}) as string), 'unknown')"


def broken_together(suite: Suite, where: Where, instants: Instants) -> str:
    """What no pass over single rows can count, in one query; empty where the suite has no such rule.

    Gives a row a rule: its place in the suite, how many rows break it, and how many it is about (NULL: see the pass).
    Of a key that several rows share, all of them break the rule, as they do in `breaking`.
    """
    parts = []
    for place, rule in enumerate(suite.rules):
        match rule:
            case UniqueRule():
                counts = "coalesce(sum(broken.rows), 0), cast(null as bigint)"
                parts.append(f"select {place}, {counts} from ({_breaking(suite, rule)}) as broken")
            case ReferenceRule() | QueryRule():
                parts.append(
                    f"select {place}, count(*), cast(null as bigint) from ({_breaking(suite, rule)}) as broken"
                )
            case NeverFallsRule():
                counts = "count_if(value_now < value_before), count(value_before)"
                parts.append(f"select {place}, {counts} from ({_series(suite, rule)})")
            case _:
                pass
    return _placed(" union all ".join(parts), where, instants)


def breaking(suite: Suite, rule: Rule, where: Where, instants: Instants) -> str:
    """A SELECT of the rows that break a rule; of a measure of the whole table, what it is made of."""
    return _placed(_breaking(suite, rule), where, instants)


def _breaking(suite: Suite, rule: Rule) -> str:
    shown = ", ".join(shown_columns(suite, rule))
    match rule:
        case RowRule():
            return f"select {shown} from {suite.table} where {_and(rule.where)}not coalesce(({rule.holds}), false)"
        case NeverFallsRule():
            return (
                f"select {shown}, value_before, value_now from ({_series(suite, rule)}) where value_now < value_before"
            )
        case QueryRule():
            return f"select {shown} from ({rule.broken_by}) as found"
        case UniqueRule():
            keys = ", ".join(rule.unique)
            unknown = " or ".join(f"{key} is null" for key in rule.unique)
            return (
                f"select {keys}, count(*) as rows from {suite.table} group by {keys} having count(*) > 1 or {unknown}"
            )
        case ReferenceRule():
            of = f"left anti join {rule.of} as known on referring.{_REFERRING} = known.{rule.of_column}"
            about = f" where {rule.where}" if rule.where else ""
            referring = f"select *, {rule.column} as {_REFERRING} from {suite.table}{about}"
            return f"select {shown} from ({referring}) as referring {of}"
        case VolumeRule():
            return f"select count(*) as rows from {suite.table}"
        case TimelinessRule():
            # a query in brackets gives its one value with each row
            return f"select distinct {rule.hours} as hours from {suite.table}"
        case DriftRule():
            about = f" where {rule.where}" if rule.where else ""
            return f"select {_bin(rule)} as bin, count(*) as rows from {suite.table}{about} group by 1 order by 2 desc"


_REFERRING = "referring_value"


def _and(where: str) -> str:
    return f"({where}) and " if where else ""


def _series(suite: Suite, rule: NeverFallsRule) -> str:
    about = f" where {_and(rule.where)}({rule.never_falls}) is not null"
    window = f"over (partition by {', '.join(rule.by)} order by {', '.join(rule.over)})"
    return (
        f"select *, {rule.never_falls} as value_now, lag({rule.never_falls}) {window} as value_before "
        f"from {suite.table}{about}"
    )


def key_of(suite: Suite, rule: Rule) -> tuple[str, ...]:
    """The columns that a broken row is called by."""
    return rule.unique if isinstance(rule, UniqueRule) else suite.key


def shown_columns(suite: Suite, rule: Rule) -> tuple[str, ...]:
    """The columns of a broken row that are kept, the key first."""
    more: Sequence[str] = ()
    match rule:
        case NeverFallsRule():
            more = (*rule.by, *rule.over)
        case ReferenceRule() if rule.column.isidentifier():
            more = (rule.column,)
        case _:
            pass
    return tuple(dict.fromkeys((*key_of(suite, rule), *more, *rule.columns)))


def failing_rows(suite: Suite, rules: Sequence[Rule], where: Where, instants: Instants, limit: int) -> str:
    """A query that gives, for each of the rules, up to `limit` rows that break it: rule, row_key, row_values (JSON)."""
    return _placed(" union all ".join(_failing(suite, rule, limit) for rule in rules), where, instants)


def _failing(suite: Suite, rule: Rule, limit: int) -> str:
    key = ", ".join(f"coalesce(cast({column} as string), 'NULL')" for column in key_of(suite, rule))
    return (
        f"(select '{rule.name}' as rule, concat_ws('|', {key}) as row_key, "
        f"to_json(struct(*), map('ignoreNullFields', 'false')) as row_values "
        f"from ({_breaking(suite, rule)}) as broken order by row_key, row_values limit {limit})"
    )


def tables_of(suite: Suite) -> Iterator[str]:
    """The table, and each that its suite names as feeding it or referred to."""
    yield suite.table
    if suite.fed_by:
        yield suite.fed_by
    yield from (rule.of for rule in suite.rules if isinstance(rule, ReferenceRule))
