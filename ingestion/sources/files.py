"""The source `file`: JSON Lines, bodies of one record a file, and folders of either, gzip or not.

What a file holds is told by its content:

- a file whose first line opens a value that the line does not close (`{`, or `{"id": 5,`) is one
  pretty-printed body;
- any other file is JSON Lines, which a body on one line is too.

A line may be a movie, a dated observation or a recorded answer; see `ingestion.records`.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import NoReturn

from ingestion.errors import SourceError
from ingestion.records import JSON_SPACE, RawRecord, Reject, is_whole_object
from ingestion.sources.blocks import DamagedInput, read_blocks
from ingestion.sources.lines import TooLarge, split_lines

SUFFIXES = (".json", ".jsonl", ".ndjson")
"""What a folder is searched for, each also with `.gz`. A file that is named outright may have any name."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PEEK_BYTES = 64 * 1024


def open_path(path: Path, max_record_bytes: int) -> Iterator[RawRecord | Reject]:
    """Check that a path can be read, then stream its records.

    Files of a folder come in the order of their names, then those of the folders within it. Memory holds one
    block and one record at a time.

    Args:
        path: a file or a folder.
        max_record_bytes: a longer record becomes a reject and is never held whole.

    Raises:
        SourceError: at once, where the path is missing, unreadable or holds no JSON file; while reading,
            where a file of a folder cannot be read.
    """
    if path.is_dir():
        files = _walk(path)
        first = next(files, None)
        if first is None:
            raise SourceError(
                f"{path} holds no JSON file ({', '.join(SUFFIXES)}, also with .gz).",
                "Name a folder that holds some, or a file.",
            )
        return _read_all(path, chain([first], files), max_record_bytes)
    if not path.exists():
        raise SourceError(f"{path} does not exist.", "Check --path.")
    # A first block proves that the file can be read. Damage is no error: it is reported in its place.
    with suppress(DamagedInput):
        next(read_blocks(path), None)
    return read_file(path, path.name, max_record_bytes)


def _walk(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> NoReturn:
        raise SourceError(f"{error.filename} cannot be listed: {error.strerror}.", "Check the permissions.") from error

    for parent, folders, names in os.walk(folder, onerror=fail):
        # Sorting in place also sets the order in which os.walk goes on.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name.lower().removesuffix(".gz").endswith(SUFFIXES):
                yield Path(parent, name)


def _read_all(folder: Path, files: Iterable[Path], max_bytes: int) -> Iterator[RawRecord | Reject]:
    for file in files:
        yield from read_file(file, file.relative_to(folder).as_posix(), max_bytes)


def read_file(path: Path, origin: str, max_bytes: int) -> Iterator[RawRecord | Reject]:
    """Stream the records of one file; see `open_path`. `origin` is what to call the file."""
    blocks = read_blocks(path)
    head, damage = _take(blocks, _PEEK_BYTES, until_line=True)
    # A byte order mark belongs to the file and not to its first record.
    head = head.removeprefix(_BYTE_ORDER_MARK)
    if not _opens_body(head):
        yield from split_lines(_rejoined(head, damage, blocks), origin, max_bytes)
        return
    if damage is None:
        more, damage = _take(blocks, max_bytes + 1 - len(head))
        head += more
    if any(is_whole_object(line) for line in head.split(b"\n") if line.startswith(b"{") and len(line) > 2):
        yield from split_lines(_rejoined(head, damage, blocks), origin, max_bytes)
    elif len(head) > max_bytes:
        yield _pass_over(head, blocks, origin, max_bytes)
    elif damage is not None and not is_whole_object(head):
        raw = head.decode("utf-8", errors="backslashreplace")
        yield Reject(raw, damage.reason, f"{origin}: {damage.detail}")
    else:
        yield RawRecord(head, origin)


def _opens_body(head: bytes) -> bool:
    first, line_end, _ = head.lstrip(JSON_SPACE).partition(b"\n")
    first = first.rstrip(JSON_SPACE)
    return bool(line_end) and first.startswith((b"{", b"[")) and first.endswith((b"{", b"[", b","))


def _take(blocks: Iterator[bytes], size: int, until_line: bool = False) -> tuple[bytes, DamagedInput | None]:
    """Take at least `size` bytes, or up to the end of the first line that is not blank, or all there is."""
    taken = bytearray()
    while len(taken) < size and not (until_line and b"\n" in taken.lstrip(JSON_SPACE)):
        try:
            block = next(blocks, None)
        except DamagedInput as damage:
            return bytes(taken), damage
        if block is None:
            break
        taken += block
    return bytes(taken), None


def _rejoined(head: bytes, damage: DamagedInput | None, blocks: Iterable[bytes]) -> Iterator[bytes]:
    yield head
    if damage is not None:
        raise damage
    yield from blocks


def _pass_over(head: bytes, blocks: Iterable[bytes], origin: str, max_bytes: int) -> Reject:
    body = TooLarge(head)
    try:
        for block in blocks:
            body.add(block)
    except DamagedInput as damage:
        raw = body.kept.decode("utf-8", errors="backslashreplace")
        return Reject(raw, damage.reason, f"{origin}: {damage.detail}")
    return body.reject(origin, max_bytes)
