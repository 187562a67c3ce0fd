"""What a batch's requests came to: kept while it runs, told to a person in a few lines at its end."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts of one batch's requests.

    Args:
        sent: requests sent, repeats included.
        answers: HTTP status of the final answers -> how many.
        repeats: why a request was repeated -> how often.
        body_bytes: bytes of answers, decompressed.
        waited_seconds: waits before repeats, all requests together.
        given_up: requests that failed at every attempt.
    """

    sent: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    repeats: Counter[str] = field(default_factory=Counter)
    body_bytes: int = 0
    waited_seconds: float = 0.0
    given_up: int = 0

    @property
    def answered(self) -> int:
        """Requests that were answered in the end."""
        return self.answers.total()

    def lines(self, seconds: float) -> list[str]:
        """Tell it in at most four lines.

        Args:
            seconds: how long the batch took.
        """
        rate = f", {self.sent / seconds:,.1f} a second" if seconds >= 1 else ""
        statuses = ", ".join(f"{count:,} x {status}" for status, count in sorted(self.answers.items()))
        lines = [
            f"{self.sent:,} requests in {seconds:,.0f} s{rate}; {self.body_bytes / 1e6:,.1f} MB received",
            f"answers: {statuses or 'none'}",
        ]
        if self.repeats:
            reasons = ", ".join(f"{count:,} x {reason}" for reason, count in self.repeats.most_common())
            lines.append(f"repeated: {reasons}; {self.waited_seconds:,.0f} s of waits in all")
        if self.given_up:
            lines.append(f"given up after every attempt: {self.given_up:,}")
        return lines
