"""Slack: a message as Block Kit, posted to the webhook, whose address is a secret: who knows it can post."""

import logging
import re
from collections.abc import Iterator
from typing import Any

import httpx

from lakehouse.alerts.delivery import THREADS, Outcome
from lakehouse.alerts.wording import Entry, Message, one_line
from lakehouse.sections import Alerts

_TOO_MANY = 429
# What says nothing of the message, but that nobody may post there: no such webhook or channel, a token that is revoked.
_CLOSED = (401, 403, 404, 410)
# Slack's own words for why it refuses, e.g. invalid_payload; anything else in a body might be the address.
_REASON = re.compile(r"[a-z_]{3,40}")
_LOGGERS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))


class _NotOfAlerts(logging.Filter):
    """Lets no line of the HTTP client through that is about an alert: it names the webhook."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.threadName != THREADS


_filter = _NotOfAlerts()


def post(alerts: Alerts, message: Message, seconds: float) -> Outcome:
    """Make one attempt. Its body is not read where Slack has taken it."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_filter)
    try:
        with (
            httpx.Client(timeout=seconds, follow_redirects=False) as client,
            client.stream("POST", alerts.slack_webhook.get_secret_value(), json=payload(message)) as answer,
        ):
            return _outcome(answer)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        return Outcome("alerts.slack_webhook is no address")
    except (httpx.HTTPError, OSError) as error:
        # What an error says may name the address, its class does not.
        return Outcome(type(error).__name__, again=True)


def _outcome(answer: httpx.Response) -> Outcome:
    if answer.is_success:
        return Outcome()
    status = answer.status_code
    if status == _TOO_MANY:
        asked = answer.headers.get("Retry-After", "")
        return Outcome("HTTP 429, too many messages", again=True, wait_seconds=int(asked) if asked.isdecimal() else 0)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return Outcome(f"HTTP {status}", again=True)
    body = next(answer.iter_bytes(64), b"").decode("utf-8", "replace").strip()
    reason = f", {body}" if _REASON.fullmatch(body) else ""
    return Outcome(f"HTTP {status}{reason}", is_of_message=400 <= status < 500 and status not in _CLOSED)


def payload(message: Message) -> dict[str, Any]:
    """The message for a webhook: blocks, and the subject for notifications."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _within(escape(message.subject), 150)}}
    ]
    for entry in message.shown:
        blocks += [_brief(entry)] if message.kind == "digest" else list(_full(entry))
    blocks.append({"type": "context", "elements": [_markdown(escape(message.closing))]})
    return {"text": escape(message.subject), "blocks": blocks}


def escape(text: str) -> str:
    """Text in which Slack finds no link, mention or channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _full(entry: Entry) -> Iterator[dict[str, Any]]:
    yield {"type": "section", "text": _markdown(_bold_subject(entry))}
    fields = [_markdown(f"*{label}*\n{escape(value)}") for label, value in entry.facts]
    yield {"type": "section", "fields": fields}
    if entry.examples:
        yield {"type": "section", "text": _markdown(f"*Failing rows*\n{_code(entry.examples)}")}
    yield {"type": "section", "text": _markdown(f"*Look closer*\n{_code([entry.command])}")}
    yield {"type": "divider"}


def _brief(entry: Entry) -> dict[str, Any]:
    text = f"{_bold_subject(entry)}\n{escape(entry.in_brief)}\n{_code([entry.command])}"
    return {"type": "section", "text": _markdown(text)}


def _bold_subject(entry: Entry) -> str:
    subject = entry.latest.alert.subject
    return f"*{escape(one_line(subject))}*{escape(entry.title.removeprefix(subject))}"


def _code(lines: tuple[str, ...] | list[str]) -> str:
    text = "\n".join(lines).replace("```", "'''")
    return f"```{_within(escape(text), 2900)}```"


def _markdown(text: str) -> dict[str, Any]:
    # Verbatim: Slack makes no link of what looks like an address or a channel.
    return {"type": "mrkdwn", "text": _within(text, 3000), "verbatim": True}


def _within(text: str, length: int) -> str:
    """Text cut to a length, but not amid an escaped letter."""
    return text if len(text) <= length else re.sub(r"&[a-z]*$", "", text[: length - 1]) + "…"
