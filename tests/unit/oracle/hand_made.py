"""Lakes, movies and observations made by hand, for the tests of the oracle."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from tests.oracle.lake import Lake, Row, Variables
from tests.oracle.lake import lake as lake_of
from tests.oracle.observations import Observation
from tests.oracle.silver import Measured, Movie, Silver

AS_OF = datetime(2026, 2, 1, 12, tzinfo=UTC)
GENRES = {18: "Drama", 35: "Comedy", 99: None}

VARIABLES = Variables(
    rating_prior_votes=100,
    director_minimum_movies=2,
    studio_minimum_movies=3,
    hit_minimum_roi=1.0,
    top_list_length=5,
    pair_window_years=5,
    pair_minimum_movies=3,
    correlation_minimum_movies=3,
)
"""Fixed, so that the figures worked out by hand stay right whatever the project's variables are."""


def said(movie_id: str, day_of_january: int, digest: str | None = None, **fields: Any) -> Observation:
    """An observation made in January 2026."""
    payload = json.dumps({"id": int(movie_id), **fields})
    sha256 = hashlib.sha256(payload.encode()).hexdigest()
    return Observation(movie_id, datetime(2026, 1, day_of_january, tzinfo=UTC), payload, digest or sha256)


def lake(
    movies: Iterable[Movie],
    observations: Iterable[Measured] = (),
    people: Mapping[int, str] | None = None,
    variables: Variables = VARIABLES,
) -> Lake:
    """A lake of these movies, their genres named Drama (18), Comedy (35) and not at all (99)."""
    known = Silver(list(movies), list(observations), dict(GENRES), dict(people or {}), {7: "Ghibli"})
    return lake_of(known, AS_OF, variables)


def film(movie_id: str, released: str | None, *genre_ids: int, **fields: Any) -> Movie:
    return Movie(
        movie_id, release_date=date.fromisoformat(released) if released else None, genre_ids=genre_ids, **fields
    )


def column(rows: Iterable[Row], key: str, name: str) -> dict[Any, Any]:
    return {row[key]: row[name] for row in rows}


def some(row: Row, *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)
