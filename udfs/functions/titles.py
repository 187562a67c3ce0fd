"""Cleaning of titles."""

from __future__ import annotations

import unicodedata

from udfs.registry import sql_function

# Cc: controls, such as NUL. Cf: zero-width and direction marks, soft hyphen, byte-order mark. Cs: lone surrogates.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs"})


@sql_function(returns="string")
def clean_title(title: str | None) -> str | None:
    """Return a title as an analyst would type it, so that equal-looking titles compare equal.

    Invisible characters (controls, zero-width and direction marks, soft hyphens) are dropped, the text is composed
    (Unicode NFC), every run of white space (no-break spaces, tabs and line breaks too) becomes one space, and the ends
    are trimmed. Case, punctuation and accents are kept: they are part of the title. Cleaning twice changes nothing.

    Returns:
        The cleaned title; None for None and where nothing visible is left.
    """
    if title is None:
        return None
    if not (title.isascii() and title.isprintable()):
        # White space first: tabs and line breaks are controls as well, and must leave a gap behind.
        spaced = " ".join(title.split())
        visible = "".join(letter for letter in spaced if unicodedata.category(letter) not in _INVISIBLE)
        title = unicodedata.normalize("NFC", visible)
    return " ".join(title.split()) or None
