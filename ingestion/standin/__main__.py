"""`python -m ingestion.standin`: the stand-in without the rest of the `lakehouse` command, for a quick start."""

import sys

import typer

from ingestion.standin.command import tmdb_standin
from lakehouse.errors import LakehouseError
from lakehouse.terminal import say_failure

try:
    typer.run(tmdb_standin)
except LakehouseError as error:
    say_failure(error)
    sys.exit(1)
