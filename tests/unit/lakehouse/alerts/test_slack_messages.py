from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler

import pytest
from endpoints import GOOD, SECRET_PATH, dead_port, drips, hangs, webhook

from lakehouse.alerts.alert import Alert
from lakehouse.alerts.send import digest, tell
from lakehouse.settings import Settings

Make = Callable[..., Settings]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_critical_alert_is_posted_at_once_with_all_that_a_person_needs(settings_for: Make, low_score: Alert) -> None:
    with webhook() as slack:
        told = tell(settings_for(slack_webhook=slack.url), [low_score], "run-7", NOON)
    assert [(one.status, one.channels) for one in told] == [("sent", ("slack",))]
    assert slack.paths == [SECRET_PATH]
    assert slack.headers[0]["Content-Type"] == "application/json"
    assert slack.payloads == [
        {
            "text": "[critical] silver.movies: title_is_known 0.9311, threshold 0.95",
            "blocks": [
                {
                    "type": "header",
                    "text": {
                        "type": "plain_text",
                        "text": "[critical] silver.movies: title_is_known 0.9311, threshold 0.95",
                    },
                },
                {
                    "type": "section",
                    "text": {
                        "type": "mrkdwn",
                        "text": "*silver.movies*: the title is missing in 31 of 450 rows &lt;b&gt; &amp; so on",
                        "verbatim": True,
                    },
                },
                {
                    "type": "section",
                    "fields": [
                        {"type": "mrkdwn", "text": text, "verbatim": True}
                        for text in (
                            "*Table*\nsilver.movies",
                            "*Rule*\ntitle_is_known",
                            "*Score*\n0.9311",
                            "*Threshold*\n0.95",
                            "*Run*\nrun-7",
                            "*Raised*\n2026-03-01 12:00 UTC",
                        )
                    ],
                },
                {
                    "type": "section",
                    "text": {
                        "type": "mrkdwn",
                        "text": '*Failing rows*\n```603 | {"title": null}\n604 | {"title": " "}```',
                        "verbatim": True,
                    },
                },
                {
                    "type": "section",
                    "text": {
                        "type": "mrkdwn",
                        "text": '*Look closer*\n```lakehouse sql "select movie_id, title from silver.movies '
                        "where not (title &lt;&gt; '')\"```",
                        "verbatim": True,
                    },
                },
                {"type": "divider"},
                {
                    "type": "context",
                    "elements": [{"type": "mrkdwn", "text": "All alerts: lakehouse alerts", "verbatim": True}],
                },
            ],
        }
    ]


def test_several_alerts_of_a_call_are_one_message_and_very_many_are_several_within_what_slack_takes(
    settings_for: Make, low_score: Alert
) -> None:
    alerts = [replace(low_score, rule=f"rule_{number}", examples=("x" * 5000,) * 9) for number in range(18)]
    alerts.append(replace(low_score, rule="rule_18", examples=("<" * 5000,) * 9))
    with webhook() as slack:
        told = tell(settings_for(slack_webhook=slack.url), alerts, "run", NOON)
    assert [one.raised.alert.rule for one in told] == [f"rule_{number}" for number in range(19)]
    assert {one.status for one in told} == {"sent"}
    assert [payload["text"] for payload in slack.payloads] == [
        "[critical] 8 alerts: silver.movies",
        "[critical] 8 alerts: silver.movies",
        "[critical] 3 alerts: silver.movies",
    ]
    for payload in slack.payloads:
        assert len(payload["blocks"]) <= 50
        for block in payload["blocks"]:
            assert len(block.get("text", {"text": ""})["text"]) <= (150 if block["type"] == "header" else 3000)
            assert len(block.get("fields", [])) <= 10
    assert "and 4 more" in str(slack.payloads[0])


def test_text_of_the_data_can_neither_mention_people_nor_leave_its_box(settings_for: Make, low_score: Alert) -> None:
    sly = replace(low_score, message="<!channel> look\nat *this*", examples=("``` out\n<https://evil.example|here>",))
    with webhook() as slack:
        tell(settings_for(slack_webhook=slack.url), [sly], "run", NOON)
    text = str(slack.payloads[0])
    assert "<" not in text.replace("\\n", "")
    assert "&lt;!channel&gt;" in text
    assert "```''' out &lt;https://evil.example|here&gt;```" in text


def test_a_server_error_is_tried_again_and_a_refusal_is_not(settings_for: Make, low_score: Alert) -> None:
    with webhook((500, {}, b""), (503, {}, b""), GOOD) as slack:
        assert tell(settings_for(slack_webhook=slack.url), [low_score], "run", NOON)[0].status == "sent"
    assert len(slack.payloads) == 3
    with webhook((404, {}, b"no_service")) as slack:
        other = replace(low_score, rule="another")
        assert tell(settings_for(slack_webhook=slack.url), [other], "run", NOON)[0].status == "failed"
    assert len(slack.payloads) == 1


def test_one_alert_that_is_refused_keeps_no_other_from_arriving(settings_for: Make, low_score: Alert) -> None:
    def refuse_bad(handler: BaseHTTPRequestHandler) -> None:
        is_bad = "rule_bad" in str(slack.payloads[-1])
        handler.send_response(400 if is_bad else 200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with webhook(misbehave=refuse_bad) as slack:
        settings = settings_for(slack_webhook=slack.url)
        alerts = [replace(low_score, rule=f"rule_{name}") for name in ("a", "b", "bad", "c", "d")]
        told = tell(settings, alerts, "run 1", NOON)
        assert [one.status for one in told] == ["sent", "sent", "failed", "sent", "sent"]
        # what is new goes first, and what was refused before is tried after it
        assert [one.status for one in tell(settings, [replace(low_score, rule="rule_e")], "run 2", NOON)] == ["sent"]
        warnings = [replace(alert, severity="warning", rule=f"{alert.rule}_too") for alert in alerts]
        tell(settings, warnings, "run 3", NOON)
        assert {one.raised.alert.rule for one in digest(settings, NOON)} == {
            f"rule_{name}_too" for name in ("a", "b", "c", "d")
        }
    assert [payload["text"] for payload in slack.payloads[5:7]] == [
        "[critical] 2 alerts: silver.movies",
        "[critical] silver.movies: rule_e 0.9311, threshold 0.95",
    ]


def test_parts_of_a_refused_message_keep_to_the_bound_of_an_hour(settings_for: Make, low_score: Alert) -> None:
    with webhook((400, {}, b"invalid_blocks"), GOOD) as slack:
        settings = settings_for(slack_webhook=slack.url, per_hour=1)
        told = tell(settings, [replace(low_score, rule=rule) for rule in "abcd"], "run", NOON)
    assert [one.status for one in told] == ["sent", "sent", "failed", "failed"]
    assert len(slack.payloads) == 2


def test_a_webhook_that_refuses_everything_is_not_asked_for_every_alert(settings_for: Make, low_score: Alert) -> None:
    with webhook((404, {}, b"no_service")) as slack:
        settings = settings_for(slack_webhook=slack.url)
        tell(settings, [replace(low_score, rule=rule) for rule in "abcdefghijkl"], "run", NOON)
    assert len(slack.payloads) == 1
    with webhook((400, {}, b"invalid_payload")) as slack:
        settings = settings_for(slack_webhook=slack.url)
        tell(settings, [replace(low_score, rule=f"rule {number}") for number in range(60)], "run", NOON)
    assert len(slack.payloads) == 16


def test_half_a_letter_in_the_data_is_replaced(settings_for: Make, low_score: Alert) -> None:
    broken = replace(low_score, message="half \ud83d of it", examples=("603 | \ud83d",), rule="a")
    with webhook() as slack:
        settings = settings_for(slack_webhook=slack.url)
        assert tell(settings, [broken, replace(low_score, rule="b")], "run", NOON)[0].status == "sent"
    assert "half ? of it" in str(slack.payloads[0])


def test_an_error_that_no_channel_foresaw_is_a_failure_at_once_and_says_no_secret(
    settings_for: Make, low_score: Alert, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ImportError("no socks for http://hunter2")

    monkeypatch.setattr("lakehouse.alerts.slack.httpx.Client", fail)
    settings = settings_for(slack_webhook="http://127.0.0.1:1/hunter2", timeout_seconds=4)
    assert tell(settings, [low_score], "run", NOON)[0].status == "failed"
    assert "ImportError, which was not foreseen" in caplog.text
    assert "hunter2" not in caplog.text


def test_too_many_requests_are_answered_by_the_wait_that_is_asked_for(settings_for: Make, low_score: Alert) -> None:
    with webhook((429, {"Retry-After": "1"}, b""), GOOD) as slack:
        assert tell(settings_for(slack_webhook=slack.url), [low_score], "run", NOON)[0].status == "sent"
    assert slack.times[1] - slack.times[0] >= 1


def test_a_wait_beyond_the_bound_is_not_begun(
    settings_for: Make, low_score: Alert, caplog: pytest.LogCaptureFixture
) -> None:
    with webhook((429, {"Retry-After": "3600"}, b"")) as slack:
        settings = settings_for(slack_webhook=slack.url)
        assert tell(settings, [low_score], "run", NOON)[0].status == "failed"
        assert len(slack.payloads) == 1
        assert "HTTP 429" in caplog.text
        slack.answers[:] = [GOOD]
        # it stayed, and goes with whatever is told next
        told = tell(settings, [], "next run", NOON)
    assert [(one.raised.run_id, one.status, one.channels) for one in told] == [("run", "sent", ("slack",))]


def test_dead_slow_and_dripping_endpoints_are_survived_within_the_bound(settings_for: Make, low_score: Alert) -> None:
    from time import monotonic

    def seconds(url: str) -> float:
        settings = settings_for(slack_webhook=url, timeout_seconds=0.4, at_most_seconds=1.5, attempts=50)
        began = monotonic()
        assert tell(settings, [low_score], "run", NOON)[0].status == "failed"
        return monotonic() - began

    assert seconds(f"http://127.0.0.1:{dead_port()}{SECRET_PATH}") < 1.6
    for bad in (hangs, drips):
        with webhook(misbehave=bad) as slack:
            assert seconds(slack.url) < 1.6
            assert len(slack.payloads) >= 2, "one attempt takes no longer than its own bound"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/hunter2",
        "https://127.0.0.1:99999/hunter2",
        "hunter2",
        "ftp://hunter2",
        "http://hunter2 .example/",
        "http://[hunter2/",
        "http://exa\nmple/hunter2",
    ],
)
def test_an_address_that_is_none_is_a_failure_and_is_not_shown(
    settings_for: Make, low_score: Alert, url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    told = tell(settings_for(slack_webhook=url, attempts=1), [low_score], "run", NOON)
    assert told[0].status == "failed"
    assert "Alerts could not be delivered to slack" in caplog.text
    assert "hunter2" not in caplog.text + str(told) + "".join(capfd.readouterr())


def test_the_webhook_is_in_no_log_and_no_output(
    settings_for: Make,
    low_score: Alert,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    with webhook(GOOD, (500, {"Location": SECRET_PATH}, b""), (400, {}, SECRET_PATH.encode())) as slack:
        settings = settings_for(slack_webhook=slack.url)
        told = [tell(settings, [replace(low_score, rule=rule)], "run", NOON) for rule in "ab"]
        told.append(digest(settings, NOON))
    assert len(slack.payloads) == 4
    kept = b"".join(file.read_bytes() for file in settings.home.rglob("*") if file.is_file())
    shown = caplog.text + str(told) + repr(settings) + "".join(capfd.readouterr())
    assert "hunter2" not in shown
    assert b"hunter2" not in kept
    assert "HTTP 400" in shown
