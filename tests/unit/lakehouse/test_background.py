"""Work that the end of the process does not wait for."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from lakehouse.background import in_background, read_ahead


def test_what_comes_of_it_or_its_error_is_in_the_future() -> None:
    assert in_background("adds", lambda a, b: a + b, 1, b=2).result(5) == 3
    with pytest.raises(ZeroDivisionError):
        in_background("divides", lambda: 1 // 0).result(5)


def test_the_process_ends_though_the_work_goes_on() -> None:
    script = "import time\nfrom lakehouse.background import in_background\nin_background('sleeps', time.sleep, 60)\n"
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", script], check=True, timeout=50)
    assert time.monotonic() - began < 50


def test_the_next_item_is_made_while_one_is_used_and_no_more() -> None:
    made = [threading.Event() for _ in range(4)]

    def items() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    ahead = read_ahead("ahead", items())
    assert next(ahead) == 0
    assert made[1].wait(5)
    assert not made[2].is_set()
    assert list(ahead) == [1, 2, 3]


def test_what_the_making_of_an_item_raises_comes_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise LookupError("the second")

    ahead = read_ahead("ahead", items())
    assert next(ahead) == 1
    with pytest.raises(LookupError, match="the second"):
        next(ahead)
    assert list(read_ahead("ahead", iter([]))) == []
