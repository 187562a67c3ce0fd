"""Delivery that ends in time, whatever the other side does.

Each attempt runs in a thread of its own that is left behind when its time is up: timeouts of sockets end no endpoint
that answers a byte now and then. An attempt that was given up may still arrive: a message may come twice, not never.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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

from lakehouse.alerts.wording import Message

THREADS = "lakehouse-alerts"
"""The name of every thread that delivers: by it the HTTP client's log lines, which name the webhook, are known."""

_BACKOFF = wait_exponential_jitter(initial=0.25, max=5, jitter=0.25)

_T = TypeVar("_T")


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended.

    Args:
        failure: why nothing was delivered, without a secret; empty where it was.
        again: whether another attempt may help.
        wait_seconds: how long the other side asks to be left alone.
    """

    failure: str = ""
    again: bool = False
    wait_seconds: float = 0


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


def deliver(messages: Sequence[tuple[Channel, Sequence[Message]]], pace: Pace) -> dict[str, list[str]]:
    """Send each channel its messages in order, all channels at the same time.

    Returns:
        For each channel, one text a message: empty where it was delivered, else why not. After one that was not, the
        channel is sent no more.
    """
    found: dict[str, list[str]] = {channel.name: [] for channel, _ in messages}

    def run(channel: Channel, its: Sequence[Message]) -> None:
        for message in its:
            outcome = _persist(channel, message, pace)
            found[channel.name].append(outcome.failure)
            if outcome.failure:
                break

    threads = [_start(partial(run, channel, its)) for channel, its in messages]
    for thread in threads:
        if thread is not None:
            thread.join(pace.left)
    results: dict[str, list[str]] = {}
    for channel, its in messages:
        # A copy: a thread that is left behind may go on to write.
        known = list(found[channel.name])[: len(its)]
        reason = known[-1] if known and known[-1] else "the time for alerts was up"
        results[channel.name] = known + [reason] * (len(its) - len(known))
    return results


def _persist(channel: Channel, message: Message, pace: Pace) -> Outcome:
    """Try a message until it is delivered, cannot be, or attempts or time are used up."""

    def attempt() -> Outcome:
        seconds = min(pace.timeout_seconds, pace.left)
        answer = within(seconds, lambda: channel.send(message, seconds))
        return answer or Outcome(f"no answer within {seconds:.3g} s", again=True)

    def last(state: RetryCallState) -> Outcome:
        outcome: Outcome = state.outcome.result()  # type: ignore[union-attr]
        return Outcome(f"{outcome.failure}, after {state.attempt_number} attempts")

    retrying = Retrying(
        stop=stop_after_attempt(pace.attempts) | stop_before_delay(pace.left),
        wait=_wait,
        retry=retry_if_result(lambda outcome: outcome.again),
        retry_error_callback=last,
    )
    return retrying(attempt)


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
