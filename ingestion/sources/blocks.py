"""The bytes of a file in blocks, decompressed where it is gzip: by its first bytes, never by its name."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ingestion.errors import SourceError
from ingestion.reasons import Reason

BLOCK_BYTES = 256 * 1024
"""Bytes read at once, and at most handed on at once: a gzip bomb is no larger in memory than this."""

_GZIP_MAGIC = b"\x1f\x8b"
_ANY_GZIP_HEADER = zlib.MAX_WBITS | 16


class DamagedInput(Exception):
    """The compressed stream ends early or is damaged; all that could be read before it has been handed on."""

    def __init__(self, reason: Reason, detail: str) -> None:
        """Take the reason code, and where and how the stream ends."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def read_blocks(path: Path) -> Iterator[bytes]:
    """Stream a file's content.

    Raises:
        SourceError: the file cannot be opened or read.
        DamagedInput: after the last good byte of a truncated or damaged gzip file.
    """
    try:
        with path.open("rb") as file:
            is_gzip = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            file.seek(0)
            yield from _gunzip(file) if is_gzip else iter(lambda: file.read(BLOCK_BYTES), b"")
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read: {error.strerror or error}.",
            "Check the path and your permission to read it.",
        ) from error


def _gunzip(file: BinaryIO) -> Iterator[bytes]:
    """Decompress one or several gzip members, one after the other."""
    member = zlib.decompressobj(_ANY_GZIP_HEADER)
    is_between_members = True
    compressed = file.read(BLOCK_BYTES)
    while compressed:
        if is_between_members:
            # gzip files may be padded with zeros after a member.
            compressed = compressed.lstrip(b"\0")
            if not compressed:
                compressed = file.read(BLOCK_BYTES)
                continue
            member = zlib.decompressobj(_ANY_GZIP_HEADER)
            is_between_members = False
        try:
            content = member.decompress(compressed, BLOCK_BYTES)
        except zlib.error as error:
            detail = f"damaged gzip before byte {file.tell()}: {error}"
            raise DamagedInput(Reason.CORRUPT_GZIP, detail) from error
        if content:
            yield content
        if member.eof:
            compressed = member.unused_data or file.read(BLOCK_BYTES)
            is_between_members = True
        else:
            compressed = member.unconsumed_tail or file.read(BLOCK_BYTES)
    if not is_between_members:
        rest = member.flush()
        if rest:
            yield rest
        raise DamagedInput(Reason.TRUNCATED_GZIP, f"the gzip stream ends early, at byte {file.tell()}")
