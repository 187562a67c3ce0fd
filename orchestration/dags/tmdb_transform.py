"""The Airflow DAG tmdb_transform; what it does is in the packages."""

from orchestration.airflow.dags import build_dag

dag = build_dag(
    "tmdb_transform",
    """Silver, the actor network and Gold are built and audited.

Runs when tmdb_ingest has landed something. Each dbt model is a task, its tests follow it. Below a threshold nothing
further is built; readers see what they saw.

- `full_refresh`: incremental models are built anew.
- `dry_run`: says what would be done; nothing is built.

After a failure: the task's log names model or test; `lakehouse history --run last`.
""",
)
