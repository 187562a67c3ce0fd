"""`lakehouse alerts`: what was raised and what became of it; `test` and `digest` send."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from lakehouse.clock import now, parse_instant
from lakehouse.errors import ConfigurationError, LakehouseError
from lakehouse.settings import Settings, load_settings
from lakehouse.terminal import console, table

if TYPE_CHECKING:
    from rich.table import Table

    from lakehouse.alerts.told import Told

alerts_app = typer.Typer(help="What was raised and whom it reached; `test` tries the channels out, `digest` sends.")


def register(app: typer.Typer) -> None:
    """Add this package's commands to the `lakehouse` command."""
    app.add_typer(alerts_app, name="alerts")


@alerts_app.callback(invoke_without_command=True)
def latest(
    context: typer.Context,
    last: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 20,
) -> None:
    """List the latest alerts: when, how bad, what it is about, and what became of it."""
    if context.invoked_subcommand is None:
        found, _ = _read(load_settings(), now(), last)
        console.print(listed(found) if found else "No alert has been raised.")


@alerts_app.command("test")
def try_channels() -> None:
    """Send one test message to each channel. Exit code 1 where one fails, or there is none."""
    from lakehouse.alerts.channels import missing
    from lakehouse.alerts.send import try_out

    settings = load_settings()
    with console.status("sending"):
        failures = try_out(settings, now())
    for channel, failure in failures.items():
        console.print(f"{channel:<6} {f'[red]failed[/]: {failure}' if failure else '[green]sent[/]'}")
    for channel, names in missing(settings.alerts).items():
        console.print(f"{channel:<6} [yellow]not set up[/]: needs {names}")
    if not failures or any(failures.values()):
        raise typer.Exit(1)


@alerts_app.command("digest")
def send_digest(
    as_of: Annotated[str | None, typer.Option(help="When it is sent; without it, now.")] = None,
) -> None:
    """Send what waits, whether the digest is due or not. Exit code 1 where something could not be delivered.

    What was sent is noted in a journal, which the next run stores in ops.alerts.
    """
    from lakehouse.alerts.channels import configured
    from lakehouse.alerts.send import digest
    from lakehouse.ops.journal import Journal, new_run_id

    settings = load_settings()
    if not configured(settings.alerts):
        raise LakehouseError("There is no channel to send to.", "`lakehouse alerts test` says what to set.")
    at = parse_instant(as_of) if as_of else now()
    if at > now():
        # It would be noted as told then, and silence what comes until then.
        raise ConfigurationError(f"--as-of {as_of} is later than now.", "Name an instant that is past, or none.")
    with console.status("sending"):
        told = digest(settings, at)
    if told:
        journal = Journal(settings.home, new_run_id(settings.home, "digest", now()))
        for one in told:
            journal.write("alerts", one.row())
    _, waiting = _read(settings, at, 1)
    console.print(listed(told) if told else "Nothing was sent.")
    if waiting:
        raise LakehouseError(
            "; ".join(f"{count} alerts still wait for {channel}" for channel, count in waiting.items()) + ".",
            "They are tried again with the next alert; `lakehouse alerts test` says what is wrong.",
        )


def listed(found: Sequence["Told"]) -> "Table":
    """Alerts for the terminal."""
    from lakehouse.alerts.wording import figures, instant, one_line

    rows = []
    for told in found:
        alert = told.raised.alert
        score, threshold = figures(alert.score, alert.threshold)
        status = f"{told.status} ({', '.join(told.channels)})" if told.channels else told.status
        about = escape(": ".join(part for part in (alert.subject, alert.rule) if part))
        message = escape(one_line(alert.message))
        colour = "red" if alert.severity == "critical" else "yellow"
        rows.append(
            (instant(told.raised.raised_at), f"[{colour}]{alert.severity}[/]", about, score, threshold, message, status)
        )
    columns = ["raised", "severity", "about", "score", "bound", "message", "status"]
    return table("", columns, rows, right=["score", "bound"])


def _read(settings: Settings, at: datetime, last: int) -> tuple[list["Told"], dict[str, int]]:
    """The latest alerts, and how many wait on each channel that is set up."""
    from lakehouse.alerts.channels import configured
    from lakehouse.alerts.state import opened, state_file

    path = state_file(settings.home)
    if not path.exists():
        return [], {}
    try:
        with opened(settings.home, at, settings.alerts.timeout_seconds) as state:
            counts = {channel.name: len(state.waiting(channel.name)) for channel in configured(settings.alerts)}
            return state.recent(last), {name: count for name, count in counts.items() if count}
    except (sqlite3.Error, OSError) as error:
        raise LakehouseError(f"{path} cannot be read: {error}.", "Try again; if it stays so, move it away.") from error
