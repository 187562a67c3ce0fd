"""What `lakehouse rollback` and `export` see to before Spark starts, and before readers are moved."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lakehouse.ops.journal import read_runs
from lakehouse.settings import load_settings
from orchestration.publishing import rollback
from serving import mongo
from serving.commands import export_command
from serving.errors import ExportError
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
