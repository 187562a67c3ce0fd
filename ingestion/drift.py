"""Schema drift: how the fields of a batch differ from those of the batch before, and whether Silver can go on.

TMDB adds, drops and retypes fields without notice. All of it lands, since a payload is text. What Silver
reads is listed in one place, `payload_fields` of the dbt source `bronze.movies`; a batch that lacks one of
these, or has it as another type, is found here, before Silver reads it as NULL.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import yaml

from ingestion.errors import DriftError
from ingestion.fields import (
    ELEMENT,
    Field,
    containers_of,
    parent_of,
    read_recorded,
    take_inventory,
    write_inventory,
)
from ingestion.records import MOVIE_DETAILS
from ingestion.tables import BRONZE, BronzeTables
from lakehouse.errors import ConfigurationError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SOURCES_YAML = Path("models", "staging", "tmdb", "_sources.yml")
"""Where the dbt project says what Silver needs."""

TYPES = ("text", "number", "boolean", "object", "list")

LEAST_OBJECTS = 50
"""Fewer objects than this, then or now, stop nothing: a handful of odd records is no change of TMDB's."""

MOST = 0.5
"""A needed field that most objects had, and none has, is gone; one that is of another type in most is retyped.

A change of TMDB's own reaches nearly every record. Records of different ages in one file reach fewer: a
popularity that is text is one in thousands.
"""

FEW = 0.05
"""A needed field that few objects lacked, and most lack now, is as good as gone."""

MUCH = 0.2
"""By how much the share of objects without a value must move to be reported."""

SOME = 0.01
"""From what share on a type is reported."""

Kind = Literal["new", "gone", "retyped", "nulls"]


@dataclass(frozen=True, slots=True)
class Drift:
    """One finding.

    Args:
        path: the field.
        kind: `new` and `gone`: it is carried only now, only before. `retyped`: it has a type that it did not
            have, or, where Silver needs it, should not have. `nulls`: the share of objects without a value (null,
            or without the field) moved much.
        before: what it was, in words; of a needed field of the wrong type, what Silver expects.
        now: what it is, in words.
        is_needed: whether Silver needs it.
        endpoint: the view of a movie.
        is_blocking: whether Silver should not go on.
    """

    path: str
    kind: Kind
    before: str
    now: str
    is_needed: bool
    endpoint: str = MOVIE_DETAILS
    is_blocking: bool = False


def needed_fields(project_dir: Path) -> dict[str, str]:
    """Read what Silver needs: path -> JSON type, for fields that hold values and for what holds them.

    Args:
        project_dir: the dbt project (`dbt.project_dir` of the settings).

    Raises:
        ConfigurationError: the list is not there, or names a type that JSON does not have.
    """
    path = project_dir / SOURCES_YAML
    where = f"{path}: source bronze, table movies, config.meta.payload_fields"
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
        (listed,) = [
            table["config"]["meta"]["payload_fields"]
            for source in read["sources"]
            for table in source["tables"]
            if (source["name"], table["name"]) == ("bronze", "movies")
        ]
        values = {str(field): str(kind) for field, kind in listed.items()}
    except (OSError, yaml.YAMLError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(
            f"The list of fields that Silver needs cannot be read ({where}): {error!r}.",
            "Restore the file, or set dbt.project_dir.",
        ) from error
    unknown = sorted({kind for kind in values.values() if kind not in TYPES})
    if unknown:
        raise ConfigurationError(f"{where} names {', '.join(unknown)}.", f"Use {', '.join(TYPES)}.")
    return {**containers_of(values), **values}


def compare(before: Sequence[Field], now: Sequence[Field], needed: Mapping[str, str]) -> list[Drift]:
    """Find what changed, endpoint by endpoint, what blocks first.

    Args:
        before: the inventory of an earlier batch of the same source; of an endpoint that it lacks, only the
            types of needed fields are looked at.
        now: the inventory of the batch.
        needed: what Silver needs, as `needed_fields` gives it. It needs it of movie details alone: other views of a
            movie may lack anything.
    """
    findings: list[Drift] = []
    for endpoint in sorted({field.endpoint for field in now}):
        wanted = needed if endpoint == MOVIE_DETAILS else {}
        was = _Inventory(field for field in before if field.endpoint == endpoint)
        is_ = _Inventory(field for field in now if field.endpoint == endpoint)
        for path in sorted(was.fields.keys() | is_.fields.keys()):
            found = [_retyped(path, was, is_, wanted.get(path))]
            if was.fields:
                found.append(_moved(path, was, is_, path in wanted))
            findings += [replace(finding, endpoint=endpoint) for finding in found if finding]
    return sorted(findings, key=lambda finding: (not finding.is_blocking, not finding.is_needed))


class _Inventory:
    """The fields of one endpoint by path."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self.fields = {field.path: field for field in fields}
        self._records = max((field.sampled_records for field in self.fields.values()), default=0)

    def objects(self, path: str) -> int:
        """How many objects could carry a field."""
        parent = parent_of(path)
        if not parent:
            return self._records
        return self.fields[parent].types.get("object", 0) if parent in self.fields else 0

    def without_value(self, path: str) -> float:
        """The share of these in which it is null or absent."""
        objects = self.objects(path)
        return 1 - self.fields[path].values / objects if objects and path in self.fields else 1.0

    def described(self, path: str) -> str:
        """Say the types, and in how many of the objects."""
        field = self.fields[path]
        types = _types(field) or "null"
        return types if path.endswith(ELEMENT) else f"{types} in {field.values:,} of {self.objects(path):,}"


def _types(field: Field) -> str:
    by_number = sorted(field.types.items(), key=lambda item: -item[1])
    if len(by_number) == 1:
        return by_number[0][0]
    return ", ".join(f"{kind} ({n / field.values:.0%})" for kind, n in by_number)


def _retyped(path: str, was: _Inventory, is_: _Inventory, expected: str | None) -> Drift | None:
    field = is_.fields.get(path)
    if field is None or not field.values:
        return None
    if expected:
        usual = {expected}
    elif path in was.fields and was.fields[path].values:
        usual = set(was.fields[path].types)
    else:
        return None
    odd = sum(n for kind, n in field.types.items() if kind not in usual) / field.values
    if odd < SOME:
        return None
    blocks = bool(expected) and odd > MOST and field.values >= LEAST_OBJECTS
    before = f"{expected}, as Silver expects" if expected else _types(was.fields[path])
    return Drift(path, "retyped", before, is_.described(path), bool(expected), is_blocking=blocks)


def _moved(path: str, was: _Inventory, is_: _Inventory, is_needed: bool) -> Drift | None:
    """Whether a field came, went, or lost its values; nothing where no object could have carried it."""
    if path.endswith(ELEMENT) or not was.objects(path) or not is_.objects(path):
        return None
    lacked, lacks = was.without_value(path), is_.without_value(path)
    are_enough = min(was.objects(path), is_.objects(path)) >= LEAST_OBJECTS
    if path not in was.fields:
        return Drift(path, "new", "absent", is_.described(path), is_needed)
    if path not in is_.fields:
        blocks = is_needed and are_enough and was.fields[path].present > MOST * was.objects(path)
        return Drift(
            path, "gone", was.described(path), f"absent in {is_.objects(path):,}", is_needed, is_blocking=blocks
        )
    if abs(lacks - lacked) < MUCH:
        return None
    blocks = is_needed and are_enough and lacked < FEW and lacks > MOST
    return Drift(path, "nulls", was.described(path), is_.described(path), is_needed, is_blocking=blocks)


def usual_fields(before: Sequence[Field], needed: Iterable[str]) -> frozenset[str]:
    """The needed fields that most objects of an earlier batch carried; what they did not carry cannot be gone."""
    was = _Inventory(field for field in before if field.endpoint == MOVIE_DETAILS)
    return frozenset(
        path for path in needed if path in was.fields and was.fields[path].present > MOST * was.objects(path)
    )


def blocking(findings: Iterable[Drift]) -> list[Drift]:
    """Those for which Silver should not go on."""
    return [finding for finding in findings if finding.is_blocking]


def summary_of(findings: Sequence[Drift]) -> str:
    """The findings in a few words: `2 new, 1 retyped`; empty where there are none."""
    kinds = Counter(finding.kind for finding in findings)
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))


def require_fields(
    spark: "SparkSession", batch_id: str, needed: Mapping[str, str], tables: BronzeTables = BRONZE
) -> list[str]:
    """Check a batch before Silver reads it; give what there is to say of its fields, nothing where they are as before.

    Raises:
        DriftError: the batch lacks a field that Silver needs, or has it with another type.
    """
    findings = check(spark, batch_id, needed, tables)
    stopping = blocking(findings)
    if stopping:
        named = "; ".join(f"{one.path}: {one.kind}, {one.before} before, {one.now} now" for one in stopping[:3])
        raise DriftError(
            f"Batch {batch_id} does not give {len(stopping)} of the fields that Silver needs ({named}).",
            f"`lakehouse drift {batch_id}` lists them: mend the staging model, or take the batch as it is (--accept).",
        )
    said = summary_of(findings)
    return [f"fields of {batch_id}: {said} (`lakehouse drift {batch_id}`)"] if said else []


def check(
    spark: "SparkSession",
    batch_id: str,
    needed: Mapping[str, str],
    tables: BronzeTables = BRONZE,
    accepts: bool = False,
) -> list[Drift]:
    """Compare a batch that has landed with the last accepted one before it, and record its inventory.

    Run again, it finds the same and writes nothing. A batch with something that blocks is recorded as not
    accepted: those after it are compared with the one before it, so that what is gone stays reported until
    somebody accepts it.

    Args:
        spark: a session in which the Bronze tables exist.
        batch_id: the batch. One that landed nothing has no findings.
        needed: what Silver needs, as `needed_fields` gives it.
        tables: where it landed.
        accepts: accept the batch as it is: nothing of it blocks any more.
    """
    fields = take_inventory(spark, batch_id, needed, tables)
    if not fields:
        return []
    first = fields[0]
    recorded = read_recorded(spark, batch_id, first.source, first.ingested_at, LEAST_OBJECTS, tables)
    findings = compare(recorded.before, fields, needed)
    is_known = recorded.own == fields
    is_accepted = accepts or not blocking(findings) or (is_known and recorded.is_accepted)
    if not (is_known and recorded.is_accepted == is_accepted):
        write_inventory(spark, fields, is_accepted, tables)
    return [replace(finding, is_blocking=False) for finding in findings] if is_accepted else findings
