"""The whole cycle on real parts: on the real records, and on input that is wrong in every known way."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lakehouse.hive import query
from lakehouse.settings import Settings, load_settings
from tests import lake
from tests.instance import lakehouse, selected
from tests.integration.dbt.test_oracle import assert_gold_is_what_the_oracle_says

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("long_tests")]

_BATCHES = ("bronze.batches", "staging.stg_tmdb__batches")


@pytest.fixture(scope="module")
def settings(long_tests: None, stack: dict[str, str]) -> Iterator[Settings]:
    """The instance's settings, over an empty lake."""
    with selected(stack):
        found = load_settings()
        lake.drop(found)
        lake.drop_documents(found)
        yield found


def _value(settings: Settings, sql: str) -> Any:
    return query(settings, sql).rows[0][0]


def _run(stack: dict[str, str], *arguments: str) -> str:
    answer = lakehouse(stack, "run", *arguments, timeout=900)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_the_real_records_land_once_and_give_trending(
    stack: dict[str, str], settings: Settings, tmdb_data: Path
) -> None:
    movies = ["--source", "file", "--path", str(tmdb_data / "tmdb_movies.jsonl.gz")]
    _run(stack, *movies)
    assert _value(settings, "select count(*) from silver.movies") == 2437
    # Of each movie there is one observation, so nothing can trend yet.
    assert_gold_is_what_the_oracle_says(settings, without_rows={"emerging_genre_pairs", "trending_scores"})
    # The second run adds its own row to bronze.batches (and to the view on it), and nothing else anywhere.
    first = lake.content(settings, without=_BATCHES)
    published = lake.documents(settings)
    again = _run(stack, *movies)
    assert "0 landed, 2,437 unchanged" in again
    assert lake.content(settings, without=_BATCHES) == first
    assert lake.documents(settings) == published

    _run(stack, "--source", "file", "--path", str(tmdb_data / "tmdb_observations.jsonl.gz"))
    with gzip.open(tmdb_data / "tmdb_observations.jsonl.gz", "rt") as lines:
        latest = max(json.loads(line)["observed_by"] for line in lines)
    assert str(_value(settings, "select max(computed_date) from gold.trending_scores")) == latest
    assert _value(settings, "select count(*) from gold.trending_scores") > 0
    # Nearly all of these movies came out more than five years before the latest observation.
    assert_gold_is_what_the_oracle_says(settings, without_rows={"emerging_genre_pairs"})
    assert _value(settings, "select count(*) from silver.movies") == 2437
    assert lake.documents(settings)["trending_scores"][0] == _value(
        settings, "select count(*) from gold.trending_scores"
    )


_GOOD: dict[str, Any] = {
    "title": "A Good Film",
    "overview": "A good film about a happy dog.",
    "release_date": "2001-02-03",
    "genres": [{"id": 18, "name": "Drama"}],
    "popularity": 1.5,
    "vote_average": 7.5,
    "vote_count": 100,
    "original_language": "en",
    "budget": 1000,
    "revenue": 3000,
    "runtime": 90,
    "status": "Released",
}


def _record(movie_id: int | str, **changes: Any) -> str:
    return json.dumps({"id": movie_id, **_GOOD, **changes})


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of input that is wrong, or odd, in every way that must not stop the rest."""
    folder = tmp_path_factory.mktemp("damaged")
    cast = [
        {"id": 900000 + n, "name": f"Person {n}", "order": n, "credit_id": f"c{n}", "character": "x", "gender": 0}
        for n in range(400)
    ]
    lines = [
        _record(9000001),
        _record(9000002)[:60],
        "this is not JSON",
        json.dumps(_GOOD),
        _record("9000003"),
        _record(9000004, release_date=""),
        _record(9000005, popularity="12.5"),
        _record(9000006, credits={"cast": cast, "crew": []}),
        _record(9000007, title="Nul \u0000 and \U0001f600", overview="A \u0000 great \U0001f600 film"),
        _record(9000008, overview="A terrible mess. " * 65_000),
        _record(9000009),
        _record(9000009),
    ]
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    whole = gzip.compress(("\n".join(_record(9000100 + n, overview=f"Film {n} " * 50) for n in range(200))).encode())
    (folder / "b.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "c.jsonl").write_bytes(b"")
    return folder


def test_bad_input_lands_or_is_quarantined_and_never_stops_the_rest(
    stack: dict[str, str], settings: Settings, damaged: Path
) -> None:
    arguments = ["--source", "file", "--path", str(damaged), "--observed-at", "2026-08-11", "--batch-id", "damaged"]
    answer = lakehouse(stack, "ingest", *arguments)
    assert answer.returncode == 0, answer.stderr
    reasons = dict(
        query(
            settings, "select reason, count(*) from bronze.quarantine where batch_id = 'damaged' group by reason"
        ).rows
    )
    assert reasons.pop("invalid_json") >= 2
    assert reasons == {"id_missing": 1, "id_not_integer": 1, "truncated_gzip": 1}
    batch = query(
        settings,
        "select status, requested, landed, duplicates, landed + unchanged + quarantined + duplicates "
        "from bronze.batches where batch_id = 'damaged'",
    ).rows[0]
    assert batch[0] == "succeeded"
    assert batch[1] == batch[4]
    assert batch[3] == 1

    built = lakehouse(stack, "build", "--selector", "bronze_to_silver", timeout=900)
    assert built.returncode == 0, built.stderr
    movies = {
        row[0]: row[1:]
        for row in query(
            settings,
            "select movie_id, title, release_date, popularity_score, sentiment_category, length(overview), "
            "size(top_cast) "
            "from silver.movies where movie_id like '90000__'",
        ).rows
    }
    assert set(movies) == {f"900000{n}" for n in (1, 4, 5, 6, 7, 8, 9)}
    assert movies["9000004"][1] is None
    assert movies["9000005"][2] == 12.5
    assert movies["9000006"][5] == 5
    assert _value(settings, "select count(*) from silver.cast_members where movie_id = '9000006'") == 400
    assert "\x00" not in movies["9000007"][0]
    assert "\U0001f600" in movies["9000007"][0]
    assert movies["9000007"][3] == "positive"
    assert movies["9000008"][3] == "negative"
    assert movies["9000008"][4] > 1_000_000
    before_the_cut = _value(settings, "select count(*) from silver.movies where movie_id like '90001__'")
    assert 0 < before_the_cut < 200


_AS_ANY_OWNER = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/nowhere/at-all.jsonl", "/nowhere/at-all.jsonl"),
        ("{tmp}/empty-folder", "empty-folder"),
        ("{tmp}/locked.jsonl", "locked.jsonl cannot be read: Permission denied"),
    ],
)
def test_a_path_that_cannot_be_read_is_one_sentence(
    stack: dict[str, str], tmp_path: Path, path: str, said: str
) -> None:
    (tmp_path / "empty-folder").mkdir()
    locked = tmp_path / "locked.jsonl"
    locked.write_text(_record(1))
    locked.chmod(0)
    # root may read any file, unless what lets it do so is taken away
    under = _AS_ANY_OWNER if os.access(locked, os.R_OK) else ()
    answer = lakehouse(stack, "ingest", "--source", "file", "--path", path.format(tmp=tmp_path), under=under)
    assert answer.returncode == 1
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr
