"""The Airflow DAG tmdb_ingest; what it does is in the packages."""

from orchestration.airflow.dags import build_dag

dag = build_dag(
    "tmdb_ingest",
    """What changed at TMDB lands in Bronze.

Runs every four hours. It asks TMDB which movies changed since the last successful batch, looks at some of them, and
fetches and lands them all. A batch that was interrupted goes on where it was. Where
nothing landed, the DAGs after it do not run.

- `from`, `to`: a backfill, changes of another span.
- `dry_run`: each task says what it would do; no DAG follows.

After a failure: `lakehouse drift`, `lakehouse quarantine list`; then clear the task that failed.
""",
)
