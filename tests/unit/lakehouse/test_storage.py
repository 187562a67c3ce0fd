"""What Spark and Hadoop say when the storage fails becomes a sentence; everything else stays as it is."""

import pytest
from py4j.protocol import Py4JError

from lakehouse.storage import StorageError, storage_failures


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "org.apache.hadoop.hdfs.server.namenode.SafeModeException: Cannot create file/warehouse/x. Name node is in "
            "safe mode.",
            "HDFS is in safe mode",
        ),
        ("org.apache.hadoop.hdfs.protocol.DSQuotaExceededException: The DiskSpace quota of /warehouse", "quota"),
        ("org.apache.hadoop.hdfs.BlockMissingException: Could not obtain block: BP-1:blk_2_3", "DataNode"),
        ("File /warehouse/x could only be written to 0 of the 1 minReplication nodes.", "disk is full"),
        ("java.io.IOException: No space left on device", "disk is full"),
        ("Call From host to localhost:9000 failed: java.net.ConnectException: Connection refused", "no longer answers"),
        (
            "Unable to fetch table movies. Unable to instantiate "
            "org.apache.hadoop.hive.ql.metadata.SessionHiveMetaStoreClient",
            "no longer answers",
        ),
    ],
)
def test_a_failing_storage_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(StorageError, match=said) as error, storage_failures():
        raise Py4JError(text)
    assert "run the same again" in error.value.next_step


def test_what_is_not_the_storage_passes() -> None:
    with pytest.raises(Py4JError, match="something else"), storage_failures():
        raise Py4JError("something else")
