"""One movie of the catalogue, and what TMDB would show of it on a given day.

Everything is a pure function of (seed, movie number, instant). What never changes comes from one random
stream a movie. What changes with time is a function of the instant:

- popularity: log-normal around the movie's level, moved by two slow waves, a trend, and a daily jitter;
- votes: they only grow, fast after the release and slowly later; the mean moves a little;
- revenue: grows for some weeks after the release; unknown (0) before it;
- status: follows the release date;
- overview and tagline: edited every 120 days for a quarter of the movies.
"""

import math
import random
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from ingestion.synthetic.credits import credits_text
from ingestion.synthetic.words import (
    ADJECTIVES,
    COMPANY_KINDS,
    COMPANY_WORDS,
    EVENTS,
    GENRES,
    LANGUAGES,
    NATIVE_TITLE_WORDS,
    NOUNS,
    PLACES,
    REVIEW_SENTENCES,
    ROLES,
    TAGLINES,
    TITLE_PLACES,
    TURNS,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_GENRE_DRAW = [genre for genre in GENRES for _ in range(genre[2])]
EDIT_EVERY_DAYS = 120
"""How often overview and tagline are edited, for those movies where they are."""

STATUS_AGES = (-299, -119, 0)
"""On these days after the release (before it, where negative) a movie's status becomes another."""

_Numbers = TypeVar("_Numbers", float, "NDArray[np.float64]")
_LANGUAGE_DRAW = [number for number, language in enumerate(LANGUAGES) for _ in range(language[5])]


def movie_id(seed: int, index: int) -> int:
    """The TMDB id of movie number `index`: unique, and not without gaps."""
    return 100 + 7 * index + random.Random(f"{seed}:id:{index}").randrange(7)


class Traits(NamedTuple):
    """What is drawn first of a movie, and decides where it stands on any day.

    `release` is None where unknown. `budget` and `final_revenue` are in US dollars. `edit_phase` says when in
    its 120 days the text is edited, 0 to 1; None where it never is.
    """

    language: int
    title: str
    original_title: str
    genres: list[dict[str, Any]]
    release: date | None
    quality: float
    budget: float
    final_revenue: float
    knows_budget: bool
    knows_revenue: bool
    final_votes: float
    level: float
    waves: tuple[float, float]
    trend: float
    has_whole_popularity: bool
    swing_phase: float
    edit_phase: float | None


def movie_traits(seed: int, index: int) -> Traits:
    """The traits of movie number `index`: a tenth of the work that the whole record is."""
    return _traits(_stream(seed, index))


def _stream(seed: int, index: int) -> random.Random:
    return random.Random(f"{seed}:movie:{index}")


def _traits(chance: random.Random) -> Traits:
    draw = chance.random
    language = _LANGUAGE_DRAW[int(draw() * len(_LANGUAGE_DRAW))]
    title = _title(chance)
    native = NATIVE_TITLE_WORDS.get(LANGUAGES[language][0])
    original_title = native[int(draw() * len(native))] if native else title
    genres = _genres(chance)
    release = _release_date(chance)
    quality = min(9.2, max(1.5, chance.gauss(6.3, 1.0)))
    budget = round(chance.lognormvariate(16.3, 1.2), -4)
    final_revenue = budget * chance.lognormvariate(0.5 + 0.25 * (quality - 6.3), 0.9)
    knows_budget, knows_revenue = draw() < 0.76, draw() < 0.72
    final_votes = min(40_000.0, chance.lognormvariate(4.2 + 0.3 * (quality - 6.3) + budget / 2e8, 1.3)) + 3
    level = chance.lognormvariate(0.6, 0.9) * (1 + final_votes / 1500)
    waves = draw(), draw()
    trend = chance.gauss(0, 0.15)
    has_whole_popularity = draw() < 0.02
    swing_phase = draw()
    edit_phase = draw() if draw() < 0.25 else None
    return Traits(
        language,
        title,
        original_title,
        genres,
        release,
        quality,
        budget,
        final_revenue,
        knows_budget,
        knows_revenue,
        final_votes,
        level,
        waves,
        trend,
        has_whole_popularity,
        swing_phase,
        edit_phase,
    )


def vote_count(traits: Traits, instant: datetime) -> int:
    """How many have voted by `instant`: nobody before the release."""
    age = _age(traits, instant)
    if age is None or age < 0:
        return 0
    return int(traits.final_votes * (1 - math.exp(-(age + 1) / 90))) + int(traits.final_votes * age / 40_000)


def vote_average(traits: Traits, instant: datetime) -> float | int:
    """The mean vote at `instant`, 0 where nobody has voted."""
    if not vote_count(traits, instant):
        return 0
    swing = 0.12 * math.sin(_days(instant) / 32 + 6.28 * traits.swing_phase)
    return _whole_as_int(round(min(10.0, max(0.5, traits.quality + swing)), 3))


def popularity(traits: Traits, seed: int, index: int, instant: datetime) -> float | int:
    """TMDB's popularity of movie number `index` at `instant`, above 0."""
    days = _days(instant)
    first, second = traits.waves
    waves = 0.22 * math.sin(days / 9 + 6.28 * first) + 0.3 * math.sin(days / 23 + 6.28 * second)
    jitter = random.Random(f"{seed}:day:{index}:{int(days)}").gauss(0, 0.05)
    value = max(0.0001, traits.level * math.exp(waves + traits.trend * days / 365 / 4 + jitter))
    return int(value) + 1 if traits.has_whole_popularity else _whole_as_int(round(value, 4))


def edition(edit_phase: _Numbers, instant: datetime) -> _Numbers:
    """Which edition of its text a movie has at `instant`; also for many movies at once."""
    return (_days(instant) + EDIT_EVERY_DAYS * edit_phase) // EDIT_EVERY_DAYS


def _age(traits: Traits, instant: datetime) -> int | None:
    return None if traits.release is None else (instant.date() - traits.release).days


def _days(instant: datetime) -> float:
    return (instant - _EPOCH) / _DAY


def movie_record(seed: int, index: int, instant: datetime) -> dict[str, Any]:
    """What `GET /movie/{id}?append_to_response=credits,keywords,reviews` would answer at `instant`.

    The value of `credits` is JSON text already (`msgspec.Raw`): casts are most of the record.
    """
    chance = _stream(seed, index)
    draw = chance.random
    traits = _traits(chance)
    language, language_name, own_name, country, country_name, _ = LANGUAGES[traits.language]
    age = _age(traits, instant)
    revenue = 0
    if age is not None and age >= 0 and traits.knows_revenue:
        revenue = int(traits.final_revenue * (1 - math.exp(-(age + 3) / 25)))
    text_edition = 0 if traits.edit_phase is None else int(edition(traits.edit_phase, instant))

    record: dict[str, Any] = {
        "adult": False,
        "backdrop_path": f"/{chance.getrandbits(108):027x}.jpg" if draw() < 0.97 else None,
        "belongs_to_collection": _collection(chance),
        "budget": int(traits.budget) if traits.knows_budget else 0,
        "genres": traits.genres,
        "homepage": f"https://example.org/films/{index}" if draw() < 0.2 else "",
        "id": movie_id(seed, index),
        "imdb_id": f"tt{1_000_000 + index:07d}" if draw() < 0.98 else None,
        "origin_country": [country],
        "original_language": language,
        "original_title": traits.original_title,
        "overview": _overview(chance, text_edition) if draw() < 0.995 else "",
        "popularity": popularity(traits, seed, index, instant),
        "poster_path": f"/{chance.getrandbits(108):027x}.jpg" if draw() < 0.98 else None,
        "production_companies": _companies(chance, index, country),
        "production_countries": [{"iso_3166_1": country, "name": country_name}],
        "release_date": "" if traits.release is None else traits.release.isoformat(),
        "revenue": revenue,
        "runtime": int(min(240, max(61, chance.gauss(108, 18)))) if draw() < 0.985 else 0,
        "softcore": False,
        "spoken_languages": [{"english_name": language_name, "iso_639_1": language, "name": own_name}],
        "status": _status(age),
        "tagline": TAGLINES[(int(draw() * len(TAGLINES)) + text_edition) % len(TAGLINES)] if draw() < 0.7 else "",
        "title": traits.title,
        "video": False,
        "vote_average": vote_average(traits, instant),
        "vote_count": vote_count(traits, instant),
    }
    record["credits"] = msgspec.Raw(credits_text(chance, seed, index, traits.language).encode())
    record["keywords"] = {"keywords": _keywords(chance)}
    record["reviews"] = _reviews(chance, record["id"], traits.release, instant, traits.quality)
    return record


def _whole_as_int(value: float) -> float | int:
    """As TMDB writes numbers: a whole one without a fraction, so that its JSON type flips."""
    return int(value) if value == int(value) else value


def _title(chance: random.Random) -> str:
    draw = chance.random
    noun = NOUNS[int(draw() * len(NOUNS))]
    adjective = ADJECTIVES[int(draw() * len(ADJECTIVES))].title()
    second = NOUNS[int(draw() * len(NOUNS))]
    place = TITLE_PLACES[int(draw() * len(TITLE_PLACES))]
    form = draw()
    if form < 0.35:
        title = f"The {adjective} {noun}"
    elif form < 0.6:
        title = f"{noun} of {place}"
    elif form < 0.8:
        title = f"{adjective} {noun}"
    elif form < 0.92:
        title = f"{noun} & {second}"
    else:
        title = f"{noun} {int(draw() * 4) + 2}: {second} of {place}"
    odd = draw()
    if odd < 0.004:
        return f" {title}  "
    return title.replace(" ", "\N{NO-BREAK SPACE}", 1) if odd < 0.008 else title


def _genres(chance: random.Random) -> list[dict[str, Any]]:
    draw = chance.random
    wanted = 0 if draw() < 0.004 else 1 + int(3 * draw() * draw() + 0.7)
    chosen: dict[int, str] = {}
    for _ in range(wanted):
        number, name, _ = _GENRE_DRAW[int(draw() * len(_GENRE_DRAW))]
        chosen[number] = name
    return [{"id": number, "name": name} for number, name in chosen.items()]


def _release_date(chance: random.Random) -> date | None:
    """More and more movies towards the present, a few announced for later; None where unknown."""
    draw = chance.random
    share = draw()
    if draw() < 0.004:
        return None
    if share < 0.012:
        return date(2026, 3, 1) + timedelta(days=int(draw() * 500))
    last = date(2025, 12, 20)
    years_back = int(70 * draw() ** 2.4)
    month = (1, 2, 3, 4, 5, 6, 6, 7, 7, 8, 9, 9, 10, 10, 11, 11, 12, 12)[int(draw() * 18)]
    return min(last, date(2025 - years_back, month, 1 + int(draw() * 28)))


def _status(age: int | None) -> str:
    if age is None:
        return "Rumored"
    if age >= 0:
        return "Released"
    return "Post Production" if age > -120 else "In Production" if age > -300 else "Planned"


def _overview(chance: random.Random, edition: int) -> str:
    draw = chance.random
    hero = f"{ADJECTIVES[int(draw() * len(ADJECTIVES))]} {ROLES[int(draw() * len(ROLES))]}"
    other = f"{ADJECTIVES[int(draw() * len(ADJECTIVES))]} {ROLES[int(draw() * len(ROLES))]}"
    event = EVENTS[int(draw() * len(EVENTS))]
    place = PLACES[int(draw() * len(PLACES))]
    turn = TURNS[(int(draw() * len(TURNS)) + edition) % len(TURNS)]
    # "a"/"an" by the first letter is right for every adjective in the list.
    article = "An" if hero[0] in "aeiou" else "A"
    text = f"{article} {hero} {event} a {other} in {place}. {turn}"
    if draw() < 0.4:
        text += f" {TURNS[int(draw() * len(TURNS))]}"
    return text.replace(". ", ".\n\n", 1) if draw() < 0.02 else text


def _collection(chance: random.Random) -> dict[str, Any] | None:
    if chance.random() >= 0.12:
        return None
    number = int(chance.random() * 400)
    name = f"{NOUNS[number % len(NOUNS)]} {ADJECTIVES[number % len(ADJECTIVES)].title()} Collection"
    return {"id": 50_000 + number, "name": name, "poster_path": None, "backdrop_path": None}


def _companies(chance: random.Random, index: int, country: str) -> list[dict[str, Any]]:
    draw = chance.random
    companies = {}
    for _ in range(0 if draw() < 0.06 else 1 + int(draw() * 3)):
        number = int((150 + index // 10) * draw() ** 2)
        word = COMPANY_WORDS[number % len(COMPANY_WORDS)]
        kind = COMPANY_KINDS[number // len(COMPANY_WORDS) % len(COMPANY_KINDS)]
        companies[number] = {
            "id": 500 + number,
            "logo_path": None if number % 11 < 3 else f"/{number:027x}.png",
            "name": f"{word} {kind}",
            "origin_country": "" if number % 9 == 0 else country,
        }
    return list(companies.values())


def _keywords(chance: random.Random) -> list[dict[str, Any]]:
    draw = chance.random
    keywords = {}
    for _ in range(0 if draw() < 0.08 else 1 + int(8 * draw())):
        number = int(len(ADJECTIVES) * len(ROLES) * draw() ** 2)
        keywords[number] = {
            "id": 9_000 + number,
            "name": f"{ADJECTIVES[number % len(ADJECTIVES)]} {ROLES[number // len(ADJECTIVES)]}",
        }
    return list(keywords.values())


def _reviews(
    chance: random.Random, number: int, release: date | None, instant: datetime, quality: float
) -> dict[str, Any]:
    """Reviews of one movie in eight, those that had been written by `instant`."""
    draw = chance.random
    results = []
    wanted = 1 + int(draw() * 3) if draw() < 0.125 and release is not None else 0
    for position in range(wanted):
        count = 2 + int(draw() * 3)
        sentences = [REVIEW_SENTENCES[int(draw() * len(REVIEW_SENTENCES))] for _ in range(count)]
        rating = float(min(10, max(1, round(chance.gauss(quality, 2))))) if draw() < 0.8 else None
        author = f"viewer{int(draw() * 5000)}"
        days_after = int(draw() ** 2 * 900) + 1
        if release is None or (written := release + timedelta(days=days_after)) > instant.date():
            continue
        review_id = f"{number:012x}{position:012x}"
        results.append(
            {
                "author": author,
                "author_details": {"name": "", "username": author, "avatar_path": None, "rating": rating},
                "content": "\r\n\r\n".join(sentences),
                "created_at": f"{written.isoformat()}T12:00:00.000Z",
                "id": review_id,
                "updated_at": f"{written.isoformat()}T12:00:00.000Z",
                "url": f"https://example.org/review/{review_id}",
            }
        )
    return {"page": 1, "results": results, "total_pages": 1 if results else 0, "total_results": len(results)}
