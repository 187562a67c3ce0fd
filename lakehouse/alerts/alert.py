"""An alert: what a person must know, and how to look closer."""

import hashlib
from dataclasses import dataclass
from typing import Literal

Severity = Literal["critical", "warning"]
Kind = Literal["gate", "score", "job", "delay", "volume", "drift", "storage", "resources"]


@dataclass(frozen=True)
class Alert:
    """Something that a person must know.

    Args:
        severity: critical is told at once, a warning in the next digest.
        kind: what it is about.
        subject: the table, job or resource, e.g. `silver.movies`.
        message: what is wrong, in a sentence.
        command: how to look closer, a command for the terminal.
        rule: the rule's name, where one was broken.
        score: what was measured.
        threshold: what it is held to.
        examples: a few failing rows, in a line each.
    """

    severity: Severity
    kind: Kind
    subject: str
    message: str
    command: str
    rule: str = ""
    score: float | None = None
    threshold: float | None = None
    examples: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Equal for alerts that tell the same, whatever the figures: by it a repetition is known."""
        told = "|".join((self.severity, self.kind, self.subject, self.rule))
        return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:16]
