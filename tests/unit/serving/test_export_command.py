"""What `export_marts` hands to the export, and when."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from lakehouse.settings import Settings, load_settings
from serving.commands import export_marts, exported
from serving.errors import ExportError
from serving.export import MartReport, _fitting
from serving.marts import Index, Mart
from serving.publication import Publication

_AT = datetime(2026, 2, 1, tzinfo=UTC)
_RATING, _YEAR = Index((("rating", -1),)), Index((("top.year", 1), ("rating", -1)))
_MOVIES = Mart("movies", ("movie_id",), (_RATING, _YEAR))


def _publication(name: str, *marts: str) -> Publication:
    return Publication(name, "publish", name, _AT, _AT, dict.fromkeys(marts, _AT + timedelta(hours=1)))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=str(tmp_path))


def test_a_mart_that_the_publication_lacks_is_not_asked_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def export(spark: Any, uri: str, database: str, marts: list[Mart], *more: Any, **named: Any) -> list[MartReport]:
        asked.append(tuple(mart.name for mart in marts))
        return []

    monkeypatch.setattr("serving.export.export", export)
    monkeypatch.setattr("serving.publication.current_publication", lambda spark: _publication("old", "movies", "x"))
    session: Any = None
    export_marts(session, settings, "one", marts=(_MOVIES, Mart("people", ("person_id",))))
    assert asked == [("movies",)]


def test_a_second_export_asks_what_is_published_when_the_first_has_ended(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = [_publication("first", "movies")]
    happened: list[str] = []
    first_goes_on, first_may_end = threading.Event(), threading.Event()

    def seen(spark: Any) -> Publication:
        happened.append(f"saw {current[0].publication_id}")
        return current[0]

    def export(*arguments: Any, publication: Publication, **named: Any) -> list[MartReport]:
        if publication.publication_id == "first":
            first_goes_on.set()
            assert first_may_end.wait(30)
        happened.append(f"exported {publication.publication_id}")
        return []

    monkeypatch.setattr("serving.export.export", export)
    monkeypatch.setattr("serving.publication.current_publication", seen)
    session: Any = None
    with ThreadPoolExecutor(2) as pool:
        try:
            first = pool.submit(export_marts, session, settings, "one")
            assert first_goes_on.wait(30)
            second = pool.submit(export_marts, session, settings, "two")
            with pytest.raises(TimeoutError):
                second.result(timeout=0.3)
            current[0] = _publication("second", "movies")
        finally:
            first_may_end.set()
        first.result(30)
        second.result(30)
    assert happened == ["saw first", "exported first", "saw second", "exported second"]


def test_an_index_waits_for_a_version_that_has_its_columns_and_a_key_is_demanded() -> None:
    assert _fitting(_MOVIES, ["movie_id", "rating", "top"]) == _MOVIES
    assert _fitting(_MOVIES, ["movie_id", "rating"]).indexes == (_RATING,)
    with pytest.raises(ExportError, match=r"gold\.movies has no column movie_id, which serving/marts\.py declares"):
        _fitting(_MOVIES, ["rating", "top"])


def test_an_index_that_is_left_out_is_told() -> None:
    console = Console(width=200, record=True)
    console.print(exported([MartReport("movies", 1200, "f" * 32, 2, 1.0, (_YEAR.name,))]))
    said = console.export_text()
    assert "2 (without top.year_1_rating_-1)" in said
    assert "1,200" in said
