"""`lakehouse gate`, and the gate as a step of the cycle."""

from typing import TYPE_CHECKING

import typer

from lakehouse.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from rich.table import Table

    from expectations.gate import GateResult


def register(app: typer.Typer) -> None:
    """Add `gate` to the `lakehouse` command."""
    app.command("gate")(gate_command)


def gate_silver(spark: "SparkSession", settings: Settings) -> "GateResult":
    """Hold Silver to `expectations/silver.yaml` and the thresholds of the settings.

    Raises:
        GateFailed: Silver is below a threshold, or a key is broken.
    """
    return _evaluate(spark, settings).require_passed()


def _evaluate(spark: "SparkSession", settings: Settings) -> "GateResult":
    from expectations.gate import Thresholds, evaluate
    from expectations.rules import read_rules

    thresholds = Thresholds(settings.gate.completeness, settings.gate.consistency)
    return evaluate(spark, read_rules(), thresholds)


def gate_command() -> None:
    """Measure Silver's completeness, consistency and keys. Exit code 1 where the gate is shut."""
    from lakehouse.settings import load_settings
    from lakehouse.spark import spark_session
    from lakehouse.terminal import console

    settings = load_settings()
    with console.status("measuring Silver"):
        result = _evaluate(spark_session(settings, "gate"), settings)
    console.print(scores(result))
    for low in result.warnings:
        console.print(f"[yellow]below the threshold by itself:[/] {low.name} ({low.score:.4f})")
    result.require_passed()
    console.print(f"[green]open[/]: {result.table} has {result.rows:,} rows")


def scores(result: "GateResult") -> "Table":
    """Every score with its numerator and denominator, and the keys, for the terminal."""
    from lakehouse.terminal import table

    rows: list[tuple[str, str, str, str, str]] = []
    for whole, parts, least in (
        (result.completeness, result.columns, result.thresholds.completeness),
        (result.consistency, result.rules, result.thresholds.consistency),
    ):
        for measure, shown in ((whole, f"[bold]{whole.name}[/]"), *((part, f"  {part.name}") for part in parts)):
            rows.append((shown, f"{measure.score:.4f}", f"{least}", f"{measure.passed:,}", f"{measure.total:,}"))
    rows += [(key.name, "", "", f"{key.violations:,} broken", "") for key in result.keys]
    columns = ["measure", "score", "least", "passed", "of"]
    return table("", columns, rows, right=columns[1:])
