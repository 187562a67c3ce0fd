"""Delivery that ends in time, whatever the other side does.

Each attempt runs in a thread of its own that is left behind when its time is up: timeouts of sockets end no endpoint
that answers a byte now and then. An attempt that was given up may still arrive: a message may come twice, not never.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_result,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential_jitter,
)

from lakehouse.alerts.wording import Message, halves

THREADS = "lakehouse-alerts"
"""The name of every thread that delivers: by it the HTTP client's log lines, which name the webhook, are known."""

_MOST_REFUSALS = 16
"""After so many messages that were refused, a channel is sent no more in a call."""

_BACKOFF = wait_exponential_jitter(initial=0.25, max=5, jitter=0.25)

_T = TypeVar("_T")


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended.

    Args:
        failure: why nothing was delivered, without a secret; empty where it was.
        again: whether another attempt may help.
        wait_seconds: how long the other side asks to be left alone.
        is_of_message: whether it is this message that is refused, so that another may be taken.
    """

    failure: str = ""
    again: bool = False
    wait_seconds: float = 0
    is_of_message: bool = False


@dataclass(frozen=True)
class Channel:
    """A way to tell people.

    Args:
        name: slack or mail.
        send: makes one attempt, given the message and how many seconds a socket may keep it waiting.
    """

    name: str
    send: Callable[[Message, float], Outcome]


@dataclass(frozen=True)
class Batch:
    """What a channel is to be sent.

    Args:
        channel: which.
        messages: in the order in which they are sent.
        room: how many of them, without the digest, may be delivered; of a message that is refused there come several.
    """

    channel: Channel
    messages: Sequence[Message]
    room: int


@dataclass(frozen=True)
class Attempted:
    """A message, or a part of one that was refused, and why it was not delivered; empty where it was."""

    message: Message
    failure: str = ""


@dataclass(frozen=True)
class Pace:
    """How long and how often is tried.

    Args:
        attempts: for one message.
        timeout_seconds: for one attempt.
        until: the end of everything, by `time.monotonic`.
    """

    attempts: int
    timeout_seconds: float
    until: float

    @property
    def left(self) -> float:
        """Seconds that remain."""
        return max(0.0, self.until - time.monotonic())


def deliver(batches: Sequence[Batch], pace: Pace) -> dict[str, list[Attempted]]:
    """Send each channel its messages in order, all channels at the same time.

    A message that is refused, though others may be taken, is sent again in halves, so that one alert which the other
    side cannot take keeps no other from arriving. After one that does not arrive at all, the channel is sent no more.

    Returns:
        For each channel, what was tried and what was not, the parts of a message that was refused in its place.
    """
    found: dict[str, list[Attempted]] = {batch.channel.name: [] for batch in batches}
    threads = [_start(partial(_send_all, batch, pace, found[batch.channel.name])) for batch in batches]
    for thread in threads:
        if thread is not None:
            thread.join(pace.left)
    # Copies: a thread that is left behind may go on to write.
    return {batch.channel.name: _with_the_rest(batch, list(found[batch.channel.name])) for batch in batches}


def _send_all(batch: Batch, pace: Pace, found: list[Attempted]) -> None:
    room, refusals = batch.room, 0
    waiting = deque(batch.messages)
    while waiting and pace.left:
        message = waiting.popleft()
        if message.kind == "alert" and room <= 0:
            found.append(Attempted(message, "the hour has had its messages"))
            continue
        outcome = _persist(batch.channel, message, pace)
        if not outcome.failure:
            found.append(Attempted(message))
            room -= message.kind == "alert"
            continue
        refusals += outcome.is_of_message
        is_over = not outcome.is_of_message or refusals >= _MOST_REFUSALS
        if len(message.entries) > 1 and not is_over:
            waiting.extendleft(reversed(halves(message)))
            continue
        found.append(Attempted(message, outcome.failure))
        if is_over:
            found += [Attempted(other, outcome.failure) for other in waiting]
            return


def _with_the_rest(batch: Batch, found: list[Attempted]) -> list[Attempted]:
    """What was found of a batch, and the messages for which there was no time."""
    tried = {alert_id for one in found for alert_id in one.message.alert_ids}
    seen = [one.message for one in found]
    late = [message for message in batch.messages if message not in seen and tried.isdisjoint(message.alert_ids)]
    return found + [Attempted(message, "the time for alerts was up") for message in late]


def _persist(channel: Channel, message: Message, pace: Pace) -> Outcome:
    """Try a message until it is delivered, cannot be, or attempts or time are used up."""

    def attempt() -> Outcome:
        seconds = min(pace.timeout_seconds, pace.left)
        answer = within(seconds, lambda: _once(channel, message, seconds))
        return answer or Outcome(f"no answer within {seconds:.3g} s", again=True)

    def last(state: RetryCallState) -> Outcome:
        outcome: Outcome = state.outcome.result()  # type: ignore[union-attr]
        return replace(outcome, failure=f"{outcome.failure}, after {state.attempt_number} attempts")

    retrying = Retrying(
        stop=stop_after_attempt(pace.attempts) | stop_before_delay(pace.left),
        wait=_wait,
        retry=retry_if_result(lambda outcome: outcome.again),
        retry_error_callback=last,
    )
    return retrying(attempt)


def _once(channel: Channel, message: Message, seconds: float) -> Outcome:
    """One attempt, which raises nothing; of an error that no channel foresaw, the text may be a secret."""
    try:
        return channel.send(message, seconds)
    except Exception as error:  # noqa: BLE001
        return Outcome(f"{type(error).__name__}, which was not foreseen", is_of_message=True)


def _wait(state: RetryCallState) -> float:
    outcome: Outcome = state.outcome.result()  # type: ignore[union-attr]
    return max(outcome.wait_seconds, _BACKOFF(state))


def within(seconds: float, work: Callable[[], _T]) -> _T | None:
    """Give what `work` gives, or None where it takes longer; it is then left behind."""
    answers: queue.SimpleQueue[_T] = queue.SimpleQueue()
    if _start(lambda: answers.put(work())) is None:
        return None
    try:
        return answers.get(timeout=seconds)
    except queue.Empty:
        return None


def _start(work: Callable[[], None]) -> threading.Thread | None:
    """Start a thread that keeps no process from ending; None where the machine has no more."""
    thread = threading.Thread(target=work, name=THREADS, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return None
    return thread
