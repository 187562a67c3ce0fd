"""What `lakehouse rollback` and `export` see to before Spark starts, and before readers are moved."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lakehouse.ops.journal import read_runs
from lakehouse.settings import load_settings
from orchestration.publishing import require_first_rollback, rollback
from serving import mongo
from serving.commands import export_command
from serving.errors import ExportError, PublicationError
from serving.publication import Publication
from tests.instance import free_ports, selected, variables


@pytest.fixture
def _dead_mongodb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An instance whose MongoDB does not answer, and in which Spark must not be started."""

    def refuse(*arguments: object) -> None:
        raise AssertionError("Spark was started")

    monkeypatch.setattr("lakehouse.spark.spark_session", refuse)
    monkeypatch.setattr(mongo, "SELECTION_TIMEOUT_MS", 200)
    uri = f"mongodb://127.0.0.1:{free_ports(1)[0]}"
    with selected({**variables(tmp_path), "LAKEHOUSE_MONGO__URI": uri}):
        yield


@pytest.mark.usefixtures("_dead_mongodb")
@pytest.mark.parametrize(("command", "kind"), [(export_command, "export"), (rollback, "rollback")])
def test_a_run_that_finds_no_mongodb_is_recorded_as_failed(command: Callable[[], None], kind: str) -> None:
    with pytest.raises(ExportError, match="does not answer"):
        command()
    (facts,) = read_runs(load_settings().home)
    assert (facts.run["kind"], facts.run["status"]) == (kind, "failed")
    assert "does not answer" in facts.run["error"]


def test_after_a_rollback_another_one_must_say_where_to() -> None:
    at = datetime(2026, 2, 1, tzinfo=UTC)
    published = Publication("run-2", "publish", "run-2", at, at, {"movies": at}, is_current=True)
    require_first_rollback(None)
    require_first_rollback(published)
    back = replace(published, publication_id="rollback-1", action="rollback", content_of="run-1")
    with pytest.raises(PublicationError, match=r"^Readers already see run-1, given back by rollback-1") as refused:
        require_first_rollback(back)
    assert refused.value.next_step == "`lakehouse export` brings MongoDB to it; --to names an earlier one."
