"""`up` where all services are a cluster's."""

from pathlib import Path

import pytest

from lakehouse.services import stack
from lakehouse.settings import load_settings


def test_where_no_service_is_its_own_none_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack.health, "own_services", lambda settings: [])
    monkeypatch.setattr(stack, "ensure_jars", lambda cache, *listeners: [])
    monkeypatch.setattr(stack, "java_home", lambda cache: tmp_path)
    monkeypatch.setattr(stack.process, "start", lambda home, command: pytest.fail(f"{command.name} was started"))
    monkeypatch.setattr(stack, "status", lambda settings: [])
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    settings = load_settings(home=str(tmp_path))
    assert stack.up(settings) == []
    assert stack.mend(settings) == []
