"""A run of the cycle, recorded."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lakehouse.ops.recorder import Recorder
from lakehouse.ops.recording import recorded
from orchestration.cycle import Cycle


@contextmanager
def recorded_cycle(cycle: Cycle, kind: str, arguments: Mapping[str, Any]) -> Iterator[Recorder]:
    """Record a run of the cycle; see `recorded`. Its steps find the recorder in `cycle.recorder`."""
    with recorded(cycle.settings, cycle.run_id, kind, arguments, cycle.clock, cycle.gold_as_of) as recorder:
        cycle.recorder = recorder
        yield recorder
