import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.replaced import replaced

_MAKER = """
import sys, time
from pathlib import Path
from orchestration.replaced import replaced
with replaced(Path(sys.argv[1]), Path(sys.argv[2])) as draft:
    for number in range(20):
        (draft / f"{number}.html").write_text(sys.argv[3])
        time.sleep(0.01)
"""


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_the_draft_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        with replaced(tmp_path / "new" / "site", tmp_path / "lock") as draft:
            (draft / name).touch()
    assert names(tmp_path / "new" / "site") == ["b.html"]
    assert names(tmp_path / "new") == ["site"]


def test_a_block_that_fails_leaves_what_was_there_and_no_draft(tmp_path: Path) -> None:
    with replaced(tmp_path / "site", tmp_path / "lock") as draft:
        (draft / "a.html").touch()
    with pytest.raises(KeyError), replaced(tmp_path / "site", tmp_path / "lock") as draft:
        raise KeyError
    assert names(tmp_path / "site") == ["a.html"]
    assert names(tmp_path) == ["lock", "site"]


def test_what_a_killed_process_left_is_put_right(tmp_path: Path) -> None:
    (tmp_path / ".si[t]e.lakehouse-older").mkdir()
    (tmp_path / ".si[t]e.lakehouse-older" / "a.html").touch()
    (tmp_path / ".si[t]e.lakehouse-draft-1").mkdir()
    with replaced(tmp_path / "si[t]e", tmp_path / "lock") as draft:
        assert names(tmp_path / "si[t]e") == ["a.html"]
        (draft / "b.html").touch()
    assert names(tmp_path / "si[t]e") == ["b.html"]
    assert names(tmp_path) == ["lock", "si[t]e"]


def test_two_at_once_are_one_after_the_other(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _MAKER, str(tmp_path / "site"), str(tmp_path / "lock")]
    makers = [subprocess.Popen([*command, text]) for text in "abc"]
    assert [maker.wait(timeout=60) for maker in makers] == [0, 0, 0]
    assert len(names(tmp_path / "site")) == 20
    assert len({file.read_text() for file in (tmp_path / "site").iterdir()}) == 1
    assert names(tmp_path) == ["lock", "site"]
