"""The Airflow DAG tmdb_aggregate; what it does is in the packages."""

from orchestration.airflow.dags import build_dag

dag = build_dag(
    "tmdb_aggregate",
    """What was audited is published, and exported to MongoDB.

Runs when tmdb_transform has built and audited Gold. All marts move at once; MongoDB follows, reconciled by count and
hash.

- `dry_run`: each task says what it would do; nothing is published.

To take a version back: `lakehouse rollback`.
""",
)
