"""A folder of pages that is made aside and takes the place of the one before only when it is whole."""

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakehouse.locks import exclusive


@contextmanager
def replaced(folder: Path, lock: Path) -> Iterator[Path]:
    """Give an empty draft beside a folder, and put it in the folder's place when the block ends well.

    Whoever makes the same folder meanwhile waits. A block that fails leaves what was there; so does a process that is
    killed, but for the instant between two renames: the next call then puts the older folder back first.

    Args:
        folder: what is replaced; it need not be there yet.
        lock: held from the first file of the draft to the last rename.

    Raises:
        OSError: a file cannot be written, or a folder not be moved.
    """
    draft = folder.with_name(f".{folder.name}.lakehouse-draft-{os.getpid()}")
    older = folder.with_name(f".{folder.name}.lakehouse-older")
    with exclusive(lock):
        if older.exists() and not folder.exists():
            older.rename(folder)
        # What is left was left by processes that were killed: who holds the lock is alone.
        for left in (older, *folder.parent.glob(f".{glob.escape(folder.name)}.lakehouse-draft-*")):
            shutil.rmtree(left, ignore_errors=True)
        draft.mkdir(parents=True)
        try:
            yield draft
            if folder.exists():
                folder.rename(older)
            draft.rename(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            if older.exists() and not folder.exists():
                older.rename(folder)
            raise
        shutil.rmtree(older, ignore_errors=True)
