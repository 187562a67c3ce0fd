"""Work in a thread that the end of the process does not wait for."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import islice
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


def read_ahead(name: str, items: Iterator[_T]) -> Iterator[_T]:
    """Give the items in their order; while one is used, the next one is made in a thread.

    Two of them are held at a time. What the making of an item raises is raised in its place.

    Args:
        name: of the thread.
        items: nobody else asks for them meanwhile.
    """
    coming = in_background(name, _next, items)
    while item := coming.result():
        coming = in_background(name, _next, items)
        yield from item


def _next(items: Iterator[_T]) -> list[_T]:
    """The next item, or nothing at the end."""
    return list(islice(items, 1))
