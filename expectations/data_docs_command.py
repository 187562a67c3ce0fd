"""`lakehouse data-docs`."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer


def data_docs(
    to: Annotated[Path | None, typer.Option(help="The folder to write to; without it, data-docs in home.")] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Show the index in the browser.")] = False,
) -> None:
    """Write what each gate demanded and found as pages, which need no network and no server."""
    from expectations.data_docs import make_docs
    from lakehouse.errors import LakehouseError
    from lakehouse.settings import load_settings
    from lakehouse.terminal import console

    settings = load_settings()
    folder = (to or settings.home / "data-docs").expanduser().resolve()
    try:
        with console.status("writing Data Docs"):
            index = make_docs(settings, folder)
    except OSError as error:
        raise LakehouseError(f"{folder} cannot be written: {error}.", "Name another folder with --to.") from error
    console.print(f"{index}", soft_wrap=True)
    if open_it:
        webbrowser.open(index.as_uri())
