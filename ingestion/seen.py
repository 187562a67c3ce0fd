"""The keys that a batch has met so far, in sixteen bytes each."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from ingestion.records import Record

_KEY_BYTES = 16


def key_of(record: Record) -> bytes:
    """A 128-bit stand-in for the key (movie_id, observed_at, payload_sha256)."""
    instant = record.observed_at.isoformat()
    return blake2b(f"{record.movie_id}|{instant}|{record.payload_sha256}".encode(), digest_size=_KEY_BYTES).digest()


class SeenKeys:
    """A set that only grows, kept in sorted runs of bytes: a Python set would take six times the memory.

    Runs are merged while the newest is at least half as long as the one before it, so there are few of them
    and each key is moved a logarithmic number of times.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._runs: list[npt.NDArray[np.bytes_]] = []

    def add_new(self, keys: Sequence[bytes]) -> list[bool]:
        """Add keys, in order; tell for each whether it was new."""
        if not keys:
            return []
        array = np.array(keys, dtype=f"S{_KEY_BYTES}")
        is_new = np.zeros(len(keys), dtype=bool)
        distinct, first = np.unique(array, return_index=True)
        is_new[first] = True
        for run in self._runs:
            at = np.searchsorted(run, distinct)
            at[at == len(run)] = 0
            is_new[first[run[at] == distinct]] = False
        self._push(np.sort(array[is_new]))
        return [bool(value) for value in is_new]

    def _push(self, run: npt.NDArray[np.bytes_]) -> None:
        if not len(run):
            return
        while self._runs and 2 * len(run) >= len(self._runs[-1]):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        self._runs.append(run)
