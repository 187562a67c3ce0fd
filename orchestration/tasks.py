"""The tasks of the cycle: which there are, what each does, and which come before it.

This is the one definition of them. Airflow runs them in three DAGs (`orchestration.airflow`), the command line in one
process (`orchestration.steps`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from orchestration import cycle, ingesting
from orchestration.cycle import Cycle

BRONZE, GOLD = "bronze", "gold_build"
"""The assets that chain the DAGs: what ingestion has landed, what has been built and audited."""

Work = Callable[[Cycle, list[str]], None]


@dataclass(frozen=True)
class Task:
    """A piece of the cycle that can be run, and run again, by itself.

    Args:
        name: the task's id.
        dag: where it belongs.
        step: the step of the command line in which it ends.
        about: what it does, in a sentence.
        work: does it; None where dbt does.
        selector: of `selectors.yml`, where dbt does it.
        after: the tasks of the same DAG before it.
        beside: the step beside which the command line does it, in the background.
        per_request: whether it is done for each request of a run, after those before it have been done for that one.
        uses_spark: whether it starts a Spark session: one of these runs at a time.
        gives: the asset that is there when it has ended.
        runs_anyway: also where what comes before it had nothing to do.
    """

    name: str
    dag: str
    step: str
    about: str
    work: Work | None = None
    selector: str = ""
    after: tuple[str, ...] = ()
    beside: str = ""
    per_request: bool = False
    uses_spark: bool = True
    gives: str = ""
    runs_anyway: bool = False


_INGEST = (
    Task(
        "validate_api_connectivity",
        "tmdb_ingest",
        "ingest",
        "TMDB takes the token, and the lake can be written to.",
        ingesting.validate_api_connectivity,
        uses_spark=False,
    ),
    Task(
        "fetch_recent_movies",
        "tmdb_ingest",
        "ingest",
        "Which movies have changed: they are listed in bronze.requested_movies.",
        ingesting.fetch_recent_movies,
        per_request=True,
        after=("validate_api_connectivity",),
    ),
    Task(
        "validate_data_quality",
        "tmdb_ingest",
        "ingest",
        "Some of the movies are looked at: whether they have the fields that Silver needs.",
        ingesting.validate_data_quality,
        per_request=True,
        after=("fetch_recent_movies",),
        uses_spark=False,
    ),
    Task(
        "store_to_bronze_layer",
        "tmdb_ingest",
        "ingest",
        "The movies are fetched and land in bronze.movies; what cannot land is in bronze.quarantine.",
        ingesting.store_to_bronze_layer,
        per_request=True,
        after=("validate_data_quality",),
        gives=BRONZE,
    ),
    Task(
        "cleanup_old_partitions",
        "tmdb_ingest",
        "ingest",
        "What is older than two years, and has been read by Silver, is named or deleted.",
        ingesting.cleanup_old_partitions,
        after=("store_to_bronze_layer",),
        runs_anyway=True,
    ),
)

_TRANSFORM = (
    Task(
        "validate_bronze_data",
        "tmdb_transform",
        "gate",
        "Bronze is held to its suites.",
        cycle.gate_bronze,
        beside="silver",
    ),
    Task(
        "silver",
        "tmdb_transform",
        "silver",
        "dbt builds staging and Silver, each model with its tests after it.",
        selector="bronze_to_silver",
        after=("validate_bronze_data",),
    ),
    Task(
        "data_quality_validation",
        "tmdb_transform",
        "gate",
        "Silver is held to its suites.",
        cycle.gate_silver,
        after=("silver",),
    ),
    Task(
        "network_jobs",
        "tmdb_transform",
        "graph",
        "GraphFrames computes the actor network.",
        cycle.compute_network,
        after=("data_quality_validation",),
    ),
    Task(
        "gold",
        "tmdb_transform",
        "gold",
        "dbt builds the marts that need no network.",
        selector="marts",
        beside="graph",
        after=("data_quality_validation",),
    ),
    Task(
        "network",
        "tmdb_transform",
        "gold",
        "dbt builds the marts over the network.",
        selector="network",
        after=("network_jobs", "gold"),
    ),
    Task(
        "quality_report_generation",
        "tmdb_transform",
        "audit",
        "The marts are held to their suites; what was found becomes Data Docs.",
        cycle.audit,
        after=("network",),
        gives=GOLD,
    ),
)

_AGGREGATE = (
    Task(
        "validate_silver_data",
        "tmdb_aggregate",
        "publish",
        "What is to be published is what was audited.",
        cycle.require_audited,
    ),
    Task(
        "analytics_views",
        "tmdb_aggregate",
        "publish",
        "Readers of gold.* see the new version of all marts at once.",
        cycle.publish,
        after=("validate_silver_data",),
    ),
    Task(
        "export_to_mongodb",
        "tmdb_aggregate",
        "export",
        "The marts are staged in MongoDB, reconciled, and swapped in.",
        cycle.export,
        after=("analytics_views",),
    ),
    Task(
        "validate_export_quality",
        "tmdb_aggregate",
        "export",
        "MongoDB holds as many documents as the marts have rows, all of one publication.",
        cycle.validate_export,
        after=("export_to_mongodb",),
    ),
    Task(
        "cleanup_intermediate_data",
        "tmdb_aggregate",
        "finish",
        "What earlier runs left behind is deleted by age.",
        cycle.cleanup,
        after=("validate_export_quality",),
    ),
    Task(
        "send_completion_notification",
        "tmdb_aggregate",
        "finish",
        "Who wants to know is told that new data is there.",
        cycle.notify,
        after=("cleanup_intermediate_data",),
        uses_spark=False,
    ),
)

TASKS: tuple[Task, ...] = (*_INGEST, *_TRANSFORM, *_AGGREGATE)
"""All of them, in an order in which they can run."""

BY_NAME = {task.name: task for task in TASKS}
