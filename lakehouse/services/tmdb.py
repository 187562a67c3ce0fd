"""How the stand-in for TMDB's API is started, for a machine without a token; `ingestion.standin` is the server."""

import os
import sys

from lakehouse.services.process import Command
from lakehouse.settings import Settings


def command(settings: Settings) -> Command:
    """The argv of the stand-in. It serves the catalogue of the `demo` settings."""
    return Command(
        "tmdb",
        [
            *(sys.executable, "-m", "ingestion.standin", "--host", settings.bind, "--port", str(settings.tmdb.port)),
            *("--movies", str(settings.demo.movies), "--seed", str(settings.demo.seed)),
            *("--dirty-rate", str(settings.demo.dirty_rate)),
        ],
        dict(os.environ),
        {"tmdb.port": settings.tmdb.port},
    )
