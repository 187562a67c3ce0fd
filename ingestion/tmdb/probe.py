"""A few movies of a planned batch, fetched and looked at before any of it lands.

TMDB drops and retypes fields without notice. What a batch lost is told once it has landed (`ingestion.drift`); what a
handful of movies lacks all of is told here, before anything lands.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import numpy as np

from ingestion.errors import DriftError
from ingestion.fields import ELEMENT, parent_of
from ingestion.records import Record, Reject
from ingestion.tmdb import plan
from ingestion.tmdb.run import Begun
from ingestion.tmdb.session import open_session
from ingestion.tmdb.tally import Tally
from lakehouse.settings import Settings

PROBED_MOVIES = 20
"""So many movies are looked at."""

LEAST_OBJECTS = 10
"""Fewer objects than this stop nothing: they may all be odd."""

_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    ((int, float), "number"),
    (str, "text"),
    (dict, "object"),
    (list, "list"),
)


@dataclass(frozen=True)
class Sample:
    """What is to be looked at of a batch.

    Args:
        batch_id: the batch.
        as_of: the instant that it takes for now.
        movies: how many movies it asks for.
        movie_ids: those that are looked at.
        usual: the fields that Silver needs and the batch before carried, as `ingestion.drift.usual_fields` gives them.
    """

    batch_id: str
    as_of: datetime
    movies: int
    movie_ids: tuple[int, ...]
    usual: tuple[str, ...]


def sample_of(begun: Begun, ids: plan.Ids, usual: Iterable[str]) -> Sample:
    """Choose movies, evenly spread over the plan."""
    places = np.unique(np.linspace(0, len(ids) - 1, min(PROBED_MOVIES, len(ids))).astype(int))
    chosen = tuple(int(ids[place]) for place in places)
    return Sample(begun.batch.batch_id, begun.batch.as_of, len(ids), chosen, tuple(sorted(usual)))


def probe(settings: Settings, sample: Sample, needed: Mapping[str, str], tally: Tally) -> str:
    """Fetch some of the movies and look at them; give what was seen, in a line.

    Args:
        settings: the sections `tmdb` and `ingest`.
        sample: what to look at.
        needed: what Silver needs, as `ingestion.drift.needed_fields` gives it.
        tally: where the requests are counted.

    Raises:
        DriftError: none of them carries a field that Silver needs and the batch before had; or most have one with
            another type; or not one of several can be read.
        SourceError: TMDB cannot be asked.
    """
    asked = sample.movie_ids
    if not asked:
        return f"{sample.batch_id}: no movie to look at"
    tmdb = settings.tmdb
    token = tmdb.token.get_secret_value()
    with open_session(tmdb.url, token, tmdb, settings.ingest.max_record_bytes, tally) as session:
        outcomes = [
            outcome
            for chunk in session.chunks(asked, lambda movie_id: None, sample.as_of, len(asked))
            for outcome in chunk
        ]
    records = [outcome for outcome in outcomes if isinstance(outcome, Record)]
    rejects = [outcome for outcome in outcomes if isinstance(outcome, Reject)]
    if not records and len(rejects) >= LEAST_OBJECTS:
        raise DriftError(
            f"Of {len(rejects)} movies of batch {sample.batch_id} not one can be read ({rejects[0].detail}).",
            "Nothing has landed. Look at what TMDB answers; the same command goes on.",
        )
    lost = lacking([msgspec.json.decode(record.payload) for record in records], needed, sample.usual)
    if lost:
        raise DriftError(
            f"The movies of batch {sample.batch_id} do not give {len(lost)} of the fields that Silver needs "
            f"({'; '.join(lost[:3])}).",
            "Nothing has landed. Mend the staging model, or land it all the same: `lakehouse ingest --source api`.",
        )
    return f"{sample.batch_id}: {len(records)} of {len(asked)} movies looked at are as Silver needs them"


def lacking(payloads: Sequence[Mapping[str, Any]], needed: Mapping[str, str], usual: Container[str]) -> list[str]:
    """The needed fields that are usual and in no payload, or in most with another type; each in words.

    Args:
        payloads: movies, decoded.
        needed: path -> JSON type.
        usual: paths that the batch before carried in most objects.
    """
    found = []
    for path, kind in needed.items():
        holders = _values(payloads, parent_of(path))
        objects = holders if path.endswith(ELEMENT) else [one for one in holders if isinstance(one, dict)]
        values = [value for value in _values(payloads, path) if value is not None]
        if len(objects) < LEAST_OBJECTS:
            continue
        name = path.rpartition(".")[2]
        if path in usual and not path.endswith(ELEMENT) and not any(name in one for one in objects):
            found.append(f"{path}: in none of {len(objects)}")
        elif len(values) >= LEAST_OBJECTS and sum(_type(value) != kind for value in values) > len(values) / 2:
            found.append(f"{path}: {_type(values[0])}, where Silver expects {kind}")
    return found


def _values(payloads: Sequence[Any], path: str) -> list[Any]:
    if not path:
        return list(payloads)
    holders = _values(payloads, parent_of(path))
    if path.endswith(ELEMENT):
        return [element for one in holders if isinstance(one, list) for element in one]
    name = path.rpartition(".")[2]
    return [one[name] for one in holders if isinstance(one, dict) and name in one]


def _type(value: Any) -> str:
    return next(name for kind, name in _TYPES if isinstance(value, kind))
