import subprocess
import sys
from pathlib import Path

from lakehouse.locks import exclusive, exclusive_within

_HOLDER = """
import sys, time
from pathlib import Path
from lakehouse.locks import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def _hold(path: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _HOLDER, str(path), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_second_process_waits_until_the_first_ends_even_by_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "run" / "lock"
    first = _hold(path, 60)
    assert first.stdout
    assert first.stdout.readline() == "held\n"
    second = _hold(path, 0)
    try:
        second.wait(timeout=1)
    except subprocess.TimeoutExpired:
        first.kill()
        first.wait()
    assert second.wait(timeout=10) == 0
    assert second.stdout
    assert second.stdout.read() == "held\n"
    assert first.returncode == -9


def test_a_bounded_wait_ends_and_says_whether_the_lock_is_held(tmp_path: Path) -> None:
    path = tmp_path / "run" / "lock"
    with exclusive(path), exclusive_within(path, 0.1) as is_held:
        assert not is_held
    with exclusive_within(path, 0.1) as is_held:
        assert is_held
    (tmp_path / "file").touch()
    with exclusive_within(tmp_path / "file" / "lock", 0.1) as is_held:
        assert not is_held
