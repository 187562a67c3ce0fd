"""The synthetic TMDB, asked without a server."""

import gzip
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import msgspec
import pytest

from ingestion.standin.answers import Answer
from ingestion.standin.api import answer
from ingestion.standin.changes import deleted_id
from ingestion.standin.world import World
from ingestion.synthetic.catalogue import Dirt
from ingestion.synthetic.movie import movie_id, movie_record

WORLD = World(seed=7, movies=600, today=datetime(2026, 1, 23, tzinfo=UTC))
DESCRIPTION = ("overview", "tagline", "status")


def ask(path: str, world: World = WORLD, **query: str) -> Any:
    given = answer(world, path, {name.replace("__", "."): value for name, value in query.items()})
    assert given.status == 200, given
    return msgspec.json.decode(given.body)


def refused(path: str, world: World = WORLD, **query: str) -> tuple[int, int]:
    given = answer(world, path, query)
    body = msgspec.json.decode(given.body)
    assert body["success"] is False
    assert body["status_message"]
    return given.status, body["status_code"]


def pages(path: str, world: World = WORLD, **query: str) -> list[Any]:
    first = ask(path, world, **query)
    rest = [ask(path, world, **query, page=str(page)) for page in range(2, first["total_pages"] + 1)]
    return [first, *rest]


def ids(envelopes: list[Any]) -> list[int]:
    return [row["id"] for envelope in envelopes for row in envelope["results"]]


def test_details_are_the_movie_as_of_today_with_the_parts_asked_for() -> None:
    number = movie_id(7, 5)
    whole = msgspec.json.decode(msgspec.json.encode(movie_record(7, 5, WORLD.today)))
    parts = {name: whole.pop(name) for name in ("credits", "keywords", "reviews")}
    assert ask(f"/3/movie/{number}") == whole
    assert ask(f"/3/movie/{number}", append_to_response="keywords") == {**whole, "keywords": parts["keywords"]}
    everything = ask(f"/3/movie/{number}", append_to_response="credits,keywords,reviews,release_dates,images")
    assert {name: everything[name] for name in parts} == parts
    assert set(everything) == {*whole, *parts, "release_dates"}
    days = {
        release["release_date"][:10]
        for country in everything["release_dates"]["results"]
        for release in country["release_dates"]
    }
    assert days == {whole["release_date"]}


@pytest.mark.parametrize("name", ["credits", "keywords", "reviews", "release_dates"])
def test_a_part_by_itself_carries_the_id_and_an_appended_one_does_not(name: str) -> None:
    number = movie_id(7, 5)
    appended = ask(f"/3/movie/{number}", append_to_response=name)[name]
    assert "id" not in appended
    assert ask(f"/3/movie/{number}/{name}") == {"id": number, **appended}


def test_what_is_not_there_is_404() -> None:
    known = {movie_id(7, index) for index in range(600)}
    unknown = next(number for number in range(100, 200) if number not in known)
    for path in (f"movie/{unknown}", "movie/0", "movie/99", f"movie/{movie_id(7, 600)}", f"movie/{'9' * 30}"):
        assert refused(f"/3/{path}") == (404, 34)
    for path in ("movie/abc", "movie/²", f"movie/{movie_id(7, 5)}/poems", "tv/popular", "movie", ""):
        assert refused(f"/3/{path}") == (404, 34)


def test_appending_more_than_20_is_refused() -> None:
    number = movie_id(7, 5)
    twenty = [f"part{position}" for position in range(20)]
    assert ask(f"/3/movie/{number}", append_to_response=",".join(twenty))["id"] == number
    assert refused(f"/3/movie/{number}", append_to_response=",".join([*twenty, "credits"])) == (400, 27)


@pytest.mark.parametrize("path", ["/3/movie/popular", "/3/movie/changes", "/3/discover/movie", "/3/trending/movie/day"])
@pytest.mark.parametrize("page", ["0", "-1", "501", "two", "1.5"])
def test_a_page_outside_1_to_500_is_refused(path: str, page: str) -> None:
    assert refused(path, page=page) == (400, 22)


def test_a_page_after_the_last_is_empty() -> None:
    assert ask("/3/movie/popular", page="31")["results"] == []
    assert ask("/3/movie/changes", page="500")["results"] == []


def test_popular_goes_by_popularity_and_some_rows_come_twice() -> None:
    envelopes = pages("/3/movie/popular")
    assert [envelope["page"] for envelope in envelopes] == list(range(1, 31))
    assert {(envelope["total_pages"], envelope["total_results"]) for envelope in envelopes} == {(30, 600)}
    assert all(len(envelope["results"]) == 20 for envelope in envelopes)
    rows = ids(envelopes)
    assert 0.02 < 1 - len(set(rows)) / len(rows) < 0.2
    firsts = {row["id"]: row["popularity"] for envelope in envelopes for row in envelope["results"]}
    shown = [firsts[number] for number in dict.fromkeys(rows)]
    assert shown == sorted(shown, reverse=True)
    assert ids(pages("/3/movie/popular")) == rows


def test_a_list_shows_what_the_details_show() -> None:
    for row in ask("/3/movie/top_rated")["results"]:
        movie = ask(f"/3/movie/{row['id']}")
        assert row.pop("genre_ids") == [genre["id"] for genre in movie["genres"]]
        assert row == {name: movie[name] for name in row}


def test_top_rated_goes_by_votes() -> None:
    rows = [row for envelope in pages("/3/movie/top_rated") for row in envelope["results"]]
    averages = [row["vote_average"] for row in {row["id"]: row for row in rows}.values()]
    assert averages == sorted(averages, reverse=True)
    assert min(row["vote_count"] for row in rows) >= 300


@pytest.mark.parametrize("name", ["now_playing", "upcoming"])
def test_lists_by_release_keep_to_their_dates(name: str) -> None:
    world = replace(WORLD, movies=2000)
    envelopes = pages(f"/3/movie/{name}", world)
    dates = envelopes[0]["dates"]
    days = [row["release_date"] for envelope in envelopes for row in envelope["results"]]
    assert days
    assert all(dates["minimum"] <= day <= dates["maximum"] for day in days)
    assert (dates["maximum"] == "2026-01-23") == (name == "now_playing")


def test_trending_says_what_it_lists_and_differs_between_day_and_week() -> None:
    day, week = ask("/3/trending/movie/day"), ask("/3/trending/movie/week")
    assert {row["media_type"] for row in [*day["results"], *week["results"]]} == {"movie"}
    assert ids([day]) != ids([week])
    tomorrow = replace(WORLD, today=WORLD.today + timedelta(days=1))
    assert ids([ask("/3/trending/movie/day", tomorrow)]) != ids([day])


def test_discover_filters_and_sorts() -> None:
    rows = ask(
        "/3/discover/movie",
        primary_release_date__gte="2015-01-01",
        primary_release_date__lte="2020-12-31",
        vote_count__gte="50",
        sort_by="primary_release_date.asc",
    )["results"]
    days = [row["release_date"] for row in rows]
    assert days == sorted(days)
    assert days[0] >= "2015-01-01"
    assert all(row["vote_count"] >= 50 for row in rows)
    assert refused("/3/discover/movie", **{"primary_release_date.gte": "soon"}) == (400, 23)
    assert ids([ask("/3/discover/movie")]) == ids([ask("/3/movie/popular")])


def test_a_large_catalogue_claims_more_pages_than_it_gives() -> None:
    world = replace(WORLD, movies=12_000)
    assert ask("/3/movie/popular", world, page="500")["results"]
    assert ask("/3/movie/popular", world)["total_pages"] == 600
    assert refused("/3/movie/popular", world, page="501") == (400, 22)


def test_changes_of_the_last_day_are_some_of_a_hundred_with_some_deleted() -> None:
    world = replace(WORLD, movies=5000)
    envelopes = pages("/3/movie/changes", world)
    rows = [row for envelope in envelopes for row in envelope["results"]]
    assert [len(envelope["results"]) for envelope in envelopes[:-1]] == [100] * (len(envelopes) - 1)
    assert len(rows) == envelopes[0]["total_results"] == len({row["id"] for row in rows})
    assert 0.025 < len(rows) / 5000 < 0.045
    deleted = [row for row in rows if row["adult"] is None]
    assert 0.02 < len(deleted) / len(rows) < 0.2
    for row in rows:
        gone = row["adult"] is None
        assert row["softcore"] is (None if gone else False)
        assert answer(world, f"/3/movie/{row['id']}", {}).status == (404 if gone else 200)


def test_a_window_is_its_days_together_each_id_once_up_to_now() -> None:
    days = [set(ids(pages("/3/movie/changes", start_date=day, end_date=day))) for day in ("2026-01-20", "2026-01-21")]
    window = ids(pages("/3/movie/changes", start_date="2026-01-20", end_date="2026-01-21"))
    assert len(window) == len(set(window))
    assert set(window) == days[0] | days[1]
    assert days[0] != days[1]
    assert ids(pages("/3/movie/changes", start_date="2026-01-23", end_date="2026-01-25")) == []
    assert set(ids(pages("/3/movie/changes"))) == set(
        ids(pages("/3/movie/changes", start_date="2026-01-22", end_date="2026-01-23"))
    )


def test_a_window_of_more_than_14_days_or_none_is_refused() -> None:
    assert ask("/3/movie/changes", start_date="2026-01-01", end_date="2026-01-15")["results"]
    assert refused("/3/movie/changes", start_date="2026-01-01", end_date="2026-01-16") == (422, 20)
    assert refused("/3/movie/changes", start_date="2026-01-10", end_date="2026-01-09") == (422, 20)
    assert refused("/3/movie/changes", start_date="10 January") == (400, 23)


def test_whose_description_changed_is_in_the_changes() -> None:
    """What an incremental load lives on: nothing but numbers and reviews moves without the feed saying so."""
    world = replace(WORLD, movies=3000)
    later = replace(world, today=world.today + timedelta(days=60))
    changed = set[int]()
    for first in (world.today + timedelta(days=15 * step) for step in range(5)):
        window = {"start_date": f"{first:%Y-%m-%d}", "end_date": f"{first + timedelta(days=14):%Y-%m-%d}"}
        changed.update(ids(pages("/3/movie/changes", later, **window)))
    differing = []
    for index in range(3000):
        before, after = movie_record(7, index, world.today), movie_record(7, index, later.today)
        if any(before[name] != after[name] for name in DESCRIPTION):
            differing.append(movie_id(7, index))
    assert len(differing) > 100
    assert set(differing) <= changed


def test_a_movie_tells_its_change_of_the_window() -> None:
    row = next(row for row in ask("/3/movie/changes")["results"] if row["adult"] is not None)
    listed = ask(f"/3/movie/{row['id']}/changes")["changes"]
    assert listed[0]["items"][0]["time"].startswith("2026-01-22 ")
    window = set(ids(pages("/3/movie/changes")))
    other = next(movie_id(7, index) for index in range(600) if movie_id(7, index) not in window)
    assert ask(f"/3/movie/{other}/changes") == {"changes": []}


def test_deleted_ids_are_no_movie() -> None:
    assert all(WORLD.index_of(deleted_id(7, index)) is None for index in range(600))
    assert all(WORLD.index_of(movie_id(7, index)) == index for index in range(600))


def unpacked(given: Answer) -> list[Any]:
    assert given.chunks is not None
    text = gzip.decompress(b"".join(given.chunks()))
    assert text.endswith(b"}\n")
    return [msgspec.json.decode(line) for line in text.splitlines()]


def test_the_export_lists_every_movie_as_of_its_day() -> None:
    rows = unpacked(answer(WORLD, "/p/exports/movie_ids_01_20_2026.json.gz", {}))
    assert [row["id"] for row in rows] == [movie_id(7, index) for index in range(600)]
    as_of = replace(WORLD, today=datetime(2026, 1, 20, tzinfo=UTC))
    for row in rows[:30]:
        movie = ask(f"/3/movie/{row['id']}", as_of)
        assert row == {name: movie[name] for name in ("adult", "id", "original_title", "popularity", "video")}


def test_the_export_of_a_large_catalogue_comes_in_pieces() -> None:
    given = answer(replace(WORLD, movies=3_000_000), "/p/exports/movie_ids_01_20_2026.json.gz", {})
    assert given.chunks is not None
    pieces = given.chunks()
    early = b"".join(next(pieces) for _ in range(20))
    assert 0 < len(early) < 1_000_000


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("movie_ids_01_23_2026.json.gz", 200),
        ("movie_ids_01_24_2026.json.gz", 404),
        ("movie_ids_11_01_2025.json.gz", 200),
        ("movie_ids_10_01_2025.json.gz", 404),
        ("movie_ids_13_45_2025.json.gz", 404),
        ("person_ids_01_20_2026.json.gz", 404),
    ],
)
def test_exports_are_there_for_three_months(name: str, status: int) -> None:
    given = answer(WORLD, f"/p/exports/{name}", {})
    assert given.status == status
    if status == 404:
        assert given.content_type == "application/xml"


def test_damage_is_the_same_all_day_and_of_every_kind() -> None:
    world = replace(WORLD, movies=2000, dirty_rate=0.1)
    evening = replace(world, today=world.today + timedelta(hours=20))
    tomorrow = replace(world, today=world.today + timedelta(days=1))
    kinds = [world.dirt(index) for index in range(2000)]
    assert kinds == [evening.dirt(index) for index in range(2000)]
    assert kinds != [tomorrow.dirt(index) for index in range(2000)]
    counts = Counter(kinds)
    assert set(counts) == {None, *Dirt}
    assert 0.07 < 1 - counts[None] / 2000 < 0.13
    index = kinds.index(Dirt.TRUNCATED)
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(answer(world, f"/3/movie/{movie_id(7, index)}", {}).body)
    index = kinds.index(Dirt.ID_AS_TEXT)
    assert ask(f"/3/movie/{movie_id(7, index)}", world)["id"] == str(movie_id(7, index))


def test_time_moves_what_moves_at_tmdb() -> None:
    later = replace(WORLD, today=WORLD.today + timedelta(days=5))
    pairs = [(ask(f"/3/movie/{movie_id(7, i)}"), ask(f"/3/movie/{movie_id(7, i)}", later)) for i in range(50)]
    assert all(before["vote_count"] <= after["vote_count"] for before, after in pairs)
    assert sum(before["popularity"] != after["popularity"] for before, after in pairs) > 45
    assert all(before["title"] == after["title"] for before, after in pairs)
    first = list(chain.from_iterable(ids([ask("/3/movie/popular", world)]) for world in (WORLD, later)))
    assert len(set(first)) > 20
