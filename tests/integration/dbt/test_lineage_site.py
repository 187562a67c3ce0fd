"""The lineage site after one small cycle, as `lakehouse docs` serves it and a browser without a network shows it."""

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from lakehouse.settings import Settings
from tests.browser import shown
from tests.instance import ROOT, environment, free_ports

pytestmark = pytest.mark.stack

_MART = "model.tmdb_lakehouse.movie_performance"


@dataclass(frozen=True)
class Served:
    """A site that is being served: its address, its folder, dbt's manifest."""

    url: str
    folder: Path
    manifest: dict[str, Any]

    def models(self, *layers: str) -> set[str]:
        return {
            node["name"]
            for node in self.manifest["nodes"].values()
            if node["resource_type"] in ("model", "snapshot") and node["schema"].removesuffix("_build") in layers
        }


@pytest.fixture(scope="module")
def site(stack: dict[str, str], built: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    port = free_ports(1)[0]
    said = tmp_path_factory.mktemp("docs") / "docs.log"
    with said.open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "lakehouse.cli", "docs", "--port", str(port)],
            env=environment(stack),
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    try:
        _wait(server, f"http://127.0.0.1:{port}/", said)
        manifest = json.loads((built.home / "dbt" / "target" / "manifest.json").read_text(encoding="utf-8"))
        yield Served(f"http://127.0.0.1:{port}/", built.home / "dbt" / "site", manifest)
    finally:
        server.terminate()
        server.wait(30)


def _wait(server: "subprocess.Popen[bytes]", url: str, said: Path) -> None:
    until = time.monotonic() + 300
    while time.monotonic() < until:
        assert server.poll() is None, said.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except URLError:
            time.sleep(0.5)
    pytest.fail(f"nothing is served at {url}: {said.read_text(encoding='utf-8')}")


def test_the_overview_lists_every_table_with_what_is_documented_and_tested(site: Served) -> None:
    page = shown(site.url)
    for name in site.models("staging", "silver", "gold"):
        assert f"<strong>{name}</strong>" in page
    rows = re.findall(r"(\d+) of (\d+)\s*<span class=\"bar\">", page[page.index('<tr class="total">') :])
    (documented, columns), (tested, _), (traced, traceable) = [(int(part), int(whole)) for part, whole in rows[:3]]
    assert documented == columns > 200
    assert tested > columns / 2
    assert traced > 0.9 * traceable
    assert "could not be traced at all" not in page


def test_the_models_page_describes_a_mart(site: Served) -> None:
    page = shown(f"{site.url}models.html#!/model/{_MART}")
    for column in site.manifest["nodes"][_MART]["columns"]:
        assert re.search(rf">\s*{column}\s*<", page), column


def test_the_columns_page_follows_a_figure_back_to_bronze(site: Served) -> None:
    address = f"{site.url}columns.html?model={_MART}&column=weighted_rating&parents=all&children=all&focus=true"
    models = "model.tmdb_lakehouse"
    page = shown(address, once_it_has=f'data-id="{models}.movies-rating-{_MART}-weighted_rating"')
    for parent, child in (
        (f"{models}.movies-rating", f"{_MART}-weighted_rating"),
        (f"{models}.movies-vote_count", f"{_MART}-weighted_rating"),
        (f"{models}.movie_records-rating", f"{models}.movies-rating"),
        (f"{models}.stg_tmdb__observations-rating", f"{models}.movie_records-rating"),
        ("source.tmdb_lakehouse.bronze.movies-payload", f"{models}.stg_tmdb__observations-rating"),
    ):
        assert f'data-id="{parent}-{child}"' in page


def test_the_tables_page_draws_silver_and_gold(site: Served) -> None:
    page = shown(f"{site.url}tables.html")
    silver, gold = page.split('<section id="gold">')
    drawn = [set(re.findall(r'data-table="([^"]+)"', part)) for part in (silver, gold)]
    assert drawn[0] == site.models("silver")
    assert drawn[1] >= site.models("gold")
    assert {"movies", "people"} <= drawn[1]
    lines = set(re.findall(r'data-child="([^"]+)" data-parent="([^"]+)"', silver))
    assert {("cast_members", "movie_records"), ("cast_members", "people")} <= lines
