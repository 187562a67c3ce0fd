from pathlib import Path

import pytest

from lakehouse.errors import ServiceError
from lakehouse.services.health import require
from lakehouse.settings import load_settings


def test_a_service_of_ours_is_to_be_started_and_one_elsewhere_to_be_looked_after(tmp_path: Path) -> None:
    own = load_settings(home=str(tmp_path), hdfs={"namenode_port": 1})
    with pytest.raises(ServiceError) as refused:
        require(own, "hdfs")
    assert "lakehouse up" in refused.value.next_step
    elsewhere = load_settings(home=str(tmp_path), hdfs={"uri": "hdfs://127.0.0.1:2"})
    with pytest.raises(ServiceError, match=r"HDFS does not work at hdfs://127\.0\.0\.1:2") as refused:
        require(elsewhere, "hdfs")
    assert refused.value.next_step == "It runs elsewhere: see that it is up, or correct hdfs.uri."
