import statistics
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from ingestion.errors import SourceError
from ingestion.reasons import Reason
from ingestion.records import DefaultTime, RawRecord, Record, Reject, parse_record
from ingestion.synthetic.catalogue import DEFAULT_DATES, CatalogueSpec, Dirt, catalogue, dirt_of, observation
from ingestion.synthetic.movie import movie_record
from ingestion.synthetic.words import GENRES

SPEC = CatalogueSpec(seed=7, movies=600, dirty_rate=0)


def body(index: int, instant: datetime = DEFAULT_DATES[-1], seed: int = 7) -> Any:
    return msgspec.json.decode(msgspec.json.encode(movie_record(seed, index, instant)))


@pytest.fixture(scope="module")
def bodies() -> list[Any]:
    return [body(index) for index in range(1500)]


def test_a_record_is_decided_by_seed_number_and_instant_alone() -> None:
    few = list(catalogue(replace(SPEC, movies=20)))
    many = list(catalogue(replace(SPEC, movies=40, dates=DEFAULT_DATES[1:])))
    assert few[20:40] == many[:20]
    assert few[40:60] == many[40:60]
    assert list(catalogue(replace(SPEC, movies=20, seed=8))) != few


def test_every_clean_record_lands_with_its_date() -> None:
    default = DefaultTime(datetime(2027, 1, 1, tzinfo=UTC), is_assumed=True)
    records = [parse_record(raw, default) for raw in catalogue(SPEC)]
    assert len(records) == 1800
    assert all(isinstance(record, Record) and not record.is_assumed for record in records)
    times = Counter(record.observed_at for record in records if isinstance(record, Record))
    assert times == dict.fromkeys(DEFAULT_DATES, 600)
    ids = {record.movie_id for record in records if isinstance(record, Record)}
    assert len(ids) == 600


def test_the_default_dates_fill_each_trending_window() -> None:
    last = DEFAULT_DATES[-1]
    for days in (7, 30, 90):
        assert sum(last - timedelta(days=days) < date <= last for date in DEFAULT_DATES) >= 2


def test_records_have_the_shape_of_the_real_ones(bodies: list[Any], tmdb_data: Any) -> None:
    recorded = tmdb_data / "api_samples" / "endpoints" / "movie_47964.json"
    real = msgspec.json.decode(recorded.read_bytes())["body"]
    for made in bodies:
        assert set(made) - set(real) <= {"credits", "keywords", "reviews", "softcore", "origin_country"}
        assert set(real) <= set(made)
        for name, value in made.items():
            kinds = {type(real.get(name)), type(value)} - {type(None)}
            assert len(kinds) <= 1 or kinds == {int, float}, name


def test_credits_have_the_fields_of_tmdb(bodies: list[Any]) -> None:
    cast = [member for movie in bodies for member in movie["credits"]["cast"]]
    crew = [member for movie in bodies for member in movie["credits"]["crew"]]
    shared = {
        *("adult", "gender", "id", "known_for_department", "name", "original_name", "popularity"),
        *("profile_path", "credit_id"),
    }
    assert {frozenset(member) for member in cast} == {frozenset(shared | {"cast_id", "character", "order"})}
    assert {frozenset(member) for member in crew} == {frozenset(shared | {"department", "job"})}
    credit_ids = [member["credit_id"] for member in cast + crew]
    assert len(set(credit_ids)) == len(credit_ids)


def test_casts_are_skewed_and_actors_share_movies(bodies: list[Any]) -> None:
    sizes = [len(movie["credits"]["cast"]) for movie in bodies]
    assert 10 <= statistics.median(sizes) <= 14
    assert max(sizes) >= 100
    assert min(sizes) == 0
    movies = Counter(member["id"] for movie in bodies for member in movie["credits"]["cast"])
    assert max(movies.values()) > 20 * statistics.median(movies.values())
    assert sum(count > 1 for count in movies.values()) > len(movies) / 4


def test_some_people_share_a_name_and_none_shares_an_id(bodies: list[Any]) -> None:
    names: dict[str, set[int]] = {}
    people: dict[int, set[str]] = {}
    for movie in bodies:
        for member in movie["credits"]["cast"] + movie["credits"]["crew"]:
            names.setdefault(member["name"], set()).add(member["id"])
            people.setdefault(member["id"], set()).add(member["name"])
    assert sum(len(ids) > 1 for ids in names.values()) > 20
    assert all(len(found) == 1 for found in people.values())


def test_movies_have_no_one_or_two_directors(bodies: list[Any]) -> None:
    counts = Counter(sum(member["job"] == "Director" for member in movie["credits"]["crew"]) for movie in bodies)
    assert set(counts) == {0, 1, 2}
    assert counts[1] > 0.85 * len(bodies)


@pytest.mark.parametrize(
    ("field", "least", "most"),
    [
        ("budget", 0.18, 0.30),
        ("revenue", 0.24, 0.36),
        ("runtime", 0.005, 0.03),
        ("release_date", 0.0005, 0.015),
        ("overview", 0.0005, 0.015),
        ("genres", 0.0005, 0.015),
    ],
)
def test_unknown_values_are_as_frequent_as_they_should_be(
    bodies: list[Any], field: str, least: float, most: float
) -> None:
    share = sum(not movie[field] for movie in bodies) / len(bodies)
    assert least <= share <= most


def test_genres_are_tmdbs(bodies: list[Any]) -> None:
    known = {(number, name) for number, name, _ in GENRES}
    met = {(genre["id"], genre["name"]) for movie in bodies for genre in movie["genres"]}
    assert len(known) == 19
    assert met == known


def test_a_number_flips_its_json_type(bodies: list[Any]) -> None:
    assert {type(movie["popularity"]) for movie in bodies} == {int, float}
    assert {type(movie["vote_average"]) for movie in bodies} == {int, float}


def test_records_agree_with_themselves(bodies: list[Any]) -> None:
    today = DEFAULT_DATES[-1].date().isoformat()
    for movie in bodies:
        is_out = bool(movie["release_date"]) and movie["release_date"] <= today
        assert (movie["status"] == "Released") == is_out
        assert bool(movie["vote_count"]) == bool(movie["vote_average"])
        assert is_out or movie["vote_count"] == movie["revenue"] == 0
        assert 0 <= movie["vote_average"] <= 10
        assert movie["popularity"] > 0


def test_votes_and_revenue_never_fall_while_popularity_moves_both_ways() -> None:
    instants = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=9 * step) for step in range(12)]
    rises = falls = 0
    for index in range(100):
        seen = [body(index, instant) for instant in instants]
        for before, after in pairwise(seen):
            assert before["vote_count"] <= after["vote_count"]
            assert before["revenue"] <= after["revenue"]
            rises += before["popularity"] < after["popularity"]
            falls += before["popularity"] > after["popularity"]
    assert rises > 300
    assert falls > 300


def test_some_descriptions_change_between_the_dates() -> None:
    changed = sum(body(index, DEFAULT_DATES[0])["overview"] != body(index)["overview"] for index in range(1000))
    assert 20 < changed < 150


def test_reviews_are_those_written_by_then(bodies: list[Any]) -> None:
    with_reviews = [movie for movie in bodies if movie["reviews"]["results"]]
    assert 0.06 < len(with_reviews) / len(bodies) < 0.16
    last = DEFAULT_DATES[-1].isoformat()
    assert all(review["created_at"] <= last for movie in with_reviews for review in movie["reviews"]["results"])


def test_each_kind_of_dirt_comes_at_the_stated_rate_and_ends_where_it_should() -> None:
    spec = CatalogueSpec(seed=7, movies=1500, dates=DEFAULT_DATES[:1], dirty_rate=0.2)
    default = DefaultTime(DEFAULT_DATES[0], is_assumed=True)
    expected = {
        Dirt.TRUNCATED: [Reason.INVALID_JSON],
        Dirt.NOT_JSON: [Reason.INVALID_JSON],
        Dirt.NO_ID: [Reason.ID_MISSING],
        Dirt.ID_AS_TEXT: [Reason.ID_NOT_INTEGER],
        Dirt.POPULARITY_AS_TEXT: [None],
        Dirt.NO_RELEASE_DATE: [None],
        Dirt.TWICE: [None, None],
        None: [None],
    }
    met: Counter[Dirt | None] = Counter()
    for index in range(spec.movies):
        dirt = dirt_of(spec, index, spec.dates[0])
        met[dirt] += 1
        outcomes = [parse_record(raw, default) for raw in observation(spec, index, spec.dates[0])]
        reasons = [outcome.reason if isinstance(outcome, Reject) else None for outcome in outcomes]
        assert reasons == expected[dirt], dirt
    assert 0.15 < 1 - met[None] / spec.movies < 0.25
    assert set(met) == set(expected)


def test_a_record_that_comes_twice_is_the_same_text() -> None:
    spec = CatalogueSpec(seed=7, movies=3000, dates=DEFAULT_DATES[:1], dirty_rate=0.05)
    index = next(i for i in range(spec.movies) if dirt_of(spec, i, spec.dates[0]) is Dirt.TWICE)
    first, second = observation(spec, index, spec.dates[0])
    assert isinstance(first, RawRecord)
    assert first == second


@pytest.mark.parametrize("wrong", [{"movies": -1}, {"dates": ()}, {"dirty_rate": 1.5}])
def test_what_makes_no_catalogue_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SourceError, match="no catalogue"):
        replace(SPEC, **wrong)
