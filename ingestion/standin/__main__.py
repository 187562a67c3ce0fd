"""`python -m ingestion.standin`: the stand-in without the rest of the `lakehouse` command."""

import typer

from ingestion.standin.command import tmdb_standin
from lakehouse.cli import run_safely

run_safely(lambda: typer.run(tmdb_standin))
