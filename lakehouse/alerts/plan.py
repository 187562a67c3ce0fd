"""Decides what is sent to a channel now, what waits, and what was told before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lakehouse.alerts.delivery import Batch, Channel
from lakehouse.alerts.state import State, Why
from lakehouse.alerts.told import Raised, Status, Told, overall
from lakehouse.alerts.wording import MOST_AT_ONCE, Message, alert_message, digest_message, entries_of
from lakehouse.sections import Alerts


@dataclass
class ChannelPlan:
    """What a channel gets.

    Args:
        channel: which.
        messages: in the order in which they are sent: what this call raised, what is owed, the digest.
        room: how many may be delivered in this hour, without the digest.
        fates: alert id -> how the alert fares on this channel, as long as no message with it arrives.
    """

    channel: Channel
    messages: list[Message] = field(default_factory=list)
    room: int = 0
    fates: dict[str, Status] = field(default_factory=dict)

    @property
    def batch(self) -> Batch:
        """What is to be delivered."""
        return Batch(self.channel, self.messages, self.room)


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Args:
        channels: a plan each.
        known: alert id -> the alert, of this call and of what waited.
    """

    channels: list[ChannelPlan]
    known: dict[str, Told]

    def overall(self, alert_id: str) -> Status:
        """How an alert fares by all channels."""
        return overall(plan.fates[alert_id] for plan in self.channels if alert_id in plan.fates)


def decide(
    state: State, bounds: Alerts, channels: Sequence[Channel], raised: Sequence[Raised], at: datetime, digest_now: bool
) -> Plan:
    """Make the plan and note it, so that a process that dies now owes what it has not sent."""
    state.forget(at)
    earlier = {one.alert_id: state.find(one.alert_id) for one in raised}
    plan = Plan([], {})
    for one in raised:
        before = earlier[one.alert_id]
        plan.known[one.alert_id] = Told(one, "unheard", before.channels if before else ())
        state.keep(plan.known[one.alert_id])
    for channel in channels:
        plan.channels.append(_for_channel(state, bounds, channel, raised, at, digest_now))
        for one, _ in state.waiting(channel.name):
            found = state.find(one.alert_id)
            if found and one.alert_id not in plan.known:
                plan.known[one.alert_id] = found
    for one in raised:
        state.keep(Told(one, plan.overall(one.alert_id), plan.known[one.alert_id].channels))
    return plan


def _for_channel(
    state: State, bounds: Alerts, channel: Channel, raised: Sequence[Raised], at: datetime, digest_now: bool
) -> ChannelPlan:
    plan = ChannelPlan(channel)
    for one in raised:
        if state.is_quiet(channel.name, one.alert.fingerprint, at, bounds.quiet_minutes):
            plan.fates[one.alert_id] = "repeated"
            continue
        is_critical = one.alert.severity == "critical"
        state.wait(channel.name, one.alert_id, "owed" if is_critical else "digest")
        # What is critical has failed until it has arrived.
        plan.fates[one.alert_id] = "failed" if is_critical else "waiting"
    _call_from_digest(state, channel)
    new = {one.alert_id for one in raised}
    owed = sorted(entries_of(_waiting(state, channel, "owed")), key=lambda entry: new.isdisjoint(entry.alert_ids))
    batches = [tuple(owed[start : start + MOST_AT_ONCE]) for start in range(0, len(owed), MOST_AT_ONCE)]
    plan.room = max(0, bounds.per_hour - state.sent_this_hour(channel.name, at))
    plan.messages += [alert_message(batch, at) for batch in batches[: plan.room]]
    for alert_id in (name for batch in batches[plan.room :] for entry in batch for name in entry.alert_ids):
        state.wait(channel.name, alert_id, "digest")
        plan.fates[alert_id] = "limited"
    if digest_now or state.is_digest_due(channel.name, at, bounds.digest_hours):
        # One message in so many hours, so it is sent also where the hour has had its messages.
        entries = entries_of(_waiting(state, channel, "digest"))
        plan.messages += [digest_message(entries, at)] if entries else []
    return plan


def _call_from_digest(state: State, channel: Channel) -> None:
    """What waits for the digest and is owed by now goes with it, so that it is not told a second time."""
    owed = {one.alert.fingerprint for one in _waiting(state, channel, "owed")}
    for one in _waiting(state, channel, "digest"):
        if one.alert.fingerprint in owed:
            state.wait(channel.name, one.alert_id, "owed")


def _waiting(state: State, channel: Channel, why: Why) -> list[Raised]:
    return [raised for raised, its in state.waiting(channel.name) if its == why]
