"""OpenLineage events of dbt's runs: which model was built from which tables, when, and whether it ended well.

A run of the lakehouse is a run of its own, the parent of each model's. Ids are made of the run and the node, so sending
the events again changes nothing. They go to `ops.openlineage_url` or, without one, to `home/ops/openlineage`.
"""

import logging
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from lakehouse.settings import Settings, mask

if TYPE_CHECKING:
    from openlineage.client.event_v2 import Job, Run, RunEvent

_log = logging.getLogger(__name__)

JOBS = "lakehouse"
"""The namespace of jobs."""

_PRODUCER = "urn:tmdb-lakehouse"
_BUILDS = {"model", "snapshot", "seed"}
_TIMEOUT_SECONDS = 2.0
_AT_MOST_SECONDS = 10.0


@dataclass(frozen=True)
class LineageTable:
    """A table or view of the dbt project.

    Args:
        schema: its schema.
        name: its name in the schema.
        description: one row is what.
        columns: name, type and meaning of each, as far as they are declared.
        has_files: whether it has a folder of its own in the warehouse; a view has none.
    """

    schema: str
    name: str
    description: str
    columns: tuple[tuple[str, str, str], ...]
    has_files: bool


@dataclass(frozen=True)
class LineageProject:
    """What dbt's manifest says, as far as lineage needs it.

    Args:
        name: the project's name.
        tables: dbt's unique id -> the table.
        parents: dbt's unique id -> the ids of the tables that it reads.
    """

    name: str
    tables: Mapping[str, LineageTable]
    parents: Mapping[str, tuple[str, ...]]


def read_project(manifest: Mapping[str, Any]) -> LineageProject:
    """Take from dbt's manifest (the content of manifest.json) what lineage needs; what is inlined is looked through."""
    nodes = {id_: node for id_, node in manifest["nodes"].items() if node["resource_type"] in _BUILDS}
    inlined = {id_ for id_, node in nodes.items() if node["config"]["materialized"] == "ephemeral"}

    def read_by(id_: str) -> list[str]:
        found = []
        for parent in nodes[id_].get("depends_on", {}).get("nodes", []):
            found += read_by(parent) if parent in inlined else [parent]
        return list(dict.fromkeys(found))

    tables = {
        id_: LineageTable(
            node["schema"],
            node.get("alias") or node.get("identifier") or node["name"],
            node.get("description") or "",
            tuple(
                (column["name"], column.get("data_type") or "", column.get("description") or "")
                for column in node.get("columns", {}).values()
            ),
            node.get("config", {}).get("materialized") != "view",
        )
        for id_, node in {**nodes, **manifest["sources"]}.items()
        if id_ not in inlined
    }
    parents = {id_: tuple(parent for parent in read_by(id_) if parent in tables) for id_ in nodes if id_ not in inlined}
    return LineageProject(manifest["metadata"]["project_name"], tables, parents)


def run_uuid(run_id: str, *parts: str) -> str:
    """OpenLineage's id of a run of ours, or of one of its nodes: the same whenever it is made."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join((f"{_PRODUCER}:{run_id}", *parts))))


def lineage_events(
    settings: Settings, run: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], project: LineageProject
) -> "list[RunEvent]":
    """The events of a run that has ended: its start, those of each node that was built, and its end.

    Args:
        settings: name the metastore and HDFS, which datasets are named after.
        run: the row of `ops.runs`.
        nodes: rows of `ops.dbt_results`.
        project: what the nodes read.
    """
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
    from openlineage.client.facet_v2 import error_message_run, job_type_job, parent_run

    own = Run(run_uuid(run["run_id"]))
    job = Job(JOBS, run["kind"], {"jobType": job_type_job.JobTypeJobFacet("BATCH", "LAKEHOUSE", "CYCLE")})

    def event(state: Any, at: Any, who: "Run", what: "Job", **data: Any) -> "RunEvent":
        return RunEvent(eventType=state, eventTime=at.isoformat(), run=who, job=what, producer=_PRODUCER, **data)

    def failure(message: str) -> Any:
        return error_message_run.ErrorMessageRunFacet(message or "unknown", "SQL")

    found = [event(RunState.START, run["started_at"], own, job)]
    parent = parent_run.ParentRunFacet(parent_run.Run(own.runId), parent_run.Job(JOBS, run["kind"]))
    built = [
        node
        for node in nodes
        if node["kind"] in _BUILDS and node.get("started_at") and node.get("finished_at")
        if node["node_id"] in project.tables
    ]
    for node in sorted(built, key=lambda node: node["started_at"]):
        id_ = run_uuid(run["run_id"], node["invocation_id"], node["node_id"])
        model = _model(project, node["node_id"])
        data = {
            "inputs": [_input(settings, project.tables[one]) for one in project.parents.get(node["node_id"], ())],
            "outputs": [_output(settings, project.tables[node["node_id"]])],
        }
        found.append(event(RunState.START, node["started_at"], Run(id_, {"parent": parent}), model, **data))
        if node["status"] == "success":
            found.append(event(RunState.COMPLETE, node["finished_at"], Run(id_, {"parent": parent}), model, **data))
        else:
            facets = {"parent": parent, "errorMessage": failure(node.get("message") or "")}
            found.append(event(RunState.FAIL, node["finished_at"], Run(id_, facets), model, **data))
    if run["status"] == "succeeded":
        found.append(event(RunState.COMPLETE, run["finished_at"], own, job))
    elif run.get("finished_at"):
        facets = {"errorMessage": failure(run.get("error") or run["status"])}
        found.append(event(RunState.FAIL, run["finished_at"], Run(own.runId, facets), job))
    return found


def _model(project: LineageProject, id_: str) -> "Job":
    from openlineage.client.event_v2 import Job
    from openlineage.client.facet_v2 import JobFacet, documentation_job, job_type_job

    table = project.tables[id_]
    facets: dict[str, JobFacet] = {"jobType": job_type_job.JobTypeJobFacet("BATCH", "DBT", "MODEL")}
    if table.description:
        facets["documentation"] = documentation_job.DocumentationJobFacet(table.description)
    return Job(JOBS, f"{project.name}.{table.schema}.{table.name}", facets)


def _input(settings: Settings, table: LineageTable) -> "Any":
    from openlineage.client.event_v2 import InputDataset

    return InputDataset(*_named(settings, table), facets=_facets(settings, table))


def _output(settings: Settings, table: LineageTable) -> "Any":
    from openlineage.client.event_v2 import OutputDataset

    return OutputDataset(*_named(settings, table), facets=_facets(settings, table))


def _named(settings: Settings, table: LineageTable) -> tuple[str, str]:
    """Namespace and name, as OpenLineage names tables of a Hive metastore."""
    return f"hive://{urlparse(settings.metastore.uri).netloc}", f"{table.schema}.{table.name}"


def _facets(settings: Settings, table: LineageTable) -> Any:
    from openlineage.client.facet_v2 import DatasetFacet, documentation_dataset, schema_dataset, symlinks_dataset

    facets: dict[str, DatasetFacet] = {}
    if table.columns:
        fields = [
            schema_dataset.SchemaDatasetFacetFields(name, kind or None, meaning or None)
            for name, kind, meaning in table.columns
        ]
        facets["schema"] = schema_dataset.SchemaDatasetFacet(fields)
    if table.description:
        facets["documentation"] = documentation_dataset.DocumentationDatasetFacet(table.description)
    if table.has_files:
        folder = f"{urlparse(settings.warehouse).path}/{table.schema}.db/{table.name}"
        files = symlinks_dataset.Identifier(settings.hdfs.uri, folder, "LOCATION")
        facets["symlinks"] = symlinks_dataset.SymlinksDatasetFacet([files])
    return facets


def lineage_folder(home: Path) -> Path:
    """Where events go that are sent nowhere, a file a run."""
    return home / "ops" / "openlineage"


def lineage_file(home: Path, run_id: str) -> Path:
    """Where the events of a run go that are sent nowhere."""
    return lineage_folder(home) / f"{run_id}.jsonl"


def emit(
    settings: Settings, run_id: str, events: "Sequence[RunEvent]", at_most_seconds: float = _AT_MOST_SECONDS
) -> int:
    """Send the events of a run to `ops.openlineage_url`, or write them to its file; give how many were sent.

    An endpoint that refuses one, is dead, or is slow gets no more of them: those that are left go to the file.
    """
    url = settings.ops.openlineage_url.get_secret_value()
    sent = _send(url, events, at_most_seconds) if url else 0
    if sent < len(events):
        _append(lineage_file(settings.home, run_id), events[sent:])
    return sent


def _send(url: str, events: "Sequence[RunEvent]", at_most_seconds: float) -> int:
    import requests
    from openlineage.client.transport.http import HttpConfig, HttpTransport

    deadline = time.monotonic() + at_most_seconds
    sent = 0
    try:
        with closing(HttpTransport(HttpConfig(url=url, timeout=_TIMEOUT_SECONDS, retry={"total": 0}))) as transport:
            for event in events:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"all would take more than {at_most_seconds:.0f} s")
                transport.emit(event)
                sent += 1
    # ValueError: what is set is no address.
    except (requests.RequestException, OSError, ValueError) as error:
        reason = _without_credentials(str(error), url)
        _log.warning("%s took %d of %d lineage events (%s); the others are kept.", mask(url), sent, len(events), reason)
    return sent


def _without_credentials(text: str, url: str) -> str:
    """What an error says, also where the address in it is not written as it was set."""
    bare = url.rstrip("/")
    return re.sub(r"//[^/\s]*@", "//***@", text.replace(bare, mask(bare)))


def _append(path: Path, events: "Sequence[RunEvent]") -> None:
    from openlineage.client.serde import Serde

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{Serde.to_json(event)}\n" for event in events)
