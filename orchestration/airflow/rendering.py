"""dbt's models as tasks: Cosmos reads dbt's manifest and makes a task of each model, with its tests after it."""

from typing import Any

from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import ExecutionMode, InvocationMode, LoadMode, TestBehavior

from lakehouse.settings import Settings
from orchestration import dbt
from orchestration.airflow.instance import POOL, manifest_file
from orchestration.airflow.running import before_dbt

PROFILE, TARGET = "tmdb_lakehouse", "local"


def dbt_group(settings: Settings, group: str, selector: str, tooltip: str) -> DbtTaskGroup:
    """A group with the models of a selector of `selectors.yml`, in dbt's order.

    Args:
        settings: name the project, the Thrift server, and how dbt is run.
        group: the group's id.
        selector: the selector's name.
        tooltip: what a person reads of it in the graph.
    """
    project = settings.dbt.project_dir
    is_watched = settings.airflow.execution_mode == "watcher"
    arguments: dict[str, Any] = {
        "full_refresh": "{{ params.full_refresh }}",
        "install_deps": False,
        "append_env": True,
        "pre_execute": before_dbt,
        "callback": "orchestration.airflow.dbt_results.keep",
        "dbt_cmd_global_flags": ["--log-path", str(settings.home / "logs" / "airflow-dbt")],
    }
    if not is_watched:
        arguments["pool"] = POOL
    return DbtTaskGroup(
        group_id=group,
        tooltip=tooltip,
        project_config=ProjectConfig(
            dbt_project_path=project,
            manifest_path=manifest_file(settings, selector),
            project_name=PROFILE,
            env_vars=dbt.environment(settings),
        ),
        profile_config=ProfileConfig(
            profile_name=PROFILE, target_name=TARGET, profiles_yml_filepath=project / "profiles.yml"
        ),
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.WATCHER if is_watched else ExecutionMode.LOCAL,
            invocation_mode=InvocationMode.DBT_RUNNER,
            # One call of dbt writes; the tasks of the models watch it, and wait for no slot of the pool.
            setup_operator_args={"pool": POOL, "dbt_cmd_flags": ["--selector", selector]} if is_watched else None,
        ),
        # The manifest holds what the selector chose: that Cosmos chooses once more took a third of a parse.
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            test_behavior=TestBehavior.AFTER_EACH,
            emit_datasets=False,
        ),
        operator_args=arguments,
    )
