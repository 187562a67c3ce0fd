import multiprocessing
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from endpoints import GOOD, dead_port, webhook

from lakehouse.alerts.alert import Alert
from lakehouse.alerts.send import digest, job_failed, tell
from lakehouse.alerts.state import in_memory, opened, state_file
from lakehouse.alerts.told import Raised, Told
from lakehouse.errors import LakehouseError
from lakehouse.locks import exclusive
from lakehouse.ops.schema import ALERTS
from lakehouse.settings import Settings

Make = Callable[..., Settings]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def test_without_a_channel_an_alert_is_only_kept(settings_for: Make, low_score: Alert, odd_volume: Alert) -> None:
    settings = settings_for()
    told = tell(settings, [low_score, odd_volume], "run", NOON)
    assert [one.status for one in told] == ["unheard", "unheard"]
    with opened(settings.home, NOON, 1) as state:
        assert [one.raised.alert for one in state.recent(5)] == [odd_volume, low_score]


def test_what_was_told_is_a_row_of_ops_alerts(settings_for: Make, low_score: Alert) -> None:
    row = tell(settings_for(), [low_score], "run-7", NOON)[0].row()
    assert list(row) == [column.name for column in ALERTS.columns]
    assert row["alert_id"] == f"run-7-{low_score.fingerprint}"
    assert (row["status"], row["channels"], row["raised_at"], row["score"]) == ("unheard", [], NOON, low_score.score)


def test_the_same_alert_is_told_again_only_when_it_was_quiet_long_enough(settings_for: Make, low_score: Alert) -> None:
    with webhook() as slack:
        settings = settings_for(slack_webhook=slack.url, quiet_minutes=240)
        worse = replace(low_score, score=0.5, message="in another 100 rows")
        statuses = [
            tell(settings, [alert], f"run at {minutes}", NOON + minutes * MINUTE)[0].status
            for minutes, alert in ((0, low_score), (1, worse), (239, worse), (240, worse))
        ]
    assert statuses == ["sent", "repeated", "repeated", "sent"]
    assert len(slack.payloads) == 2


def test_one_that_rises_from_warning_to_critical_is_another(settings_for: Make, low_score: Alert) -> None:
    with webhook() as slack:
        settings = settings_for(slack_webhook=slack.url)
        tell(settings, [replace(low_score, severity="warning")], "run 1", NOON)
        digest(settings, NOON)
        assert tell(settings, [low_score], "run 2", NOON + MINUTE)[0].status == "sent"
    assert [payload["text"][:10] for payload in slack.payloads] == ["[digest] 1", "[critical]"]


def test_an_alert_that_is_raised_twice_in_a_call_is_one(settings_for: Make, low_score: Alert) -> None:
    with webhook() as slack:
        told = tell(settings_for(slack_webhook=slack.url), [low_score, replace(low_score, score=0.1)], "run", NOON)
    assert [one.raised.alert.score for one in told] == [low_score.score]
    assert len(slack.payloads) == 1


def test_warnings_wait_and_are_told_together_once_in_so_many_hours(settings_for: Make, odd_volume: Alert) -> None:
    slow = Alert("warning", "delay", "silver.movies", "1.5 hours from arrival to Silver", "lakehouse history")
    with webhook() as slack:
        settings = settings_for(slack_webhook=slack.url, digest_hours=24)
        first = tell(settings, [odd_volume], "run 1", NOON)
        assert [(one.status, one.channels) for one in first] == [("waiting", ())]
        assert tell(settings, [odd_volume, slow], "run 2", NOON + 23 * HOUR)[0].status == "waiting"
        assert slack.payloads == []
        told = tell(settings, [], "run 3", NOON + 24 * HOUR)
        assert {(one.raised.run_id, one.raised.alert.subject, one.status) for one in told} == {
            ("run 1", "bronze.movies", "sent"),
            ("run 2", "bronze.movies", "sent"),
            ("run 2", "silver.movies", "sent"),
        }
        # the next one is a day later again, though something new waits
        assert tell(settings, [odd_volume], "run 4", NOON + 40 * HOUR)[0].status == "waiting"
        assert tell(settings, [], "run 5", NOON + 47 * HOUR) == []
        assert len(tell(settings, [], "run 6", NOON + 48 * HOUR)) == 1
    assert len(slack.payloads) == 2
    blocks = slack.payloads[0]["blocks"]
    assert slack.payloads[0]["text"] == "[digest] 2 warnings: bronze.movies, silver.movies"
    assert [block["text"]["text"] for block in blocks[1:3]] == [
        "*bronze.movies*: 12 rows, 5,000 are usual\n"
        "volume_is_usual, score 9, threshold 4, 2 times, 2026-03-02 11:00 UTC\n```lakehouse history```",
        "*silver.movies*: 1.5 hours from arrival to Silver\n2026-03-02 11:00 UTC\n```lakehouse history```",
    ]


def test_a_digest_that_fails_is_sent_at_the_next_occasion(settings_for: Make, odd_volume: Alert) -> None:
    with webhook((500, {}, b"")) as slack:
        settings = settings_for(slack_webhook=slack.url, attempts=1)
        tell(settings, [odd_volume], "run 1", NOON)
        assert tell(settings, [], "run 2", NOON + 24 * HOUR) == []
        slack.answers[:] = [GOOD]
        assert [one.status for one in tell(settings, [], "run 3", NOON + 25 * HOUR)] == ["sent"]


def test_a_very_long_digest_is_cut_and_says_so(settings_for: Make, odd_volume: Alert) -> None:
    with webhook() as slack:
        settings = settings_for(slack_webhook=slack.url)
        tell(settings, [replace(odd_volume, rule=f"rule {number}") for number in range(60)], "run", NOON)
        assert len(digest(settings, NOON)) == 60
        assert digest(settings, NOON) == []
    (payload,) = slack.payloads
    assert len(payload["blocks"]) == 42
    assert payload["blocks"][-1]["elements"][0]["text"] == "20 more are not shown. All alerts: lakehouse alerts"


def test_messages_beyond_those_of_an_hour_go_to_the_digest(settings_for: Make, low_score: Alert) -> None:
    with webhook() as slack:
        settings = settings_for(slack_webhook=slack.url, per_hour=2)
        statuses = [
            tell(settings, [replace(low_score, rule=f"rule_{minute}")], "run", NOON + minute * MINUTE)[0].status
            for minute in (0, 1, 2, 3, 61)
        ]
        assert statuses == ["sent", "sent", "limited", "limited", "sent"]
        told = tell(settings, [], "run", NOON + 25 * HOUR)
    assert [(one.raised.alert.rule, one.status) for one in told] == [("rule_2", "sent"), ("rule_3", "sent")]
    assert slack.payloads[-1]["text"] == "[digest] 2 critical: silver.movies"


def test_a_clock_that_was_wrong_once_silences_nothing(settings_for: Make, low_score: Alert, odd_volume: Alert) -> None:
    with webhook() as slack:
        settings = settings_for(slack_webhook=slack.url)
        far = NOON.replace(year=2099)
        tell(settings, [low_score, odd_volume], "run 1", far)
        digest(settings, far)
        told = tell(settings, [low_score, replace(odd_volume, rule="other")], "run 2", NOON)
    assert [one.status for one in told] == ["sent", "sent"]


@pytest.mark.parametrize("content", [b"this is no database", b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_broken_state_file_is_moved_aside(settings_for: Make, low_score: Alert, content: bytes) -> None:
    with webhook() as slack:
        settings = settings_for(slack_webhook=slack.url)
        path = state_file(settings.home)
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        assert tell(settings, [low_score], "run 1", NOON)[0].status == "sent"
        assert tell(settings, [low_score], "run 2", NOON)[0].status == "repeated"
    assert [file.read_bytes() for file in path.parent.glob("*.broken-2026-03-01T120000Z")] == [content]


def test_a_state_file_damaged_in_its_middle_is_moved_aside(
    settings_for: Make, low_score: Alert, odd_volume: Alert
) -> None:
    settings = settings_for(slack_webhook=f"http://127.0.0.1:{dead_port()}/", attempts=1)
    tell(settings, [replace(odd_volume, rule=f"rule {number}") for number in range(200)], "run", NOON)
    path = state_file(settings.home)
    content = bytearray(path.read_bytes())
    content[4096:12288] = b"\x5a" * 8192
    path.write_bytes(content)
    assert tell(settings, [low_score, odd_volume], "run 1", NOON)[1].status == "waiting"
    assert len(list(path.parent.glob("*.broken-*"))) == 1


def test_without_a_state_that_can_be_used_critical_alerts_are_told_and_nothing_is_raised(
    settings_for: Make, low_score: Alert, odd_volume: Alert, caplog: pytest.LogCaptureFixture
) -> None:
    with webhook() as slack:
        settings = settings_for(slack_webhook=slack.url)
        settings.home.mkdir()
        (settings.home / "ops").write_text("a file where a folder should be")
        told = tell(settings, [low_score, odd_volume], "run 1", NOON)
    assert [one.status for one in told] == ["sent", "failed"]
    assert "warnings are lost" in caplog.text


def test_a_state_that_another_process_holds_is_not_waited_for_long(settings_for: Make, low_score: Alert) -> None:
    from time import monotonic

    with webhook() as slack:
        settings = settings_for(slack_webhook=slack.url, at_most_seconds=2)
        tell(settings, [], "run", NOON)
        holder = sqlite3.connect(state_file(settings.home), isolation_level=None)
        holder.execute("begin exclusive")
        began = monotonic()
        told = tell(settings, [low_score], "run", NOON)
        assert monotonic() - began < 2
        holder.close()
    assert told[0].status == "sent"


def _slowly_takes(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(0.05)
    handler.send_response(200)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def _tell_some(settings: Settings, warning: Alert, critical: Alert, name: str) -> None:
    for number in range(5):
        alerts = [replace(warning, rule=f"{name} {number}"), replace(critical, rule=f"shared {number}")]
        tell(settings, alerts, name, NOON)


def _tell_one(settings: Settings, warning: Alert, critical: Alert, name: str) -> None:
    tell(settings, [replace(critical, rule=name)], name, NOON)


def _at_once(work: Callable[..., None], *arguments: object) -> None:
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=work, args=(*arguments, name)) for name in "abcd"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4


def test_processes_that_tell_at_the_same_time_lose_nothing_and_tell_nothing_twice(
    settings_for: Make, odd_volume: Alert, low_score: Alert
) -> None:
    with webhook(misbehave=_slowly_takes) as slack:
        settings = settings_for(slack_webhook=slack.url, at_most_seconds=60)
        _at_once(_tell_some, settings, odd_volume, low_score)
        assert sorted(payload["text"] for payload in slack.payloads) == [
            f"[critical] silver.movies: shared {number} 0.9311, threshold 0.95" for number in range(5)
        ]
        assert len(digest(settings, NOON)) == 20
    assert len(slack.payloads) == 6


def test_processes_that_tell_at_the_same_time_keep_to_the_bound_of_an_hour(
    settings_for: Make, odd_volume: Alert, low_score: Alert
) -> None:
    with webhook(misbehave=_slowly_takes) as slack:
        settings = settings_for(slack_webhook=slack.url, at_most_seconds=60, per_hour=2)
        _at_once(_tell_one, settings, odd_volume, low_score)
        assert len(slack.payloads) == 2
        assert len(digest(settings, NOON)) == 2


def test_a_process_that_tells_for_too_long_is_not_waited_for(
    settings_for: Make, low_score: Alert, caplog: pytest.LogCaptureFixture
) -> None:
    with webhook() as slack:
        settings = settings_for(slack_webhook=slack.url, at_most_seconds=2)
        began = time.monotonic()
        with exclusive(settings.home / "ops" / "alerts.lock"):
            assert tell(settings, [low_score], "run", NOON)[0].status == "sent"
        assert time.monotonic() - began < 2
    assert "alerts may be told twice" in caplog.text


def test_what_waits_outlives_a_clock_that_was_wrong(settings_for: Make, low_score: Alert, odd_volume: Alert) -> None:
    with webhook((500, {}, b"")) as slack:
        settings = settings_for(slack_webhook=slack.url, attempts=1)
        tell(settings, [low_score, odd_volume], "run 1", NOON)
        tell(settings, [], "run 2", NOON.replace(year=2099))
        slack.answers[:] = [GOOD]
        told = digest(settings, NOON + MINUTE)
    assert {(one.raised.run_id, one.status) for one in told} == {("run 1", "sent")}
    assert len(told) == 2


def test_what_was_limited_and_is_told_at_once_later_is_not_in_the_digest_again(
    settings_for: Make, low_score: Alert
) -> None:
    with webhook() as slack:
        settings = settings_for(slack_webhook=slack.url, per_hour=1)
        tell(settings, [replace(low_score, rule="other")], "run 1", NOON)
        assert tell(settings, [low_score], "run 2", NOON + MINUTE)[0].status == "limited"
        told = tell(settings, [low_score], "run 3", NOON + 2 * HOUR)
        assert [(one.raised.run_id, one.status) for one in told] == [("run 3", "sent"), ("run 2", "sent")]
        assert digest(settings, NOON + 2 * HOUR) == []
    assert ", 2 times" in str(slack.payloads[1])


def test_what_a_later_version_wrote_of_an_alert_is_passed_over(settings_for: Make, odd_volume: Alert) -> None:
    with webhook() as slack:
        settings = settings_for(slack_webhook=slack.url)
        tell(settings, [odd_volume], "run", NOON)
        with closing(sqlite3.connect(state_file(settings.home))) as connection:
            connection.execute("update alerts set alert = json_set(alert, '$.owner', 'me')")
            connection.commit()
        assert [one.raised.alert for one in digest(settings, NOON)] == [odd_volume]


def test_an_error_that_nobody_foresaw_is_not_raised(
    settings_for: Make, low_score: Alert, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("odd")

    with webhook() as slack:
        settings = settings_for(slack_webhook=slack.url)
        monkeypatch.setattr("lakehouse.alerts.send.opened", fail)
        assert tell(settings, [low_score], "run", NOON)[0].status == "sent"
        assert "The state of alerts cannot be used" in caplog.text
        monkeypatch.setattr("lakehouse.alerts.send.decide", fail)
        assert tell(settings, [low_score], "run", NOON)[0].status == "failed"
    assert "KeyError, which was not foreseen" in caplog.text


def test_what_cannot_be_kept_is_not_said_to_be(
    settings_for: Make, low_score: Alert, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_for(slack_webhook=f"http://127.0.0.1:{dead_port()}/", attempts=1)
    settings.home.mkdir()
    (settings.home / "ops").write_text("a file where a folder should be")
    assert tell(settings, [low_score], "run", NOON)[0].status == "failed"
    assert "They are not kept." in caplog.text
    assert "They are kept" not in caplog.text


def test_old_alerts_are_forgotten(settings_for: Make, low_score: Alert) -> None:
    settings = settings_for()
    tell(settings, [low_score], "old", NOON)
    tell(settings, [low_score], "new", NOON + timedelta(days=91))
    with opened(settings.home, NOON, 1) as state:
        assert [one.raised.run_id for one in state.recent(9)] == ["new"]


def test_a_change_that_fails_half_way_writes_nothing(low_score: Alert) -> None:
    with in_memory() as state:

        def fail_half_way() -> None:
            with state.change():
                state.keep(Told(Raised(low_score, "run", NOON), "failed"))
                raise KeyError

        with pytest.raises(KeyError):
            fail_half_way()
        assert state.recent(9) == []


def test_a_job_out_of_retries_says_what_ended_it_and_how_to_look_closer() -> None:
    error = LakehouseError("HDFS does not answer.\nlong trace", "Start it.")
    alert = job_failed("tmdb_transform.silver", error, "run-7")
    assert (alert.severity, alert.kind, alert.subject) == ("critical", "job", "tmdb_transform.silver")
    assert alert.message == "It failed and is not tried again: HDFS does not answer."
    assert alert.command == "lakehouse history --run run-7"
    assert job_failed("run", ValueError(), "r").message == "It failed and is not tried again: ValueError"
