"""The lineage site: dbt's docs, column lineage and table diagrams, and a page that says what each is for.

Pages are plain files that need no network and no server. They are built beside the published ones, and put in their
place when all are there.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import jinja2
import markupsafe

from orchestration import coverage, offline
from orchestration.column_lineage import ColumnLineage
from orchestration.coverage import Coverage
from orchestration.erd import docs_link
from orchestration.replaced import replaced
from orchestration.tables import Artefact, Table

_BACKTICKS = re.compile(r"`([^`]+)`")

PAGES = ("index.html", "models.html", "columns.html", "tables.html")

# The way back from the pages that others made.
_HOME = (
    '<a href="index.html" style="position:fixed;z-index:2147483647;{place};padding:3px 12px;border-radius:999px;'
    "background:#1d4ed8;color:#fff;font:600 12px/1.5 system-ui,sans-serif;text-decoration:none;"
    'box-shadow:0 1px 4px rgba(0,0,0,.3)">&larr; Overview</a>'
)


@dataclass(frozen=True)
class Site:
    """A built site.

    Args:
        folder: where its pages are; `index.html` is the first.
        total: the coverage of all layers.
    """

    folder: Path
    total: Coverage


def lock_of(home: Path) -> Path:
    """What is held while the site of a home is replaced or copied."""
    return home / "run" / "lineage.lock"


def build(target: Path, folder: Path, lock: Path) -> Site:
    """Build the site from what `dbt docs generate --static` left.

    Args:
        target: dbt's target folder: manifest.json with compiled code, catalog.json, static_index.html.
        folder: where the site is published; what is there is replaced.
        lock: `lock_of` the home, so that two who build at once do it one after the other.

    Raises:
        DbtFailed: something that dbt makes is missing.
        LakehouseError: a diagram cannot be drawn, or a page would load from the network.
    """
    from orchestration import column_lineage, erd
    from orchestration.tables import read_artefacts, read_tables

    manifest, catalog = read_artefacts(target)
    tables = read_tables(manifest, catalog)
    with replaced(folder, lock) as draft:
        _write_models(target / "static_index.html", draft / "models.html")
        lineage = column_lineage.write(
            manifest, tables, draft / "columns.html", _HOME.format(place="top:8px;right:16px")
        )
        diagrams = {layer: erd.draw(tables, layer) for layer in ("silver", "gold")}
        _write(draft / "tables.html", diagrams=diagrams)
        layers = coverage.per_layer(tables, lineage)
        _write(
            draft / "index.html",
            layers=layers,
            tables=[_row(table, lineage) for table in tables],
            example=column_link(*_example(tables, lineage)),
            unread={id_.rsplit(".", 1)[-1]: reason for id_, reason in lineage.unread.items()},
            generated_at=manifest["metadata"].get("generated_at", "")[:16].replace("T", " "),
        )
    return Site(folder, layers[-1])


def column_link(table: str, column: str = "") -> str:
    """Where the page of column lineage shows a table, or a column with all that it comes from and goes to."""
    shown = (
        {"column": column, "parents": "all", "children": "all", "focus": "true"}
        if column
        else {
            "parents": "1",
            "children": "1",
        }
    )
    return "columns.html?" + urlencode({"model": table, **shown})


def _example(tables: list[Table], lineage: ColumnLineage) -> tuple[str, str]:
    """A column worth a look: the Gold column that is made from most others."""
    gold = [table.id for table in tables if table.layer == "gold"] or [table.id for table in tables]
    known = [(len(parents), id_, column) for (id_, column), parents in lineage.parents.items() if id_ in gold]
    _, id_, column = max(known, default=(0, gold[0] if gold else "", ""))
    return id_, column


def _row(table: Table, lineage: ColumnLineage) -> Artefact:
    tested = coverage.tested_columns(table)
    return {
        "table": table,
        "docs": docs_link(table),
        "lineage": column_link(table.id),
        "columns": [
            {
                "column": column,
                "link": column_link(table.id, column.name),
                "is_key": column.name in table.primary,
                "is_foreign": any(key.column == column.name for key in table.foreign),
                "is_tested": column.name in tested,
                "parents": [
                    f"{parent.rsplit('.', 1)[-1]}.{name}"
                    for parent, name in lineage.parents.get((table.id, column.name), ())
                ],
            }
            for column in table.columns
        ],
        "tested": tested,
        "undocumented": coverage.undocumented_columns(table),
        "untraced": coverage.untraced_columns(table, lineage),
    }


def _write_models(made: Path, page: Path) -> None:
    from orchestration.dbt import DbtFailed

    try:
        html = made.read_text(encoding="utf-8")
    except OSError as error:
        raise DbtFailed(f"dbt left no page at {made}: {error}", "Run `lakehouse docs`, which makes it.") from error
    # dbt's own page names its icon by an expression that nothing evaluates.
    html = html.replace("${require('./assets/favicons/favicon.ico')}", "data:,")
    html = offline.seal(html, body=_HOME.format(place="top:27px;left:150px"))
    offline.check(page.name, html)
    page.write_text(html, encoding="utf-8")


def _write(page: Path, **values: object) -> None:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["code"] = _code
    html = offline.seal(templates.get_template(page.name).render(**values))
    offline.check(page.name, html)
    page.write_text(html, encoding="utf-8")


def _code(text: str) -> markupsafe.Markup:
    """A description with what stands between backticks as code."""
    return markupsafe.Markup(_BACKTICKS.sub(r"<code>\1</code>", str(markupsafe.escape(text))))
