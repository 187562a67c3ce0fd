"""What docs/analyst.md tells an analyst to do, done: change a formula, build what depends on it, see the difference."""

import shutil
from pathlib import Path

import pytest

from lakehouse.settings import Settings
from tests import lake
from tests.instance import ROOT
from tests.integration.dbt.conftest import Dbt

pytestmark = pytest.mark.stack

_WITHOUT_UNITS = ("--exclude", "test_type:unit", "resource_type:exposure")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project to edit, as an analyst's checkout would be."""
    ignored = shutil.ignore_patterns("target", "logs")
    return Path(shutil.copytree(ROOT / "dbt_project", tmp_path / "dbt_project", ignore=ignored))


def test_one_formula_is_changed_built_and_compared(built: Settings, dbt: Dbt, project: Path, tmp_path: Path) -> None:
    published = lake.content(built, "silver", "gold_build")
    # the manifest of the last run is the state that is published
    state = tmp_path / "state"
    shutil.copytree(built.home / "dbt" / "target", state)

    model = project / "models" / "gold" / "movies" / "trending_scores.sql"
    sql = model.read_text(encoding="utf-8")
    assert "0.5d * percentiles.velocity_percentile" in sql
    changed = sql.replace("0.5d * percentiles.velocity", "0.6d * percentiles.velocity").replace(
        "0.3d * percentiles.popularity", "0.2d * percentiles.popularity"
    )
    model.write_text(changed, encoding="utf-8")

    selection = ("--target", "scratch", "--select", "state:modified+", "--state", str(state))
    listed = dbt("ls", *selection, "--resource-type", "model", "--output", "name", "--quiet", project=project)
    assert listed.stdout.split() == ["trending_scores"], listed.stdout + listed.stderr

    answer = dbt("build", *selection, "--defer", *_WITHOUT_UNITS, project=project)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    # the model, its test of keys, and the project's two hooks; everything upstream is read from what is published
    assert "PASS=4 " in answer.stdout, answer.stdout

    seen = dbt(
        "run-operation", "diff", "--target", "scratch", "--args", "{model_name: trending_scores}", project=project
    )
    assert seen.returncode == 0, seen.stdout + seen.stderr
    assert "0 added, 0 removed" in seen.stdout
    assert "trend_score differs in" in seen.stdout
    assert "the same in all rows: trending_score_id, movie_id, title, trend_window, velocity" in seen.stdout

    # the unit test that holds the old weights fails, and says by how much
    units = dbt("test", *selection[:2], "--select", "trending_scores,test_type:unit", project=project)
    assert units.returncode != 0
    assert "trends_are_slopes_changes_and_their_ranks" in units.stdout
    assert lake.content(built, "silver", "gold_build") == published


def test_what_failed_is_tried_again_alone(built: Settings, dbt: Dbt, project: Path) -> None:
    model = project / "models" / "gold" / "time" / "yoy_growth.sql"
    sql = model.read_text(encoding="utf-8")
    model.write_text(sql.replace("count(released_movies.rating)", "count(released_movies.no_such_column)"), "utf-8")
    state = ("--defer", "--state", str(built.home / "dbt" / "target"))
    models = ("--select", "yoy_growth", "release_seasonality")
    answer = dbt("run", "--target", "scratch", *models, *state, project=project)
    assert answer.returncode != 0
    assert "no_such_column" in answer.stdout
    # the other model, and the two hooks
    assert "PASS=3 WARN=0 ERROR=1" in answer.stdout, answer.stdout

    model.write_text(sql, "utf-8")
    again = dbt("retry", project=project)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "scratch_gold_build.yoy_growth" in again.stdout
    assert "release_seasonality" not in again.stdout


def test_empty_tables_are_for_the_scratch_schemas_only(built: Settings, dbt: Dbt) -> None:
    published = lake.content(built, "gold_build")
    refused = dbt("run", "--empty", "--select", "yoy_growth")
    assert refused.returncode != 0
    assert "--target scratch" in refused.stdout
    assert lake.content(built, "gold_build") == published
    upstream = ("--select", "+yoy_growth", "--indirect-selection", "cautious")
    answer = dbt("build", "--empty", "--target", "scratch", *upstream, *_WITHOUT_UNITS)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "scratch_gold_build.yoy_growth" in answer.stdout


def test_a_mart_that_breaks_its_contract_is_not_built(built: Settings, dbt: Dbt, project: Path) -> None:
    model = project / "models" / "gold" / "time" / "release_seasonality.sql"
    sql = model.read_text(encoding="utf-8")
    model.write_text(sql.replace("12 * shares.share_of_movies as", "cast(12 as int) as"), "utf-8")
    published = lake.content(built, "gold_build")
    answer = dbt("run", "--select", "release_seasonality", project=project)
    assert answer.returncode != 0
    assert "breaks its contract: seasonality_index is int, and should be double" in answer.stdout
    assert lake.content(built, "gold_build") == published
