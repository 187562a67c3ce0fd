"""The page of quality: what is below its threshold, the scores over time, and the rows that broke a rule."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import markupsafe

from orchestration.report.charts import HALF, PHONE, Chart, Column, Table, colour, colours, data, draw, finished, lookup
from orchestration.report.facts import Facts, Row
from orchestration.report.section import Section, as_it_is, section, table_of
from orchestration.report.wording import (
    NOTHING,
    bound,
    count,
    held_score,
    instant,
    moment,
    plural,
    rule,
    score,
    short_instant,
)

_DIMENSIONS = ("completeness", "consistency", "accuracy")
_LAYERS = {"bronze": "c6", "silver": "c1", "gold": "c2"}
_LAYER_ORDER = {name: place for place, name in enumerate(_LAYERS)}
_STATUS_ORDER = {"fail": 0, "warn": 1, "pass": 2}


def sections(facts: Facts) -> list[Section]:
    """The page's sections."""
    return [
        section(
            facts,
            "below",
            "What does not hold",
            "A critical rule that fails shuts the gate: nothing is published. A warning is told.",
            (("scores", _below),),
            "Everything holds.",
        ),
        section(
            facts,
            "over-time",
            "Scores over time",
            "Of each layer the table with the lowest score of a run, against the threshold.",
            (("scores_before", _over_time),),
        ),
        section(
            facts,
            "tables",
            "Tables",
            "The sums of each dimension in this run's gate, and how they went over the runs before; the dashed line is "
            "the threshold.",
            (("scores_before", lambda rows: _matrix(rows, facts)),),
        ),
        section(
            facts,
            "failing-rows",
            "Failing rows",
            "Of each rule that was broken, ten rows at most; ops.quality_failures has all that were kept.",
            (("failing_rows", _failing),),
        ),
        section(facts, "rules", "Every rule", "", (("scores", _rules),)),
    ]


@dataclass(frozen=True)
class Counts:
    """How many rules of a run hold.

    Args:
        rules: all, without the sums.
        failed: below their thresholds, and critical.
        warned: below, and told.
    """

    rules: int
    failed: int
    warned: int


def counts(facts: Facts) -> Counts:
    """Count the rules of the run, without the sums of dimensions."""
    rules = [row for row in facts.rows("scores") if not _is_sum(row)]
    failed = sum(row["status"] == "fail" for row in rules)
    return Counts(len(rules), failed, sum(row["status"] == "warn" for row in rules))


def status(text: str) -> markupsafe.Markup:
    """A status as a word with a colour."""
    kind = {
        "fail": "bad", "failed": "bad", "error": "bad", "killed": "bad", "critical": "bad", "runtime error": "bad",
        "warn": "warn", "warning": "warn", "running": "warn", "skipped": "soft",
    }.get(text, "good")  # fmt: skip
    return markupsafe.Markup('<span class="status {}">{}</span>').format(kind, text)


def _is_sum(row: Row) -> bool:
    return bool(row["rule"] == f"table_{row['dimension']}")


def _below(rows: tuple[Row, ...]) -> list[Table]:
    low = sorted(
        (row for row in rows if row["status"] != "pass"),
        key=lambda row: (_STATUS_ORDER.get(row["status"], 0), row["table_name"], row["rule"]),
    )
    if not low:
        return []
    return [_scores(f"{plural(len(low), 'score')} out of bounds", low)]


def _scores(caption: str, rows: Sequence[Row]) -> Table:
    return table_of(
        caption,
        rows,
        (
            ("Status", lambda row: status(row["status"]), None),
            ("Table", "table_name", None),
            ("Rule", lambda row: rule(row["rule"]), None),
            ("Dimension", "dimension", None),
            ("Holds in", _held, as_it_is),
            ("Score", lambda row: row, held_score),
            ("Threshold", "threshold", bound),
            ("Found", "detail", None),
        ),
    )


def _held(row: Row) -> str:
    # Of these, numerator and denominator are no share: rows and the usual rows.
    if row["denominator"] is None or row["dimension"] in ("volume", "timeliness", "drift"):
        return NOTHING
    return f"{count(row['numerator'])} of {count(row['denominator'])}"


def _over_time(rows: tuple[Row, ...]) -> list[Chart]:
    return [chart for dimension in _DIMENSIONS for chart in _lowest(dimension, rows)]


def _lowest(dimension: str, rows: Sequence[Row]) -> list[Chart]:
    of = [row for row in rows if row["dimension"] == dimension and row["score"] is not None]
    if not of:
        return []
    threshold = of[-1]["threshold"]
    worst: dict[tuple[int, str], Row] = {}
    began: dict[str, int] = {}
    for row in of:
        began[row["run_id"]] = min(row["measured_ms"], began.get(row["run_id"], row["measured_ms"]))
    for row in of:
        at = (began[row["run_id"]], row["layer"])
        if at not in worst or row["score"] < worst[at]["score"]:
            worst[at] = row
    layers = [layer for layer in _LAYERS if any(layer == at[1] for at in worst)]
    # One point a run, evenly: runs may be minutes or days apart.
    places = {began_ms: place for place, began_ms in enumerate(sorted({at[0] for at in worst}))}
    drawn = [
        {"place": places[began_ms], "when": short_instant(began_ms), "y": row["score"], "series": layer}
        for (began_ms, layer), row in sorted(worst.items())
    ]
    least = min(of, key=lambda row: (row["score"], row["measured_ms"], row["table_name"]))
    says = f"Demanded: {bound(threshold)}. The lowest of all: {least['table_name']} with {score(least['score'])}, "
    says += f"{instant(least['measured_ms'])}."
    table = table_of(
        f"Lowest {dimension} of each layer, the latest first",
        [{**row, "moment": at[0]} for at, row in sorted(worst.items(), reverse=True)],
        (
            ("Gate", lambda row: moment(row["moment"]), None),
            ("Layer", "layer", None),
            ("Table", "table_name", None),
            ("Score", "score", score),
            ("Threshold", "threshold", bound),
        ),
    )
    return [
        draw(
            f"lowest-{dimension}",
            f"Lowest {dimension}",
            says,
            table,
            lambda width: _lowest_drawn(drawn, layers, threshold, list(places.values()), width),
            "third",
        )
    ]


def _lowest_drawn(
    drawn: Sequence[Row], layers: Sequence[str], threshold: float | None, places: Sequence[int], width: int
) -> alt.TopLevelMixin:
    whens = {str(row["place"]): row["when"] for row in drawn}
    every = max(1, -(-len(places) // (3 if width <= PHONE else 5)))
    least = min([row["y"] for row in drawn] + ([threshold] if threshold is not None else []))
    floor = least - max(0.004, (1 - least) * 0.15)
    x = alt.X(
        "place:Q",
        title="UTC",
        scale=alt.Scale(domain=[places[0] - 0.3, places[-1] + 0.3], nice=False),
        axis=alt.Axis(values=list(places[::-1][::every]), grid=False, labelExpr=lookup(whens)),
    )
    y = alt.Y(
        "y:Q",
        title=None,
        scale=alt.Scale(domain=[floor, 1], nice=False, clamp=True),
        axis=alt.Axis(tickCount=5, format=".3~f"),
    )
    tint = alt.Color(
        "series:N",
        scale=alt.Scale(domain=list(layers), range=colours([_LAYERS[layer] for layer in layers])),
        legend=alt.Legend(title=None, orient="top", columns=3),
    )
    marks = (
        alt.Chart(data(drawn)).mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=26)).encode(x=x, y=y, color=tint)
    )
    layered = [marks]
    if threshold is not None:
        demanded = alt.Chart(data([{"y": threshold, "text": f"threshold {bound(threshold)}"}]))
        layered += [
            demanded.mark_rule(strokeDash=[5, 4], color=colour("bad"), strokeWidth=1.5).encode(y="y:Q"),
            demanded.mark_text(align="left", dx=4, dy=-7, color=colour("bad")).encode(
                x=alt.value(0), y="y:Q", text="text:N"
            ),
        ]
    return finished(alt.layer(*layered), width, 210 if width <= HALF else 240)


def _matrix(rows: Sequence[Row], facts: Facts) -> list[Table]:
    history: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row["score"] is not None:
            history[row["table_name"], row["dimension"]].append(row)
    now = {(row["table_name"], row["dimension"]): row for row in facts.rows("scores") if _is_sum(row)}
    layer = {row["table_name"]: row["layer"] for row in rows}
    tables = sorted(layer, key=lambda name: (_LAYER_ORDER.get(layer[name], 9), name))

    def cell(table: str, dimension: str) -> markupsafe.Markup:
        of = history.get((table, dimension), [])
        last = now.get((table, dimension))
        if last is None and not of:
            return markupsafe.Markup('<span class="soft">{}</span>').format(NOTHING)
        shown = last or of[-1]
        text = (
            score(shown["score"])
            if last
            else markupsafe.Markup('<span class="soft">{}</span>').format("not in this run")
        )
        kind = "" if shown["status"] == "pass" or not last else ("bad" if shown["status"] == "fail" else "warn")
        return markupsafe.Markup('<span class="figure {}">{}</span>{}').format(kind, text, sparkline(of))

    return [
        Table(
            "Scores of each table",
            (Column("Table"), *(Column(name.capitalize(), True) for name in _DIMENSIONS)),
            tuple((name, *(cell(name, dimension) for dimension in _DIMENSIONS)) for name in tables),
        )
    ]


def sparkline(rows: Sequence[Row]) -> markupsafe.Markup:
    """A score over the runs as a small line, the threshold dashed; nothing for fewer than two."""
    if len(rows) < 2:
        return markupsafe.Markup("")
    values = [row["score"] for row in rows]
    threshold = rows[-1]["threshold"]
    least = min([*values, threshold if threshold is not None else 1.0])
    low = least - (1 - least) * 0.1 - 0.001
    points = " ".join(
        f"{2 + 76 * place / (len(values) - 1):.1f},{_height(value, low):.1f}" for place, value in enumerate(values)
    )
    dashed = ""
    if threshold is not None:
        at = f"{_height(threshold, low):.1f}"
        dashed = f'<line x1="0" x2="80" y1="{at}" y2="{at}" class="bound"/>'
    return markupsafe.Markup(
        f'<svg class="spark" viewBox="0 0 80 20" width="80" height="20" aria-hidden="true">{dashed}'
        f'<polyline points="{points}"/></svg>'
    )


def _height(value: float, low: float) -> float:
    return 18 - 16 * (min(value, 1) - low) / (1 - low)


def _failing(rows: tuple[Row, ...]) -> list[Table]:
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["table_name"]].append(row)
    return [
        table_of(
            f"{name}: {plural(len(of), 'row')}",
            of,
            (
                ("Row", "row_key", None),
                ("Reason", "reason", None),
                ("Rule", lambda row: rule(row["rule"]), None),
                ("Values", lambda row: markupsafe.Markup("<code>{}</code>").format(row["row_values"] or ""), None),
            ),
        )
        for name, of in sorted(grouped.items())
    ]


def _rules(rows: tuple[Row, ...]) -> list[Table]:
    ordered = sorted(
        rows,
        key=lambda row: (
            _LAYER_ORDER.get(row["layer"], 9),
            row["table_name"],
            not _is_sum(row),
            _STATUS_ORDER.get(row["status"], 0),
            row["rule"],
        ),
    )
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in ordered:
        grouped[row["table_name"]].append(row)
    return [
        _scores(f"{name}: {plural(sum(not _is_sum(row) for row in of), 'rule')}", of) for name, of in grouped.items()
    ]
