"""Charts as SVG in a page: drawn by Vega without a browser, coloured by the page's own variables, no script (ADR 0012).

Each is drawn twice, for a wide and for a narrow screen, and comes with the table of what it shows.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import markupsafe
import vl_convert

Row = dict[str, Any]

# Widths in pixels, drawn one to one: half of the page, all of it, and a third of it or a phone.
HALF, FULL, PHONE = 500, 1040, 330
Span = Literal["third", "half", "full"]
_LABEL_LIMIT = 220
# 8.45 as it is, 1500 as 1,500.
_PLAIN = "format(datum.value, datum.value >= 1000 ? ',.0f' : '~g')"
_FONT = "Helvetica Neue, Arial, Liberation Sans, sans-serif"

SERIES = tuple(f"c{number}" for number in range(1, 9))
DIVERGING = tuple(f"d{number}" for number in range(1, 8))
_NAMES = ("text", "soft", "line", "card", "good", "bad", "warn", "other", *SERIES, *DIVERGING)
# What a colour is called while Vega draws: it must look like one. The page's variable takes its place.
_PLACEHOLDERS = {name: f"#fe01{number:02x}" for number, name in enumerate(_NAMES)}

# What Vega leaves for scripts and screen readers (title and description are all that these are told), and what it draws
# invisibly.
_NOISE = re.compile(
    r' (?:aria-hidden|aria-roledescription|role|pointer-events|class|xmlns:xlink|version|font-family)="[^"]*"'
    r'| opacity="1"'
)
_EMPTY = re.compile(r'<path class="(?:background|foreground)"[^>]*/>')
# Coordinates, which need no more than two places.
_PLACES = re.compile(r' (?:d|transform|x|y|x1|y1|x2|y2|width|height)="[^"]*"')
_NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")


def colour(name: str) -> str:
    """The placeholder of one of the page's colours."""
    return _PLACEHOLDERS[name]


def colours(names: Sequence[str]) -> list[str]:
    """Several of them."""
    return [colour(name) for name in names]


@dataclass(frozen=True)
class Column:
    """A table's column: its heading, and whether figures stand in it."""

    label: str
    is_number: bool = False


@dataclass(frozen=True)
class Table:
    """A table of text that is ready to be read.

    Args:
        caption: what it is about.
        columns: in order.
        rows: a cell each column.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Chart:
    """A drawn chart.

    Args:
        key: unique in its page.
        title: what it shows.
        says: what a person sees in it, in a sentence or two.
        table: the same figures.
        wide: the SVG for a screen.
        narrow: the SVG for a phone.
        span: how much of the page's width it takes where that is wide.
    """

    key: str
    title: str
    says: str
    table: Table
    wide: markupsafe.Markup
    narrow: markupsafe.Markup
    span: Span


def draw(
    key: str,
    title: str,
    says: str,
    table: Table,
    make: Callable[[int], alt.TopLevelMixin],
    span: Span = "half",
) -> Chart:
    """Draw a chart.

    Args:
        key: unique in its page.
        title: what it shows.
        says: what a person sees in it.
        table: the same figures.
        make: gives the chart for a width in pixels.
        span: how much of the page's width it takes where that is wide.
    """
    wide, narrow = (
        _svg(make(width), f"{key}-{variant}", title, says)
        for variant, width in (("wide", FULL if span == "full" else HALF), ("narrow", PHONE))
    )
    return Chart(key, title, says, table, wide, narrow, span)


def _svg(chart: alt.TopLevelMixin, key: str, title: str, says: str) -> markupsafe.Markup:
    drawn = vl_convert.vegalite_to_svg(chart.to_dict(validate=False))
    for name, placeholder in _PLACEHOLDERS.items():
        drawn = drawn.replace(placeholder, f"var(--{name})")
    # Vega counts its clips through all charts of a process.
    clips = {clip: f"{key}-clip-{place}" for place, clip in enumerate(dict.fromkeys(re.findall(r"\bclip\d+\b", drawn)))}
    drawn = re.sub(r"\bclip\d+\b", lambda found: clips[found[0]], drawn)
    drawn = _NOISE.sub("", _EMPTY.sub("", drawn))
    drawn = _PLACES.sub(lambda place: _NUMBER.sub(lambda found: f"{float(found[0]):.2f}", place[0]), drawn)
    opened = drawn.index(">") + 1
    labelled = (
        f'<svg role="img" aria-labelledby="{key}-title" aria-describedby="{key}-desc"{drawn[4 : opened - 1]}>'
        f'<title id="{key}-title">{markupsafe.escape(title)}</title>'
        f'<desc id="{key}-desc">{markupsafe.escape(says)}</desc>'
    )
    # Vega escapes the texts that it draws.
    return markupsafe.Markup(labelled + drawn[opened:])


def finished(chart: alt.TopLevelMixin, width: int | None = None, height: int | None = None) -> alt.TopLevelMixin:
    """Give a chart the look of the site; with a width, all of it, axes and legends, takes no more than that."""
    size: Row = {}
    if width is not None:
        size = {"width": width, "autosize": alt.AutoSizeParams(type="fit-x", contains="padding")}
    if height is not None:
        size["height"] = height
    made: Any = chart.properties(background="transparent", padding=2, **size)
    axis = {
        "labelColor": colour("soft"),
        "titleColor": colour("soft"),
        "domainColor": colour("line"),
        "tickColor": colour("line"),
        "gridColor": colour("line"),
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "labelPadding": 5,
        "tickSize": 4,
    }
    label = {"labelColor": colour("text"), "titleColor": colour("soft"), "labelFontSize": 12, "titleFontSize": 12}
    return made.configure(  # type: ignore[no-any-return]
        font=_FONT,
        aria=False,
        axis=axis,
        legend={**label, "titleFontWeight": "normal", "symbolSize": 90, "labelLimit": 260, "columnPadding": 14},
        header={**label, "labelFontSize": 13, "labelFontWeight": "bold", "title": None},
        text={"color": colour("text"), "fontSize": 12},
        view={"stroke": None},
        title={"color": colour("text"), "fontSize": 13},
    )


def data(rows: Sequence[Row]) -> alt.InlineData:
    """Rows as what Vega-Lite reads."""
    return alt.InlineData(values=list(rows))


def bars(
    rows: Sequence[Row],
    width: int,
    unit: str,
    tint: str = "c1",
    domain: tuple[float, float] | None = None,
) -> alt.TopLevelMixin:
    """Bars from left to right, their figures at their ends.

    Args:
        rows: `label`, `value` and `text` each; drawn in this order.
        width: in pixels; on a phone, labels stand above their bars.
        unit: the title of the axis.
        tint: the bars' colour.
        domain: the ends of the axis; from 0 where there is none. A bar cannot start elsewhere, a dot can.
    """
    numbered = [{**row, "row": f"{place:03}"} for place, row in enumerate(rows)]
    is_narrow = width <= PHONE
    low, high = domain or (0.0, max((row["value"] for row in rows), default=1.0) or 1.0)
    # The longest figure has room behind the longest bar; a letter of it and of a label takes some six pixels.
    label = 0 if is_narrow else min(_LABEL_LIMIT, 6.3 * max((len(row["label"]) for row in rows), default=0)) + 12
    taken = 6.4 * max((len(row["text"]) for row in rows), default=0) + 14
    ticks = _ticks(low, high)
    high = low + (high - low) / max(0.3, 1 - taken / (width - 24 - label))
    scale = alt.Scale(domain=[low, high], nice=False)
    step = 38 if is_narrow else 25
    names = {row["row"]: row["label"] for row in numbered}
    x = alt.X("value:Q", title=unit, scale=scale, axis=alt.Axis(values=ticks, grid=True, labelExpr=_PLAIN))
    axis = (
        None
        if is_narrow
        else alt.Axis(
            labelExpr=lookup(names),
            labelColor=colour("text"),
            labelLimit=_LABEL_LIMIT,
            ticks=False,
            domain=False,
            labelPadding=8,
        )
    )
    y = alt.Y("row:N", title=None, axis=axis, sort=None, scale=alt.Scale(paddingInner=0))
    base = alt.Chart(data(numbered))
    shift = 7 if is_narrow else 0
    if domain is None:
        marks = base.mark_bar(color=colour(tint), size=13, yOffset=shift, cornerRadiusEnd=2).encode(x=x, y=y)
    else:
        marks = base.mark_circle(color=colour(tint), size=95, yOffset=shift, opacity=1).encode(x=x, y=y)
    figures = base.mark_text(align="left", dx=6 if domain is None else 10, dy=shift + 1).encode(x=x, y=y, text="text:N")
    layers = [marks, figures]
    if is_narrow:
        above = base.mark_text(align="left", dy=-10, limit=width - 20).encode(x=alt.value(0), y=y, text="label:N")
        layers.append(above)
    return finished(alt.layer(*layers), width, step * len(rows))


def ranking(
    key: str,
    title: str,
    says: str,
    table: Table,
    rows: Sequence[Row],
    unit: str,
    tint: str = "c1",
    span: Span = "half",
    is_dots: bool = False,
) -> Chart | Table:
    """Who is first, as bars; the table alone where nothing is known of any.

    Args:
        key: unique in its page.
        title: what it shows.
        says: a sentence in which {label} and {text} are those of the first.
        table: the same figures.
        rows: `label`, `value` and `text` each; one without a value is left out.
        unit: the title of the axis.
        tint: the bars' colour.
        span: how much of the page's width it takes where that is wide.
        is_dots: whether values differ by so little that bars would look alike: dots, on an axis that begins near the
            least of them.
    """
    known = [row for row in rows if row["value"] is not None]
    if not known:
        return table
    values = [row["value"] for row in known]
    low = min(values) - 0.15 * max(max(values) - min(values), 0.1)
    domain = (low, max(values)) if is_dots else None
    said = says.format(label=known[0]["label"], text=known[0]["text"])
    return draw(key, title, said, table, lambda width: bars(known, width, unit, tint, domain), span)


def line_layer(
    rows: Sequence[Row],
    width: int,
    unit: str,
    names: Sequence[str] = ("",),
    tints: Sequence[str] = SERIES,
    zero: bool = False,
    is_date: bool = False,
) -> alt.Chart:
    """What `lines` draws, to be put together with other marks."""
    ticks = 5 if width <= HALF else 10
    axis = alt.Axis(grid=False, tickCount=ticks, format="%Y" if is_date else "d", labelFlush=False)
    legend = None if len(names) < 2 else alt.Legend(title=None, orient="top", columns=2 if width <= PHONE else 4)
    made: alt.Chart = (
        alt.Chart(data(rows))
        .mark_line(strokeWidth=2, strokeCap="round", point=alt.OverlayMarkDef(size=14) if len(rows) <= 12 else False)
        .encode(
            x=alt.X("x:T" if is_date else "x:Q", title=None, axis=axis, scale=alt.Scale(zero=False, nice=False))
            if not is_date
            else alt.X("x:T", title=None, axis=axis),
            y=alt.Y("y:Q", title=unit, axis=alt.Axis(tickCount=5), scale=alt.Scale(zero=zero)),
            color=alt.Color(
                "series:N",
                legend=legend,
                scale=alt.Scale(domain=list(names), range=colours(tints[: len(names)])),
                sort=None,
            ),
        )
    )
    return made


def heat(
    rows: Sequence[Row],
    width: int,
    across: Sequence[str],
    down: Sequence[str],
    bins: Sequence[str],
    step: int = 27,
) -> alt.TopLevelMixin:
    """A heat map whose cells say their figure.

    Args:
        rows: `across`, `down`, `bin` and `text` each.
        width: in pixels.
        across: the columns, in order.
        down: the rows, in order.
        bins: seven, from the least to the greatest; the middle one is nothing in particular.
        step: a row's height.
    """
    is_narrow = width <= PHONE
    # In a narrow cell there is no room for a figure; the table has it.
    room = (width - 110) / max(1, len(across))
    x = alt.X(
        "across:N",
        sort=list(across),
        title=None,
        axis=alt.Axis(
            orient="top",
            labelAngle=0 if room > 26 else -90,
            ticks=False,
            domain=False,
            labelPadding=19 if is_narrow and any(", " in name for name in across) else 5,
            # On a phone, two words in two lines.
            labelExpr="split(datum.label, ', ')" if is_narrow else "datum.label",
        ),
    )
    y = alt.Y(
        "down:N",
        sort=list(down),
        title=None,
        axis=alt.Axis(ticks=False, domain=False, labelColor=colour("text"), labelLimit=100 if is_narrow else 150),
    )
    base = alt.Chart(data(rows))
    cells = base.mark_rect(stroke=colour("card"), strokeWidth=2, cornerRadius=3).encode(
        x=x,
        y=y,
        color=alt.Color(
            "bin:N",
            scale=alt.Scale(domain=list(bins), range=colours(DIVERGING)),
            legend=alt.Legend(
                title=None,
                orient="bottom",
                columns=3 if is_narrow else (4 if width <= HALF else 7),
                symbolType="square",
                symbolSize=140,
            ),
        ),
    )
    if room < 30:
        return finished(cells, width, step * len(down))
    figures = base.mark_text(fontSize=11).encode(x=x, y=y, text="text:N")
    return finished(alt.layer(cells, figures), width, step * len(down))


def lookup(names: dict[str, str]) -> str:
    """A Vega expression that gives a row's label, whatever stands in it."""
    return f"{json.dumps(names)}[datum.value]"


def _ticks(low: float, high: float) -> list[float]:
    """Some three to six round numbers from `low` to `high`."""
    rough = (high - low) / 5
    power: float = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    return [round((first + place) * step, 10) for place in range(math.floor(high / step + 1e-9) - first + 1)]
