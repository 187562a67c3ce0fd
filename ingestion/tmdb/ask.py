"""What an ingestion asks TMDB for, as a value that is kept with the batch."""

from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from ingestion.errors import SourceError


class Ask(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which movies are asked for.

    Args:
        kind: `changes` since a time; the `popular` ones; all of the daily `export`; the `ids` of a file.
        since: for changes: from this day on; None: from the stored watermark on.
        until: for changes: up to this day; None: up to the batch's as-of time.
        count: for popular: how many. For export: at most so many, from its beginning; None: all.
        path: for ids: the file, one id a line.
    """

    kind: Literal["changes", "popular", "export", "ids"] = "changes"
    since: datetime | None = None
    until: datetime | None = None
    count: int | None = None
    path: str | None = None

    @property
    def text(self) -> str:
        """As JSON: what `bronze.batches` holds, and what two equal asks have in common."""
        return msgspec.json.encode(self).decode()


def read_ask(text: str) -> Ask:
    """Read what `Ask.text` wrote."""
    return msgspec.json.decode(text, type=Ask)


def read_ids(path: Path) -> list[int]:
    """Read a file of ids, one a line; blank lines and those that begin with # are passed over, repeats come once.

    Raises:
        SourceError: the file cannot be read, a line is no id, or there is none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read: {error}.", "Check --ids.") from error
    found: dict[int, None] = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if not text.isascii() or not text.isdigit() or not int(text):
            raise SourceError(f"{path}, line {number}: {text[:40]!r} is not a movie id.", "Write one id a line.")
        found[int(text)] = None
    if not found:
        raise SourceError(f"{path} holds no movie id.", "Write one id a line.")
    return list(found)
