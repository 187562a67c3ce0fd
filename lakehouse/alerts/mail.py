"""Mail: a message as text and HTML, by SMTP with STARTTLS, TLS or neither."""

import logging
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape

from lakehouse.alerts.delivery import Outcome
from lakehouse.alerts.wording import Entry, Message, plain_text
from lakehouse.sections import Alerts

_log = logging.getLogger(__name__)

_PERMANENT = 500
_NO_ADDRESS = "alerts.mail_from, mail_to or smtp_host is not what it should be"

_STYLE = "font: 15px/1.4 system-ui, sans-serif; max-width: 44rem"
_CODE = "font: 13px/1.4 ui-monospace, monospace; white-space: pre-wrap; border: 1px solid #8884; padding: 6px"


def post(alerts: Alerts, message: Message, seconds: float) -> Outcome:
    """Make one attempt. What the server says is not passed on, but for its code."""
    try:
        mail = composed(alerts, message)
    except UnicodeError:
        return Outcome("the message has letters that no mail can carry", is_of_message=True)
    except ValueError:
        return Outcome(_NO_ADDRESS)
    try:
        with _left(_connected(alerts, seconds)) as server:
            if alerts.smtp_encryption == "starttls":
                server.starttls(context=ssl.create_default_context())
            if alerts.smtp_user:
                server.login(alerts.smtp_user, alerts.smtp_password.get_secret_value())
            refused = server.send_message(mail, from_addr=sender(alerts), to_addrs=recipients(alerts))
    except smtplib.SMTPResponseException as error:
        what = "user or password is refused" if isinstance(error, smtplib.SMTPAuthenticationError) else "refused"
        is_of_message = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= _PERMANENT
        again = error.smtp_code < _PERMANENT
        return Outcome(f"{what} (SMTP {error.smtp_code})", again=again, is_of_message=is_of_message)
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        return Outcome(f"every recipient is refused (SMTP {codes})", again=all(code < _PERMANENT for code in codes))
    except smtplib.SMTPNotSupportedError:
        return Outcome("the server knows no STARTTLS, or no way to log in that is known here")
    except ssl.SSLCertVerificationError as error:
        return Outcome(f"the server's certificate is not trusted ({error.verify_message})")
    except (smtplib.SMTPException, OSError) as error:
        return Outcome(type(error).__name__, again=True)
    except ValueError:
        # of an address or a host that is none
        return Outcome(_NO_ADDRESS)
    if refused:
        _log.warning("The mail server refuses %s; the other recipients have the mail.", ", ".join(sorted(refused)))
    return Outcome()


@contextmanager
def _left(server: smtplib.SMTP) -> Iterator[smtplib.SMTP]:
    """Take leave at the end, but wait for no answer: a mail is accepted by then, whatever becomes of the connection."""
    try:
        yield server
    finally:
        with suppress(smtplib.SMTPException, OSError):
            server.putcmd("QUIT")
        server.close()


def _connected(alerts: Alerts, seconds: float) -> smtplib.SMTP:
    # smtplib would ask the name service for this machine's name, which may take long.
    name = socket.gethostname()
    local = name if "." in name else "[127.0.0.1]"
    if alerts.smtp_encryption == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(alerts.smtp_host, alerts.smtp_port, local, timeout=seconds, context=context)
    return smtplib.SMTP(alerts.smtp_host, alerts.smtp_port, local, timeout=seconds)


def recipients(alerts: Alerts) -> list[str]:
    """The addresses of `alerts.mail_to`."""
    return [address.strip() for address in alerts.mail_to.split(",") if address.strip()]


def sender(alerts: Alerts) -> str:
    """`alerts.mail_from`, else the user's address, else one that only names the project."""
    return alerts.mail_from or (alerts.smtp_user if "@" in alerts.smtp_user else "tmdb-lakehouse@localhost")


def composed(alerts: Alerts, message: Message) -> EmailMessage:
    """The mail: the same message has the same Message-ID, so one that is sent twice is shown once."""
    mail = EmailMessage()
    mail["Subject"] = message.subject
    mail["From"] = sender(alerts)
    mail["To"] = ", ".join(recipients(alerts))
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{message.identity}@{sender(alerts).rpartition('@')[2].strip('> ')}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(plain_text(message))
    mail.add_alternative(html_text(message), subtype="html")
    mail.set_boundary(f"=={message.identity}==")
    return mail


def html_text(message: Message) -> str:
    """The message as a page of its own that loads nothing."""
    blocks = [part for entry in message.shown for part in (_brief(entry) if message.kind == "digest" else _full(entry))]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f'<title>{escape(message.subject)}</title></head><body style="{_STYLE}"><h1 style="font-size: 18px">'
        f"{escape(message.subject)}</h1>{''.join(blocks)}<p>{escape(message.closing)}</p></body></html>"
    )


def _full(entry: Entry) -> Iterator[str]:
    yield f'<h2 style="font-size: 16px">{escape(entry.title)}</h2><table>'
    for label, value in entry.facts:
        yield f'<tr><th style="text-align: left; padding-right: 12px">{label}</th><td>{escape(value)}</td></tr>'
    yield "</table>"
    if entry.examples:
        rows = "\n".join(entry.examples)
        yield f'<p style="margin-bottom: 4px">Failing rows</p><pre style="{_CODE}">{escape(rows)}</pre>'
    yield f'<p style="margin-bottom: 4px">Look closer</p><pre style="{_CODE}">{escape(entry.command)}</pre>'


def _brief(entry: Entry) -> Iterator[str]:
    yield f'<h2 style="font-size: 16px">{escape(entry.title)}</h2><p style="margin: 0">{escape(entry.in_brief)}</p>'
    yield f'<pre style="{_CODE}">{escape(entry.command)}</pre>'
