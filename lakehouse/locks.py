"""One process at a time."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

_AGAIN_SECONDS = 0.02


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the file at `path` for this process alone; a second one waits. What ends the process frees it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def exclusive_within(path: Path, seconds: float) -> Iterator[bool]:
    """As `exclusive`, but wait no longer than so many seconds; gives whether the file is held. Raises nothing."""
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            is_held = _is_got(stack.enter_context(path.open("w")), time.monotonic() + seconds)
        except OSError:
            is_held = False
        yield is_held


def _is_got(handle: IO[str], until: float) -> bool:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_AGAIN_SECONDS)
        else:
            return True
