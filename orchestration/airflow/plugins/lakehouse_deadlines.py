"""The deadline of a DAG run, known to Airflow."""

from orchestration.airflow.deadlines import LakehouseDeadlines

__all__ = ["LakehouseDeadlines"]
