"""The whole cycle on Spark's own cluster and on YARN, two nodes each: the lake is that of one machine."""

import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest

from lakehouse.settings import load_settings
from tests import lake
from tests.clusters import Engine, lake_on
from tests.instance import ROOT, lakehouse, selected

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("long_tests")]

_RUN = ("run", "--source", "synthetic", "--movies", "300", "--as-of", "2026-02-01")


@pytest.fixture(scope="module")
def executor_env(long_tests: None) -> None:
    subprocess.run(["make", "executor-env"], cwd=ROOT, check=True)


def _content(engine: Engine, root: Path) -> dict[str, Any]:
    with lake_on(engine, root) as instance:
        for arguments in (("up",), _RUN):
            answer = lakehouse(instance, *arguments, timeout=3600)
            assert answer.returncode == 0, answer.stdout + answer.stderr
        with selected(instance):
            settings = load_settings()
            return {
                **lake.content(settings, "bronze", "staging", "silver", "graph", "gold"),
                **lake.documents(settings),
            }


@pytest.mark.usefixtures("executor_env")
@pytest.mark.timeout(3 * 3600)
def test_every_engine_makes_the_same_lake(tmp_path: Path) -> None:
    local, *others = (_content(engine, tmp_path / engine) for engine in get_args(Engine))
    assert len(local) > 60
    for other in others:
        assert other == local
