"""`lakehouse quarantine`: what could not be landed, each text by itself, and another try."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from lakehouse.clock import instant_text, now, parse_instant
from lakehouse.settings import load_settings
from lakehouse.terminal import console, errors, table

if TYPE_CHECKING:
    from ingestion.quarantine import QuarantinedText
    from ingestion.replay import Replayed

SHOWN_CHARACTERS = 2_000
"""How much of a text `show` prints without `--raw`."""

quarantine = typer.Typer(help="What could not be landed, and why.", no_args_is_help=True)

_Reason = Annotated[str | None, typer.Option(help="Only texts refused for this reason.")]
_Source = Annotated[str | None, typer.Option(help="Only texts of this source: file, synthetic or api.")]


@quarantine.command("list")
def list_reasons(reason: _Reason = None, source: _Source = None) -> None:
    """Count what is in quarantine by reason, with an example of each."""
    from ingestion.quarantine import list_quarantine
    from lakehouse.spark import spark_session

    _check_reason(reason)
    with console.status("reading the quarantine"):
        lines = list_quarantine(spark_session(load_settings(), "quarantine"), reason=reason, source=source)
    if not lines:
        console.print("Nothing of the kind is in quarantine." if reason or source else "Nothing is in quarantine.")
        return
    rows: list[tuple[Any, ...]] = [
        (
            line.reason,
            line.source,
            f"{line.texts:,}",
            f"{line.waiting:,}",
            line.example_id[:12],
            escape(line.example[:160]),
        )
        for line in lines
    ]
    columns = ("reason", "source", "texts", "waiting", "id", "for example")
    console.print(table("", columns, rows, right=("texts", "waiting")))


@quarantine.command()
def show(
    quarantine_id: Annotated[str, typer.Argument(help="An id, or its beginning.")],
    raw: Annotated[bool, typer.Option("--raw", help="Write the whole text and nothing else, as it is held.")] = False,
) -> None:
    """Show one text: why it could not be landed, where it came from, and how it begins.

    To mend one: `show ID --raw > movie.json`, edit the file, `lakehouse ingest --source file --path movie.json`.
    """
    from ingestion.quarantine import find_quarantined
    from lakehouse.spark import spark_session

    # Standard output is the text's alone.
    with errors.status("reading the quarantine"):
        spark = spark_session(load_settings(), "quarantine")
        text = find_quarantined(spark, quarantine_id)
    if raw:
        typer.echo(text.raw)
        return
    console.print(table("", ("", ""), described(text)))
    console.print()
    console.print(text.raw[:SHOWN_CHARACTERS], markup=False, soft_wrap=True)
    if len(text.raw) > SHOWN_CHARACTERS:
        console.print(
            f"... {len(text.raw) - SHOWN_CHARACTERS:,} characters more: "
            f"`lakehouse quarantine show {text.quarantine_id[:12]} --raw`."
        )


def described(text: "QuarantinedText") -> list[tuple[str, str]]:
    """What is said of a text beside the text itself: names and values."""
    from ingestion.reasons import meanings

    return [
        ("id", text.quarantine_id),
        ("reason", text.reason),
        ("meaning", escape(meanings().get(text.reason, "a reason of another version, not in use today"))),
        ("detail", escape(text.detail)),
        ("source", text.source),
        ("batch", text.batch_id),
        ("refused", instant_text(text.ingested_at)),
        ("observed", _instant(text.observed_at, "not stated")),
        ("movie asked for", text.movie_id or "none"),
        ("replayed", _instant(text.replayed_at, "not yet")),
        ("characters", f"{len(text.raw):,}"),
    ]


def _instant(instant: datetime | None, otherwise: str) -> str:
    return instant_text(instant) if instant else otherwise


@quarantine.command()
def replay(
    reason: _Reason = None,
    source: _Source = None,
    ids: Annotated[list[str] | None, typer.Option("--id", help="An id, or its beginning; may be given again.")] = None,
    as_of: Annotated[str | None, typer.Option(help="The replay's own time; without it, now.")] = None,
) -> None:
    """Try again to land what waits in quarantine; what fails again stays there.

    A movie that TMDB failed to answer for, or answered wrongly, is asked for again.
    """
    from ingestion.replay import Selection
    from ingestion.replay import replay as try_again
    from ingestion.tmdb.refetch import refetch
    from ingestion.tmdb.tally import Tally
    from lakehouse.spark import spark_session

    _check_reason(reason)
    settings = load_settings()
    selection = Selection(reason, source, tuple(ids or ()))
    instant = parse_instant(as_of) if as_of else now()
    with console.status("trying what is in quarantine again"):
        spark = spark_session(settings, "replay")
        ask = refetch(settings, instant, Tally())
        outcomes = try_again(spark, selection, instant, settings.ingest, now, ask)
    show_replayed(outcomes)


def _check_reason(reason: str | None) -> None:
    from ingestion.errors import QuarantineError
    from ingestion.reasons import Reason

    if reason is not None and reason not in set(Reason):
        raise QuarantineError(f"There is no reason {reason!r}.", f"Give one of {', '.join(Reason)}.")


def show_replayed(outcomes: "Sequence[Replayed]") -> None:
    """Print what became of each source's texts, and what can be done about the others."""
    if not outcomes:
        console.print("Nothing that was asked for waits in quarantine.")
        return
    numbers = ("replayed", "failed again", "not whole", "to be asked for")
    rows = [
        (
            outcome.source,
            *(f"{n:,}" for n in (outcome.replayed, outcome.failed, outcome.not_whole, outcome.nobody_to_ask)),
            f"{outcome.batch.landed:,}" if outcome.batch else "0",
            outcome.batch.batch_id if outcome.batch else "",
            ", ".join(f"{reason} {n:,}" for reason, n in sorted(outcome.failures.items())),
        )
        for outcome in outcomes
    ]
    columns = ("source", *numbers, "landed", "batch", "failed for")
    console.print(table("", columns, rows, right=(*numbers, "landed")))
    if any(outcome.not_whole for outcome in outcomes):
        console.print("Of texts that are not whole, only a part is held: land the file or the movie again.")
    if any(outcome.nobody_to_ask for outcome in outcomes):
        console.print("Movies that were asked for are asked for again only where TMDB's API can be reached.")
