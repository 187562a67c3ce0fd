"""A small lake that the tests of the dbt project share, and dbt's own command line."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.settings import Settings, load_settings
from tests import instance, lake
from tests.instance import ROOT, lakehouse, selected

if TYPE_CHECKING:
    import subprocess

MOVIES = 150
_made: dict[str, tuple[int, str]] = {}

Dbt = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the shared lake come first: making it takes minutes, and the others of this folder drop it."""
    places = [place for place, item in enumerate(items) if Path(__file__).parent in item.path.parents]
    ours = sorted((items[place] for place in places), key=lambda item: "built" not in item.fixturenames)  # type: ignore[attr-defined]
    for place, item in zip(places, ours, strict=True):
        items[place] = item


@pytest.fixture(scope="module")
def built(stack: dict[str, str]) -> Settings:
    """The settings of an instance on which the whole cycle ran, over a small synthetic catalogue.

    Made once; made again where a test before this one left another lake behind.
    """
    with selected(stack):
        settings = load_settings()
        if _made and lake.content(settings, "bronze", "silver", "gold_build") == _made:
            return settings
        lake.drop(settings)
        lake.drop_documents(settings)
        arguments = ["run", "--source", "synthetic", "--movies", str(MOVIES), "--as-of", "2026-02-01T00:00:00Z"]
        answer = lakehouse(stack, *arguments, timeout=1200)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        _made.clear()
        _made.update(lake.content(settings, "bronze", "silver", "gold_build"))
    return settings


@pytest.fixture(scope="session")
def dbt(stack: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Dbt:
    """Run `dbt` as a person would, in a project folder, on the tests' instance."""
    target = tmp_path_factory.mktemp("target")
    own = ("--target-path", str(target), "--log-path", str(target))

    def run(
        *arguments: str, project: Path = ROOT / "dbt_project", is_warm: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        return instance.dbt(stack, "--no-use-colors", *arguments, *own, folder=project, is_warm=is_warm)

    return run
