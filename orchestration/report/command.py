"""`lakehouse report`."""

from pathlib import Path
from typing import Annotated

import typer

from lakehouse.settings import load_settings
from lakehouse.terminal import console


def report(
    run: Annotated[str | None, typer.Option("--run", help="The run to tell of; the last cycle without it.")] = None,
    to: Annotated[Path | None, typer.Option("--to", help="The folder to write to; home/report without it.")] = None,
    is_opened: Annotated[bool, typer.Option("--open", help="Open it in the browser of this machine.")] = False,
    is_served: Annotated[bool, typer.Option("--serve", help="Serve it until interrupted.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where it is served, on loopback.")] = 8581,
) -> None:
    """Make the report site: what the last run did, how good the data is, and what Gold says."""
    import webbrowser

    from lakehouse import hive
    from lakehouse.errors import LakehouseError
    from lakehouse.services.health import require
    from orchestration.progress import Progress
    from orchestration.report.site import folder_of, make_site
    from orchestration.serve import serve_pages

    settings = load_settings()
    require(settings, "hdfs", "metastore", "thrift")
    with Progress() as progress, progress.step("report") as findings:
        progress.detail("asking ops and Gold")
        folder = to or folder_of(settings)
        try:
            made = make_site(settings, lambda sql: hive.query(settings, sql), folder, run)
        except OSError as error:
            raise LakehouseError(f"{folder} cannot be written: {error}.", "Name another folder with --to.") from error
        told = made.facts.run["run_id"] if made.facts.run else "no run yet"
        findings.append(f"{told}: {made.index}")
    address = made.index.resolve().as_uri()
    if is_served:
        serve_pages(made.folder, settings.bind, port, "The report", is_opened)
    elif is_opened and not webbrowser.open(address):
        console.print(f"No browser could be opened here. Open {address}")
