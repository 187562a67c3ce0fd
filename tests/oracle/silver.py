"""What is known of each movie after all observations: `silver.movies` and its neighbours, as the marts need them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property, lru_cache

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from tests.oracle.observations import Fields, Observation, Reading, folded, latest_names, read_all

_MOST_SCORED_CHARACTERS = 50_000
_LONGEST_WORD = 200


@dataclass(frozen=True)
class Movie:
    """One row of `silver.movies`, with its genres, directors, companies and reviews by id. None: not known."""

    movie_id: str
    title: str | None = None
    release_date: date | None = None
    rating: float | None = None
    vote_count: int | None = None
    popularity: float | None = None
    revenue: int | None = None
    budget: int | None = None
    runtime: int | None = None
    original_language: str | None = None
    sentiment: float | None = None
    genre_ids: tuple[int, ...] = ()
    director_ids: tuple[int, ...] = ()
    company_ids: tuple[int, ...] = ()
    review_sentiments: tuple[float, ...] = ()

    @property
    def release_year(self) -> int | None:
        """Year of the release date."""
        return self.release_date.year if self.release_date else None

    @property
    def release_month(self) -> int | None:
        """Month of the release date, 1 to 12."""
        return self.release_date.month if self.release_date else None

    @property
    def profit(self) -> int | None:
        """Revenue less budget; None unless both are known."""
        return None if self.revenue is None or self.budget is None else self.revenue - self.budget

    @cached_property
    def roi(self) -> float | None:
        """Profit over budget; None unless both revenue and budget are known."""
        return None if self.profit is None or self.budget is None else self.profit / self.budget


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of `silver.movie_observations`: what this observation itself says, nothing from earlier ones."""

    movie_id: str
    observed_at: datetime
    payload_sha256: str
    popularity: float | None = None
    rating: float | None = None
    vote_count: int | None = None


@dataclass(frozen=True, slots=True)
class Silver:
    """All that the marts are made from. The movies are in order of movie_id, the observations of time and hash too."""

    movies: list[Movie]
    observations: list[Measured]
    genre_names: dict[int, str | None]
    person_names: dict[int, str | None]
    company_names: dict[int, str | None]


def silver(observations: Iterable[Observation]) -> Silver:
    """Make Silver from observations, in whatever order they come."""
    readings = read_all(observations)
    return Silver(
        movies=[movie(movie_id, fields) for movie_id, fields in folded(readings).items()],
        observations=[measured(reading) for reading in readings],
        genre_names=latest_names(readings, "genres"),
        person_names=latest_names(readings, "cast", "crew"),
        company_names=latest_names(readings, "production_companies"),
    )


def movie(movie_id: str, fields: Fields) -> Movie:
    """The row of a movie of which `fields` were last said."""
    return Movie(
        movie_id,
        title=fields.get("title"),
        release_date=fields.get("release_date"),
        rating=_rating(fields),
        vote_count=fields.get("vote_count") or None,
        popularity=fields.get("popularity"),
        revenue=fields.get("revenue") or None,
        budget=fields.get("budget") or None,
        runtime=fields.get("runtime") or None,
        original_language=fields.get("original_language"),
        sentiment=compound(fields.get("overview")),
        genre_ids=_once(genre.identity for genre in fields.get("genres", ())),
        director_ids=_once(credit.identity for credit in fields.get("crew", ()) if credit.job == "Director"),
        company_ids=_once(company.identity for company in fields.get("production_companies", ())),
        review_sentiments=tuple(
            score for review in fields.get("reviews", ()) if (score := compound(review.content)) is not None
        ),
    )


def measured(reading: Reading) -> Measured:
    """What one observation measured."""
    return Measured(
        reading.movie_id,
        reading.observed_at,
        reading.payload_sha256,
        popularity=reading.fields.get("popularity"),
        rating=_rating(reading.fields),
        vote_count=reading.fields.get("vote_count") or None,
    )


@lru_cache(maxsize=100_000)
def compound(content: str | None) -> float | None:
    """VADER's compound score by vaderSentiment itself; None where there is no text."""
    if content is None or not content.strip():
        return None
    return float(_analyzer().polarity_scores(scored_part(content))["compound"])


def scored_part(content: str) -> str:
    """The start of a text that is scored: at most 50,000 characters once its emoji stand there in words.

    It ends where a word ends, unless that would cost more than 200 characters.
    """
    emojis = _analyzer().emojis
    written = 0
    for fits, letter in enumerate(content):
        # The words of an emoji, and the space that sets them off.
        written += len(emojis[letter]) + 1 if letter in emojis else 1
        if written > _MOST_SCORED_CHARACTERS:
            ends = (end for end in range(fits, max(fits - _LONGEST_WORD, 0), -1) if content[end].isspace())
            return content[: next(ends, fits)]
    return content


def _rating(fields: Fields) -> float | None:
    """A rating of zero is none, and without a vote there is none; where the votes are not known, it stays."""
    return None if fields.get("vote_count") == 0 else fields.get("rating") or None


def _once(identities: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(identities))


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()
