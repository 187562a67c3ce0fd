"""`lakehouse drift`."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from ingestion.errors import BatchError
from lakehouse.settings import load_settings
from lakehouse.terminal import console, table

if TYPE_CHECKING:
    from ingestion.drift import Drift


def drift(
    batch_id: Annotated[
        str | None, typer.Argument(metavar="BATCH", help="A batch; without it, the last that landed something.")
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Take the batch as it is: later ones are compared with it.")
    ] = False,
) -> None:
    """Say which fields came, went or changed in a batch. Exit code 1 where Silver should not read it."""
    from ingestion.batches import last_landed
    from ingestion.drift import blocking, check, needed_fields
    from lakehouse.spark import spark_session

    settings = load_settings()
    needed = needed_fields(settings.dbt.project_dir)
    with console.status("comparing fields"):
        spark = spark_session(settings, "drift")
        batch = last_landed(spark, batch_id)
        if batch is None:
            raise BatchError(
                f"There is no batch {batch_id}." if batch_id else "No batch has landed anything yet.",
                "`lakehouse sql 'select batch_id, as_of, landed from bronze.batches'` lists the batches.",
            )
        findings = check(spark, batch, needed, accepts=accept)
    show(batch, findings)
    if blocking(findings):
        raise typer.Exit(1)


def show(batch_id: str, findings: "list[Drift]") -> None:
    """Print the findings of a batch, and what to do where some of them block."""
    if not findings:
        console.print(f"{batch_id}: the fields are as before.")
        return
    rows = [
        (
            escape(finding.endpoint),
            escape(finding.path),
            f"[bold red]{finding.kind}[/]" if finding.is_blocking else finding.kind,
            finding.before,
            finding.now,
            "yes" if finding.is_needed else "",
        )
        for finding in findings
    ]
    columns = ("endpoint", "field", "finding", "before", "now", "Silver needs it")
    console.print(table(batch_id, columns, rows))
    stopped = sum(finding.is_blocking for finding in findings)
    if stopped:
        console.print(
            f"{stopped} of these would reach Silver as NULL. Mend dbt_project/models/staging/tmdb "
            f"(stg_tmdb__observations.sql and payload_fields in _sources.yml), or take the batch as it is: "
            f"`lakehouse drift {batch_id} --accept`.",
            soft_wrap=True,
        )
