"""Blocks of bytes to lines, holding no more than one longest line."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ingestion.reasons import Reason
from ingestion.records import JSON_SPACE, RawRecord, Reject, is_whole_object
from ingestion.sources.blocks import DamagedInput

KEPT_BYTES = 4096
"""How much of a record that is too large is kept in quarantine."""


class TooLarge:
    """Follows a line that is too long to be held: its beginning, its length, and a hash of all of it."""

    def __init__(self, beginning: bytes) -> None:
        """Begin with what has been held so far."""
        self.kept = b""
        self.length = 0
        self.sha256 = hashlib.sha256()
        self.add(beginning)

    def add(self, more: bytes) -> None:
        """Pass over the next part of the record."""
        # However the parts are cut, what is kept is the same.
        self.kept += more[: KEPT_BYTES - len(self.kept)]
        self.length += len(more)
        self.sha256.update(more)

    def reject(self, place: str, max_bytes: int) -> Reject:
        """Give what is said of the record in quarantine, once all of it has passed."""
        digest = self.sha256.hexdigest()
        return Reject(
            raw=self.kept.decode("utf-8", errors="backslashreplace"),
            reason=Reason.RECORD_TOO_LARGE,
            detail=f"{place}: {self.length:,} bytes of at most {max_bytes:,}; sha256 {digest}; cut off here",
            identity=f"sha256:{digest}",
        )


class _Line(NamedTuple):
    """A line without its end. `damage` is set on the last one where the input is damaged right after it."""

    content: bytes | TooLarge
    damage: DamagedInput | None = None


def split_lines(blocks: Iterable[bytes], origin: str, max_bytes: int) -> Iterator[RawRecord | Reject]:
    """Split into lines; blank lines are passed over, a line of more than `max_bytes` bytes is a reject.

    Where the input is damaged, the lines before it are handed on, and what is left of the broken line becomes
    one reject with the reason of the damage. A rest that is a whole JSON object can only be complete, so it
    is handed on too.

    Args:
        blocks: the bytes; may raise `DamagedInput` at its end.
        origin: what to call the input in `RawRecord.origin`.
        max_bytes: the longest line that is held.
    """
    for number, line in enumerate(_lines(blocks, max_bytes), start=1):
        place = f"{origin}, line {number}"
        if isinstance(line.content, TooLarge):
            yield line.content.reject(place, max_bytes)
        elif line.damage is None and line.content.strip(JSON_SPACE):
            yield RawRecord(line.content, origin, number)
        if line.damage is not None:
            rest = b"" if isinstance(line.content, TooLarge) else line.content
            yield from _after_damage(rest, origin, number, line.damage)


def _after_damage(rest: bytes, origin: str, number: int, damage: DamagedInput) -> Iterator[RawRecord | Reject]:
    place = f"{origin}, line {number}"
    is_complete = is_whole_object(rest)
    if is_complete:
        yield RawRecord(rest, origin, number)
    raw = "" if is_complete else rest.decode("utf-8", errors="backslashreplace")
    yield Reject(raw, damage.reason, f"{place}: {damage.detail}", identity=raw or f"after {place}")


def _lines(blocks: Iterable[bytes], max_bytes: int) -> Iterator[_Line]:
    held = bytearray()
    too_large: TooLarge | None = None
    damage: DamagedInput | None = None
    source = iter(blocks)
    while True:
        try:
            block = next(source, None)
        except DamagedInput as error:
            damage, block = error, None
        if block is None:
            break
        *ends, rest = block.split(b"\n")
        for piece in ends:
            if too_large is not None:
                too_large.add(piece)
                yield _Line(too_large)
                too_large = None
            elif len(held) + len(piece) > max_bytes:
                yield _Line(_joined(held, piece))
            elif held:
                yield _Line(bytes(held + piece))
            else:
                yield _Line(piece)
            held.clear()
        if too_large is not None:
            too_large.add(rest)
        elif len(held) + len(rest) > max_bytes:
            too_large = _joined(held, rest)
            held.clear()
        else:
            held += rest
    if too_large is not None or held or damage is not None:
        yield _Line(too_large if too_large is not None else bytes(held), damage)


def _joined(held: bytearray, piece: bytes) -> TooLarge:
    line = TooLarge(bytes(held))
    line.add(piece)
    return line
