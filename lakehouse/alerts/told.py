"""What became of an alert."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lakehouse.alerts.alert import Alert

Status = Literal["sent", "waiting", "repeated", "limited", "failed", "unheard"]

# Of an alert that fared differently on several channels, the first of these is its status.
_FIRST: tuple[Status, ...] = ("sent", "failed", "limited", "waiting", "repeated")


@dataclass(frozen=True)
class Raised:
    """An alert, in which run and when it was raised."""

    alert: Alert
    run_id: str
    raised_at: datetime

    @property
    def alert_id(self) -> str:
        """Made of the run and of what the alert is about: raised twice in a run, it is one."""
        return f"{self.run_id}-{self.alert.fingerprint}"


@dataclass(frozen=True)
class Told:
    """An alert and what became of it.

    Args:
        raised: the alert.
        status: sent (on a channel at least), waiting (for the digest), repeated (told not long ago), limited (too many
            in this hour: it is in the next digest), failed (no channel took it: it is tried again), unheard (there is
            no channel).
        channels: where it was delivered: slack, mail.
    """

    raised: Raised
    status: Status
    channels: tuple[str, ...] = ()

    def row(self) -> dict[str, Any]:
        """Give it as a row of `ops.alerts`."""
        alert = self.raised.alert
        return {
            "alert_id": self.raised.alert_id,
            "run_id": self.raised.run_id,
            "severity": alert.severity,
            "kind": alert.kind,
            "subject": alert.subject,
            "rule": alert.rule,
            "score": alert.score,
            "threshold": alert.threshold,
            "message": alert.message,
            "command": alert.command,
            "status": self.status,
            "channels": list(self.channels),
            "raised_at": self.raised.raised_at,
        }


def overall(statuses: Iterable[Status]) -> Status:
    """One status of those on each channel; `unheard` of none."""
    found = set(statuses)
    return next((status for status in _FIRST if status in found), "unheard")
