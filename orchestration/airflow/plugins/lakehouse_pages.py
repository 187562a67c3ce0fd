"""The report and the lineage site among Airflow's pages, for who is logged in there."""

from orchestration.airflow.pages import LakehousePages

__all__ = ["LakehousePages"]
