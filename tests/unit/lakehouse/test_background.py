"""Work that the end of the process does not wait for."""

import subprocess
import sys
import time

import pytest

from lakehouse.background import in_background


def test_what_comes_of_it_or_its_error_is_in_the_future() -> None:
    assert in_background("adds", lambda a, b: a + b, 1, b=2).result(5) == 3
    with pytest.raises(ZeroDivisionError):
        in_background("divides", lambda: 1 // 0).result(5)


def test_the_process_ends_though_the_work_goes_on() -> None:
    script = "import time\nfrom lakehouse.background import in_background\nin_background('sleeps', time.sleep, 60)\n"
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", script], check=True, timeout=50)
    assert time.monotonic() - began < 50
