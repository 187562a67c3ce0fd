"""The real records pass the gate, and nothing is told of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.hive import query
from lakehouse.settings import Settings, load_settings
from tests import lake
from tests.instance import lakehouse, selected

# docs/quality.md says why.
BELOW_ONE = {
    ("silver.movie_observations", "popularity_is_known"),
    ("silver.movie_observations", "votes_never_fall"),
    ("silver.movies", "rating_is_known"),
    ("silver.movies", "money_is_in_dollars"),
    ("silver.movies", "genres_are_known"),
    ("silver.movies", "overview_is_known"),
    ("silver.movies", "release_date_is_known"),
    ("silver.cast_members", "role_is_known"),
    ("silver.cast_members", "credit_id_is_known"),
    ("silver.crew_members", "credit_id_is_known"),
    ("silver.people", "name_has_no_stray_space"),
}

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("long_tests")]


@pytest.fixture(scope="module")
def settings(long_tests: None, stack: dict[str, str]) -> Iterator[Settings]:
    """The instance's settings, over an empty lake."""
    with selected(stack):
        found = load_settings()
        lake.drop(found)
        yield found


def test_the_real_records_pass_without_a_word(stack: dict[str, str], settings: Settings, tmdb_data: Path) -> None:
    # Details say no date; their votes are those of September 2017. Taken for today's, votes would fall in a fifth of
    # the pairs, and the gate would tell of it.
    for name, of in (("tmdb_movies.jsonl.gz", ["--observed-at", "2017-09-01"]), ("tmdb_observations.jsonl.gz", [])):
        landed = lakehouse(stack, "ingest", "--source", "file", "--path", str(tmdb_data / name), *of)
        assert landed.returncode == 0, landed.stderr
    built = lakehouse(stack, "build", "--selector", "bronze_to_silver")
    assert built.returncode == 0, built.stdout + built.stderr

    gate = lakehouse(stack, "gate", "--every-score", "--run-id", "real")
    print(gate.stdout, gate.stderr)
    assert gate.returncode == 0, gate.stderr
    told = query(
        settings,
        "select table_name, rule, score, detail from ops.quality_metrics "
        "where run_id = 'real' and status != 'pass' order by table_name, rule",
    ).rows
    assert told == []
    below = query(
        settings,
        "select table_name, rule, score, numerator, denominator, detail from ops.quality_metrics "
        "where run_id = 'real' and score < 1 and dimension in ('completeness', 'consistency', 'accuracy') "
        "and rule not like 'table_%' order by score, table_name, rule",
    ).rows
    print(*below, sep="\n")
    assert {(table, rule) for table, rule, *_ in below} == BELOW_ONE
    sums = query(settings, "select rule, min(score) from ops.quality_metrics where rule like 'table_%' group by rule")
    assert len(sums.rows) == 3
