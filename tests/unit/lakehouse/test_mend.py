"""What died is started anew; what was stopped on purpose is not."""

from pathlib import Path

import pytest

from lakehouse.services import stack
from lakehouse.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(stack.health, "own_services", lambda settings: ["hdfs", "mongo"])
    (tmp_path / "run").mkdir()
    return load_settings(home=str(tmp_path))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(stack, "up", lambda settings: found.append("up"))
    return found


def _alive(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(stack.process, "seen", lambda home, name: object() if name in names else None)


def test_what_has_died_is_named_and_started(
    settings: Settings, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.home / "run" / "wanted").touch()
    _alive(monkeypatch, "namenode", "mongo")
    assert stack.mend(settings) == ["datanode"]
    assert started == ["up"]


def test_where_all_run_nothing_is_started(
    settings: Settings, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.home / "run" / "wanted").touch()
    _alive(monkeypatch, "namenode", "datanode", "mongo")
    assert stack.mend(settings) == []
    assert started == []


def test_after_down_nothing_is_started(settings: Settings, started: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (settings.home / "run" / "wanted").touch()
    _alive(monkeypatch)
    stack.down(settings)
    assert stack.mend(settings) == []
    assert started == []
