"""A process of Airflow with what the DAG files import already there.

`python -m orchestration.airflow.preloaded dag-processor`, in Airflow's environment. The DAG processor forks for each
parse of a file, the scheduler for each task, which parses its file too; importing Cosmos and what comes with it is most
of that. The project's own modules are not imported here, so that a change of them is seen.
"""

import sys
from importlib import import_module
from runpy import run_module

PRELOADED = (
    "airflow.providers.standard.operators.python",
    # Airflow reads plugins at each parse; one of ours has web pages.
    "airflow.api_fastapi.core_api.security",
    "cosmos",
    "cosmos.operators.local",
    "cosmos.operators.watcher",
    # What `orchestration.tasks` names needs these.
    "pyarrow",
    "pyrate_limiter",
)


def main() -> None:
    """Be the process that the arguments name, as `airflow` would."""
    from sqlalchemy.orm import configure_mappers

    for name in PRELOADED:
        import_module(name)
    configure_mappers()
    sys.argv = ["airflow", *sys.argv[1:]]
    run_module("airflow", run_name="__main__")


if __name__ == "__main__":
    main()
