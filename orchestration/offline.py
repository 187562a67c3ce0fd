"""Pages that stay within this machine: nothing of theirs is fetched from a network when they are looked at."""

import re
from html.parser import HTMLParser

from lakehouse.errors import LakehouseError

# What the browser itself refuses, whatever a page's scripts try. AngularJS in dbt's page compiles its expressions
# ('unsafe-eval'), and the layout in colibri's runs in a worker made from a blob.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob: data:; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; connect-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)

# Where the pages of dbt and colibri would report who looks at them, and the script that does it for dbt.
_TRACKERS = re.compile(
    r"(?:https?:)?//[\w.-]{0,60}\b(?:posthog\.com|sentry\.io|cloudfront\.net|fuzzed\.getdbt\.com)[\w./?=&%#-]*"
    r"|(?:i\.)?posthog\.com|fishtownanalytics\.sinter-collect\.com|phc_\w{20,}"
)
_REMOTE = re.compile(r"^\s*(?:https?:|wss?:)?//", re.IGNORECASE)
_CODE_TARGETS = re.compile(
    r"""(?:\bfetch|\bimport|\bimportScripts|\bsendBeacon|new\s+(?:Worker|WebSocket|EventSource))\s*\(\s*["'`]"""
    r"""(?P<call>(?:https?:|wss?:)?//[^"'`\s]*)"""
    r"""|\b(?:import|from)\s*["'](?P<module>(?:https?:)?//[^"'\s]*)"""
    r"""|["'](?P<file>(?:https?:)?//[^"'\s]+\.(?:js|mjs|css|woff2?|ttf))["']""",
)
_STYLE_TARGETS = re.compile(
    r"""url\(\s*["']?((?:https?:)?//[^"')\s]*)|@import\s+["']((?:https?:)?//[^"'\s]*)""", re.IGNORECASE
)
# Attributes by which an element loads something of itself. A link that a reader follows is none.
_LOADING = {"src", "srcset", "poster", "data", "action", "formaction", "background"}
_LOADING_HREF = {"link", "use", "image", "feimage", "script", "base"}


def seal(html: str, head: str = "", body: str = "") -> str:
    """Take the trackers out of a page and forbid it every connection.

    Args:
        html: a whole page.
        head: what else stands first in its head, e.g. a style.
        body: what else stands last in its body.
    """
    opened = re.search(r"<head[^>]*>", html)
    start = opened.end() if opened else 0
    end = html.rfind("</body>")
    end = len(html) if end < 0 else end
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return _TRACKERS.sub("", html[:start] + policy + head + html[start:end] + body + html[end:])


def check(name: str, html: str) -> None:
    """Make sure that a page loads nothing from elsewhere.

    Raises:
        LakehouseError: it would; the message names the page and the targets.
    """
    targets = remote_targets(html)
    if targets:
        raise LakehouseError(
            f"The page {name} would load from the network: {', '.join(targets[:5])}.",
            "Add what loads it to orchestration/offline.py; a newer dbt or colibri may have brought it.",
        )


def remote_targets(html: str) -> list[str]:
    """The addresses that a page would load by itself: scripts, styles, fonts, images, calls.

    Neither links nor text count, whatever they name: a movie may be called like a tracker.
    """
    parser = _Targets()
    parser.feed(html)
    parser.close()
    return sorted(parser.targets)


class _Targets(HTMLParser):
    """Collects the remote addresses of elements, styles and scripts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.targets: set[str] = set()
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        given = {name: value or "" for name, value in attrs}
        for name, value in given.items():
            loads = name in _LOADING or (name in ("href", "xlink:href") and tag in _LOADING_HREF)
            if loads and _REMOTE.match(value):
                self.targets.add(value)
            if name == "style":
                self._find(_STYLE_TARGETS, value)
            if name.startswith("on"):
                self._find(_CODE_TARGETS, value)
                self.targets.update(_TRACKERS.findall(value))
        refresh = re.search(r"url=(.*)", given.get("content", ""), re.IGNORECASE)
        if tag == "meta" and refresh and _REMOTE.match(refresh[1]):
            self.targets.add(refresh[1])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._inside = ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self._find(_STYLE_TARGETS, data)
        elif self._inside == "script":
            self._find(_CODE_TARGETS, data)
            self.targets.update(_TRACKERS.findall(data))

    def _find(self, pattern: re.Pattern[str], text: str) -> None:
        self.targets.update(group for match in pattern.finditer(text) for group in match.groups() if group)
