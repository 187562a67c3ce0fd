"""The folder of the report: what is replaced, what is refused, and what is taken in from elsewhere."""

from pathlib import Path

import pytest

from lakehouse.errors import ConfigurationError, LakehouseError
from lakehouse.settings import Settings, load_settings
from orchestration.report.pages import PAGES, Link
from orchestration.report.site import MARKER, ExtraPages, extra_pages, folder_of, make_site
from tests import made_up_lake
from tests.unit.orchestration.report.parsed import Parsed

_NAMES = [name for name, _ in PAGES]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=str(tmp_path / "home"))


def test_an_unknown_run_is_refused_and_what_is_there_stays(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / MARKER).touch()
    (tmp_path / "report" / "index.html").write_text("before")
    with pytest.raises(LakehouseError, match="knows no run") as caught:
        make_site(settings, made_up_lake.empty_lake(), tmp_path / "report", "it''s", extras=())
    assert "lakehouse history" in caught.value.next_step
    assert (tmp_path / "report" / "index.html").read_text() == "before"


def test_a_folder_with_other_files_is_refused_and_left_as_it_is(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = made_up_lake.bare_lake()
    kept = tmp_path / "work" / "thesis.txt"
    (tmp_path / "work" / "inner").mkdir(parents=True)
    kept.write_text("years of it")
    monkeypatch.chdir(tmp_path / "work" / "inner")
    for to in (Path(".."), tmp_path / "work", kept):
        with pytest.raises(ConfigurationError, match="holds files that are no report"):
            make_site(settings, lake, to, extras=())
    assert kept.read_text() == "years of it"
    assert sorted(file.name for file in (tmp_path / "work").iterdir()) == ["inner", "thesis.txt"]


def test_an_empty_folder_a_report_and_the_default_folder_are_replaced(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = made_up_lake.bare_lake()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert make_site(settings, lake, Path(), extras=()).index == tmp_path / "empty" / "index.html"
    (tmp_path / "empty" / "stale.html").touch()
    make_site(settings, lake, tmp_path / "empty", extras=())
    assert not (tmp_path / "empty" / "stale.html").exists()
    own = folder_of(settings)
    own.mkdir(parents=True)
    (own / "of-an-older-version.html").touch()
    make_site(settings, lake, own, extras=())
    assert [file.name for file in own.parent.glob("*report*")] == ["report"]


def test_other_pages_are_linked_where_they_were_made(settings: Settings, tmp_path: Path) -> None:
    def write(to: Path) -> None:
        (to / "data_docs").mkdir()
        (to / "data_docs" / "index.html").write_text("docs")

    (tmp_path / "report").mkdir()
    (tmp_path / "report" / MARKER).touch()
    (tmp_path / "report" / "stale.html").write_text("stale")
    extras = (
        ExtraPages(Link("data_docs/index.html", "Data Docs", "each expectation"), write),
        ExtraPages(Link("nothing/index.html", "Nothing", "not made"), lambda to: None),
    )
    folder = make_site(settings, made_up_lake.bare_lake(), tmp_path / "report", extras=extras).folder
    assert not (folder / "stale.html").exists()
    for name in _NAMES:
        html = (folder / name).read_text()
        assert '<a href="data_docs/index.html">Data Docs</a>' in html
        assert "nothing/index.html" not in html
        assert all((folder / link.split("#")[0]).is_file() for link in Parsed(html).links if link.split("#")[0])


def test_the_lineage_site_is_taken_in_where_there_is_one(settings: Settings, tmp_path: Path) -> None:
    lake = made_up_lake.bare_lake()
    bare = make_site(settings, lake, tmp_path / "bare").folder
    assert not (bare / "lineage").exists()
    lineage = settings.home / "dbt" / "site"
    lineage.mkdir(parents=True)
    (lineage / "index.html").write_text("lineage")
    folder = make_site(settings, lake, tmp_path / "report", extras=extra_pages(settings)).folder
    assert (folder / "lineage" / "index.html").read_text() == "lineage"
    assert '<a href="lineage/index.html">Lineage</a>' in (folder / "index.html").read_text()
