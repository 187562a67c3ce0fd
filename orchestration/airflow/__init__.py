"""An Airflow of this instance: started, asked and ended from the command line; its DAGs are in `orchestration/dags`."""
