"""The driver of the DAGs as a process, with work that needs no Spark."""

import logging
import os
import threading
from typing import Any

from expectations.result import GateFailed
from lakehouse.settings import Settings
from orchestration.airflow import driver
from orchestration.airflow.performing import Asked


def work(settings: Settings, asked: Asked, log: logging.Logger) -> dict[str, Any]:
    """Do what the task's name says."""
    log.info("%s has begun", asked.task)
    if asked.task == "shut":
        error = GateFailed("A gate is shut.", "Look.")
        error.is_told = True
        raise error
    if asked.task == "broken":
        raise ZeroDivisionError("by nothing")
    if asked.task == "endless":
        (settings.home / "begun").touch()
        threading.Event().wait()
    if asked.task == "dies":
        os._exit(1)
    return {"pid": os.getpid(), "token": settings.tmdb.token.get_secret_value(), "as_of": asked.run_after.isoformat()}


if __name__ == "__main__":
    driver.do = work
    driver.main()
