from typing import Any

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException

from expectations.refusals import refusals_told
from lakehouse.errors import ConfigurationError
from lakehouse.storage import StorageError
from tests.gate_results import MOVIES


class Gateway:
    """A connection to a JVM that gives an exception's stack trace."""

    def __init__(self, trace: str) -> None:
        self._trace = trace

    def send_command(self, _command: str) -> str:
        return f"ys{self._trace}"


class JavaError:
    """An exception of the JVM, as far as it is looked at."""

    _target_id = "o1"

    def __init__(self, said: str, cause: "JavaError | None" = None) -> None:
        self._said = said
        self._gateway_client = Gateway(said if cause is None else f"{said}; caused by: {cause._said}")
        self._cause = cause

    def getCause(self) -> "JavaError | None":
        return self._cause

    def toString(self) -> str:
        return self._said


def refused(error: Exception) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught, refusals_told(MOVIES):
        raise error
    return caught.value


def test_a_column_that_is_not_there_is_told_with_table_and_file() -> None:
    told = refused(AnalysisException("[UNRESOLVED_COLUMN] `titel` cannot be resolved.\n'Project ['titel]\n+- Relation"))
    assert told.message == "Spark could not measure silver.movies: [UNRESOLVED_COLUMN] `titel` cannot be resolved."
    assert told.next_step.endswith("suites/silver/movies.yaml.")
    assert isinstance(told.__cause__, AnalysisException)


def test_of_an_error_of_the_jvm_the_deepest_cause_is_told() -> None:
    overflow = JavaError("SparkArithmeticException: [ARITHMETIC_OVERFLOW] long overflow.\n\tat a.b", None)
    java: Any = JavaError("SparkException: Job aborted", JavaError("TaskFailed: 4 times", overflow))
    told = refused(Py4JJavaError("An error occurred while calling o1.collectToPython.", java))
    assert told.message.endswith("SparkArithmeticException: [ARITHMETIC_OVERFLOW] long overflow.")


def test_a_metastore_that_is_down_is_no_fault_of_the_suite() -> None:
    gone = AnalysisException(
        "org.apache.hadoop.hive.ql.metadata.HiveException: Unable to fetch table movies. "
        "Unable to instantiate org.apache.hadoop.hive.ql.metadata.SessionHiveMetaStoreClient"
    )
    with pytest.raises(StorageError, match="metastore no longer answers") as told, refusals_told(MOVIES):
        raise gone
    assert not told.value.is_final


def test_a_datanode_that_is_lost_under_a_job_is_no_fault_of_the_suite() -> None:
    java: Any = JavaError("SparkException: Job aborted", JavaError("BlockMissingException: Could not obtain block"))
    with pytest.raises(StorageError, match="DataNode"), refusals_told(MOVIES):
        raise Py4JJavaError("An error occurred while calling o1.collectToPython.", java)


def test_any_other_error_passes() -> None:
    with pytest.raises(KeyError), refusals_told(MOVIES):
        raise KeyError("a")
