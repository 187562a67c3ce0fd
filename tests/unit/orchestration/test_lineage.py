import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from small_project import left_by_dbt

from lakehouse.errors import LakehouseError
from orchestration import lineage, offline
from orchestration.dbt import DbtFailed


class Links(HTMLParser):
    """The addresses that a page links to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.update(value or "" for name, value in attrs if tag == "a" and name == "href")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    return lineage.build(left_by_dbt(tmp_path_factory.mktemp("target")), folder / "site", folder / "lock").folder


def text_of(page: Path) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.read_text()).split())


def test_all_pages_are_there_and_load_nothing(site: Path) -> None:
    assert {file.name for file in site.iterdir()} == set(lineage.PAGES)
    for name in lineage.PAGES:
        assert offline.remote_targets((site / name).read_text()) == []


def test_every_link_leads_to_a_page_of_the_site(site: Path) -> None:
    for name in ("index.html", "tables.html"):
        links = Links(site / name).found
        assert {re.split("[?#]", link)[0] or name for link in links} <= set(lineage.PAGES)
    assert set(lineage.PAGES) <= {re.split("[?#]", link)[0] for link in Links(site / "index.html").found}


def test_the_pages_of_others_lead_back(site: Path) -> None:
    for name in ("models.html", "columns.html"):
        assert '<a href="index.html"' in (site / name).read_text()


def test_the_overview_says_what_is_covered_and_from_what_columns_are_made(site: Path) -> None:
    overview = text_of(site / "index.html")
    assert "all layers 5 10 of 12 5 of 12 8 of 10" in overview
    assert "director_rankings" in overview
    assert "from people.person_id" in overview
    assert "no parents: total_films" in overview
    assert "<code>people</code>" in (site / "index.html").read_text()


def test_the_tables_page_draws_both_layers(site: Path) -> None:
    drawn = text_of(site / "tables.html")
    assert "silver 3 tables, 1 foreign keys" in drawn
    assert "gold 2 tables, 1 foreign keys" in drawn


def test_a_site_that_cannot_be_built_leaves_the_published_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "target"
    target.mkdir()
    left_by_dbt(target)
    lineage.build(target, tmp_path / "site", tmp_path / "lock")
    before = {file.name: file.read_bytes() for file in (tmp_path / "site").iterdir()}

    (target / "static_index.html").write_text('<html><script src="https://cdn.example/new.js"></script></html>')
    with pytest.raises(LakehouseError, match=r"models\.html would load from the network: https://cdn\.example/new\.js"):
        lineage.build(target, tmp_path / "site", tmp_path / "lock")
    (target / "static_index.html").unlink()
    with pytest.raises(DbtFailed, match=r"no page at .*static_index\.html"):
        lineage.build(target, tmp_path / "site", tmp_path / "lock")
    assert {file.name: file.read_bytes() for file in (tmp_path / "site").iterdir()} == before
