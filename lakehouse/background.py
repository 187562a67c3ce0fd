"""Work in a thread that the end of the process does not wait for."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


def in_background(name: str, work: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> Future[_T]:
    """Do the work in a thread of its own; what comes of it, or its error, is in the future.

    An executor's threads are waited for when the interpreter exits; this one is not.

    Args:
        name: of the thread.
        work: what is done.
        arguments: what it is given.
        named: what it is given by name.
    """
    future: Future[_T] = Future()
    future.set_running_or_notify_cancel()

    def do() -> None:
        try:
            future.set_result(work(*arguments, **named))
        except BaseException as error:  # noqa: BLE001 - it is raised again where the result is asked for
            future.set_exception(error)

    threading.Thread(target=do, name=name, daemon=True).start()
    return future
