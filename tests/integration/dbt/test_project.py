"""The dbt project after one small cycle: its unit tests from dbt's own command line, and its lineage site."""

import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse.hive import query
from lakehouse.settings import Settings, load_settings
from tests import lake
from tests.instance import ROOT, environment, lakehouse, selected

pytestmark = pytest.mark.stack

_AS_OF = "2026-02-01T00:00:00Z"


@pytest.fixture(scope="module")
def built(stack: dict[str, str]) -> Settings:
    """The settings of an instance on which the whole cycle ran, over 60 movies."""
    with selected(stack):
        settings = load_settings()
        lake.drop(settings)
        lake.drop_documents(settings)
    arguments = ["run", "--source", "synthetic", "--movies", "60", "--as-of", _AS_OF]
    answer = lakehouse(stack, *arguments, timeout=900)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return settings


def test_a_cycle_carries_the_catalogue_from_json_to_mongodb(built: Settings) -> None:
    def rows(table: str) -> int:
        return int(query(built, f"select count(*) from {table}").rows[0][0])

    assert rows("silver.movies") == rows("gold.movie_performance") == 60
    assert rows("silver.movie_observations") == rows("bronze.movies") > 60
    published = lake.documents(built)
    assert {name: count for name, (count, _) in published.items()} == {
        name: rows(f"gold.{name}")
        for name in (
            "actor_centrality",
            "actor_collaborations",
            "director_rankings",
            "genre_analytics",
            "movie_performance",
            "trending_scores",
        )
    }
    assert published["actor_centrality"][0] > 0
    assert published["trending_scores"][0] > 0


def test_the_units_pass_from_dbts_own_command_line(stack: dict[str, str], built: Settings, tmp_path: Path) -> None:
    dbt = Path(sys.executable).parent / "dbt"
    answer = subprocess.run(
        [str(dbt), "test", "--select", "test_type:unit", "--target-path", str(tmp_path), "--log-path", str(tmp_path)],
        env=environment(stack),
        cwd=ROOT / "dbt_project",
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "ERROR=0" in answer.stdout
    assert "PASS=0" not in answer.stdout


def test_the_lineage_site_needs_no_network(stack: dict[str, str], built: Settings) -> None:
    answer = lakehouse(stack, "docs", "--no-serve")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    page = (built.home / "dbt" / "target" / "static_index.html").read_text(encoding="utf-8")
    assert "model.tmdb_lakehouse.movie_performance" in page
    assert "source.tmdb_lakehouse.bronze.movies" in page
    assert '<script src="http' not in page
