"""The report in a headless Chromium that reaches nothing but this machine: by keyboard, on a phone, in the dark.

It tells of a lake that never was; no service is needed. The last test asks Spark itself what the pages ask.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from lakehouse.ops.schema import TABLES
from lakehouse.settings import load_settings
from orchestration.report.pages import PAGES
from orchestration.report.questions import GOLD, OPS, RUN
from orchestration.report.site import make_site
from tests import made_up_lake
from tests.browser import opened
from tests.made_up_gold import contracts

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_DESKTOP, _PHONE = (1280, 900), (390, 844)
_NAMES = [name for name, _ in PAGES]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    settings = load_settings(home=str(folder / "home"))
    return make_site(settings, made_up_lake.failed_lake(), folder / "report", extras=()).folder


@pytest.fixture
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shots")


def opened_pages(report: Path, size: tuple[int, int], scheme: str = "light") -> Iterator[tuple[str, Page]]:
    """Every page, one after the other in one browser; a request that leaves the machine fails the test."""
    with opened((report / _NAMES[0]).as_uri(), *size) as page:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for name in _NAMES:
            page.goto((report / name).as_uri(), wait_until="load")
            yield name, page


def violations(page: Page) -> list[str]:
    """What axe finds that keeps people out: serious and critical."""
    found = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"][:3]
    ]


@pytest.mark.parametrize(("size", "scheme"), [(_DESKTOP, "light"), (_PHONE, "light"), (_DESKTOP, "dark")])
def test_pages_can_be_read(report: Path, shots: Path, size: tuple[int, int], scheme: str) -> None:
    for name, page in opened_pages(report, size, scheme):
        # Tables behind "The figures" are looked at as well.
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
        if (size, scheme) != (_DESKTOP, "light"):
            page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = false })")
        assert violations(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], f"{name} is wider than the screen"
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = false })")
        shot = shots / f"{name}-{size[0]}-{scheme}.png"
        page.screenshot(path=shot, full_page=True)
        assert shot.stat().st_size > 40_000


def test_charts_fit_and_are_drawn_once(report: Path) -> None:
    for size in (_DESKTOP, _PHONE, (800, 900)):
        for name, page in opened_pages(report, size):
            drawn = page.evaluate(
                "[...document.querySelectorAll('figure')].map((figure) =>"
                " [...figure.querySelectorAll('svg[role=img]')].filter((svg) => svg.getClientRects().length).length)"
            )
            assert set(drawn) <= {1}, f"{name} at {size[0]}"
            clipped = page.evaluate(
                "[...document.querySelectorAll('svg[role=img]')].filter((svg) => svg.getClientRects().length)"
                ".flatMap((svg) => { const frame = svg.getBoundingClientRect();"
                " return [...svg.querySelectorAll('text')]"
                ".filter((text) => { const box = text.getBoundingClientRect();"
                " return box.left < frame.left - 2 || box.right > frame.right + 2 })"
                ".map((text) => text.textContent) })"
            )
            assert clipped == [], f"{name} at {size[0]}"


def test_dark_is_dark(report: Path) -> None:
    brightness = (
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((a, b) => +a + +b, 0)"
    )
    text = brightness.replace("backgroundColor", "color")
    for _, page in opened_pages(report, _DESKTOP, "dark"):
        assert page.evaluate(brightness) < 120 < 600 < page.evaluate(text)
    for _, page in opened_pages(report, _DESKTOP):
        assert page.evaluate(brightness) > 600 > 200 > page.evaluate(text)


def test_the_keyboard_reaches_everything(report: Path) -> None:
    with opened((report / "index.html").as_uri(), *_PHONE) as page:
        focused = "document.activeElement.textContent.trim() || document.activeElement.getAttribute('aria-label')"
        page.keyboard.press("Tab")
        assert page.evaluate(focused) == "Skip to the content"
        assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
        for _, name in PAGES:
            page.keyboard.press("Tab")
            assert page.evaluate(focused) == name
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        regions = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            regions.add(page.evaluate("document.activeElement.getAttribute('aria-label')"))
        assert {"Steps", "Processes", "The longest Spark stages", "Versions of Gold, the latest first"} <= regions
    with opened((report / "index.html").as_uri(), *_PHONE) as page:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#steps"
        page.focus("[aria-label=Steps]")
        page.keyboard.press("ArrowRight")
        until = time.monotonic() + 20
        while not page.evaluate("document.activeElement.scrollLeft > 0") and time.monotonic() < until:
            page.wait_for_timeout(100)
        assert page.evaluate("document.activeElement.scrollLeft > 0")


def test_a_report_without_scripts_shows_figures_on_demand(report: Path) -> None:
    with opened((report / "gold.html").as_uri(), *_DESKTOP) as page:
        table = page.get_by_role("group", name="Directors by mean weighted rating", exact=True)
        assert not table.is_visible()
        page.get_by_text("The figures of Directors").click()
        assert table.is_visible()
        assert "Jean-Pierre Ng" in table.inner_text()


@pytest.mark.spark
def test_spark_understands_every_question(spark: "SparkSession") -> None:
    """In schemas of the test's own, empty: that a question is understood is all that is asked."""
    kinds = {table.full_name: {column.name: column.kind for column in table.columns} for table in TABLES}
    kinds |= {f"gold.{mart}": columns for mart, columns in contracts().items()}
    asked = [RUN.sql.format(where="where run_id = 'it\\'s'"), *(question.sql for question in (*OPS, *GOLD))]
    for table in {question.table for question in (*OPS, *GOLD)}:
        columns = ", ".join(f"cast(null as {kind}) as `{name}`" for name, kind in kinds[table].items())
        spark.sql(f"select {columns} where false").createOrReplaceTempView(f"report_{table.replace('.', '_')}")
    for sql in asked:
        own = sql.replace("from ops.", "from report_ops_").replace("from gold.", "from report_gold_")
        assert spark.sql(own.replace("{run}", "'it\\'s'")).collect() == [] or "max(computed_date)" in own
    for table in {question.table for question in (*OPS, *GOLD)}:
        spark.catalog.dropTempView(f"report_{table.replace('.', '_')}")
