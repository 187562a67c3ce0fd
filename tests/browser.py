"""A headless browser that reaches nothing but this machine: what a page is after its scripts ran, and how it looks."""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, sync_playwright

# A busy machine may need much of it; a page that is ready is not waited for.
_PATIENCE_S = 120
_WRONG = re.compile(r"Uncaught.*|.*ERR_NAME.*|'(?:https?:|wss?:)?//(?!127\.0\.0\.1)\S+' violates")

# No name is known to it but that of this machine, so nothing leaves even where no one listens.
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


def shown(address: str, once_it_has: str = "") -> str:
    """Give a page's document once nothing is loading any more and `once_it_has` is in it, or patience has ended.

    A page whose scripts fail, or that asks for anything elsewhere, fails the test.
    """
    with opened(address) as page:
        until = time.monotonic() + _PATIENCE_S
        while once_it_has not in page.content() and time.monotonic() < until:
            page.wait_for_timeout(250)
        return page.content()


def pictured(address: str, to: Path, width: int, height: int) -> None:
    """Write a screenshot of a window of so many pixels."""
    with opened(address, width, height) as page:
        page.screenshot(path=to)
    assert to.stat().st_size > 10_000


@contextmanager
def opened(address: str, width: int = 3600, height: int = 1600) -> Iterator[Page]:
    """Open a page, loaded, in a window of so many pixels: by default one as wide as what dbt's graph draws."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=_ARGUMENTS)
        try:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(_PATIENCE_S * 1000)
            wrongs: set[str] = set()
            page.on("pageerror", lambda error: wrongs.add(str(error)))
            # What the policy of a page forbids is asked for by no request. dbt's page wants icons of its own server
            # whose names it has not worked out yet, which is no harm.
            page.on("console", lambda said: wrongs.update(_WRONG.findall(said.text)))
            page.on("websocket", lambda socket: wrongs.update({socket.url} if _is_elsewhere(socket.url) else ()))
            page.on("request", lambda request: wrongs.update({request.url} if _is_elsewhere(request.url) else ()))
            page.goto(address, wait_until="networkidle")
            yield page
            assert not wrongs, wrongs
        finally:
            browser.close()


def _is_elsewhere(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in ("file", "data", "blob") and parts.hostname != "127.0.0.1"


def _chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("no chromium or google-chrome on PATH: nothing can show the pages")
