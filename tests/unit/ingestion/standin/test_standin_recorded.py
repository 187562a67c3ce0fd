import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingestion.standin.app import Standin, build_app
from ingestion.standin.recorded import load_recordings
from ingestion.standin.world import World
from lakehouse.errors import ConfigurationError
from tests.standin import AppClient

WORLD = World(seed=7, movies=10, today=datetime(2026, 1, 23, tzinfo=UTC))

TODAY = date(2026, 1, 23)


class _File(msgspec.Struct):
    request: dict[str, Any]
    http_status: int
    body: msgspec.Raw


def write(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")


def endpoint(path: str, query: dict[str, str], body: str, status: int = 200) -> str:
    return f'{{"request": {json.dumps({"path": path, "query": query})}, "http_status": {status}, "body": {body}}}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "endpoints/a.json", endpoint("/3/movie/5", {}, '{"id": 5,  "title":"Ember"}'))
    write(tmp_path, "endpoints/b.json", endpoint("/3/movie/5", {"language": "de"}, '{"id":5,"title":"Glut"}'))
    write(tmp_path, "endpoints/c.json", endpoint("/3/movie/popular", {"page": "1"}, '{"page":1}'))
    write(tmp_path, "endpoints/d.json", endpoint("/3/movie/popular", {"page": "2", "region": "BR"}, '{"page":2}'))
    write(tmp_path, "movie_full/movie_5_1.json", '{"id":5,"credits":{}}')
    write(tmp_path, "movie_full/movie_6_2.json", '{\n "id": 6}\n')
    body = {"status_code": 34, "status_message": "Recorded."}
    errors = [
        {"method": "GET", "path": "/3/movie/9", "query": {}, "http_status": 404, "body": body},
        {"method": "POST", "path": "/3/movie/8", "query": {}, "http_status": 201, "body": {}},
        {"file": "x.json", "body": {"status_code": 7}},
    ]
    write(tmp_path, "errors/errors.json", json.dumps(errors))
    return tmp_path


@pytest.mark.parametrize(
    ("path", "query", "status", "body"),
    [
        ("/3/movie/5", {}, 200, b'{"id": 5,  "title":"Ember"}'),
        ("/3/movie/5", {"append_to_response": "credits", "api_key": "k"}, 200, b'{"id": 5,  "title":"Ember"}'),
        ("/3/movie/5", {"language": "de"}, 200, b'{"id":5,"title":"Glut"}'),
        ("/3/movie/6", {}, 200, b'{\n "id": 6}'),
        ("/3/movie/popular", {}, 200, b'{"page":1}'),
        ("/3/movie/popular", {"page": "2"}, 200, b'{"page":2}'),
        ("/3/movie/popular", {"page": "1", "region": "BR"}, 200, b'{"page":1}'),
        ("/3/movie/9", {}, 404, b'{"status_code": 34, "status_message": "Recorded."}'),
    ],
)
def test_the_nearest_recording_is_served_as_it_is(
    folder: Path, path: str, query: dict[str, str], status: int, body: bytes
) -> None:
    answer = load_recordings(folder).answer(path, query, TODAY)
    assert (answer.status, answer.body.strip()) == (status, body)


def test_an_unknown_path_is_404(folder: Path) -> None:
    for path in ("/3/movie/8", "/3/movie/7", "/3/movie/5/credits"):
        assert load_recordings(folder).answer(path, {}, TODAY).status == 404


def test_the_export_lists_the_movies_that_were_recorded(folder: Path) -> None:
    write(folder, "endpoints/a.json", endpoint("/3/movie/5", {}, '{"id":5,"original_title":"Glut","popularity":2.5}'))
    write(folder, "movie_full/movie_6_2.json", '{"id":6,"original_title":"Ember","popularity":0}')
    answer = load_recordings(folder).answer("/p/exports/movie_ids_01_20_2026.json.gz", {}, TODAY)
    assert answer.chunks
    lines = gzip.decompress(b"".join(answer.chunks())).splitlines()
    assert [(row["id"], row["original_title"]) for row in map(json.loads, lines)] == [(5, "Glut"), (6, "Ember")]
    assert load_recordings(folder).answer("/p/exports/movie_ids_01_24_2026.json.gz", {}, TODAY).status == 404


def test_the_server_serves_them_to_who_has_the_token(folder: Path) -> None:
    client = AppClient(build_app(Standin(WORLD, load_recordings(folder))))
    assert client.get("/3/movie/5").json()["status_code"] == 7
    assert client.get("/3/movie/5?api_key=standin").content == b'{"id": 5,  "title":"Ember"}'


def test_a_folder_that_cannot_be_served_is_said(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="no folder"):
        load_recordings(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match="no recorded answers"):
        load_recordings(tmp_path / "empty")
    write(folder, "endpoints/e.json", '{"body": {}}')
    with pytest.raises(ConfigurationError, match=r"e\.json"):
        load_recordings(folder)


def test_every_real_recording_comes_back_byte_for_byte(tmdb_data: Path) -> None:
    samples = tmdb_data / "api_samples"
    recordings = load_recordings(samples)
    files = sorted(samples.glob("endpoints/*.json"))
    assert files
    for file in files:
        recorded = msgspec.json.decode(file.read_bytes(), type=_File)
        given = recordings.answer(recorded.request["path"], recorded.request["query"], TODAY)
        assert (given.status, given.body) == (recorded.http_status, bytes(recorded.body)), file.name
    export = recordings.answer("/p/exports/movie_ids_01_20_2026.json.gz", {}, TODAY)
    assert export.chunks
    rows = [json.loads(line) for line in gzip.decompress(b"".join(export.chunks())).splitlines()]
    assert len(rows) > 15
    assert all(recordings.answer(f"/3/movie/{row['id']}", {}, TODAY).status == 200 for row in rows)
