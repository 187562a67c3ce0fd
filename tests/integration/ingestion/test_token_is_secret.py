"""The token of TMDB's API: in no output, log, stack trace or table, whatever fails."""

from pathlib import Path

import pytest

from lakehouse.hive import query
from lakehouse.settings import load_settings
from tests.instance import lakehouse, selected
from tests.standin import standin

pytestmark = pytest.mark.stack

TOKEN = "zk3-q9-no-one-may-read-this"


def test_the_token_stands_nowhere(stack: dict[str, str]) -> None:
    with standin(movies=20) as server:
        instance = {
            **stack,
            "LAKEHOUSE_TMDB__URL": f"{server.url}/3",
            "LAKEHOUSE_TMDB__TOKEN": TOKEN,
            # The stack trace is shown with this, and every frame of it.
            "LAKEHOUSE_TRACEBACK": "1",
        }
        refused = lakehouse(instance, "ingest", "--source", "api", "--popular", "5")
        shown = [lakehouse(instance, command) for command in ("config", "status", "doctor")]
        requests = server.requests()
    assert refused.returncode != 0
    assert "TMDB refused the token" in refused.stderr
    assert "Traceback" in refused.stderr
    assert requests
    with selected(instance):
        settings = load_settings()
        tables = [
            repr(query(settings, f"select * from bronze.{table}").rows)
            for table in ("batches", "requested_movies", "quarantine")
        ]
    logs = [
        path.read_text(encoding="utf-8", errors="replace") for path in _files(Path(stack["LAKEHOUSE_HOME"]) / "logs")
    ]
    said = [refused.stdout, refused.stderr, *(one.stdout + one.stderr for one in shown), repr(requests)]
    assert any("popular" in table for table in tables)
    assert not [text for text in (*said, *tables, *logs) if TOKEN in text]


def _files(folder: Path) -> list[Path]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    assert found
    return found
