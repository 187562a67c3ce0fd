"""The one definition of the cycle's tasks."""

from orchestration.tasks import BY_NAME, TASKS

OF_SPEC = {
    "tmdb_ingest": [
        "validate_api_connectivity",
        "fetch_recent_movies",
        "validate_data_quality",
        "store_to_bronze_layer",
        "cleanup_old_partitions",
    ],
    "tmdb_transform": [
        "validate_bronze_data",
        "silver",
        "data_quality_validation",
        "network_jobs",
        "gold",
        "network",
        "quality_report_generation",
    ],
    "tmdb_aggregate": [
        "validate_silver_data",
        "analytics_views",
        "export_to_mongodb",
        "validate_export_quality",
        "cleanup_intermediate_data",
        "send_completion_notification",
    ],
}


def test_each_dag_has_its_tasks_in_order() -> None:
    found = {dag: [task.name for task in TASKS if task.dag == dag] for dag in OF_SPEC}
    assert found == OF_SPEC
    assert len(BY_NAME) == len(TASKS)


def test_each_task_follows_earlier_ones_of_its_dag() -> None:
    for place, task in enumerate(TASKS):
        before = {one.name for one in TASKS[:place] if one.dag == task.dag}
        assert set(task.after) <= before, task.name
        assert task.after or not before, f"{task.name} would start at once"


def test_each_task_is_done_by_the_packages_or_by_dbt() -> None:
    for task in TASKS:
        assert (task.work is None) == bool(task.selector), task.name
        assert task.about.endswith("."), task.name
