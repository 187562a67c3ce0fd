from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import typer
from endpoints import SECRET_PATH, dead_port, mail_server, webhook
from typer.testing import CliRunner, Result

from lakehouse.alerts.alert import Alert
from lakehouse.alerts.commands import register
from lakehouse.alerts.send import tell
from lakehouse.alerts.wording import figures
from lakehouse.errors import ConfigurationError, LakehouseError
from lakehouse.ops.journal import journals, read_alerts
from lakehouse.settings import Settings

Make = Callable[..., Settings]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    app = typer.Typer()
    register(app)
    # one command alone would not be named on the command line
    app.command("other")(lambda: None)

    def invoke(settings: Settings, *arguments: str) -> Result:
        monkeypatch.setattr("lakehouse.alerts.commands.load_settings", lambda: settings)
        return CliRunner().invoke(app, ["alerts", *arguments])

    return invoke


def test_the_latest_alerts_are_listed(
    run: Callable[..., Result], settings_for: Make, low_score: Alert, odd_volume: Alert
) -> None:
    assert run(settings_for()).output == "No alert has been raised.\n"
    with webhook() as slack:
        settings = settings_for(slack_webhook=slack.url)
        tell(settings, [low_score, odd_volume], "run", NOON)
    lines = [" ".join(line.split()) for line in run(settings).output.splitlines()]
    assert lines[1].startswith("2026-03-01 12:00 UTC warning bronze.movies: volume_is_usual 9 4 12 rows")
    assert lines[1].endswith("waiting")
    assert "critical silver.movies: title_is_known 0.9311 0.95" in lines[2]
    assert lines[2].endswith("sent (slack)")


def test_a_test_message_says_of_each_channel_what_happened(run: Callable[..., Result], settings_for: Make) -> None:
    nothing = run(settings_for(), "test")
    assert nothing.exit_code == 1
    assert "slack  not set up: needs alerts.slack_webhook" in nothing.output
    assert "mail   not set up: needs alerts.smtp_host and alerts.mail_to" in nothing.output
    with webhook() as slack, mail_server() as box:
        mail = {"smtp_host": "127.0.0.1", "smtp_port": box.port, "smtp_encryption": "none", "mail_to": "a@example.org"}
        good = run(settings_for(slack_webhook=slack.url, **mail), "test")
        assert (good.exit_code, good.output) == (0, "slack  sent\nmail   sent\n")
        assert slack.payloads[0]["text"] == "[test] TMDB Lakehouse: alerts arrive here"
        assert b"Subject: [test] TMDB Lakehouse" in bytes(box.envelopes[0].content)  # type: ignore[arg-type]
        dead = f"http://127.0.0.1:{dead_port()}{SECRET_PATH}"
        bad = run(settings_for(slack_webhook=dead, attempts=2, **mail), "test")
    assert bad.exit_code == 1
    assert "slack  failed: ConnectError, after 2 attempts" in bad.output
    assert "mail   sent" in bad.output
    assert "hunter2" not in bad.output


def test_the_digest_can_be_sent_by_hand(run: Callable[..., Result], settings_for: Make, odd_volume: Alert) -> None:
    assert isinstance(run(settings_for(), "digest").exception, LakehouseError)
    with webhook((404, {}, b"no_service"), (200, {}, b"")) as slack:
        settings = settings_for(slack_webhook=slack.url)
        tell(settings, [odd_volume], "run", NOON)
        bad = run(settings, "digest", "--as-of", "2026-03-01T13:00:00Z")
        assert "1 alerts still wait for slack" in str(bad.exception)
        good = run(settings, "digest", "--as-of", "2026-03-01T14:00:00Z")
        assert good.exit_code == 0
        assert "sent (slack)" in good.output
        (row,) = read_alerts(settings.home)
        assert (row["run_id"], row["subject"], row["status"]) == ("run", odd_volume.subject, "sent")
        assert [path.name[:7] for path, _ in journals(settings.home)] == ["digest-"]
        assert run(settings, "digest", "--as-of", "2026-03-01T15:00:00Z").output == "Nothing was sent.\n"


def test_a_digest_of_the_time_to_come_is_refused(
    run: Callable[..., Result], settings_for: Make, odd_volume: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakehouse.alerts.commands.now", lambda: NOON)
    with webhook() as slack:
        settings = settings_for(slack_webhook=slack.url)
        tell(settings, [odd_volume], "run", NOON)
        late = run(settings, "digest", "--as-of", "2026-03-01T12:00:01Z")
        assert isinstance(late.exception, ConfigurationError)
        assert slack.payloads == []


def test_markup_in_the_data_is_shown_as_it_is(
    run: Callable[..., Result], settings_for: Make, odd_volume: Alert
) -> None:
    settings = settings_for()
    tell(settings, [replace(odd_volume, message=r"of \[red]C:\[/] it", rule="[bold]")], "run", NOON)
    listed = run(settings)
    assert listed.exit_code == 0
    assert r"of \[red]C:\[/] it" in " ".join(listed.output.split())
    assert "[bold]" in listed.output


def test_figures_are_as_long_as_it_takes_to_tell_them_apart() -> None:
    assert figures(0.93111, 0.95) == ("0.9311", "0.95")
    assert figures(0.9999996, 1.0) == ("0.9999996", "1")
    assert figures(12345.0, None) == ("12,345", "")
    assert figures(1.0, 1.0) == ("1", "1")
