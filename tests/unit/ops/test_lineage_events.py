"""Lineage events: what they say of a run, and that no endpoint can stall it."""

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from openlineage.client.serde import Serde

from lakehouse.ops.journal import read_run
from lakehouse.ops.lineage import emit, lineage_events, lineage_file, read_project, run_uuid
from lakehouse.settings import Settings, load_settings
from tests.instance import free_ports
from tests.unit.ops.sample_run import failed_run, good_run

MANIFEST: dict[str, Any] = {
    "metadata": {"project_name": "tmdb_lakehouse"},
    "sources": {
        "source.tmdb_lakehouse.bronze.movies": {
            "resource_type": "source",
            "schema": "bronze",
            "name": "movies",
            "identifier": "movies",
            "description": "One row an observation.",
            "columns": {},
        }
    },
    "nodes": {
        "model.tmdb_lakehouse.inlined": {
            "resource_type": "model",
            "schema": "silver",
            "name": "inlined",
            "config": {"materialized": "ephemeral"},
            "depends_on": {"nodes": ["source.tmdb_lakehouse.bronze.movies"]},
        },
        "model.tmdb_lakehouse.movies": {
            "resource_type": "model",
            "schema": "silver",
            "name": "movies",
            "alias": "movies",
            "description": "One row a movie.",
            "config": {"materialized": "incremental"},
            "columns": {"movie_id": {"name": "movie_id", "data_type": "string", "description": "TMDB's id."}},
            "depends_on": {"nodes": ["model.tmdb_lakehouse.inlined", "macro.x"]},
        },
        "model.tmdb_lakehouse.trending_scores": {
            "resource_type": "model",
            "schema": "gold",
            "name": "trending_scores",
            "config": {"materialized": "view"},
            "depends_on": {"nodes": ["model.tmdb_lakehouse.movies"]},
        },
        "test.tmdb_lakehouse.keys_are_unique": {"resource_type": "test", "name": "keys_are_unique"},
    },
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=str(tmp_path))


def _events(settings: Settings, told: Callable[[Path], Any] = good_run) -> list[Any]:
    facts = read_run(told(settings.home).path)
    return lineage_events(settings, facts.run, facts.rows("dbt_results"), read_project(MANIFEST))


def _dicts(settings: Settings, told: Callable[[Path], Any] = good_run) -> list[dict[str, Any]]:
    return [json.loads(Serde.to_json(event)) for event in _events(settings, told)]


def test_a_run_and_each_model_begin_and_end_in_order(settings: Settings) -> None:
    found = [(event["eventType"], event["job"]["name"]) for event in _dicts(settings)]
    assert found == [
        ("START", "demo"),
        ("START", "tmdb_lakehouse.silver.movies"),
        ("COMPLETE", "tmdb_lakehouse.silver.movies"),
        ("START", "tmdb_lakehouse.gold.trending_scores"),
        ("COMPLETE", "tmdb_lakehouse.gold.trending_scores"),
        ("COMPLETE", "demo"),
    ]


def test_a_model_names_what_it_reads_and_writes(settings: Settings) -> None:
    event = _dicts(settings)[2]
    (read,), (written,) = event["inputs"], event["outputs"]
    assert (read["namespace"], read["name"]) == ("hive://127.0.0.1:9083", "bronze.movies")
    assert (written["namespace"], written["name"]) == ("hive://127.0.0.1:9083", "silver.movies")
    assert written["facets"]["schema"]["fields"] == [
        {"name": "movie_id", "type": "string", "description": "TMDB's id.", "fields": []}
    ]
    assert written["facets"]["symlinks"]["identifiers"] == [
        {"namespace": "hdfs://127.0.0.1:9000", "name": "/warehouse/silver.db/movies", "type": "LOCATION"}
    ]
    assert event["job"]["facets"]["documentation"]["description"] == "One row a movie."
    assert event["job"]["facets"]["jobType"]["integration"] == "DBT"
    assert "symlinks" not in _dicts(settings)[4]["outputs"][0]["facets"]


def test_ids_are_the_same_each_time_and_models_have_the_run_for_parent(settings: Settings) -> None:
    first, again = _dicts(settings), _dicts(settings)
    assert first == again
    own = first[0]["run"]["runId"]
    assert own == run_uuid("demo-1")
    assert uuid.UUID(own).version == 5
    parent = first[1]["run"]["facets"]["parent"]
    assert (parent["run"]["runId"], parent["job"]["name"]) == (own, "demo")
    assert len({event["run"]["runId"] for event in first}) == 3


def test_a_failure_says_why(settings: Settings) -> None:
    events = _dicts(settings, failed_run)
    assert [event["eventType"] for event in events] == ["START", "START", "FAIL", "FAIL"]
    assert events[2]["run"]["facets"]["errorMessage"]["message"] == "Column [x] cannot be resolved"
    assert events[3]["run"]["facets"]["errorMessage"]["message"] == "Silver is [below] its thresholds."


class _Backend(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answer: Callable[[int], int]) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.answer = answer
        self.received: list[tuple[str, dict[str, Any]]] = []


class _Receiver(BaseHTTPRequestHandler):
    server: _Backend

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.server.answer(len(self.server.received))
        if status < 400:
            self.server.received.append((self.path, body))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def _backend(answer: Callable[[int], int] = lambda count: 201) -> Iterator[tuple[_Backend, dict[str, str]]]:
    with _Backend(answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server, {"openlineage_url": f"http://127.0.0.1:{server.server_port}"}
        server.shutdown()


def test_an_endpoint_gets_every_event(tmp_path: Path) -> None:
    with _backend() as (server, ops):
        settings = load_settings(home=str(tmp_path), ops=ops)
        assert emit(settings, "demo-1", _events(settings)) == 6
        assert server.received == [("/api/v1/lineage", event) for event in _dicts(settings)]
    assert not lineage_file(tmp_path, "demo-1").exists()


def test_without_an_endpoint_events_go_to_a_file(settings: Settings) -> None:
    assert emit(settings, "demo-1", _events(settings)) == 0
    assert [json.loads(line) for line in lineage_file(settings.home, "demo-1").read_text().splitlines()] == _dicts(
        settings
    )


def test_what_an_endpoint_refuses_and_all_after_it_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with _backend(lambda count: 201 if count < 2 else 500) as (_, ops), caplog.at_level(logging.WARNING):
        settings = load_settings(home=str(tmp_path), ops=ops)
        assert emit(settings, "demo-1", _events(settings)) == 2
    kept = [json.loads(line) for line in lineage_file(tmp_path, "demo-1").read_text().splitlines()]
    assert kept == _dicts(settings)[2:]
    assert "took 2 of 6 lineage events" in caplog.text


def test_a_slow_endpoint_stalls_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.ops.lineage._TIMEOUT_SECONDS", 0.2)

    def answer(count: int) -> int:
        time.sleep(1)
        return 201

    with _backend(answer) as (_, ops):
        settings = load_settings(home=str(tmp_path), ops=ops)
        began = time.monotonic()
        assert emit(settings, "demo-1", _events(settings)) == 0
        assert time.monotonic() - began < 1
    assert len(lineage_file(tmp_path, "demo-1").read_text().splitlines()) == 6


def test_one_that_is_slow_within_its_timeout_is_left_in_the_end(tmp_path: Path) -> None:
    def answer(count: int) -> int:
        time.sleep(0.2)
        return 201

    with _backend(answer) as (_, ops):
        settings = load_settings(home=str(tmp_path), ops=ops)
        assert 1 <= emit(settings, "demo-1", _events(settings), at_most_seconds=0.3) <= 3


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", "http://"])
def test_a_dead_endpoint_or_none_at_all_stalls_nothing(tmp_path: Path, url: str) -> None:
    settings = load_settings(home=str(tmp_path), ops={"openlineage_url": url.format(port=free_ports(1)[0])})
    assert emit(settings, "demo-1", _events(settings)) == 0
    assert len(lineage_file(tmp_path, "demo-1").read_text().splitlines()) == 6


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", ""])
def test_credentials_of_an_address_are_not_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, host: str
) -> None:
    with _backend(lambda count: 401) as (server, _), caplog.at_level(logging.DEBUG, "lakehouse"):
        url = f"http://reader:s3cret@{host.format(port=server.server_port)}/"  # pragma: allowlist secret
        settings = load_settings(home=str(tmp_path), ops={"openlineage_url": url})
        assert emit(settings, "demo-1", _events(settings)) == 0
    assert "http://***@" in caplog.text
    assert "s3cret" not in caplog.text
