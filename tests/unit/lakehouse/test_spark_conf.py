"""What a session is set to, as far as other settings decide it."""

from pathlib import Path

import pytest

from lakehouse.settings import load_settings
from lakehouse.spark import storage_conf

_CLOSE = "spark.hadoop.dfs.client.block.write.locateFollowingBlock"


def test_files_have_as_many_copies_as_hdfs_is_set_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAKEHOUSE_HOME", str(tmp_path))
    monkeypatch.setenv("LAKEHOUSE_HDFS__REPLICATION", "2")
    assert storage_conf(load_settings())["spark.hadoop.dfs.replication"] == "2"


def test_a_file_that_cannot_be_closed_at_once_is_tried_for_as_long_as_by_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LAKEHOUSE_HOME", str(tmp_path))
    conf = storage_conf(load_settings())
    waits = [int(conf[f"{_CLOSE}.initial.delay.ms"]) * 2**n for n in range(int(conf[f"{_CLOSE}.retries"]))]
    default = [400 * 2**n for n in range(5)]
    assert waits[0] < default[0] / 10
    assert sum(waits) >= sum(default)
