"""What a message says, once for every channel: Slack and mail only lay it out."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from lakehouse.alerts.told import Raised

MOST_AT_ONCE = 8
"""Critical alerts in one message: more would not fit into what Slack takes, nor be read."""

_MOST_IN_A_DIGEST = 40
_EXAMPLES = 5
_LINE = 200
_LONG = 1000
_SUBJECT = 140

_LABELS = {"job": "Job", "storage": "Resource", "resources": "Resource"}


@dataclass(frozen=True)
class Entry:
    """An alert in a message: the latest of those that tell the same, and how many there were.

    Args:
        latest: the alert.
        times: how often it was raised since it was last told.
        alert_ids: of all of them.
    """

    latest: Raised
    times: int
    alert_ids: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it is about and what is wrong."""
        return _cut(f"{self.latest.alert.subject}: {self.latest.alert.message}", _LONG)

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Label and value of what is known of it."""
        alert = self.latest.alert
        score, threshold = figures(alert.score, alert.threshold)
        found = (
            (_LABELS.get(alert.kind, "Table"), alert.subject),
            ("Rule", alert.rule),
            ("Score", score),
            ("Threshold", threshold),
            ("Run", self.latest.run_id),
            ("Raised", instant(self.latest.raised_at) + (f", {self.times} times" if self.times > 1 else "")),
        )
        return tuple((label, _cut(value, _LINE)) for label, value in found if value)

    @property
    def examples(self) -> tuple[str, ...]:
        """A few failing rows, each on a line that is not too long."""
        given = self.latest.alert.examples
        shown = tuple(_cut(one_line(example), _LINE) for example in given[:_EXAMPLES])
        more = len(given) - len(shown)
        return (*shown, f"and {more} more") if more else shown

    @property
    def command(self) -> str:
        """How to look closer."""
        return _cut(one_line(self.latest.alert.command), _LONG)

    @property
    def in_brief(self) -> str:
        """Rule and figures on one line, for the digest."""
        alert = self.latest.alert
        score, threshold = figures(alert.score, alert.threshold)
        parts = [alert.rule, f"score {score}" if score else "", f"threshold {threshold}" if threshold else ""]
        parts += [f"{self.times} times" if self.times > 1 else "", instant(self.latest.raised_at)]
        return _cut(", ".join(part for part in parts if part), _LINE)


@dataclass(frozen=True)
class Message:
    """One message to one channel.

    Args:
        kind: alert (each entry in full), digest (each in brief), test and done (no entry).
        subject: one line.
        entries: what is told.
        closing: the last line.
        at: when.
    """

    kind: Literal["alert", "digest", "test", "done"]
    subject: str
    entries: tuple[Entry, ...]
    closing: str
    at: datetime

    @property
    def shown(self) -> tuple[Entry, ...]:
        """The entries that the message spells out: all, but for a very long digest."""
        return self.entries[:_MOST_IN_A_DIGEST]

    @property
    def alert_ids(self) -> tuple[str, ...]:
        """Of all that it tells."""
        return tuple(alert_id for entry in self.entries for alert_id in entry.alert_ids)

    @property
    def identity(self) -> str:
        """Equal for a message that is sent again."""
        ids = "|".join(sorted(self.alert_ids))
        return hashlib.sha256(f"{self.kind}|{ids}|{self.at.isoformat() if not ids else ''}".encode()).hexdigest()[:24]


def entries_of(raised: Iterable[Raised]) -> tuple[Entry, ...]:
    """One entry for all alerts that tell the same, critical ones first, else in the order in which they came up."""
    alike: dict[str, list[Raised]] = {}
    for one in sorted(raised, key=lambda each: each.raised_at):
        alike.setdefault(one.alert.fingerprint, []).append(one)
    entries = [Entry(group[-1], len(group), tuple(each.alert_id for each in group)) for group in alike.values()]
    return tuple(sorted(entries, key=lambda entry: entry.latest.alert.severity != "critical"))


def alert_message(entries: tuple[Entry, ...], at: datetime) -> Message:
    """What is told at once."""
    if len(entries) == 1:
        alert = entries[0].latest.alert
        score, threshold = figures(alert.score, alert.threshold)
        what = f"{alert.rule} {score}, threshold {threshold}" if alert.rule and score and threshold else alert.message
        subject = f"[{alert.severity}] {alert.subject}: {what}"
    else:
        subject = f"[critical] {len(entries)} alerts: {_subjects(entries)}"
    return Message("alert", _cut(one_line(subject), _SUBJECT), entries, "All alerts: lakehouse alerts", at)


def digest_message(entries: tuple[Entry, ...], at: datetime) -> Message:
    """What has waited, in brief; of very many, the first."""
    critical = sum(entry.latest.alert.severity == "critical" for entry in entries)
    warnings = len(entries) - critical
    counts = [f"{critical} critical"] if critical else []
    counts += [f"{warnings} warning{'s' if warnings > 1 else ''}"] if warnings else []
    subject = f"[digest] {' and '.join(counts)}: {_subjects(entries)}"
    more = f"{len(entries) - _MOST_IN_A_DIGEST} more are not shown. " if len(entries) > _MOST_IN_A_DIGEST else ""
    return Message("digest", _cut(one_line(subject), _SUBJECT), entries, f"{more}All alerts: lakehouse alerts", at)


def halves(message: Message) -> tuple[Message, Message]:
    """The same in two messages, of one that has several entries."""
    again = digest_message if message.kind == "digest" else alert_message
    middle = len(message.entries) // 2
    return again(message.entries[:middle], message.at), again(message.entries[middle:], message.at)


def try_out_message(at: datetime) -> Message:
    """What `lakehouse alerts test` sends."""
    return Message(
        "test", "[test] TMDB Lakehouse: alerts arrive here", (), f"Sent by lakehouse alerts test, {instant(at)}.", at
    )


def done_message(what: str, told: str, at: datetime) -> Message:
    """What is sent when a cycle has ended well: what is new, in a line, and what came of it."""
    return Message("done", _cut(one_line(f"[done] TMDB Lakehouse: {what}"), _SUBJECT), (), one_line(told), at)


def plain_text(message: Message) -> str:
    """The message as text of lines."""
    lines = [message.subject, ""]
    for entry in message.shown:
        lines.append(entry.title)
        if message.kind == "digest":
            lines += [f"  {entry.in_brief}", f"  {entry.command}", ""]
            continue
        lines += [f"  {label:<11}{value}" for label, value in entry.facts]
        lines += ["  Failing rows", *(f"    {example}" for example in entry.examples)] if entry.examples else []
        lines += ["  Look closer", f"    {entry.command}", ""]
    return "\n".join([*lines, message.closing, ""])


def figures(score: float | None, threshold: float | None) -> tuple[str, str]:
    """Score and threshold as text, with as many digits as tell them apart; empty where there is none."""
    for digits in (4, 6, 9):
        texts = tuple("" if value is None else _figure(value, digits) for value in (score, threshold))
        if texts[0] != texts[1] or score == threshold:
            break
    return texts[0], texts[1]


def instant(at: datetime) -> str:
    """Write an instant for a person."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def one_line(text: str) -> str:
    """The text with every run of white space and control characters a blank."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _figure(value: float, digits: int) -> str:
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _subjects(entries: Sequence[Entry]) -> str:
    return ", ".join(dict.fromkeys(entry.latest.alert.subject for entry in entries))


def _cut(text: str, length: int) -> str:
    """The text, not too long, and without half letters (lone surrogates), which neither JSON nor mail can carry."""
    whole = text.encode("utf-8", "replace").decode()
    return whole if len(whole) <= length else whole[: length - 1] + "…"
