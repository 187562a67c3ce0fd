import logging
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lakehouse.alerts.alert import Alert
from lakehouse.settings import Settings, load_settings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_other_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith("LAKEHOUSE_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    # Every line that any library writes is caught, and looked through for secrets.
    logging.getLogger("httpx").setLevel(logging.DEBUG)
    logging.getLogger("httpcore").setLevel(logging.DEBUG)
    yield
    logging.getLogger("httpx").setLevel(logging.NOTSET)
    logging.getLogger("httpcore").setLevel(logging.NOTSET)


@pytest.fixture
def settings_for(tmp_path: Path) -> Callable[..., Settings]:
    def make(**alerts: object) -> Settings:
        quick = {"timeout_seconds": 1, "at_most_seconds": 5}
        return load_settings(home=str(tmp_path / "home"), alerts=quick | alerts)

    return make


@pytest.fixture
def low_score() -> Alert:
    return Alert(
        severity="critical",
        kind="score",
        subject="silver.movies",
        message="the title is missing in 31 of 450 rows <b> & so on",
        command="lakehouse sql \"select movie_id, title from silver.movies where not (title <> '')\"",
        rule="title_is_known",
        score=0.93111111,
        threshold=0.95,
        examples=('603 | {"title": null}', '604 | {"title": " "}'),
    )


@pytest.fixture
def odd_volume() -> Alert:
    return Alert(
        "warning", "volume", "bronze.movies", "12 rows, 5,000 are usual", "lakehouse history", "volume_is_usual", 9, 4
    )
