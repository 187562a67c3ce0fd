"""The snapshot `movies_history`: a version for each change of what describes a movie, and for nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from lakehouse.hive import query
from lakehouse.settings import Settings, load_settings
from tests import lake
from tests.instance import lakehouse, selected
from tests.integration.dbt.conftest import Dbt

pytestmark = pytest.mark.stack

_VERSIONS = """
    select title, cast(dbt_valid_from as string), cast(dbt_valid_to as string)
    from silver.movies_history where movie_id = '7' order by dbt_valid_from, dbt_valid_to nulls last
"""


@pytest.fixture(scope="module")
def settings(stack: dict[str, str]) -> Settings:
    with selected(stack):
        found = load_settings()
        lake.drop(found)
    return found


def _observe(stack: dict[str, str], dbt: Dbt, folder: Path, day: str, record: dict[str, Any]) -> None:
    path = folder / f"{day}.jsonl"
    path.write_text(json.dumps({"observed_by": day, "record": {"id": 7, **record}}) + "\n", encoding="utf-8")
    answer = lakehouse(stack, "ingest", "--source", "file", "--path", str(path), "--as-of", "2026-03-01")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    _build(dbt, "+movies_history", "--resource-type", "model", "--resource-type", "snapshot")


def _build(dbt: Dbt, *selection: str) -> None:
    answer = dbt("build", "--indirect-selection", "cautious", "--select", *selection)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_versions_follow_what_describes_the_movie(
    stack: dict[str, str], settings: Settings, dbt: Dbt, tmp_path: Path
) -> None:
    drama, renamed = {"id": 18, "name": "Drama"}, {"id": 18, "name": "Dramas"}
    first = {"title": "Working Title", "vote_count": 10, "popularity": 1.0, "revenue": 5, "genres": [drama]}
    _observe(stack, dbt, tmp_path, "2026-01-01", first)
    only = [("Working Title", "2026-01-01 00:00:00", None)]
    assert query(settings, _VERSIONS).rows == only

    # Votes, popularity, revenue and another name of the genre make no version.
    _observe(
        stack, dbt, tmp_path, "2026-01-02", {"vote_count": 90, "popularity": 9.0, "revenue": 500, "genres": [renamed]}
    )
    assert query(settings, _VERSIONS).rows == only

    _observe(stack, dbt, tmp_path, "2026-01-03", {"title": "Final Title"})
    both = [
        ("Working Title", "2026-01-01 00:00:00", "2026-01-03 00:00:00"),
        ("Final Title", "2026-01-03 00:00:00", None),
    ]
    assert query(settings, _VERSIONS).rows == both

    # Something that came late: no newer observation, and yet a change. The version it ends is kept.
    _observe(stack, dbt, tmp_path, "2025-12-31", {"runtime": 99})
    late = query(settings, _VERSIONS).rows
    assert late == [both[0], ("Final Title", "2026-01-03 00:00:00", "2026-01-03 00:00:00"), both[1]]

    # Nothing new; and the tests of the data, once.
    _build(dbt, "+movies_history", "--exclude", "test_type:unit")
    assert query(settings, _VERSIONS).rows == late
