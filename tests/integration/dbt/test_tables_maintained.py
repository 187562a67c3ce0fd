"""Maintenance changes files and no rows: what read the tables before reads them after, and is not built for nothing."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lakehouse.hive import query
from lakehouse.settings import Settings
from lakehouse.upkeep import Maintained
from orchestration import dbt, maintenance_command
from orchestration.dbt import DbtFailed
from tests import lake
from tests.instance import ROOT, lakehouse, selected

pytestmark = pytest.mark.stack

_CHECK = "spark.databricks.delta.retentionDurationCheck.enabled"

# A mart, the snapshot, and what they are made from: a table of each kind, in a quarter of the time of all.
_PART = ("--select", "+yoy_growth", "+movies_history")


def _run(stack: dict[str, str], *arguments: str) -> str:
    answer = lakehouse(stack, *arguments, timeout=1200)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def _build(stack: dict[str, str], settings: Settings, *arguments: str) -> None:
    """Build tables, without the tests."""
    with selected(stack):
        dbt.build(settings, ["--resource-type", "model", "--resource-type", "snapshot", *arguments])


def _observe(
    stack: dict[str, str], folder: Path, title: str, movie_id: str, day: str, as_of: str = "2026-03-01"
) -> None:
    """Land one observation of a movie, which says by its overview when it was seen."""
    path = folder / f"{day}.jsonl"
    record = {"id": int(movie_id), "title": title, "overview": f"Seen on {day}."}
    path.write_text(json.dumps({"observed_by": day, "record": record}) + "\n", encoding="utf-8")
    _run(stack, "ingest", "--source", "file", "--path", str(path), "--as-of", as_of)


def _tables(settings: Settings, *schemas: str) -> list[str]:
    views = {f"{row[0]}.{row[1]}" for schema in schemas for row in query(settings, f"show views in {schema}").rows}
    return [name for name in lake.tables(settings, *schemas) if name not in views]


def _versions(settings: Settings, *schemas: str) -> dict[str, int]:
    """The newest commit of each table."""
    names = _tables(settings, *schemas)
    newest = lake.answers(settings, (f"describe history {name} limit 1" for name in names))
    return {name: commit["version"] for name, commit in zip(names, newest, strict=True)}


def _detail(settings: Settings, table: str, column: str) -> Any:
    answer = query(settings, f"describe detail {table}")
    return answer.rows[0][answer.columns.index(column)]


def _files(settings: Settings, tables: list[str]) -> dict[str, int]:
    details = lake.answers(settings, (f"describe detail {table}" for table in tables))
    return {table: detail["numFiles"] for table, detail in zip(tables, details, strict=True)}


def _any_movie(settings: Settings) -> str:
    return str(query(settings, "select min(movie_id) from silver.movies").rows[0][0])


@pytest.fixture(scope="module")
def grown(stack: dict[str, str], built: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The lake after a second batch, of a new movie: incremental tables have a file of it beside that of the first."""
    folder = tmp_path_factory.mktemp("batches")
    _observe(stack, folder, "A New Movie", "999999999", "2026-02-02")
    _build(stack, built, *_PART)
    return built


@pytest.fixture
def project(stack: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """A copy of the dbt project, which the instance uses while the test runs."""
    folder = tmp_path / "dbt_project"
    shutil.copytree(ROOT / "dbt_project", folder, ignore=shutil.ignore_patterns("target", "logs"))
    stack["LAKEHOUSE_DBT__PROJECT_DIR"] = str(folder)
    yield folder
    del stack["LAKEHOUSE_DBT__PROJECT_DIR"]


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def _maintain(
    stack: dict[str, str], settings: Settings, project: Path, *names: str, dry_run: bool = False
) -> dict[str, Maintained]:
    found = settings.model_copy(update={"dbt": settings.dbt.model_copy(update={"project_dir": project})})
    with selected(stack):
        return {one.table: one for one in maintenance_command.run(found, dry_run, names or None)}


def test_a_dry_run_says_what_it_would_do_and_does_nothing(stack: dict[str, str], grown: Settings) -> None:
    before = _versions(grown, "staging", "silver", "gold_build")
    told = _run(stack, "maintain", "--dry-run")
    assert re.search(r"silver\.movies +2 +2 +would optimize", told), told
    assert _versions(grown, "staging", "silver", "gold_build") == before


def test_a_model_may_be_left_as_it_is(stack: dict[str, str], grown: Settings, project: Path) -> None:
    _edit(
        project / "models" / "silver" / "movies.sql",
        "unique_key='movie_id',",
        "unique_key='movie_id',\n        meta={'maintenance': {'optimize': false}},",
    )
    assert _detail(grown, "silver.movies", "numFiles") == 2
    found = _maintain(stack, grown, project, "movies", dry_run=True)
    assert found["silver.movies"].done == ()


def test_files_are_fewer_and_rows_the_same_and_no_mart_is_built_for_it(stack: dict[str, str], grown: Settings) -> None:
    content = lake.content(grown)
    versions = _versions(grown, "staging", "silver", "gold_build")
    small = {table: count for table, count in _files(grown, list(versions)).items() if count > 1}
    assert {"silver.movies", "silver.movies_history", "staging.stg_tmdb__observations"} <= set(small)

    told = _run(stack, "maintain")
    assert re.search(r"silver\.movies +2 +1 +optimized", told), told
    assert re.search(r"graph\.actor_edges +\d+ +\d+ +", told), told
    assert lake.content(grown) == content
    assert _files(grown, list(small)) == dict.fromkeys(small, 1)
    touched = {
        table
        for table, version in _versions(grown, "staging", "silver", "gold_build").items()
        if version != versions[table]
    }
    assert touched == set(small)

    # The marts read Silver's tables, and find that nothing has come; Silver writes no row again.
    _build(stack, grown, *_PART)
    assert lake.content(grown) == content
    assert _versions(grown, "gold_build") == {
        table: version for table, version in versions.items() if table.startswith("gold_build.")
    }
    assert _files(grown, list(small)) == dict.fromkeys(small, 1)

    told = _run(stack, "maintain", "--select", "movies movies_history")
    assert re.search(r"silver\.movies +1 +1 +nothing to do", told), told
    assert "silver.people" not in told


def test_the_change_data_feed_of_an_optimize_commit_has_no_rows(stack: dict[str, str], grown: Settings) -> None:
    commits = [
        (table, row[0])
        for table in _tables(grown, "staging", "silver")
        if "enableChangeDataFeed" in str(_detail(grown, table, "properties"))
        for row in query(grown, f"describe history {table}").rows
        if row[4] == "OPTIMIZE"
    ]
    assert "silver.movie_records" in {table for table, _ in commits}
    for table, version in commits:
        assert query(grown, f"select * from table_changes('{table}', {version}, {version})").rows == []


def test_a_batch_after_maintenance_is_read_as_a_batch(stack: dict[str, str], grown: Settings, tmp_path: Path) -> None:
    movie_id = _any_movie(grown)
    _observe(stack, tmp_path, "A Second Title", movie_id, "2026-02-03")
    _build(stack, grown, "--select", "+movies")
    merges = [
        json.loads(row[12]) for row in query(grown, "describe history silver.movies limit 3").rows if row[4] == "MERGE"
    ]
    assert merges[0]["numSourceRows"] == merges[0]["numTargetRowsUpdated"] == "1"
    title = query(grown, f"select title from silver.movies where movie_id = '{movie_id}'").rows
    assert title == [("A Second Title",)]


@pytest.mark.usefixtures("long_tests")
def test_old_files_stay_until_they_were_read_and_are_deleted_then(
    stack: dict[str, str], grown: Settings, project: Path, tmp_path: Path
) -> None:
    _edit(project / "dbt_project.yml", "vacuum_retain_hours: 168", "vacuum_retain_hours: 0")
    with pytest.raises(DbtFailed, match=rf"vacuum_retain_hours .* is 0: less than 168 .*{_CHECK}"):
        _maintain(stack, grown, project)

    movie_id = _any_movie(grown)
    _observe(stack, tmp_path, "A Third Title", movie_id, "2026-02-04")
    # `movies` does not get to read what is new in `movie_records`.
    _build(stack, grown, "--select", "stg_tmdb__observations", "movie_records")
    query(grown, f"set {_CHECK} = false")
    try:
        first = _maintain(stack, grown, project, "movie_records", "people")
        waits = [text for text in first["silver.movie_records"].done if text.startswith("keeps old files until")]
        assert len(waits) == 1
        assert "movies" in waits[0].split("until ")[1].split(" has")[0].split(", ")

        _build(stack, grown)
        title = query(grown, f"select title from silver.movies where movie_id = '{movie_id}'").rows
        assert title == [("A Third Title",)]
        content = lake.content(grown)

        second = _maintain(stack, grown, project)
        assert any(text.startswith("deleted old files: ") for text in second["silver.movie_records"].done)
        assert not [one for one in second.values() if "keeps" in " ".join(one.done)]
        assert lake.content(grown) == content
        _build(stack, grown)
        assert lake.content(grown) == content
    finally:
        query(grown, f"set {_CHECK} = true")


@pytest.mark.usefixtures("long_tests")
def test_what_expires_in_bronze_is_deleted_once_silver_has_read_it_and_stays_in_silver(
    stack: dict[str, str], grown: Settings, tmp_path: Path
) -> None:
    def in_bronze() -> int:
        return int(query(grown, "select count(*) from bronze.movies where year = 2023").rows[0][0])

    movie_id = _any_movie(grown)
    _observe(stack, tmp_path, "An Old Title", movie_id, "2023-05-31", as_of="2023-06-01")
    told = _run(stack, "maintain", "--delete-expired")
    assert re.search(r"2023-06-01 +1 +1 +[\d,]+ +kept: Silver has not read all of it", told), told
    assert in_bronze() == 1

    _build(stack, grown)
    content = lake.content(grown, "staging", "silver", "gold_build")
    told = _run(stack, "maintain", "--dry-run")
    assert "--delete-expired would delete 1 observations" in told, told
    assert re.search(r"2023-06-01 +1 +1 +[\d,]+ +to be deleted", told), told
    assert in_bronze() == 1
    told = _run(stack, "maintain", "--delete-expired")
    assert re.search(r"2023-06-01 +1 +1 +[\d,]+ +deleted", told), told
    assert in_bronze() == 0

    # Deleted rows are no news to Silver, and what comes after them is read as a batch.
    _build(stack, grown)
    assert lake.content(grown, "staging", "silver", "gold_build") == content
    _observe(stack, tmp_path, "The Newest Title", movie_id, "2026-02-05")
    _build(stack, grown, "--selector", "bronze_to_silver")
    merge = query(grown, "describe history staging.stg_tmdb__observations limit 3").rows
    (metrics,) = [json.loads(row[12]) for row in merge if row[4] == "MERGE"][:1]
    assert metrics["numSourceRows"] == metrics["numTargetRowsInserted"] == "1"
    title = query(grown, f"select title from silver.movies where movie_id = '{movie_id}'").rows
    assert title == [("The Newest Title",)]


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("{'optimize': 'often'}", r"movies: meta\.maintenance\.optimize must be true or false, not often"),
        ("{'vacuum_retain_hours': 1.5}", r"movies: meta\.maintenance\.vacuum_retain_hours must be a whole number"),
        ("{'vacuum_retain_hours': 24}", r"movies: meta\.maintenance\.vacuum_retain_hours is 24: less than 168 hours"),
        ("{'vacum': 200}", r"movies: meta\.maintenance\.vacum is no setting; there are optimize, "),
        ("'never'", r"movies: meta\.maintenance must be a mapping, not never"),
    ],
)
def test_a_models_setting_that_makes_no_sense_is_named(
    stack: dict[str, str], grown: Settings, project: Path, setting: str, problem: str
) -> None:
    _edit(
        project / "models" / "silver" / "movies.sql",
        "unique_key='movie_id',",
        f"unique_key='movie_id',\n        meta={{'maintenance': {setting}}},",
    )
    with pytest.raises(DbtFailed, match=problem):
        _maintain(stack, grown, project, "people", dry_run=True)
