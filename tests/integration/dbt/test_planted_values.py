"""Wrong values in Bronze end as a NULL that is counted or in a failed test, never in a wrong figure."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingestion.synthetic.movie import movie_record
from lakehouse.hive import query
from lakehouse.settings import Settings, load_settings
from tests import lake
from tests.instance import lakehouse, selected
from tests.integration.dbt.conftest import Dbt
from tests.integration.dbt.test_oracle import assert_gold_is_what_the_oracle_says

pytestmark = pytest.mark.stack

_DAYS = ("2026-01-20", "2026-01-29")
_WRONG: tuple[tuple[str, Any, str], ...] = (
    ("budget", -5_000_000, "budget"),
    ("budget", {"usd": 5_000_000}, "budget"),
    ("revenue", "a lot", "revenue"),
    # a whole number beyond 64 bits
    ("revenue", 10**19, "revenue"),
    ("runtime", 93.5, "runtime"),
    ("vote_average", 73, "rating"),
    ("vote_count", [812], "vote_count"),
    ("popularity", "NaN", "popularity"),
    ("release_date", "0000-00-00", "release_date"),
    ("release_date", "2024-13-01", "release_date"),
    ("genres", "Drama", "genres"),
)
"""A field of a payload, what it is given, and the field that `cast_failures` must count."""


@pytest.fixture(scope="module")
def settings(stack: dict[str, str]) -> Settings:
    with selected(stack):
        found = load_settings()
        lake.drop(found)
    return found


def _records(day: str) -> list[dict[str, Any]]:
    instant = datetime.fromisoformat(day).replace(tzinfo=UTC)
    records = [movie_record(5, index, instant) for index in range(80)]
    # `credits` is JSON text already, see `movie_record`.
    return [{**record, "credits": json.loads(bytes(record["credits"]))} for record in records]


def _land(stack: dict[str, str], path: Path, observations: list[tuple[str, dict[str, Any]]]) -> None:
    lines = [json.dumps({"observed_by": day, "record": record}) for day, record in observations]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    answer = lakehouse(stack, "ingest", "--source", "file", "--path", str(path), "--as-of", "2026-02-01")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_a_few_wrong_values_are_null_and_counted(stack: dict[str, str], settings: Settings, tmp_path: Path) -> None:
    observations = [(day, record) for day in _DAYS for record in _records(day)]
    for position, (field, value, _) in enumerate(_WRONG):
        # of the later day, so that the wrong value is the last one
        observations[80 + position][1][field] = value
    observations[80 + len(_WRONG)][1]["genres"] = [{"id": 424242, "name": "Nonsense"}]
    _land(stack, tmp_path / "wrong.jsonl", observations)

    for selector in ("bronze_to_silver", "marts"):
        answer = lakehouse(stack, "build", "--selector", selector)
        assert answer.returncode == 0, answer.stdout + answer.stderr

    counted = dict(
        query(settings, "select field_name, sum(failed_observations) from silver.cast_failures group by 1").rows
    )
    expected: dict[str, int] = {}
    for _, _, field in _WRONG:
        expected[field] = expected.get(field, 0) + 1
    assert counted == expected
    for position, (field, _, name) in enumerate(_WRONG):
        movie_id = observations[80 + position][1]["id"]
        column = "popularity_score" if name == "popularity" else name
        ((value,),) = query(settings, f"select {column} from silver.movies where movie_id = '{movie_id}'").rows
        assert value is None or value == "[]", (field, value)
    assert query(
        settings,
        "select genre_name, sum(total_movies) from gold_build.genre_analytics where genre_id = 424242 group by 1",
    ).rows == [("Nonsense", 1)]
    # too few movies for three that share two genres within five years
    assert_gold_is_what_the_oracle_says(settings, without_rows={"emerging_genre_pairs"})


def test_an_unknown_genre_is_warned_of(stack: dict[str, str], settings: Settings) -> None:
    answer = lakehouse(stack, "build", "--select", "genres_are_known")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "warning genres_are_known: Got 1 result" in answer.stdout


def test_people_are_told_apart_by_their_ids(
    stack: dict[str, str], settings: Settings, dbt: Dbt, tmp_path: Path
) -> None:
    def movie(movie_id: int, *cast: tuple[int, str]) -> dict[str, Any]:
        people = [
            {"id": person, "name": name, "order": place, "credit_id": f"{movie_id}-{place}"}
            for place, (person, name) in enumerate(cast)
        ]
        return {**_records(_DAYS[0])[0], "id": movie_id, "credits": {"cast": people, "crew": []}}

    namesakes = movie(9_000_001, (9_100_001, "Robin Planted"), (9_100_002, "Robin Planted"))
    renamed = movie(9_000_002, (9_100_001, "Robin Renamed"), (9_100_003, "Kim Planted"))
    _land(stack, tmp_path / "people.jsonl", [(_DAYS[0], namesakes), (_DAYS[1], renamed)])
    # The one mart that is asked, and what it is made from; tests of other tables have nothing to read.
    mart = ("path:models/staging/graph", "actor_centrality")
    for answer in (
        dbt("run", "--select", "+actor_centrality", "--exclude", *mart),
        lakehouse(stack, "graph"),
        dbt("run", "--select", *mart),
    ):
        assert answer.returncode == 0, answer.stdout + answer.stderr
    found = query(
        settings,
        "select person_id, person_name, degree, component_id from gold_build.actor_centrality "
        "where person_id > 9000000 order by person_id",
    ).rows
    assert found == [
        (9_100_001, "Robin Renamed", 2, 9_100_001),
        (9_100_002, "Robin Planted", 1, 9_100_001),
        (9_100_003, "Kim Planted", 1, 9_100_001),
    ]


def test_a_retyped_field_stops_the_build(stack: dict[str, str], settings: Settings, tmp_path: Path) -> None:
    retyped = [{**record, "budget": {"amount": record["budget"]}} for record in _records("2026-01-30")]
    _land(stack, tmp_path / "retyped.jsonl", [("2026-01-30", record) for record in retyped])
    gold = lake.content(settings, "gold_build")
    answer = lakehouse(
        stack, "run", "--source", "file", "--path", str(tmp_path / "retyped.jsonl"), "--as-of", "2026-02-01"
    )
    assert answer.returncode != 0
    assert "does not give 1 of the fields that Silver needs (budget: retyped" in answer.stderr
    # Whoever builds all the same is stopped by a test of dbt.
    answer = lakehouse(stack, "build", "--selector", "bronze_to_silver")
    assert answer.returncode != 0
    assert "cast_failures_stay_rare" in answer.stdout + answer.stderr
    assert lake.content(settings, "gold_build") == gold
