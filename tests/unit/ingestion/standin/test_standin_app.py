"""The application as a client sees it, called without a server between."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ingestion.standin.app import Standin, build_app
from ingestion.standin.faults import Fault, Kind
from ingestion.standin.requests import RateLimit, RequestLog
from ingestion.standin.world import World
from ingestion.synthetic.movie import movie_id
from tests.standin import AppClient

WORLD = World(seed=7, movies=200, today=datetime(2026, 1, 23, tzinfo=UTC))
MOVIE = f"/3/movie/{movie_id(7, 5)}"
TOKEN = {"Authorization": "Bearer standin"}


def client(**parts: Any) -> AppClient:
    return AppClient(build_app(Standin(WORLD, **parts)), headers=TOKEN)


@pytest.fixture(scope="module")
def plain() -> AppClient:
    return client()


@pytest.mark.parametrize(
    ("headers", "key", "status", "code"),
    [
        ({}, None, 401, 7),
        ({}, "wrong", 401, 7),
        ({"Authorization": "Bearer wrong"}, None, 401, 7),
        ({"Authorization": "Bearer wrong"}, "standin", 401, 7),
        ({"Authorization": "Basic standin"}, None, 401, 7),
        ({}, "standin-expired", 401, 33),
        ({"Authorization": "Bearer standin-suspended"}, None, 403, 45),
        ({}, "standin", 200, None),
        ({"Authorization": "bearer standin"}, None, 200, None),
    ],
)
def test_only_the_token_is_let_in(headers: dict[str, str], key: str | None, status: int, code: int | None) -> None:
    anyone = AppClient(build_app(Standin(WORLD)))
    for path in (MOVIE, "/3/movie/popular", "/3/nothing"):
        answer = anyone.get(path, headers=headers, params={"api_key": key} if key else {})
        body = answer.json()
        if code:
            assert (answer.status_code, body["status_code"], body["success"]) == (status, code, False)
        else:
            assert answer.status_code in (200, 404)


def test_exports_need_no_token() -> None:
    answer = AppClient(build_app(Standin(WORLD))).get("/p/exports/movie_ids_01_20_2026.json.gz")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/gzip"
    assert "content-encoding" not in answer.headers


def test_headers_are_as_tmdb_sends_them(plain: AppClient) -> None:
    headers = plain.get(MOVIE).headers
    assert headers["content-type"] == "application/json;charset=utf-8"
    assert headers["etag"].startswith('W/"')
    assert headers["cache-control"].startswith("public, max-age=")
    assert "etag" not in plain.get("/3/movie/1").headers


@pytest.mark.parametrize("form", ["{}", '"other", {}', "*"])
def test_what_the_client_has_is_not_sent_again(plain: AppClient, form: str) -> None:
    first = plain.get(MOVIE)
    again = plain.get(MOVIE, headers={"If-None-Match": form.format(first.headers["etag"])})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert "content-type" not in again.headers


def test_what_has_changed_is_sent_again() -> None:
    mine = client()
    tag = mine.get(MOVIE).headers["etag"]
    assert mine.put("/standin/today", json={"today": "2026-01-24"}).json() == {"today": "2026-01-24T00:00:00Z"}
    again = mine.get(MOVIE, headers={"If-None-Match": tag})
    assert again.status_code == 200
    assert again.headers["etag"] != tag


def test_other_methods_and_paths_are_refused(plain: AppClient) -> None:
    assert plain.request("POST", MOVIE).json()["status_code"] == 42
    assert plain.get("/4/movie/1").json()["status_code"] == 34
    assert plain.get("/movie/popular").status_code == 404


def test_the_log_tells_what_was_asked_without_the_token() -> None:
    mine = client()
    mine.get(f"{MOVIE}?language=de&api_key=standin")
    mine.get("/3/movie/1")
    mine.get("/3/movie/popular", headers={"Authorization": "Bearer a-secret"})
    told = mine.get("/standin/requests")
    assert "standin" not in told.text
    assert "a-secret" not in told.text
    body = told.json()
    assert body["total"] == 3
    assert [(entry["path"], entry["query"], entry["status"], entry["fault"]) for entry in body["requests"]] == [
        (MOVIE, "language=de", 200, None),
        ("/3/movie/1", "", 404, None),
        ("/3/movie/popular", "", 401, None),
    ]
    times = [entry["at"] for entry in body["requests"]]
    assert times == sorted(times)
    assert mine.request("DELETE", "/standin/requests").status_code == 204
    assert mine.get("/standin/requests").json() == {"total": 0, "requests": []}


def test_the_log_is_bounded() -> None:
    mine = client(log=RequestLog(2))
    for number in (1, 2, 3):
        mine.get(f"/3/movie/{number}")
    told = mine.get("/standin/requests").json()
    assert told["total"] == 3
    assert [entry["path"] for entry in told["requests"]] == ["/3/movie/2", "/3/movie/3"]


def test_above_the_limit_requests_get_429_until_a_second_has_passed() -> None:
    times = iter([0.0, 0.1, 0.2, 0.99, 1.0, 1.05, 1.1])
    mine = client(limit=RateLimit(2), clock=lambda: next(times))
    answers = [mine.get(MOVIE) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 200, 429, 200]
    assert answers[2].json()["status_code"] == 25
    assert answers[2].headers["retry-after"] == "1"


@pytest.mark.parametrize(("given", "sent"), [(None, None), (2, "2"), (0.5, "0.5"), ("soon", "soon")])
def test_retry_after_is_sent_as_the_rule_has_it(given: Any, sent: str | None) -> None:
    answer = client(faults=(Fault(Kind.RATE_LIMITED, retry_after=given),)).get(MOVIE)
    assert answer.status_code == 429
    assert answer.headers.get("retry-after") == sent


def test_faults_are_counted_by_target_and_are_in_the_log() -> None:
    mine = client(faults=(Fault(Kind.OFFLINE, times=1),))
    assert [mine.get(path).status_code for path in (MOVIE, MOVIE, "/3/configuration")] == [503, 200, 503]
    faults = [entry["fault"] for entry in mine.get("/standin/requests").json()["requests"]]
    assert faults == ["offline", None, "offline"]
    assert mine.put("/standin/faults", json=[{"kind": "offline", "times": 1}]).status_code == 204
    assert mine.get(MOVIE).status_code == 503
    assert mine.put("/standin/faults", json="none").status_code == 204
    assert mine.get("/3/genre/movie/list").status_code == 200


def test_a_page_can_come_again_under_the_next_number() -> None:
    mine = client()
    first = mine.get("/3/movie/popular", params={"page": 1}).json()
    mine.put("/standin/faults", json=[{"kind": "repeated_page"}])
    second = mine.get("/3/movie/popular", params={"page": 2}).json()
    assert second == {**first, "page": 2}
    assert mine.get("/3/movie/popular").json() == first


def test_drift_and_a_fault_come_together() -> None:
    rules = [{"kind": "field_removed", "field": "tagline"}, {"kind": "late", "delay_seconds": 0}]
    mine = client()
    assert mine.put("/standin/faults", json=rules).status_code == 204
    assert "tagline" not in mine.get(MOVIE).json()


def test_a_closed_connection_is_an_error_of_the_connection() -> None:
    with pytest.raises(ConnectionResetError):
        client(faults=(Fault(Kind.CLOSED),)).get(MOVIE)


def test_damage_can_be_turned_on() -> None:
    mine = client()
    assert mine.put("/standin/dirty", json={"dirty_rate": 1}).json() == {"dirty_rate": 1}
    clean = [mine.get(f"/3/movie/{movie_id(7, index)}").content for index in range(40)]
    mine.put("/standin/dirty", json={"dirty_rate": 0})
    dirty = [mine.get(f"/3/movie/{movie_id(7, index)}").content for index in range(40)]
    assert sum(one != other for one, other in zip(clean, dirty, strict=True)) > 20


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("faults", [{"kind": "sleepy"}], "sleepy"),
        ("faults", "some20", "preset"),
        ("today", {"today": "soon"}, "ISO 8601"),
        ("today", {"day": "2026-01-23"}, "today"),
        ("dirty", {"dirty_rate": 2}, "0 to 1"),
    ],
)
def test_what_cannot_be_set_is_said_and_changes_nothing(path: str, body: Any, said: str) -> None:
    mine = client()
    before = mine.get(MOVIE).content
    answer = mine.put(f"/standin/{path}", json=body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert mine.get(MOVIE).content == before
