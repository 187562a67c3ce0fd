"""The real records pass the gate, and nothing is told of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.hive import query
from lakehouse.settings import Settings, load_settings
from tests import lake
from tests.instance import lakehouse, selected

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("long_tests")]


@pytest.fixture(scope="module")
def settings(long_tests: None, stack: dict[str, str]) -> Iterator[Settings]:
    """The instance's settings, over an empty lake."""
    with selected(stack):
        found = load_settings()
        lake.drop(found)
        yield found


def test_the_real_records_pass_without_a_word(stack: dict[str, str], settings: Settings, tmdb_data: Path) -> None:
    for name in ("tmdb_movies.jsonl.gz", "tmdb_observations.jsonl.gz"):
        landed = lakehouse(stack, "ingest", "--source", "file", "--path", str(tmdb_data / name))
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
    sums = query(settings, "select rule, min(score) from ops.quality_metrics where rule like 'table_%' group by rule")
    assert len(sums.rows) == 3
