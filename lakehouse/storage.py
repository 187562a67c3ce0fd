"""What Spark says when the storage under it fails, as one sentence a person can act on."""

import contextlib
from collections.abc import Iterator

from lakehouse.errors import LakehouseError

_AGAIN = "What was committed before stays; then run the same again."

# What Java says -> what it means, and what to do. The first that is found counts.
_MEANINGS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("SafeModeException", "Name node is in safe mode"),
        "HDFS is in safe mode and takes no writes.",
        f"Wait until it has left it, or look at the NameNode's log for the reason. {_AGAIN}",
    ),
    (
        ("DSQuotaExceededException", "NSQuotaExceededException"),
        "The HDFS quota of the warehouse is used up.",
        f"Raise it, or free some room (`lakehouse maintain`). {_AGAIN}",
    ),
    (
        ("BlockMissingException", "All datanodes"),
        "A DataNode of HDFS is lost.",
        f"`lakehouse status` shows it, `lakehouse up` starts it again. {_AGAIN}",
    ),
    (
        ("could only be written to 0 of the", "No space left on device", "DiskOutOfSpaceException"),
        "The disk is full.",
        f"Free some room (`lakehouse maintain`, `lakehouse doctor` shows the disk). {_AGAIN}",
    ),
    (
        (
            "java.net.ConnectException",
            "NoRouteToHostException",
            "UnknownHostException",
            "Unable to instantiate org.apache.hadoop.hive.ql.metadata.SessionHiveMetaStoreClient",
            "org.apache.thrift.transport.TTransportException",
        ),
        "HDFS or the metastore no longer answers.",
        f"Look at `lakehouse status`. {_AGAIN}",
    ),
)


class StorageError(LakehouseError):
    """HDFS, or the disk beneath it, does not take what is written."""


@contextlib.contextmanager
def storage_failures() -> Iterator[None]:
    """Turn Spark's errors that come from the storage into a `StorageError`; every other error passes as it is."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        found = meaning(str(error))
        if found is None:
            raise
        raise found from error


def meaning(text: str) -> StorageError | None:
    """The error that a text of Spark or Hadoop stands for; None where it is none of the storage."""
    for signs, message, next_step in _MEANINGS:
        if any(sign in text for sign in signs):
            return StorageError(message, next_step)
    return None
