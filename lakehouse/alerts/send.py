"""Tells people what is wrong: critical alerts at once, warnings in a digest.

Nothing here raises or takes longer than `alerts.at_most_seconds`, whatever endpoints, disk and state do, so that a run
can call it anywhere. What could not be delivered is kept and tried at the next occasion. docs/alerts.md has the rules.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from lakehouse.alerts.alert import Alert
from lakehouse.alerts.channels import configured
from lakehouse.alerts.delivery import Attempted, Batch, Pace, deliver
from lakehouse.alerts.plan import ChannelPlan, Plan, decide
from lakehouse.alerts.state import in_memory, opened
from lakehouse.alerts.told import Raised, Status, Told
from lakehouse.alerts.wording import done_message, try_out_message
from lakehouse.errors import LakehouseError
from lakehouse.locks import exclusive_within
from lakehouse.settings import Settings

_log = logging.getLogger(__name__)

# Parts of the time: what the wait for another process that tells may take, and one wait for the state (three before,
# three after); and when delivery ends.
_TURN_WAITS = 0.4
_STATE_WAITS = 0.04
_DELIVERY_ENDS = 0.85


def tell(settings: Settings, alerts: Sequence[Alert], run_id: str, at: datetime) -> list[Told]:
    """Tell what is critical, keep warnings for the digest, and send the digest where it is due.

    A run calls it at its end also with no alert: what is owed from before, and the digest, go with it.

    Args:
        settings: `alerts` says whom and how, `home` where it is noted.
        alerts: what is wrong; those with the same fingerprint are one.
        run_id: the run that found it.
        at: the present.

    Returns:
        The alerts of this call in order, then those of earlier calls that were delivered only now. Raises nothing.
    """
    first = {alert.fingerprint: Raised(alert, run_id, at) for alert in reversed(alerts)}
    return _tell(settings, tuple(reversed(first.values())), at, digest_now=False)


def digest(settings: Settings, at: datetime) -> list[Told]:
    """Send now what waits: the digest, due or not, and what is owed. Gives what was delivered; raises nothing."""
    return _tell(settings, (), at, digest_now=True)


def try_out(settings: Settings, at: datetime) -> dict[str, str]:
    """Send a test message to each channel: channel -> why it was not delivered, empty where it was."""
    batches = [Batch(channel, [try_out_message(at)], 1) for channel in configured(settings.alerts)]
    return {name: found[0].failure for name, found in deliver(batches, _pace(settings, time.monotonic())).items()}


def say_done(settings: Settings, what: str, told: str, at: datetime) -> dict[str, str]:
    """Tell that a cycle has ended well, where `alerts.says_done` is on; raises nothing.

    Args:
        settings: `alerts` says whom and how.
        what: what is new, in a line.
        told: what came of it.
        at: the present; that of a message that is sent again is the same.

    Returns:
        Channel -> why it was not delivered, empty where it was.
    """
    if not settings.alerts.says_done:
        return {}
    batches = [Batch(channel, [done_message(what, told, at)], 1) for channel in configured(settings.alerts)]
    try:
        return {name: found[0].failure for name, found in deliver(batches, _pace(settings, time.monotonic())).items()}
    except Exception as error:  # noqa: BLE001
        _log.warning("That the cycle is done could not be told: %s, which was not foreseen.", type(error).__name__)
        return {}


def job_failed(job: str, error: Exception | str, run_id: str) -> Alert:
    """The alert of a job that failed at its last attempt.

    Args:
        job: its name, e.g. `run` or `tmdb_transform.silver`.
        error: what ended it.
        run_id: the run, which the command shows.
    """
    text = (error.message if isinstance(error, LakehouseError) else str(error)).strip()
    reason = text.splitlines()[0] if text else type(error).__name__
    message = f"It failed and is not tried again: {reason}"
    return Alert("critical", "job", job, message, f"lakehouse history --run {run_id}")


def _tell(settings: Settings, raised: tuple[Raised, ...], at: datetime, digest_now: bool) -> list[Told]:
    """One process at a time, so that none sends what another just does; who waits too long goes on all the same."""
    began = time.monotonic()
    turn = settings.home / "ops" / "alerts.lock"
    with exclusive_within(turn, settings.alerts.at_most_seconds * _TURN_WAITS) as is_alone:
        if not is_alone:
            _log.warning("Another process tells at this time, or %s cannot be held: alerts may be told twice.", turn)
        try:
            return _told(settings, raised, at, digest_now, began)
        except Exception as error:  # noqa: BLE001
            _log.warning("Alerts could not be told: %s, which was not foreseen.", type(error).__name__)
            return [Told(one, "failed") for one in raised]


def _told(settings: Settings, raised: tuple[Raised, ...], at: datetime, digest_now: bool, began: float) -> list[Told]:
    plan, is_kept = _decided(settings, raised, at, digest_now)
    found = deliver([its.batch for its in plan.channels], _pace(settings, began))
    arrived = [alert_id for its in plan.channels for alert_id in _arrived(plan, its, found[its.channel.name], is_kept)]
    if not is_kept:
        _forgotten(plan)
    results = [
        replace(plan.known[alert_id], status=plan.overall(alert_id))
        for alert_id in dict.fromkeys([*(one.alert_id for one in raised), *arrived])
    ]
    if is_kept:
        _note(settings, plan, found, results, at)
    return results


def _pace(settings: Settings, began: float) -> Pace:
    bounds = settings.alerts
    return Pace(bounds.attempts, bounds.timeout_seconds, began + bounds.at_most_seconds * _DELIVERY_ENDS)


def _patience(settings: Settings) -> float:
    return settings.alerts.at_most_seconds * _STATE_WAITS


def _decided(settings: Settings, raised: tuple[Raised, ...], at: datetime, digest_now: bool) -> tuple[Plan, bool]:
    """The plan, and whether it could be noted; where it could not, what is critical is told all the same."""
    channels = configured(settings.alerts)
    try:
        with opened(settings.home, at, _patience(settings)) as state, state.change():
            return decide(state, settings.alerts, channels, raised, at, digest_now), True
    except Exception as error:  # noqa: BLE001
        _log.warning(
            "The state of alerts cannot be used (%s): critical alerts may be told again, warnings are lost.", error
        )
    with in_memory() as state, state.change():
        return decide(state, settings.alerts, channels, raised, at, digest_now=False), False


def _arrived(plan: Plan, its: ChannelPlan, found: Sequence[Attempted], is_kept: bool) -> list[str]:
    """Bring the fates up to what delivery came to, and give the alerts that arrived."""
    arrived: list[str] = []
    for one in found:
        for alert_id in one.message.alert_ids:
            its.fates[alert_id] = "failed" if one.failure else "sent"
            if not one.failure:
                told = plan.known[alert_id]
                channels = tuple(sorted({*told.channels, its.channel.name}))
                plan.known[alert_id] = replace(told, channels=channels)
                arrived.append(alert_id)
    failed = next((one.failure for one in found if one.failure), "")
    if failed:
        fate = "They are kept and tried again." if is_kept else "They are not kept."
        _log.warning("Alerts could not be delivered to %s: %s. %s", its.channel.name, failed, fate)
    return arrived


def _forgotten(plan: Plan) -> None:
    """What should wait does not, where nothing can be noted."""
    kept: tuple[Status, ...] = ("waiting", "limited")
    for its in plan.channels:
        its.fates |= {alert_id: "failed" for alert_id, fate in its.fates.items() if fate in kept}


def _note(
    settings: Settings, plan: Plan, found: Mapping[str, list[Attempted]], results: list[Told], at: datetime
) -> None:
    try:
        with opened(settings.home, at, _patience(settings)) as state, state.change():
            for told in results:
                state.keep(told)
            for its in plan.channels:
                for message in (one.message for one in found[its.channel.name] if not one.failure):
                    alerts = [plan.known[alert_id].raised for alert_id in message.alert_ids]
                    state.delivered(its.channel.name, alerts, at, digest=message.kind == "digest")
    except Exception as error:  # noqa: BLE001
        _log.warning("What was told cannot be noted (%s): it may be told again.", error)
