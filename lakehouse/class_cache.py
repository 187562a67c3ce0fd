"""What one JVM learned of its classes, kept in a file for those that come after it: Java's AOT cache.

A Spark driver loads and links some 25,000 classes and compiles its hot methods anew each time that it starts. From Java
25 on (JEP 483, 514, 515) a JVM can begin with the classes and the profiles of an earlier one. The file belongs to one
Java, one class path and one collector; the JVM checks that itself and does without it where something differs.

One job learns, and writes a draft as it ends, which takes a minute and is done by a process of the JVM's own. Whoever
starts a JVM after that takes the draft for the cache.
"""

import contextlib
import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

import psutil

from lakehouse.java import java_build, java_version

LEAST_VERSION = 25

# What the JVM says of its cache would stand between what a command prints.
_QUIET = "-XX:+DisplayVMOutputToStderr -Xlog:disable -Xlog:all=warning:stderr"

_USE = "-XX:AOTCache="

_DRAFT = re.compile(r"(?P<key>[0-9a-f]{16})\.(?P<pid>\d+)\.draft")


def options(folder: Path, java: Path, class_path: Sequence[Path], is_learning: bool) -> str:
    """The JVM's options: the cache where there is one, and where to write it where this JVM is to learn.

    Args:
        folder: where caches are kept.
        java: the program that starts; before Java 25 there is no such cache.
        class_path: the jars, or folders of jars, that make up the class path.
        is_learning: whether the JVM does work from which others gain, and will be let end by itself.
    """
    if (java_version(java) or 0) < LEAST_VERSION:
        return ""
    folder.mkdir(parents=True, exist_ok=True)
    key = _key(java, class_path)
    cache = folder / f"{key}.aot"
    _take_drafts(folder)
    if cache.exists():
        return f"{_USE}{cache} {_QUIET}"
    if is_learning:
        return f"-XX:AOTCacheOutput={folder / f'{key}.{os.getpid()}.draft'} {_QUIET}"
    return ""


def is_used(options: str) -> bool:
    """Whether a JVM with these options begins with what another one learned."""
    return _USE in options


def _key(java: Path, class_path: Sequence[Path]) -> str:
    jars = (jar for path in class_path for jar in (sorted(path.glob("*.jar")) if path.is_dir() else [path]))
    said = [java_build(java), *(f"{jar}:{jar.stat().st_size}" for jar in jars)]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


def _take_drafts(folder: Path) -> None:
    """Make caches of the drafts that are complete, and remove those that nobody will complete."""
    for path in folder.iterdir():
        found = _DRAFT.fullmatch(path.name.removesuffix(".config"))
        if found is None or psutil.pid_exists(int(found["pid"])):
            continue
        draft = folder / found.group()
        # The JVM outlives the Python process that started it, and its child the JVM: the child removes this at the end.
        recorded = folder / f"{draft.name}.config"
        with contextlib.suppress(FileNotFoundError):
            if not recorded.exists():
                draft.replace(folder / f"{found['key']}.aot")
            elif not _is_at_work_on(recorded):
                recorded.unlink()
                draft.unlink()


def _is_at_work_on(recorded: Path) -> bool:
    """Whether a process is at work on a recording: its JVM, or the one that makes the cache of it."""
    wanted = str(recorded.with_suffix(""))
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(wanted in said for said in (*process.cmdline(), *process.environ().values())):
                return True
    return False
