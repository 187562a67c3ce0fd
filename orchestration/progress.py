"""Live progress of a cycle: which step runs, what it is doing, and for how long."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner

from lakehouse.terminal import console, is_interactive


class Progress:
    """Steps one after another: a live line where a person watches, a line a step where not.

    It keeps the seconds of each step that ended well, in order.
    """

    def __init__(self, screen: Console = console) -> None:
        self.seconds: dict[str, float] = {}
        self._screen = screen
        self._began = time.monotonic()
        self._step_began = self._began
        self._step = ""
        self._detail = ""
        self._live: Live | None = None

    def __enter__(self) -> "Progress":
        """Begin to draw."""
        if is_interactive():
            self._spinner = Spinner("dots")
            self._live = Live(self._spinner, console=self._screen, refresh_per_second=8, get_renderable=self._draw)
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal clean, also after an error."""
        if self._live is not None:
            self._step = ""
            self._live.__exit__(kind, error, trace)

    def _draw(self) -> Spinner:
        elapsed = time.monotonic() - self._step_began
        detail = self._detail.replace("[", r"\[")
        self._spinner.update(text=f"{self._step:<12} {elapsed:5.0f} s  [dim]{detail}[/]" if self._step else "")
        return self._spinner

    def detail(self, text: str) -> None:
        """Say what the running step is doing now."""
        self._detail = text[: max(20, self._screen.width - 30)]

    def note(self, text: str) -> None:
        """Print a line that stays."""
        self._screen.print(text)

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """Run a step; what is put into the list it gives is printed behind its name when it ends."""
        self._step, self._detail, self._step_began = name, "", time.monotonic()
        findings: list[str] = []
        try:
            yield findings
        except BaseException:
            spent = time.monotonic() - self._step_began
            self._screen.print(f"[red]✗[/] {name:<12} {spent:6.1f} s  while: {self._detail or 'starting'}")
            raise
        spent = time.monotonic() - self._step_began
        self.seconds[name] = spent
        self._screen.print(f"[green]✓[/] {name:<12} {spent:6.1f} s  [dim]{'; '.join(findings)}[/]")
        self._step = ""

    @property
    def elapsed(self) -> float:
        """Seconds since the cycle began."""
        return time.monotonic() - self._began


class SilentProgress(Progress):
    """Progress that nobody is told of."""

    def detail(self, text: str) -> None:
        """Say nothing."""


class LoggedProgress(Progress):
    """Progress where nobody watches a terminal: each detail is a line of the log."""

    def __init__(self, log: logging.Logger) -> None:
        super().__init__()
        self._log = log

    def detail(self, text: str) -> None:
        """Log what the running step is doing now."""
        self._log.info("%s", text)
