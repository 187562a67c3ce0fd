"""The cache of classes: when it is used, who learns, and what becomes of drafts."""

import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse.artefacts import ensure_jars, pyspark_home
from lakehouse.class_cache import is_used, options
from lakehouse.java import java_home, java_version
from lakehouse.settings import load_settings


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    path = tmp_path / "one.jar"
    path.write_bytes(b"jar")
    return path


def _java(folder: Path, version: str) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / f"java-{version}"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def _draft_of(said: str) -> Path:
    named = [word for word in shlex.split(said) if word.startswith("-XX:AOTCacheOutput=")]
    assert len(named) == 1, said
    return Path(named[0].partition("=")[2])


def _by_an_ended_process(draft: Path) -> Path:
    """The same draft, as a process that is gone would have named it."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return draft.with_name(draft.name.replace(f".{os.getpid()}.", f".{ended.pid}."))


def test_a_java_before_25_has_no_cache(tmp_path: Path, jar: Path) -> None:
    assert options(tmp_path / "classes", _java(tmp_path, "17.0.15"), [jar], is_learning=True) == ""


def test_a_job_learns_only_where_it_is_told_to(tmp_path: Path, jar: Path) -> None:
    java = _java(tmp_path, "25.0.2")
    assert options(tmp_path / "classes", java, [jar], is_learning=False) == ""
    said = options(tmp_path / "classes", java, [jar], is_learning=True)
    assert _draft_of(said).parent == tmp_path / "classes"
    assert not is_used(said)


def test_a_draft_that_is_complete_becomes_the_cache(tmp_path: Path, jar: Path) -> None:
    folder, java = tmp_path / "classes", _java(tmp_path, "25.0.2")
    draft = _by_an_ended_process(_draft_of(options(folder, java, [jar], is_learning=True)))
    draft.write_bytes(b"cache")
    said = options(folder, java, [jar], is_learning=True)
    (cache,) = folder.iterdir()
    assert cache.read_bytes() == b"cache"
    assert f"-XX:AOTCache={cache}" in said
    assert "AOTCacheOutput" not in said
    assert is_used(said)


def test_other_jars_and_another_build_of_java_have_another_cache(tmp_path: Path, jar: Path) -> None:
    folder, java = tmp_path / "classes", _java(tmp_path, "25.0.2")
    draft = _draft_of(options(folder, java, [jar], is_learning=True))
    assert draft == _draft_of(options(folder, java, [tmp_path], is_learning=True))
    (tmp_path / "two.jar").write_bytes(b"jar")
    assert draft != _draft_of(options(folder, java, [tmp_path], is_learning=True))
    assert draft != _draft_of(options(folder, _java(tmp_path, "25.0.3"), [jar], is_learning=True))


@pytest.mark.parametrize("is_at_work", [True, False])
def test_an_incomplete_draft_stays_while_a_process_is_at_work_on_it(
    tmp_path: Path, jar: Path, is_at_work: bool
) -> None:
    folder, java = tmp_path / "classes", _java(tmp_path, "25.0.2")
    draft = _by_an_ended_process(_draft_of(options(folder, java, [jar], is_learning=True)))
    recorded = draft.with_name(f"{draft.name}.config")
    draft.write_bytes(b"half")
    recorded.write_bytes(b"recorded")
    # The JVM gives it to the process that makes the cache in the environment.
    environment = {**os.environ, "JAVA_TOOL_OPTIONS": f"-XX:AOTCacheOutput={draft}"} if is_at_work else None
    working = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=environment)
    try:
        options(folder, java, [jar], is_learning=True)
        assert sorted(folder.iterdir()) == ([draft, recorded] if is_at_work else [])
    finally:
        working.communicate(b"\n")


def test_a_real_jvm_learns_and_the_next_one_begins_with_what_it_learned(tmp_path: Path) -> None:
    settings = load_settings(home=str(tmp_path))
    ensure_jars(settings.cache)
    java = java_home(settings.cache) / "bin" / "java"
    if (java_version(java) or 0) < 25:
        pytest.skip(f"{java} is older than Java 25")
    kept = pyspark_home() / "jars"
    jars = [*sorted(kept.glob("hadoop-client-*.jar")), *kept.glob("slf4j-api-*.jar")]
    command = ["-cp", ":".join(map(str, jars)), "org.apache.hadoop.util.VersionInfo"]
    learning = options(tmp_path / "classes", java, jars, is_learning=True)
    # Of its own, so that this process does not count as the one that still learns.
    script = f"import os, sys; os.execv({str(java)!r}, sys.argv[1:])"
    draft = _draft_of(learning)
    own = subprocess.Popen([sys.executable, "-c", script, str(java), *shlex.split(learning), *command])
    assert own.wait(120) == 0
    draft.replace(draft.with_name(draft.name.replace(f".{os.getpid()}.", f".{own.pid}.")))
    said = options(tmp_path / "classes", java, jars, is_learning=True)
    # The JVM refuses to start where it must have a cache and cannot use it.
    answer = subprocess.run(
        [str(java), *shlex.split(said), "-XX:AOTMode=on", *command], capture_output=True, text=True, check=True
    )
    assert answer.stdout.startswith("Hadoop ")
