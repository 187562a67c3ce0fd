"""Fixtures that every test may use."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.instance import ROOT, selected, variables, warm

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# A process of pytest-xdist has no main file; pyspark takes such a one for a doctest, and ends it.
if not hasattr(sys.modules["__main__"], "__file__"):
    sys.modules["__main__"].__file__ = str(Path(__file__).with_name("__init__.py"))

TMDB_DATA = Path(os.environ.get("TMDB_DATA", ROOT.parent / "shared" / "data"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests stay together when two processes share them: those of one set of services, those of one JVM."""
    for item in items:
        if item.get_closest_marker("stack"):
            group = "services"
        elif "spark" in item.fixturenames:  # type: ignore[attr-defined]
            group = "spark"
        else:
            group = item.nodeid.split("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def long_tests() -> None:
    """Let a test through only where an hour is at hand: whole cycles, each several minutes on a slow machine."""
    if not os.environ.get("TMDB_LONG_TESTS"):
        pytest.skip("takes many minutes: `make test-long` runs it (TMDB_LONG_TESTS=1)")


@pytest.fixture(scope="session")
def tmdb_data() -> Path:
    """The folder of real TMDB records; they are TMDB's, and no part of this project."""
    if not TMDB_DATA.is_dir():
        pytest.skip(f"the real TMDB records are not at {TMDB_DATA} (set TMDB_DATA to their folder)")
    return TMDB_DATA


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    """A local Delta session on two cores: warehouse and metastore in a temporary folder, no service."""
    from lakehouse.artefacts import ensure_jars
    from lakehouse.settings import load_settings
    from lakehouse.spark import jvm_conf, prepare, sql_conf, start_session

    home = tmp_path_factory.mktemp("spark")
    settings = load_settings(home=str(home))
    conf = {
        "spark.master": "local[2]",
        **sql_conf(settings),
        **jvm_conf(settings, ensure_jars(settings.cache), home / "spark.log", 2048),
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": f"file:{home}/warehouse",
        "spark.hadoop.fs.defaultFS": "file:///",
        "spark.checkpoint.dir": f"file:{home}/checkpoints",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={home}/metastore;create=true",
        "spark.hadoop.datanucleus.schema.autoCreateAll": "true",
        "spark.hadoop.hive.metastore.schema.verification": "false",
    }
    session = start_session(conf, "tests", settings, home / "spark.err")
    prepare(session, settings)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The real services of an instance of the tests' own, up for the whole session.

    Gives the `LAKEHOUSE_*` variables that select it; `tests.instance.lakehouse` takes them.
    """
    from lakehouse.services import stack as services
    from lakehouse.settings import load_settings

    instance = variables(tmp_path_factory.mktemp("instance"))
    with selected(instance):
        settings = load_settings()
        services.up(settings)
    with warm(instance):
        yield instance
    with selected(instance):
        services.down(settings)
