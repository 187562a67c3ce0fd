"""What Spark says of a suite's SQL that it refuses, in a line that names the file to correct."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from expectations.suites import SUITES, Suite
from lakehouse.errors import ConfigurationError
from lakehouse.storage import storage_failures

_LINE = 500


@contextmanager
def refusals_told(suite: Suite) -> Iterator[None]:
    """Give what Spark raises as an error that a person can read.

    Raises:
        ConfigurationError: Spark could not run the SQL; the message has the table and the first line of what it said.
        StorageError: HDFS or the metastore failed: no suite is at fault, and another attempt may pass.
    """
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        with storage_failures():
            yield
    except (PySparkException, Py4JJavaError) as error:
        raise ConfigurationError(
            f"Spark could not measure {suite.table}: {_first_line(error)}.",
            f"Where a rule of it is at fault, correct {SUITES / suite.table.replace('.', '/')}.yaml.",
        ) from error


def _first_line(error: Exception) -> str:
    """What the error says first; of one that Python only passes on, what the deepest cause in the JVM says."""
    java: Any = getattr(error, "java_exception", None)
    while java is not None and (cause := java.getCause()) is not None:
        java = cause
    lines = str(error if java is None else java.toString()).strip().splitlines()
    return lines[0].rstrip(".")[:_LINE] if lines else type(error).__name__
