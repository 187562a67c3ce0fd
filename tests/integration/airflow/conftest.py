"""An instance with its own copy of the dbt project, its own TMDB and its own webhook, scheduled by a real Airflow."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lakehouse.services import stack as services
from lakehouse.settings import load_settings
from tests import lake
from tests.instance import ROOT, selected, variables
from tests.scheduler import Scheduler, scheduler
from tests.standin import TOKEN, RunningStandin, standin
from tests.unit.lakehouse.alerts.endpoints import Webhook, webhook

MOVIES = 300
FIRST_DAY = "2026-01-24T08:00:00Z"
NEXT_DAY = "2026-01-25T08:00:00Z"


@dataclass(frozen=True)
class World:
    """What a DAG run meets.

    Args:
        airflow: the scheduler.
        project: the dbt project, which a test may break.
        tmdb: TMDB, which a test may break.
        slack: who is told.
    """

    airflow: Scheduler
    project: Path
    tmdb: RunningStandin
    slack: Webhook


@contextmanager
def running_world(home: Path, movies: int) -> Iterator[World]:
    """A lake that is empty, its services, and an Airflow that schedules nothing by itself."""
    project = home / "dbt_project"
    shutil.copytree(ROOT / "dbt_project", project, ignore=shutil.ignore_patterns("target", "logs"))
    with standin(movies=movies) as tmdb, webhook() as slack:
        tmdb.set_today(FIRST_DAY)
        instance = {
            **variables(home / "instance"),
            **settings_for(tmdb),
            "LAKEHOUSE_DBT__PROJECT_DIR": str(project),
            "LAKEHOUSE_ALERTS__SLACK_WEBHOOK": slack.url,
            "LAKEHOUSE_ALERTS__QUIET_MINUTES": "0",
            "LAKEHOUSE_AIRFLOW__RETRY_SECONDS": "5",
            # The first run of tmdb_transform is late.
            "LAKEHOUSE_AIRFLOW__DEADLINE_MINUTES": "3",
            # The schedule must not come between.
            "LAKEHOUSE_AIRFLOW__SCHEDULE": "0 0 1 1 *",
        }
        with running_services(instance), scheduler(instance) as airflow:
            yield World(airflow, project, tmdb, slack)


@contextmanager
def running_services(instance: dict[str, str]) -> Iterator[None]:
    """The services of an instance, for as long as the context lasts."""
    with selected(instance):
        settings = load_settings()
        services.up(settings)
    try:
        yield
    finally:
        with selected(instance):
            services.down(settings)


def settings_for(tmdb: RunningStandin) -> dict[str, str]:
    """The variables of an instance that asks that TMDB, and does not wait long between two attempts."""
    return {
        "LAKEHOUSE_TMDB__URL": f"{tmdb.url}/3",
        "LAKEHOUSE_TMDB__EXPORT_URL": f"{tmdb.url}/p/exports",
        "LAKEHOUSE_TMDB__TOKEN": TOKEN,
        "LAKEHOUSE_TMDB__RATE_PER_SECOND": "0",
        "LAKEHOUSE_TMDB__BACKOFF_SECONDS": "0.05",
        "LAKEHOUSE_TMDB__FREE_RETRIES": "20",
    }


@pytest.fixture(scope="package")
def world(long_tests: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("scheduled"), MOVIES) as running:
        yield running


@pytest.fixture(scope="package")
def good(world: World) -> dict[str, Any]:
    """What the lake holds when nothing went wrong."""
    with selected(world.airflow.instance):
        if not world.airflow.client.runs("tmdb_aggregate"):
            assert [run.state for run in world.airflow.run(as_of=FIRST_DAY)] == ["success"] * 3
        return content(world)


def content(world: World) -> dict[str, Any]:
    """What every table and collection holds; not when the last batch was, which may have found nothing new."""
    settings = world.airflow.settings
    tables = lake.content(settings, "bronze", "silver", "graph", "gold", without=("silver.as_of",))
    return {**tables, **lake.documents(settings)}
