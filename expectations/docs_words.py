"""Great Expectations' rendered content (string templates, tables, lists) as plain HTML: values escaped, no style."""

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

_PARAMETER = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")


def words_html(content: Any) -> Markup:
    """Give a piece of text, whatever kind of content it is, as HTML that may stand in a sentence or a table's cell."""
    if isinstance(content, list | tuple):
        return Markup(" ").join(words_html(part) for part in content)
    if not isinstance(content, Mapping):
        return escape("" if content is None else content)
    if "string_template" in content:
        return _template_html(content["string_template"])
    return block_html(content)


def block_html(block: Mapping[str, Any]) -> Markup:
    """Give a block (table, list, text) as HTML, its heading above."""
    parts = [Markup("<h3>{}</h3>").format(words_html(block["header"]))] if block.get("header") else []
    if "table" in block:
        head = "".join(
            Markup('<th scope="col">{}</th>').format(words_html(cell)) for cell in block.get("header_row") or ()
        )
        rows = Markup("").join(_row_html(row) for row in block["table"])
        parts.append(
            Markup("<table>{}<tbody>{}</tbody></table>").format(
                Markup(f"<thead><tr>{head}</tr></thead>" if head else ""), rows
            )
        )
    for kind in ("bullet_list", "value_list"):
        if kind in block:
            items = Markup("").join(Markup("<li>{}</li>").format(words_html(item)) for item in block[kind])
            parts.append(Markup("<ul>{}</ul>").format(items))
    for kind in ("text", "markdown", "subheader", "collapse"):
        if block.get(kind):
            parts.append(Markup("<div>{}</div>").format(words_html(block[kind])))
    return Markup("").join(parts)


def _row_html(row: Any) -> Markup:
    """A table's row; of two cells, the first names the second."""
    cells = [words_html(cell) for cell in row]
    if len(cells) == 2:
        return Markup('<tr><th scope="row">{}</th><td>{}</td></tr>').format(*cells)
    return Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(cell) for cell in cells))


def _template_html(template: Mapping[str, Any]) -> Markup:
    """The template's text, with each parameter in it set as code; a line break is one."""
    parameters = template.get("params") or {}
    parts: list[Markup] = []
    place = 0
    text = str(template.get("template") or "")
    for found in _PARAMETER.finditer(text):
        parts.append(escape(text[place : found.start()]))
        name = found.group(2) or found.group(3)
        if name in parameters:
            value = parameters[name]
            parts.append(Markup("<code>{}</code>").format(value) if str(value) else Markup(""))
        else:
            parts.append(escape("$" if found.group(1) else found.group()))
        place = found.end()
    parts.append(escape(text[place:]))
    return Markup("<br>").join(Markup("").join(parts).split("\n"))
