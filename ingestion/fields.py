"""`bronze.fields`: which fields the payloads of a batch carry, how often, and of which JSON types.

An inventory is a function of the batch's rows in `bronze.movies`, so it can be taken again at any time and
gives the same. Spark parses the payloads; the driver sees one line a path and type.

Paths are written as `budget`, `credits.cast` (a field of an object) and `genres[].id` (a field of a list's
elements). Top-level fields are all counted; below them, those of the objects that somebody asks for.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from ingestion.tables import BRONZE, FIELDS_SCHEMA, BronzeTables

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SAMPLED_RECORDS = 2_000
"""Records of an endpoint that are looked into, those whose `payload_sha256` come first."""

LIST_ELEMENTS = 20
"""Elements of one list that are looked into, its first."""

# Garbage may have any number of keys; an inventory has an end.
_MOST_LINES = 4_000

ELEMENT = "[]"


@dataclass(frozen=True, slots=True)
class Field:
    """One path in the payloads of a batch's endpoint.

    Args:
        path: e.g. `credits.cast[].gender`.
        present: objects that carry it, null or not; for a path that ends in `[]`: elements.
        nulls: how many of these are null.
        empties: how many of these are `""` or `[]`.
        types: JSON type (text, number, boolean, object, list) -> how often. A whole number is no type of its
            own, since TMDB writes 7.0 as 7.
        sampled_records: records that were looked into.
        ingested_at: as-of time of the batch.
    """

    batch_id: str
    source: str
    endpoint: str
    path: str
    present: int
    nulls: int
    empties: int
    types: Mapping[str, int]
    sampled_records: int
    ingested_at: datetime

    @property
    def values(self) -> int:
        """How often it is there and not null."""
        return self.present - self.nulls


def parent_of(path: str) -> str:
    """The path of what holds a field: `credits.cast[]` for `credits.cast[].gender`, empty for the record itself."""
    if path.endswith(ELEMENT):
        return path.removesuffix(ELEMENT)
    return path.rpartition(".")[0]


def containers_of(paths: Iterable[str]) -> dict[str, str]:
    """What holds the given fields: path -> `object` or `list`, each after what holds it."""
    found: dict[str, str] = {}
    for path in paths:
        child, parent = path, parent_of(path)
        while parent:
            found[parent] = "list" if child.endswith(ELEMENT) else "object"
            child, parent = parent, parent_of(parent)
    return dict(sorted(found.items()))


class Recorded(NamedTuple):
    """What the table says of a batch (empty where it says nothing), and of the batches before it."""

    own: list[Field]
    is_accepted: bool
    before: list[Field]


def take_inventory(
    spark: "SparkSession", batch_id: str, inner: Iterable[str], tables: BronzeTables = BRONZE
) -> list[Field]:
    """Count the fields of what a batch landed, by endpoint and path; nothing where it landed nothing.

    Cost: the batch's files are read twice, first the hashes alone; then at most `SAMPLED_RECORDS` payloads an
    endpoint are parsed.

    Args:
        spark: a session in which the Bronze tables exist.
        batch_id: the batch.
        inner: paths below the top level; all fields of the objects that hold them are counted.
        tables: where it landed.
    """
    containers = {path for path, kind in containers_of(inner).items() if kind == "object"}
    # A list whose elements are no objects is looked into all the same: its elements have a type.
    looked_into = ["", *sorted(containers | {path for path in inner if path.endswith(ELEMENT)})]
    nodes = ", ".join(f"transform({_values_at(path)}, node -> struct('{path}' as path, node))" for path in looked_into)
    lines = spark.sql(
        f"""
        with ranked as (
            select endpoint, source, ingested_at, payload_sha256,
                row_number() over (partition by endpoint order by payload_sha256) as position
            from {tables.movies}
            where batch_id = :batch_id
        ),
        last_sampled as (
            select endpoint, any_value(source) as source, any_value(ingested_at) as ingested_at,
                max(payload_sha256) as payload_sha256
            from ranked
            where position <= {SAMPLED_RECORDS}
            group by endpoint
        ),
        records as (
            select /*+ broadcast(last_sampled) */ movies.endpoint, last_sampled.source, last_sampled.ingested_at,
                try_parse_json(movies.payload) as record
            from {tables.movies} as movies
            inner join last_sampled
                on movies.endpoint = last_sampled.endpoint
                and movies.payload_sha256 <= last_sampled.payload_sha256
            where movies.batch_id = :batch_id
        ),
        nodes as (
            select endpoint, source, ingested_at, inline(flatten(array({nodes}))) as (path, node)
            from records
            where record is not null
        ),
        {_FIELDS_OF_NODES}
        select endpoint, source, ingested_at, path, type, is_empty, count(*) as n
        from fields
        group by all
        order by n desc, endpoint, path, type
        limit {_MOST_LINES}
        """,
        {"batch_id": batch_id},
    ).toArrow()
    return fold(batch_id, lines.to_pylist())


# The element itself is counted beside its fields: a list of objects may become one of numbers.
_FIELDS_OF_NODES = f"""
        entries as (
            select endpoint, source, ingested_at, path as parent,
                inline(
                    concat(
                        if(
                            path = '' or endswith(path, '{ELEMENT}'),
                            array(struct(cast(null as string) as key, node as value)),
                            array()
                        ),
                        coalesce(map_entries(try_variant_get(node, '$', 'map<string, variant>')), array())
                    )
                ) as (key, value)
            from nodes
        ),
        described as (
            select endpoint, source, ingested_at,
                case when key is null then parent when parent = '' then key else concat(parent, '.', key) end as path,
                schema_of_variant(value) as type,
                value
            from entries
        ),
        fields as (
            select endpoint, source, ingested_at, path,
                case
                    when type = 'VOID' then 'null'
                    when type = 'STRING' then 'text'
                    when type = 'BOOLEAN' then 'boolean'
                    when startswith(type, 'OBJECT<') then 'object'
                    when startswith(type, 'ARRAY<') then 'list'
                    else 'number'
                end as type,
                case
                    when type = 'STRING' then try_variant_get(value, '$', 'string') = ''
                    when startswith(type, 'ARRAY<') then try_variant_get(value, '$[0]', 'variant') is null
                    else false
                end as is_empty
            from described
        )"""


def _values_at(path: str) -> str:
    """SQL for an array of what stands at a path of `record`."""
    if not path:
        return "array(record)"
    above = _values_at(parent_of(path))
    if path.endswith(ELEMENT):
        elements = f"slice(try_variant_get(above, '$', 'array<variant>'), 1, {LIST_ELEMENTS})"
        return f"flatten(filter(transform({above}, above -> {elements}), list -> list is not null))"
    key = path.rpartition(".")[2]
    found = f"transform({above}, above -> try_variant_get(above, '$.{key}', 'variant'))"
    return f"filter({found}, found -> found is not null)"


def fold(batch_id: str, lines: Iterable[Mapping[str, Any]]) -> list[Field]:
    """Make the inventory of lines (endpoint, source, ingested_at, path, type, is_empty, n)."""
    by_path: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for line in lines:
        by_path.setdefault((line["endpoint"], line["path"]), []).append(line)
    counts = {name: sum(line["n"] for line in group) for name, group in by_path.items()}
    fields = []
    for (endpoint, path), group in sorted(by_path.items()):
        types: Counter[str] = Counter()
        for line in group:
            types[line["type"]] += line["n"]
        nulls = types.pop("null", 0)
        fields.append(
            Field(
                batch_id=batch_id,
                source=group[0]["source"],
                endpoint=endpoint,
                path=path,
                present=counts[endpoint, path],
                nulls=nulls,
                empties=sum(line["n"] for line in group if line["is_empty"]),
                types=dict(sorted(types.items())),
                sampled_records=counts[endpoint, ""],
                ingested_at=group[0]["ingested_at"],
            )
        )
    # The record itself stands among the lines so that it is counted; it is no field.
    return [field for field in fields if field.path]


def read_recorded(
    spark: "SparkSession", fields: Sequence[Field], least_records: int, tables: BronzeTables = BRONZE
) -> Recorded:
    """Look up what a batch and the batches before it were recorded as, in one scan of a small table.

    Args:
        spark: the session.
        fields: the inventory of the batch, not empty.
        least_records: of the batches before, the last that looked into so many records is taken; where there is
            none, the last of any size.
        tables: where the inventories are.
    """
    rows = spark.sql(
        f"""
        select * except (place)
        from (
            select *, rank() over (
                partition by endpoint, batch_id = :batch_id
                order by sampled_records >= :least_records desc, ingested_at desc, batch_id desc
            ) as place
            from {tables.fields}
            where source = :source
                and (batch_id = :batch_id or (is_accepted and ingested_at <= :ingested_at))
        )
        where place = 1
        order by endpoint, path
        """,
        {
            "batch_id": fields[0].batch_id,
            "source": fields[0].source,
            "ingested_at": fields[0].ingested_at,
            "least_records": least_records,
        },
    )
    own, before, is_accepted = [], [], False
    for row in rows.toArrow().to_pylist():
        accepted = row.pop("is_accepted")
        recorded = Field(**{**row, "types": dict(row["types"])})
        if recorded.batch_id == fields[0].batch_id:
            own.append(recorded)
            is_accepted = accepted
        else:
            before.append(recorded)
    return Recorded(own, is_accepted, before)


def write_inventory(
    spark: "SparkSession", fields: Sequence[Field], is_accepted: bool, tables: BronzeTables = BRONZE
) -> None:
    """Record the inventory of a batch in one commit, in the place of one that was recorded before.

    Args:
        spark: the session.
        fields: the inventory, not empty.
        is_accepted: whether later batches are compared with this one.
        tables: where to.
    """
    from pyspark.sql.functions import col

    rows = [{**asdict(field), "is_accepted": is_accepted} for field in fields]
    table = pa.Table.from_pylist([{**row, "types": list(row["types"].items())} for row in rows], FIELDS_SCHEMA)
    frame = spark.createDataFrame(table).coalesce(1)
    frame.writeTo(tables.fields).overwrite(col("batch_id") == fields[0].batch_id)
