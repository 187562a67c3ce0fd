import email
import email.policy
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from endpoints import PASSWORD, Mailbox, dead_port, mail_server, throw_away_certificate

from lakehouse.alerts.alert import Alert
from lakehouse.alerts.send import tell
from lakehouse.settings import Settings

Make = Callable[..., Settings]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def addressed(box: Mailbox) -> dict[str, object]:
    return {
        "smtp_host": "127.0.0.1",
        "smtp_port": box.port,
        "smtp_encryption": "none",
        "mail_from": "lake@example.org",
        "mail_to": "one@example.org, two@example.org",
    }


def mails(box: Mailbox) -> list[EmailMessage]:
    return [email.message_from_bytes(bytes(one.content), policy=email.policy.default) for one in box.envelopes]  # type: ignore[arg-type]


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


def test_a_critical_alert_is_mailed_at_once_with_all_that_a_person_needs(settings_for: Make, low_score: Alert) -> None:
    with mail_server() as box:
        told = tell(settings_for(**addressed(box)), [low_score], "run-7", NOON)
    assert [(one.status, one.channels) for one in told] == [("sent", ("mail",))]
    assert box.envelopes[0].mail_from == "lake@example.org"
    assert box.envelopes[0].rcpt_tos == ["one@example.org", "two@example.org"]
    mail = mails(box)[0]
    assert mail["Subject"] == "[critical] silver.movies: title_is_known 0.9311, threshold 0.95"
    assert (mail["From"], mail["To"]) == ("lake@example.org", "one@example.org, two@example.org")
    assert mail["Date"].datetime == NOON
    assert mail["Message-ID"].endswith("@example.org>")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    assert part(mail, "plain") == (
        "[critical] silver.movies: title_is_known 0.9311, threshold 0.95\n"
        "\n"
        "silver.movies: the title is missing in 31 of 450 rows <b> & so on\n"
        "  Table      silver.movies\n"
        "  Rule       title_is_known\n"
        "  Score      0.9311\n"
        "  Threshold  0.95\n"
        "  Run        run-7\n"
        "  Raised     2026-03-01 12:00 UTC\n"
        "  Failing rows\n"
        '    603 | {"title": null}\n'
        '    604 | {"title": " "}\n'
        "  Look closer\n"
        "    lakehouse sql \"select movie_id, title from silver.movies where not (title <> '')\"\n"
        "\n"
        "All alerts: lakehouse alerts\n"
    )
    html = part(mail, "html")
    assert "31 of 450 rows &lt;b&gt; &amp; so on" in html
    for text in ("title_is_known", "0.9311", "0.95", "603 | {&quot;title&quot;: null}", "where not (title &lt;&gt; "):
        assert text in html
    assert "http" not in html


def test_the_same_alert_at_the_same_time_is_the_same_mail(settings_for: Make, low_score: Alert, tmp_path: Path) -> None:
    with mail_server() as box:
        for home in ("a", "b"):
            settings = settings_for(**addressed(box))
            settings.home = tmp_path / home
            tell(settings, [low_score], "run", NOON)
        settings.home = tmp_path / "c"
        tell(settings, [replace(low_score, rule="other")], "run", NOON)
    first, second, _ = (bytes(one.content) for one in box.envelopes)  # type: ignore[arg-type]
    assert first == second
    ids = [mail["Message-ID"] for mail in mails(box)]
    assert ids[0] == ids[1] != ids[2]


def test_a_line_break_in_the_data_makes_no_header(settings_for: Make, low_score: Alert) -> None:
    sly = replace(low_score, subject="silver\r\nBcc: thief@example.org", rule="", message="x")
    with mail_server() as box:
        assert tell(settings_for(**addressed(box)), [sly], "run", NOON)[0].status == "sent"
    assert mails(box)[0]["Bcc"] is None
    assert mails(box)[0]["Subject"] == "[critical] silver Bcc: thief@example.org: x"


def test_with_starttls_and_a_login_the_password_is_sent_under_encryption(
    settings_for: Make, low_score: Alert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = throw_away_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with mail_server(context, "lake") as box:
        login = {"smtp_encryption": "starttls", "smtp_user": "lake", "smtp_password": PASSWORD}
        given = addressed(box) | login
        untrusting = tell(settings_for(**given), [low_score], "run", NOON)
        assert (untrusting[0].status, box.envelopes) == ("failed", [])
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        wrong = given | {"smtp_password": "wrong"}  # pragma: allowlist secret
        assert tell(settings_for(**wrong), [replace(low_score, rule="b")], "run", NOON)[0].status == "failed"
        assert box.envelopes == []
        told = tell(settings_for(**given), [replace(low_score, rule="c")], "run", NOON)
    # with the new one go the two that had failed
    assert [(one.raised.alert.rule, one.status) for one in told] == [
        ("c", "sent"),
        ("title_is_known", "sent"),
        ("b", "sent"),
    ]
    assert (box.was_encrypted, box.users, len(box.envelopes)) == ([True], ["lake"], 1)


def test_a_server_without_starttls_gets_neither_password_nor_alert(
    settings_for: Make, low_score: Alert, caplog: pytest.LogCaptureFixture
) -> None:
    with mail_server() as box:
        given = addressed(box) | {"smtp_encryption": "starttls", "smtp_user": "lake", "smtp_password": PASSWORD}
        assert tell(settings_for(**given), [low_score], "run", NOON)[0].status == "failed"
    assert box.envelopes == []
    assert "STARTTLS" in caplog.text
    assert PASSWORD not in caplog.text


def test_a_transient_refusal_is_tried_again_and_a_permanent_one_is_not(settings_for: Make, low_score: Alert) -> None:
    with mail_server() as box:
        box.refusals[:] = ["451 later", "451 later"]
        assert tell(settings_for(**addressed(box)), [low_score], "run", NOON)[0].status == "sent"
        box.refusals[:] = ["554 never", "554 never"]
        told = tell(settings_for(**addressed(box)), [replace(low_score, rule="b")], "run", NOON)
    assert told[0].status == "failed"
    assert box.refusals == ["554 never"]


def test_a_mail_that_was_accepted_is_not_sent_again_whatever_follows(settings_for: Make, low_score: Alert) -> None:
    with mail_server() as box:
        box.farewell = "421 too busy to say good-bye"
        told = tell(settings_for(**addressed(box)), [low_score], "run", NOON)
    assert told[0].status == "sent"
    assert len(box.envelopes) == 1


def test_one_alert_that_is_refused_keeps_no_other_from_being_mailed(settings_for: Make, low_score: Alert) -> None:
    with mail_server() as box:
        box.refusals[:] = ["554 never", "554 never"]
        told = tell(settings_for(**addressed(box)), [replace(low_score, rule=rule) for rule in "ab"], "run", NOON)
    assert [one.status for one in told] == ["failed", "sent"]


def test_half_a_letter_in_the_data_is_replaced_in_mail(settings_for: Make, low_score: Alert) -> None:
    broken = replace(low_score, subject="silver.\udc80", message="half \ud83d", command="look \ud83d", rule="")
    with mail_server() as box:
        assert tell(settings_for(**addressed(box)), [broken], "run", NOON)[0].status == "sent"
    assert mails(box)[0]["Subject"] == "[critical] silver. : half"
    assert "silver.?: half ?" in part(mails(box)[0], "plain")


@pytest.mark.parametrize(
    "given",
    [
        {"smtp_host": "127.0.0.1", "smtp_port": 1},
        {"smtp_host": "no such host", "smtp_port": 25},
        {"smtp_host": "x" * 70 + ".example", "smtp_port": 25},
    ],
)
def test_a_server_that_is_not_there_is_a_failure(
    settings_for: Make, low_score: Alert, given: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_for(mail_to="a@example.org", smtp_encryption="none", attempts=2, **given)
    assert tell(settings, [low_score], "run", NOON)[0].status == "failed"
    assert "Alerts could not be delivered to mail" in caplog.text


def test_one_dead_channel_does_not_keep_the_other_from_telling(settings_for: Make, low_score: Alert) -> None:
    with mail_server() as box:
        dead = f"http://127.0.0.1:{dead_port()}/"
        settings = settings_for(**addressed(box), slack_webhook=dead, attempts=1)
        told = tell(settings, [low_score], "run", NOON)
    assert [(one.status, one.channels) for one in told] == [("sent", ("mail",))]
    assert len(box.envelopes) == 1
