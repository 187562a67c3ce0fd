"""A headless browser that reaches nothing but this machine: what a page is after its scripts ran, and how it looks."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest


def shown(address: str, once_it_has: str = "") -> str:
    """Give a page's document after all scripts ran; one that fails, or asks for anything elsewhere, fails the test.

    A page that draws itself in steps may not be done in the browser's time when the machine is busy: it is opened
    again, three times in all, until `once_it_has` is in it.
    """
    for _ in range(3):
        page = _document(address)
        if once_it_has in page:
            break
    return page


def _document(address: str) -> str:
    answer = _browse(address, "--dump-dom", "--virtual-time-budget=30000", "--enable-logging=stderr")
    # dbt's page asks its own server for icons whose names it has not worked out yet, which is no harm.
    complaints = [
        line
        for line in answer.stderr.splitlines()
        if "CONSOLE" in line
        and re.search(r"Uncaught|['\"](?:https?:|wss?:)?//(?!127\.0\.0\.1)\S+ violates|ERR_NAME", line)
    ]
    assert not complaints, complaints
    return answer.stdout


def pictured(address: str, to: Path, *options: str) -> None:
    """Write a screenshot of a page."""
    _browse(address, f"--screenshot={to}", "--virtual-time-budget=10000", *options)
    assert to.stat().st_size > 10_000


def _browse(address: str, *options: str) -> "subprocess.CompletedProcess[str]":
    answer = subprocess.run(
        [
            _chromium(),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            # dbt's graph draws only what is in the window
            "--window-size=3600,1600",
            *options,
            address,
        ],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer


def _chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("no chromium or google-chrome on PATH: nothing can show the pages")
