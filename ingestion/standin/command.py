"""`lakehouse tmdb-standin`."""

from pathlib import Path
from typing import Annotated

import typer

from lakehouse.clock import now, parse_instant
from lakehouse.terminal import console


def register(app: typer.Typer) -> None:
    """Add the stand-in to a command."""
    app.command("tmdb-standin")(tmdb_standin)


def tmdb_standin(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8590,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    movies: Annotated[int | None, typer.Option(min=1, help="How many there are (demo.movies).")] = None,
    seed: Annotated[int | None, typer.Option(help="Decides all content, and who meets a fault (demo.seed).")] = None,
    today: Annotated[
        str | None, typer.Option(help="The present, e.g. 2026-01-23; without it, when the server started.")
    ] = None,
    recorded: Annotated[
        Path | None, typer.Option(help="A folder of recorded answers, served in place of synthetic ones.")
    ] = None,
    faults: Annotated[
        str, typer.Option(help="What goes wrong: none, all20, a JSON file of rules, or the JSON itself.")
    ] = "none",
    dirty_rate: Annotated[float, typer.Option(min=0, max=1, help="Share of movies whose details are damaged.")] = 0.0,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Requests that pass in any second; the others get 429.")
    ] = None,
    log_size: Annotated[int, typer.Option(min=0, help="How many requests /standin/requests remembers.")] = 200_000,
) -> None:
    """Answer as TMDB's API does, for demos, tests and benchmarks."""
    from ingestion.standin.app import TOKEN, Standin, build_app
    from ingestion.standin.faults import load_faults
    from ingestion.standin.recorded import load_recordings
    from ingestion.standin.requests import RateLimit, RequestLog
    from ingestion.standin.server import serve
    from ingestion.standin.world import World

    if movies is None or seed is None:
        from lakehouse.settings import load_settings

        demo = load_settings().demo
        movies = demo.movies if movies is None else movies
        seed = demo.seed if seed is None else seed
    standin = Standin(
        World(seed, movies, parse_instant(today) if today else now(), dirty_rate),
        load_recordings(recorded) if recorded else None,
        load_faults(faults),
        RateLimit(limit) if limit else None,
        RequestLog(log_size),
    )

    def say(url: str) -> None:
        console.print(f"TMDB's stand-in listens at {url}/3 (exports: {url}/p/exports/); the token is {TOKEN!r}.")

    serve(build_app(standin), host, port, say)
