"""The stand-in as a real process: what only shows on a real connection."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import httpx
import psutil
import pytest

from ingestion.synthetic.movie import movie_id
from tests.instance import ROOT, environment
from tests.standin import RunningStandin, standin

MOVIE = f"/3/movie/{movie_id(7, 5)}"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningStandin]:
    with standin() as running:
        yield running


@pytest.fixture
def client(server: RunningStandin) -> Iterator[httpx.Client]:
    server.set_faults("none")
    server.clear_requests()
    with server.client(timeout=10) as client:
        yield client


def fault(server: RunningStandin, kind: str, **options: Any) -> None:
    server.set_faults([{"kind": kind, **options}])


def test_it_answers_and_says_304_over_one_connection(client: httpx.Client) -> None:
    first = client.get(MOVIE, params={"append_to_response": "credits"})
    assert first.json()["credits"]["cast"]
    again = client.get(
        MOVIE, params={"append_to_response": "credits"}, headers={"If-None-Match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(MOVIE).status_code == 200


def test_answers_do_not_wait_for_the_client_to_confirm_the_head(client: httpx.Client) -> None:
    client.get(MOVIE)
    began = time.monotonic()
    for _ in range(50):
        client.get(MOVIE)
    # 40 ms for each, where the kernel holds the body back.
    assert time.monotonic() - began < 1.5


def test_a_slow_body_is_whole_and_late(server: RunningStandin, client: httpx.Client) -> None:
    whole = client.get(MOVIE).content
    fault(server, "slow", delay_seconds=0.05)
    began = time.monotonic()
    assert client.get(MOVIE).content == whole
    assert time.monotonic() - began > 0.4


def test_a_stalled_body_begins_and_does_not_end(server: RunningStandin, client: httpx.Client) -> None:
    fault(server, "stalled")
    with client.stream("GET", MOVIE, timeout=0.5) as answer:
        pieces = answer.iter_bytes()
        received = next(pieces)
        with pytest.raises(httpx.ReadTimeout):
            next(pieces)
    assert received.startswith(b'{"adult"')
    assert len(received) < int(answer.headers["content-length"])
    server.set_faults("none")
    assert client.get(MOVIE).status_code == 200


def test_a_truncated_body_is_shorter_than_was_said(server: RunningStandin, client: httpx.Client) -> None:
    fault(server, "truncated")
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        client.get(MOVIE)


def test_a_closed_connection_gives_no_answer(server: RunningStandin, client: httpx.Client) -> None:
    fault(server, "closed")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        client.get(MOVIE)
    assert [(entry["status"], entry["fault"]) for entry in server.requests()] == [(0, "closed")]


def test_a_body_can_be_larger_than_a_client_takes(server: RunningStandin, client: httpx.Client) -> None:
    fault(server, "too_large", size_bytes=3_000_000)
    assert len(client.get(MOVIE).json()["padding"]) == 3_000_000


def test_the_export_is_broken_off_too(server: RunningStandin, client: httpx.Client) -> None:
    export = "/p/exports/movie_ids_01_20_2026.json.gz"
    assert client.get(export).content[:2] == b"\x1f\x8b"
    fault(server, "truncated")
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(export)


def test_a_large_export_lets_other_requests_in_and_ends_with_its_client() -> None:
    with standin(movies=3_000_000) as running, running.client(timeout=20) as client:
        with client.stream("GET", "/p/exports/movie_ids_01_20_2026.json.gz") as answer:
            next(answer.iter_raw())
            began = time.monotonic()
            for _ in range(5):
                assert client.get(MOVIE).status_code == 200
            assert time.monotonic() - began < 1.5
        time.sleep(0.5)
        server = psutil.Process(running.process.pid)
        used = server.cpu_times().user
        time.sleep(1)
        assert server.cpu_times().user - used < 0.3
        assert server.memory_info().rss < 150 * 2**20


def test_many_at_once_meet_the_same_faults_as_one_after_the_other(server: RunningStandin, client: httpx.Client) -> None:
    rules = [{"kind": "internal_error", "rate": 0.3}, {"kind": "maintenance", "rate": 0.3}]
    paths = [f"/3/movie/{movie_id(7, index)}" for index in range(60)] * 2

    def met() -> list[tuple[str, list[int]]]:
        statuses: dict[str, list[int]] = {}
        for entry in server.requests():
            statuses.setdefault(entry["path"], []).append(entry["status"])
        return sorted(statuses.items())

    server.set_faults(rules)
    for path in paths:
        client.get(path)
    one_by_one = met()
    assert {status for _, statuses in one_by_one for status in statuses} == {200, 500, 503}
    server.set_faults(rules)
    server.clear_requests()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(client.get, paths))
    assert met() == one_by_one


def test_the_limit_holds_in_any_second() -> None:
    with standin("--limit", "20") as running, running.client() as client, ThreadPoolExecutor(8) as pool:
        list(pool.map(client.get, [MOVIE] * 120))
        entries = running.requests()
    passed = [entry["at"] for entry in entries if entry["status"] == 200]
    assert {entry["status"] for entry in entries} == {200, 429}
    assert all(passed[position + 20] - passed[position] >= 1 for position in range(len(passed) - 20))
    assert all(one["at"] <= next_one["at"] for one, next_one in pairwise(entries))


@pytest.mark.parametrize("rules", ["none", '[{"kind": "stalled"}]'])
def test_it_ends_at_once_and_well_when_it_is_told_to(rules: str) -> None:
    with standin("--faults", rules) as running, running.client() as client, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.get, MOVIE)
        while not running.requests():
            time.sleep(0.02)
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(10) == 0
        assert "Traceback" not in (running.process.stderr.read() if running.process.stderr else "")
        if rules == "none":
            assert asked.result().status_code == 200
        else:
            with pytest.raises(httpx.RemoteProtocolError):
                asked.result()


def test_it_says_where_it_listens_and_with_which_token() -> None:
    with standin() as running:
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(10) == 0
        said = running.process.stdout.read() if running.process.stdout else ""
    assert f"{running.url}/3" in said
    assert "'standin'" in said
    assert said.count("\n") == 1


def test_a_port_that_is_taken_is_said(server: RunningStandin) -> None:
    port = server.url.rpartition(":")[2]
    ended = subprocess.run(
        [sys.executable, "-m", "lakehouse.cli", "tmdb-standin", "--port", port],
        cwd=ROOT,
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert f"cannot listen at 127.0.0.1:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_process_group_is_gone_afterwards() -> None:
    with standin() as running:
        group = running.process.pid
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)
