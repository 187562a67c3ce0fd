"""HDFS refuses a write in the middle of an ingestion: one sentence, nothing lost, and the same command goes on."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from lakehouse.artefacts import ensure_jars
from lakehouse.errors import LakehouseError, ServiceError
from lakehouse.hive import query
from lakehouse.java import java_home
from lakehouse.services import health
from lakehouse.services import stack as services
from lakehouse.services.hdfs import classpath, java_command
from lakehouse.settings import Settings, load_settings
from tests import lake
from tests.instance import ROOT, environment, lakehouse, selected, variables
from tests.standin import TOKEN, RunningStandin, standin

pytestmark = pytest.mark.stack

MOVIES = 400
_INGEST = ["ingest", "--source", "api", "--from-export", "--as-of", "2026-01-23T12:00:00Z"]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningStandin]:
    with standin(movies=MOVIES) as running:
        yield running


def _pointed_at(instance: dict[str, str], server: RunningStandin) -> dict[str, str]:
    return {
        **instance,
        "LAKEHOUSE_TMDB__URL": f"{server.url}/3",
        "LAKEHOUSE_TMDB__EXPORT_URL": f"{server.url}/p/exports",
        "LAKEHOUSE_TMDB__TOKEN": TOKEN,
        "LAKEHOUSE_TMDB__CHUNK_MOVIES": "40",
    }


def _dfsadmin(settings: Settings, *arguments: str) -> None:
    java = str(java_home(settings.cache) / "bin" / "java")
    main = "org.apache.hadoop.hdfs.tools.DFSAdmin"
    argv = java_command(settings, java, classpath(ensure_jars(settings.cache)), 256, main)
    answer = subprocess.run([*argv, *arguments], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def _landed(settings: Settings) -> int:
    try:
        return int(query(settings, "select count(*) from bronze.movies").rows[0][0])
    except LakehouseError:
        return 0


def _interrupted(instance: dict[str, str], settings: Settings, break_it: Callable[[], None]) -> str:
    """Start an ingestion, break the storage once something has landed, and give what the command said at its end."""
    child = subprocess.Popen(
        [sys.executable, "-m", "lakehouse.cli", *_INGEST],
        env=environment(instance),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + 240
        while _landed(settings) == 0:
            assert child.poll() is None, child.communicate()
            assert time.monotonic() < until
            time.sleep(0.3)
        break_it()
        said = child.communicate(timeout=400)
    finally:
        if child.poll() is None:
            child.kill()
    assert child.returncode == 1, said
    return said[1]


def _is_a_sentence(said: str) -> bool:
    return said.startswith("error ") and "Traceback" not in said and len(said.splitlines()) == 2


@pytest.mark.parametrize(
    ("break_it", "mend", "sentence"),
    [
        (("-safemode", "enter"), ("-safemode", "leave"), "HDFS is in safe mode and takes no writes."),
        (
            ("-setSpaceQuota", "1", "/warehouse/bronze.db"),
            ("-clrSpaceQuota", "/warehouse/bronze.db"),
            "The HDFS quota of the warehouse is used up.",
        ),
    ],
    ids=["safe mode", "quota"],
)
def test_hdfs_refuses_a_write(
    stack: dict[str, str],
    server: RunningStandin,
    break_it: tuple[str, ...],
    mend: tuple[str, ...],
    sentence: str,
) -> None:
    instance = _pointed_at(stack, server)
    with selected(instance):
        settings = load_settings()
        lake.drop(settings, "bronze")
        try:
            said = _interrupted(instance, settings, lambda: _dfsadmin(settings, *break_it))
        finally:
            _dfsadmin(settings, *mend)
        assert sentence in said
        assert _is_a_sentence(said), said
        assert 0 < _landed(settings) < MOVIES
        again = lakehouse(instance, *_INGEST)
        assert again.returncode == 0, again.stdout + again.stderr
        assert _landed(settings) == MOVIES


@contextmanager
def _small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], capture_output=True, check=False
    ).returncode:
        pytest.skip("a small disk cannot be mounted here: that takes root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=False)


@pytest.mark.usefixtures("long_tests")
def test_the_disk_is_full(server: RunningStandin, tmp_path: Path) -> None:
    ballast = tmp_path / "ballast"
    with _small_disk(tmp_path, 2000):
        instance = _pointed_at(variables(tmp_path), server)
        with selected(instance):
            settings = load_settings()
            services.up(settings)
            try:
                said = _interrupted(instance, settings, lambda: _fill(ballast))
                assert "The disk is full." in said
                assert _is_a_sentence(said), said
                _wait_for_safe_mode(settings)
                refused = lakehouse(instance, *_INGEST)
                assert refused.returncode == 1
                assert "The NameNode is in safe mode since its disk was full." in refused.stderr
                assert "Free some room, then `lakehouse down` and `lakehouse up`." in refused.stderr
                ballast.unlink()
                services.down(settings)
                services.up(settings)
                again = lakehouse(instance, *_INGEST)
                assert again.returncode == 0, again.stdout + again.stderr
                assert _landed(settings) == MOVIES
            finally:
                services.down(settings)


def _wait_for_safe_mode(settings: Settings) -> None:
    """The NameNode looks at its disk every five seconds."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            health.hdfs(settings)
        except ServiceError as error:
            if "safe mode" in error.message:
                return
        time.sleep(1)
    pytest.fail("the NameNode does not mind a full disk")


def _fill(ballast: Path) -> None:
    block = bytes(1024 * 1024)
    with ballast.open("wb") as file, suppress(OSError):
        while True:
            file.write(block)
            file.flush()
    assert os.statvfs(ballast).f_bavail < 1024
