"""`kill -9` at random moments of an ingestion from the API, faults on: the same Bronze as without, nothing asked twice.

`make test-long` kills it five times, `make chaos` two hundred times. The moments come from a seed (`TMDB_TEST_SEED`),
and are printed.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.api import busiest_second
from lakehouse.settings import Settings, load_settings
from tests import lake
from tests.instance import killed_after, lakehouse, selected
from tests.standin import TOKEN, RunningStandin, standin

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("long_tests")]

KILLS = int(os.environ.get("TMDB_TEST_API_KILLS", "5"))
_MOVIES = 240
_CHUNK = 30
_RATE = 40
_INGEST = ["ingest", "--source", "api", "--from-export", "--as-of", "2026-01-23T12:00:00Z"]
# What no attempt mends comes first, so that every run sees the same of it.
_FAULTS = [
    {"kind": "invalid_json", "path": r"/3/movie/[0-9]*77\?", "rate": 1.0},
    {"kind": "not_found", "path": r"/3/movie/[0-9]*33\?", "rate": 1.0},
    {"kind": "rate_limited", "rate": 0.02, "retry_after": 0},
    {"kind": "internal_error", "rate": 0.03},
    {"kind": "bad_gateway", "rate": 0.02},
    {"kind": "offline", "rate": 0.03},
    {"kind": "gateway_timeout_page", "rate": 0.02},
    {"kind": "truncated", "rate": 0.03},
    {"kind": "invalid_json", "rate": 0.03},
    {"kind": "closed", "rate": 0.02},
]


@pytest.fixture(scope="module")
def server(long_tests: None) -> Iterator[RunningStandin]:
    with standin(movies=_MOVIES) as running:
        running.set_faults(_FAULTS)
        yield running


@pytest.fixture(scope="module")
def instance(server: RunningStandin, stack: dict[str, str]) -> dict[str, str]:
    return {
        **stack,
        "LAKEHOUSE_TMDB__URL": f"{server.url}/3",
        "LAKEHOUSE_TMDB__EXPORT_URL": f"{server.url}/p/exports",
        "LAKEHOUSE_TMDB__TOKEN": TOKEN,
        "LAKEHOUSE_TMDB__RATE_PER_SECOND": str(_RATE),
        "LAKEHOUSE_TMDB__CHUNK_MOVIES": str(_CHUNK),
        "LAKEHOUSE_TMDB__ATTEMPTS": "12",
        "LAKEHOUSE_TMDB__BACKOFF_SECONDS": "0.05",
        "LAKEHOUSE_TMDB__LONGEST_WAIT_SECONDS": "1",
    }


@pytest.fixture(scope="module")
def settings(instance: dict[str, str]) -> Iterator[Settings]:
    with selected(instance):
        yield load_settings()


def _ingest(instance: dict[str, str]) -> float:
    began = time.monotonic()
    answer = lakehouse(instance, *_INGEST, timeout=900)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return time.monotonic() - began


def _good_answers(requests: list[dict[str, Any]]) -> Counter[str]:
    """How often each movie was sent as it should be: what a fault spoiled was not had, and is asked for again."""
    return Counter(
        request["path"]
        for request in requests
        if request["path"].startswith("/3/movie/") and request["status"] == 200 and not request["fault"]
    )


def test_kills_at_random_moments_change_nothing(
    instance: dict[str, str], settings: Settings, server: RunningStandin, tmp_path: Path
) -> None:
    lake.drop(settings, "bronze")
    whole = _ingest(instance)
    expected = lake.content(settings, "bronze")
    assert expected["bronze.movies"][0] > _MOVIES * 0.9
    assert expected["bronze.quarantine"][0] > 0
    undisturbed = _good_answers(server.requests())

    moments = random.Random(os.environ.get("TMDB_TEST_SEED", "api"))
    kills = 0
    most = 0
    again = 0
    while kills < KILLS:
        lake.drop(settings, "bronze")
        server.clear_requests()
        in_batch = 0
        # A few times in a batch, then it comes to its end: else only the first chunks would ever be met.
        wanted = min(moments.randint(2, 9), KILLS - kills)
        while in_batch < wanted:
            seconds = moments.uniform(0.2, 1.0) * whole
            was_running = killed_after(instance, _INGEST, seconds, tmp_path / "log")
            print(f"kill {kills + in_batch + 1}: after {seconds:.1f} of {whole:.1f} s; still running: {was_running}")
            if not was_running:
                break
            in_batch += 1
        _ingest(instance)
        kills += in_batch
        assert lake.content(settings, "bronze") == expected
        requests = server.requests()
        good = _good_answers(requests)
        assert set(good) == set(undisturbed)
        repeated = good.total() - undisturbed.total()
        print(f"{in_batch} kills in this batch: {repeated} movies fetched again")
        assert repeated <= in_batch * 2 * _CHUNK
        again += repeated
        busiest = busiest_second([request["at"] for request in requests])
        assert busiest <= _RATE
        most = max(most, busiest)
    print(f"{kills} kills: {again} movies fetched again, {again / kills:.0f} a kill; at most {most} requests a second")
