"""The commands that run the cycle and dbt: what they leave behind where they cannot even begin."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lakehouse.errors import ServiceError
from lakehouse.ops.journal import read_runs
from lakehouse.ops.metrics import metrics_file
from lakehouse.services import health
from lakehouse.settings import Settings, load_settings
from orchestration import commands
from tests.instance import free_ports, selected


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    instance = {"LAKEHOUSE_HOME": str(tmp_path), "LAKEHOUSE_HDFS__NAMENODE_HTTP_PORT": str(free_ports(1)[0])}
    with selected(instance):
        yield load_settings()


def _run(settings: Settings) -> None:
    commands._run(settings, (), None, is_demo=False)


def _build(settings: Settings) -> None:
    commands.build(select=None, selector=None, full_refresh=False, as_of=None)


@pytest.mark.parametrize(("kind", "command"), [("run", _run), ("build", _build)])
def test_a_run_that_finds_a_service_down_is_recorded_and_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: str, command: Callable[[Settings], None]
) -> None:
    def is_down(settings: Settings, *names: str) -> None:
        raise ServiceError("HDFS does not answer.", "Run `lakehouse up`.")

    monkeypatch.setattr(health, "require", is_down)
    with pytest.raises(ServiceError, match="HDFS does not answer"):
        command(settings)
    (facts,) = read_runs(settings.home)
    assert (facts.run["kind"], facts.run["status"], facts.run["error"]) == (kind, "failed", "HDFS does not answer.")
    assert [row["subject"] for row in facts.rows("alerts") if row["kind"] == "job"] == [kind]
    assert f'lakehouse_run_succeeded{{kind="{kind}"}} 0.0' in metrics_file(settings.home).read_text()
