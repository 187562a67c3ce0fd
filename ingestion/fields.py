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

LIST_ELEMENTS = 10
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
    from pyspark.sql.functions import col

    containers = {path for path, kind in containers_of(inner).items() if kind == "object"}
    # A list whose elements are no objects is looked into all the same: its elements have a type.
    looked_into = ["", *sorted(containers | {path for path in inner if path.endswith(ELEMENT)})]
    nodes = ", ".join(f"transform({_values_at(path)}, node -> struct('{path}' as path, node))" for path in looked_into)
    landed = spark.read.table(tables.movies).where(col("batch_id") == batch_id)
    lines = spark.sql(
        f"""
        with ranked as (
            select endpoint, source, ingested_at, payload_sha256,
                row_number() over (partition by endpoint order by payload_sha256) as position
            from {{landed}}
        ),
        last_sampled as (
            select endpoint, any_value(source) as source, any_value(ingested_at) as ingested_at,
                max(payload_sha256) as payload_sha256
            from ranked
            where position <= {SAMPLED_RECORDS}
            group by endpoint
        ),
        sampled as (
            -- a chunk is one file, and a file one task: the parsing is spread over the cores
            select /*+ broadcast(last_sampled), repartition({spark.sparkContext.defaultParallelism}) */
                landed.endpoint, last_sampled.source, last_sampled.ingested_at, landed.payload
            from {{landed}} as landed
            inner join last_sampled
                on landed.endpoint = last_sampled.endpoint
                and landed.payload_sha256 <= last_sampled.payload_sha256
        ),
        records as (
            select endpoint, source, ingested_at, try_parse_json(payload) as record
            from sampled
        ),
        nodes as (
            select endpoint, source, ingested_at, inline(flatten(array({nodes}))) as (path, node)
            from records
            where record is not null
        ),
        -- a node without fields has one row all the same, and its `position` is null
        entries as (
            select endpoint, source, ingested_at, path, pos as position, key, value,
                case when pos is not null then schema_of_variant(value) end as value_schema,
                case
                    when pos is null then schema_of_variant(node)
                    when pos = 0 then if(key is null, 'ARRAY<', 'OBJECT<')
                end as node_schema
            from nodes, lateral variant_explode_outer(node)
        ),
        described as (
            select endpoint, source, ingested_at, path, key,
                substring_index(substring_index(node_schema, '<', 1), '(', 1) as node_type,
                substring_index(substring_index(value_schema, '<', 1), '(', 1) as value_type,
                case
                    when value_schema = 'STRING' then try_variant_get(value, '$', 'string') = ''
                    when startswith(value_schema, 'ARRAY<') then try_variant_get(value, '$[0]', 'variant') is null
                    else false
                end as is_empty
            from entries
        )
        select endpoint, source, ingested_at, path, key, node_type, value_type, is_empty, count(*) as n
        from described
        group by all
        order by n desc, endpoint, path, key, node_type, value_type, is_empty
        limit {_MOST_LINES}
        """,
        landed=landed,
    ).toArrow()
    return fold(batch_id, lines.to_pylist())


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


_JSON_TYPES = {"VOID": "null", "STRING": "text", "BOOLEAN": "boolean", "OBJECT": "object", "ARRAY": "list"}


def fold(batch_id: str, lines: Iterable[Mapping[str, Any]]) -> list[Field]:
    """Make the inventory of counted entries of nodes.

    A node is a record, or something within it that is looked into. A line says how often (`n`) an entry `key` of
    nodes at `path` has a value of a Spark type, `value_type`. Where `node_type` is not null, as many nodes of that type
    stand there.
    """
    types: dict[tuple[str, str], Counter[str]] = {}
    empties: Counter[tuple[str, str]] = Counter()
    about: dict[str, tuple[str, datetime]] = {}
    for line in lines:
        endpoint, path, key = line["endpoint"], line["path"], line["key"]
        about[endpoint] = (line["source"], line["ingested_at"])
        # Other nodes are counted as the value of a field. An element is not, and may be anything: a list of
        # objects may become one of numbers.
        if line["node_type"] and (not path or path.endswith(ELEMENT)):
            types.setdefault((endpoint, path), Counter())[_JSON_TYPES.get(line["node_type"], "number")] += line["n"]
        if key is not None:
            name = (endpoint, f"{path}.{key}" if path else key)
            types.setdefault(name, Counter())[_JSON_TYPES.get(line["value_type"], "number")] += line["n"]
            empties[name] += line["n"] if line["is_empty"] else 0
    records = {endpoint: kinds.total() for (endpoint, path), kinds in types.items() if not path}
    return [
        Field(
            batch_id=batch_id,
            source=about[endpoint][0],
            endpoint=endpoint,
            path=path,
            present=kinds.total(),
            nulls=kinds["null"],
            empties=empties[endpoint, path],
            types={kind: n for kind, n in sorted(kinds.items()) if kind != "null"},
            sampled_records=records.get(endpoint, 0),
            ingested_at=about[endpoint][1],
        )
        for (endpoint, path), kinds in sorted(types.items())
        if path
    ]


def read_recorded(
    spark: "SparkSession",
    batch_id: str,
    source: str,
    ingested_at: datetime,
    least_records: int,
    tables: BronzeTables = BRONZE,
) -> Recorded:
    """Look up what a batch and the batches before it were recorded as, in one scan of a small table.

    Args:
        spark: the session.
        batch_id: the batch.
        source: its source; other sources' batches are not looked at.
        ingested_at: its as-of time.
        least_records: of the batches before, the last that looked into so many records is taken; where there is
            none, the last of any size.
        tables: where the inventories are.
    """
    from pyspark.sql import Window
    from pyspark.sql.functions import col, lit, rank

    is_own = col("batch_id") == batch_id
    is_before = col("is_accepted") & (col("ingested_at") <= lit(ingested_at))
    nearest_first = Window.partitionBy("endpoint", is_own).orderBy(
        (col("sampled_records") >= least_records).desc(), col("ingested_at").desc(), col("batch_id").desc()
    )
    rows = (
        spark.read.table(tables.fields)
        .where((col("source") == source) & (is_own | is_before))
        .withColumn("place", rank().over(nearest_first))
        .where(col("place") == 1)
        .drop("place")
        .orderBy("endpoint", "path")
    )
    own, before, is_accepted = [], [], False
    for row in rows.toArrow().to_pylist():
        accepted = row.pop("is_accepted")
        recorded = Field(**{**row, "types": dict(row["types"])})
        if recorded.batch_id == batch_id:
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
