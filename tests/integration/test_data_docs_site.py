"""Data Docs as a person sees them: in Chromium, on a desk and on a phone, by day and by night."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from expectations.data_docs import make_docs
from lakehouse.settings import load_settings
from tests.browser import opened
from tests.gate_results import BAD_MOVIES, GOOD, LOW, MOVIES, keep, small_suite, write_suites

PAGES = ("index.html", "runs/run-2/silver.movies.html", "suites/silver.movies.html")


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    others = [small_suite(f"{table}s") for table in ("bronze.movie", "silver.movie_observation")]
    low = small_suite("gold.performance_correlations")
    for number, movies in ((1, GOOD), (2, BAD_MOVIES)):
        at = datetime(2026, 3, number, 8, tzinfo=UTC)
        keep(home, f"run-{number}", MOVIES, at, movies)
        keep(home, f"run-{number}", low, at, LOW)
        for other in others:
            keep(home, f"run-{number}", other, at, GOOD)
    folder = tmp_path_factory.mktemp("site")
    suites = write_suites(folder / "suites", MOVIES, low, *others)
    return make_docs(load_settings(home=str(home)), folder / "docs", suites).parent


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go: TMDB_PICTURES, where that is set, so that a person can look at them."""
    folder = Path(os.environ.get("TMDB_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def is_wider_than_its_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("device", "width", "height"), [("phone", 390, 844), ("desk", 1280, 900)])
def test_pages_are_readable_on_every_device_and_ask_for_nothing(
    docs: Path, pictures: Path, scheme: Literal["light", "dark"], device: str, width: int, height: int
) -> None:
    with opened((docs / PAGES[0]).as_uri(), width, height) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.emulate_media(color_scheme=scheme)
        for place in PAGES:
            page.goto((docs / place).as_uri())
            assert page.get_by_role("heading", level=1).is_visible()
            violations = Axe().run(page).response["violations"]
            serious = [v for v in violations if v["impact"] in ("serious", "critical")]
            assert not serious, [(v["id"], [node["html"] for node in v["nodes"]]) for v in serious]
            assert not is_wider_than_its_window(page), place
            paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(13, 17, 23)"), "the style is in force"
            name = place.rpartition("/")[2] if "/" not in place else place.replace("/", "-")
            picture = pictures / f"data-docs-{name.removesuffix('.html')}-{device}-{scheme}.png"
            page.screenshot(path=picture, full_page=True)
            assert picture.stat().st_size > 10_000
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_a_person_without_a_mouse_gets_from_the_index_to_what_is_broken(docs: Path) -> None:
    with opened((docs / "index.html").as_uri(), 1280, 900) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the content"
        page.keyboard.press("Enter")
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == "silver.movies":
                break
        page.keyboard.press("Enter")
        page.wait_for_url("**/runs/run-2/silver.movies.html")
        assert page.get_by_role("heading", name="What did not pass").is_visible()
        assert page.get_by_text("430 of 450").first.is_visible()
        page.get_by_role("link", name="What silver.movies is held to").click()
        page.get_by_role("link", name="run-1").click()
        page.wait_for_url("**/runs/run-1/silver.movies.html")


def test_an_older_run_is_unfolded_by_a_key(docs: Path) -> None:
    with opened((docs / "index.html").as_uri(), 1280, 900) as page:
        older = page.locator("details").nth(1)
        link = older.get_by_role("link", name="bronze.movies")
        assert not link.is_visible()
        older.locator("summary").press("Enter")
        assert link.is_visible()
