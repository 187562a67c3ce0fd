"""`lakehouse gate`, and the package's other commands."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from expectations.result import GateResult, Score


def register(app: typer.Typer) -> None:
    """Add `gate` and `data-docs` to the `lakehouse` command."""
    from expectations.data_docs_command import data_docs

    app.command("gate")(gate_command)
    app.command("data-docs")(data_docs)


def gate_command(
    layer: Annotated[list[str] | None, typer.Option(help="bronze, silver or gold; may be given again")] = None,
    run_id: Annotated[str, typer.Option(help="what the scores are kept under; by default gate-<instant>")] = "",
    as_of: Annotated[str, typer.Option(help="the instant that rules look back from; by default now")] = "",
    every_score: Annotated[bool, typer.Option("--every-score", help="every rule, not only the broken ones")] = False,
) -> None:
    """Hold Bronze and Silver (or what --layer names) to their suites. Exit code 1 where the gate is shut."""
    from expectations.telling import run_gate_and_tell
    from lakehouse.clock import now, parse_instant
    from lakehouse.ops.journal import new_run_id
    from lakehouse.ops.recording import recorded
    from lakehouse.settings import load_settings
    from lakehouse.spark import spark_session
    from lakehouse.terminal import console

    settings = load_settings()
    layers = layer or ["bronze", "silver"]
    name = run_id or new_run_id(settings.home, "gate", now())
    instant = parse_instant(as_of) if as_of else None
    with recorded(settings, name, "gate", {"layers": layers}, now, instant) as recorder:
        with console.status("starting Spark") as shown:
            spark = spark_session(settings, "gate")

            def measuring(table: str) -> None:
                shown.update(f"measuring {table}")

            result = run_gate_and_tell(spark, settings, layers, recorder, instant, measuring)
        show(result, every_score, console)
        result.require_passed()


def show(result: "GateResult", every_score: bool, screen: "Console") -> None:
    """Print a line a table, then the rules under their bound, or every rule."""
    screen.print(table_scores(result))
    low = result.scores if every_score else [*result.failures, *result.warnings]
    if low:
        screen.print()
        screen.print(rule_scores("Every score" if every_score else "Under their bound", low))
    screen.print(f"\n{result.summary()}")


def table_scores(result: "GateResult") -> "Table":
    """A line a table: its sums, its rows, and whether it shuts the gate."""
    from expectations.suites import SUMMED
    from lakehouse.scores import score_text
    from lakehouse.terminal import table

    rows = []
    for name, count in result.rows.items():
        scores = result.of(name)
        sums = {score.dimension: score_text(score.score) for score in scores if score.is_sum}
        statuses = {score.status for score in scores}
        verdict = (
            "[red]shut[/]" if "fail" in statuses else "[yellow]look[/]" if "warn" in statuses else "[green]open[/]"
        )
        rows.append((name, *(sums.get(dimension, "") for dimension in SUMMED), f"{count:,}", verdict))
    return table("", ["table", *SUMMED, "rows", "verdict"], rows, right=[*SUMMED, "rows"])


def rule_scores(title: str, scores: "Sequence[Score]") -> "Table":
    """A line a rule: its score with numerator and denominator, its bound, and what was found."""
    from lakehouse.terminal import table

    colours = {"fail": "[red]fail[/]", "warn": "[yellow]warn[/]", "pass": "pass"}
    rows = [
        (
            score.table_name,
            score.rule,
            score.told,
            f"{score.threshold:g}",
            "" if score.numerator is None else f"{score.numerator:,}",
            "" if score.denominator is None else f"{score.denominator:,}",
            colours[score.status],
            score.detail.replace("[", r"\["),
        )
        for score in scores
    ]
    columns = ["table", "rule", "score", "bound", "holds", "of", "", "found"]
    return table(title, columns, rows, right=columns[2:6])
