"""What TMDB is asked for: pages, windows, exports, and what is made of one movie's details."""

import asyncio
import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from ingestion.bronze import Passed
from ingestion.errors import SourceError
from ingestion.reasons import Reason
from ingestion.records import Record, Reject
from ingestion.tmdb import export, requests
from ingestion.tmdb.ask import Ask, read_ask, read_ids
from ingestion.tmdb.failures import RequestRefused, TmdbError
from ingestion.tmdb.requests import Window, changed_ids, details, genres, popular_ids, windows
from ingestion.tmdb.tally import Tally
from tests.unit.ingestion.tmdb.conftest import Server, TestConnection

AS_OF = datetime(2026, 1, 23, 12, tzinfo=UTC)
WEEK = Window(date(2026, 1, 16), date(2026, 1, 23))


def page(number: int, ids: list[int | None], pages: int = 1, total: int | None = None) -> Response:
    rows = [{"id": movie_id, "adult": None} for movie_id in ids]
    return JSONResponse({"page": number, "results": rows, "total_pages": pages, "total_results": total or len(rows)})


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2026-01-23T01:00", "2026-01-23T23:00", [("2026-01-23", "2026-01-23")]),
        ("2026-01-10T12:00", "2026-01-23T12:00", [("2026-01-10", "2026-01-23")]),
        ("2026-01-09T12:00", "2026-01-23T12:00", [("2026-01-09", "2026-01-22"), ("2026-01-22", "2026-01-23")]),
        (
            "2025-12-20T00:00",
            "2026-01-20T00:00",
            [("2025-12-20", "2026-01-02"), ("2026-01-02", "2026-01-15"), ("2026-01-15", "2026-01-20")],
        ),
    ],
)
def test_windows_hold_fourteen_days_at_most_and_leave_no_day_out(
    since: str, until: str, expected: list[tuple[str, str]]
) -> None:
    found = windows(day(since), day(until))
    assert [(window.first.isoformat(), window.last.isoformat()) for window in found] == expected
    assert max(window.days for window in found) <= 14


def test_changes_come_from_every_page_once_with_those_of_deleted_movies(server: Server, tmdb: TestConnection) -> None:
    server.answer("/movie/changes#1", page(1, [5, 3, None], 3, 5))
    server.answer("/movie/changes#2", page(2, [3, 9], 3, 5))
    server.answer("/movie/changes#3", page(3, [1], 3, 5))
    assert tmdb.ask(lambda client: changed_ids(client, WEEK)) == [1, 3, 5, 9]


def test_changes_whose_rows_moved_between_pages_are_asked_for_once_more(server: Server, tmdb: TestConnection) -> None:
    server.answer("/movie/changes#1", page(1, [1, 2], 2, 4), page(1, [1, 2], 2, 4))
    # The second page shows a row of the first again: the fourth movie has not been seen.
    server.answer("/movie/changes#2", page(2, [2, 3], 2, 4), page(2, [3, 4], 2, 4))
    assert tmdb.ask(lambda client: changed_ids(client, WEEK)) == [1, 2, 3, 4]
    assert len(server.asked) == 4


def test_a_window_of_too_many_pages_is_halved(server: Server, tmdb: TestConnection) -> None:
    server.answer("/movie/changes", page(1, [1], 501), page(1, [2]), page(1, [3]))
    assert tmdb.ask(lambda client: changed_ids(client, WEEK)) == [2, 3]
    spans = [dict(pair.split("=") for pair in query.split("&")) for _, _, query, _ in server.asked]
    assert [(span["start_date"], span["end_date"]) for span in spans] == [
        ("2026-01-16", "2026-01-23"),
        ("2026-01-16", "2026-01-19"),
        ("2026-01-20", "2026-01-23"),
    ]


def test_a_day_of_too_many_pages_is_refused_and_not_cut(server: Server, tmdb: TestConnection) -> None:
    server.answer("/movie/changes", page(1, [1], 501))
    with pytest.raises(RequestRefused, match="On 2026-01-16 more movies changed than TMDB lists"):
        tmdb.ask(lambda client: changed_ids(client, WEEK))


def test_popular_movies_come_once_though_pages_repeat_them(server: Server, tmdb: TestConnection) -> None:
    server.answer("/movie/popular#1", page(1, [7, 5], 58_322))
    server.answer("/movie/popular#2", page(2, [5, 3], 58_322))
    server.answer("/movie/popular#3", page(3, [1, 2], 58_322))
    assert tmdb.ask(lambda client: popular_ids(client, 4)) == [7, 5, 3, 1]
    assert len(server.asked) == 3


def test_no_page_after_the_last_that_tmdb_gives_is_asked_for(
    server: Server, tmdb: TestConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "LAST_PAGE", 7)
    server.answer("/movie/popular", page(1, [7, 5], 58_322))
    assert tmdb.ask(lambda client: popular_ids(client, 3)) == [7, 5]
    assert len(server.asked) == 7


def test_a_page_that_cannot_be_had_ends_the_batch(server: Server, tmdb: TestConnection) -> None:
    server.answer("/movie/popular", Response("<html>", 200))
    with pytest.raises(RequestRefused, match="Page 1 of /movie/popular cannot be had: a broken body"):
        tmdb.ask(lambda client: popular_ids(client, 3))


def test_genres_come_by_id(server: Server, tmdb: TestConnection) -> None:
    server.answer("/genre/movie/list", JSONResponse({"genres": [{"id": 36, "name": "Historie "}]}))
    assert tmdb.ask(genres) == {36: "Historie "}


def test_what_is_no_api_says_so(server: Server, tmdb: TestConnection) -> None:
    server.answer("/genre/movie/list", Response("<html>a login page</html>"))
    with pytest.raises(RequestRefused, match=r"Check that tmdb\.url is the address of TMDB's API"):
        tmdb.ask(genres)


def fetch(tmdb: TestConnection, movie_id: int, etag: str | None = None) -> Any:
    return tmdb.ask(lambda client: details(client, movie_id, etag, AS_OF))


def test_details_become_a_record_with_all_that_is_appended(server: Server, tmdb: TestConnection) -> None:
    text = '{ "id": 11,\n "popularity": 3 }\n'
    server.answer("/movie/11", Response(text, headers={"ETag": 'W/"v"'}))
    record = fetch(tmdb, 11)
    assert isinstance(record, Record)
    assert (record.movie_id, record.payload, record.etag) == ("11", text.strip(), 'W/"v"')
    assert (record.observed_at, record.is_assumed) == (AS_OF, True)
    assert "append_to_response=credits%2Ckeywords%2Creviews%2Crelease_dates" in server.asked[0][2]


def test_movies_that_leave_no_row(server: Server, tmdb: TestConnection) -> None:
    server.answer("/movie/1", Response(status_code=304))
    server.answer("/movie/2", JSONResponse({"status_code": 34, "status_message": "not found"}, 404))
    server.answer("/movie/3", JSONResponse({"success": False, "status_code": 21, "status_message": "Entry not found"}))
    assert [fetch(tmdb, movie_id, "v") for movie_id in (1, 2, 3)] == [
        Passed.UNCHANGED,
        Passed.MISSING,
        Passed.MISSING,
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"id": 11, "title": "cut o', Reason.INVALID_JSON),
        ("<html>504 Gateway Time-out</html>", Reason.INVALID_JSON),
        ("[]", Reason.NOT_AN_OBJECT),
        ('{"title": "nameless"}', Reason.ID_MISSING),
        ('{"id": "11"}', Reason.ID_NOT_INTEGER),
        ('{"id": 12}', Reason.OTHER_MOVIE),
        ('{"id": 11, "x": ' + "[" * 5000 + "]" * 5000 + "}", Reason.TOO_DEEP),
        ('{"id": 11, "title": "\xff"}', Reason.INVALID_UTF8),
    ],
)
def test_a_body_that_stays_wrong_goes_to_quarantine_with_its_reason(
    server: Server, tmdb: TestConnection, body: str, reason: Reason
) -> None:
    server.answer("/movie/11", Response(body.encode("latin-1")))
    reject = fetch(tmdb, 11)
    assert isinstance(reject, Reject)
    assert (reject.reason, reject.movie_id) == (reason, "11")
    assert reject.detail.startswith("GET /movie/11")
    assert tmdb.tally.sent == tmdb.pace.attempts


def test_a_body_that_is_too_large_goes_to_quarantine_at_once(server: Server, tmdb: TestConnection) -> None:
    server.answer("/movie/11", Response('{"id": 11, "padding": "' + "x" * 200_000 + '"}'))
    reject = fetch(tmdb, 11)
    assert (reject.reason, len(reject.raw)) == (Reason.RECORD_TOO_LARGE, 4096)
    assert tmdb.tally.sent == 1


def test_a_movie_that_tmdb_fails_to_answer_for_goes_to_quarantine(server: Server, tmdb: TestConnection) -> None:
    body = {"success": False, "status_code": 24, "status_message": "Your request to the backend timed out."}
    server.answer("/movie/11", JSONResponse(body, 504))
    reject = fetch(tmdb, 11)
    assert reject.reason is Reason.FETCH_FAILED
    assert reject.detail == (
        "GET /movie/11: 504 at every attempt, TMDB's error 24: Your request to the backend timed out."
    )


def test_the_newest_export_that_was_ready_is_taken(server: Server, tmdb: TestConnection, tmp_path: Path) -> None:
    lines = [json.dumps({"adult": False, "id": number, "original_title": "ü"}) for number in (3, 1)]
    packed = gzip.compress("\n".join([*lines, "not json", '{"id": "7"}', ""]).encode())
    # At 7:30 the export of the day is not ready; that of the day before is missing.
    server.answer("/movie_ids_01_22_2026.json.gz", Response("<Error/>", 403))
    server.answer("/movie_ids_01_21_2026.json.gz", Response(status_code=503), Response(packed))
    path = asyncio.run(export.download(tmdb.url, AS_OF.replace(hour=7, minute=30), tmp_path, tmdb.pace))
    assert path.name == "movie_ids_01_21_2026.json.gz"
    found = list(export.ids(path))
    assert found[:2] == [3, 1]
    assert [item.detail.split(":")[0] for item in found[2:] if isinstance(item, Reject)] == [
        "movie_ids_01_21_2026.json.gz, line 3",
        "movie_ids_01_21_2026.json.gz, line 4",
    ]
    assert not any("authorization" in headers for *_, headers in server.asked)


def test_an_export_that_was_cut_off_is_refused_whole(tmp_path: Path) -> None:
    path = tmp_path / "movie_ids_01_21_2026.json.gz"
    packed = gzip.compress(b"".join(b'{"id":%d,"original_title":"%d"}\n' % (i, i**5) for i in range(1, 20_000)))
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(TmdbError, match=r"damaged: movie_ids_01_21_2026\.json\.gz, line .* ends early"):
        list(export.ids(path))


def test_no_export_at_all(server: Server, tmdb: TestConnection, tmp_path: Path) -> None:
    with pytest.raises(TmdbError, match="no export of movie ids for 2026-01-23, 2026-01-22, 2026-01-21"):
        asyncio.run(export.download(tmdb.url, AS_OF, tmp_path, tmdb.pace))
    server.answer("/movie_ids_01_23_2026.json.gz", Response(status_code=503))
    with pytest.raises(TmdbError, match="HTTP 503 at every attempt"):
        asyncio.run(export.download(tmdb.url, AS_OF, tmp_path, tmdb.pace.model_copy(update={"attempts": 2})))
    assert not list(tmp_path.iterdir())


def test_a_file_of_ids_is_read_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_text("# wanted\n11\n\n  550 \n11\n")
    assert read_ids(path) == [11, 550]


@pytest.mark.parametrize(
    ("text", "said"),
    [("11\ntt0076759\n", "line 2: 'tt0076759' is not a movie id"), ("0\n", "line 1"), ("-5\n", "line 1"), ("", "no")],
)
def test_a_file_of_ids_with_something_else_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "ids.txt"
    path.write_text(text)
    with pytest.raises(SourceError, match=said):
        read_ids(path)


def test_an_ask_is_kept_as_text() -> None:
    ask = Ask("changes", since=AS_OF)
    assert read_ask(ask.text) == ask
    assert Ask().text == "{}"


def test_a_tally_is_told_in_four_lines() -> None:
    tally = Tally(sent=1_210, body_bytes=2_500_000, waited_seconds=12.4, given_up=1)
    tally.answers.update({200: 1_000, 404: 9})
    tally.repeats.update({"429": 150, "a timeout": 50})
    assert tally.lines(30.25) == [
        "1,210 requests in 30 s, 40.0 a second; 2.5 MB received",
        "answers: 1,000 x 200, 9 x 404",
        "repeated: 150 x 429, 50 x a timeout; 12 s of waits in all",
        "given up after every attempt: 1",
    ]
