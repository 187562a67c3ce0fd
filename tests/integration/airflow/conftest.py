"""An instance with its own copy of the dbt project, its own TMDB and its own webhook, scheduled by a real Airflow."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lakehouse.services import stack as services
from lakehouse.settings import load_settings
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


@pytest.fixture(scope="package")
def world(long_tests: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("scheduled")
    project = home / "dbt_project"
    shutil.copytree(ROOT / "dbt_project", project, ignore=shutil.ignore_patterns("target", "logs"))
    with standin(movies=MOVIES) as tmdb, webhook() as slack:
        tmdb.set_today(FIRST_DAY)
        instance = {
            **variables(home / "instance"),
            "LAKEHOUSE_DBT__PROJECT_DIR": str(project),
            "LAKEHOUSE_TMDB__URL": f"{tmdb.url}/3",
            "LAKEHOUSE_TMDB__EXPORT_URL": f"{tmdb.url}/p/exports",
            "LAKEHOUSE_TMDB__TOKEN": TOKEN,
            "LAKEHOUSE_TMDB__RATE_PER_SECOND": "0",
            "LAKEHOUSE_TMDB__BACKOFF_SECONDS": "0.05",
            "LAKEHOUSE_TMDB__FREE_RETRIES": "20",
            "LAKEHOUSE_ALERTS__SLACK_WEBHOOK": slack.url,
            "LAKEHOUSE_ALERTS__QUIET_MINUTES": "0",
            "LAKEHOUSE_AIRFLOW__RETRY_SECONDS": "5",
            # The schedule must not come between.
            "LAKEHOUSE_AIRFLOW__SCHEDULE": "0 0 1 1 *",
        }
        with selected(instance):
            settings = load_settings()
            services.up(settings)
        try:
            with scheduler(instance) as airflow:
                yield World(airflow, project, tmdb, slack)
        finally:
            with selected(instance):
                services.down(settings)
