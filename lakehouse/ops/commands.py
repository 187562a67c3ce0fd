"""The commands that tell what happened."""

import typer


def register(app: typer.Typer) -> None:
    """Add this package's commands to the `lakehouse` command."""
