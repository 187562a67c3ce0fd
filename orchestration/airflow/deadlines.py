"""From when on a run's time counts.

Airflow 3.3 has a reference for it, `DAGRUN_QUEUED_AT`. With that one, a task of the run cannot be cleared: the API
answers 500 (apache/airflow#70368), and clearing a task is how a failed run is gone on with. This one counts from the
same instant; a run that is gone on with keeps its deadline.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk.definitions.deadline import BaseDeadlineReference, deadline_reference

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@deadline_reference
class RunQueued(BaseDeadlineReference):
    """The instant at which a run was queued."""

    required_kwargs: ClassVar[set[str]] = {"dag_id", "run_id"}

    def _evaluate_with(self, *, session: "Session", dag_id: str, run_id: str, **others: Any) -> datetime | None:
        from airflow.models import DagRun
        from sqlalchemy import select

        wanted = select(DagRun.queued_at).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        found: datetime | None = session.scalar(wanted)
        return found


class LakehouseDeadlines(AirflowPlugin):
    """What Airflow looks for."""

    name = "lakehouse_deadlines"
    deadline_references = [RunQueued]  # noqa: RUF012
