import signal
import subprocess

import pytest
from pymongo import MongoClient

from tests.instance import free_ports
from tests.integration.serving.standin import argv

pytestmark = pytest.mark.spark


def test_it_speaks_to_pymongo_and_renames_over_a_collection(mongo_uri: str, database: str) -> None:
    with MongoClient[dict[str, object]](mongo_uri) as client:
        served = client[database]
        served["new"].insert_many([{"_id": str(number)} for number in range(3)])
        served["new"].create_index([("a", 1), ("b", -1)])
        served["old"].insert_one({"_id": "gone"})
        served["new"].rename("old", dropTarget=True)
        assert served.list_collection_names() == ["old"]
        assert sorted(document["_id"] for document in served["old"].find()) == ["0", "1", "2"]
        assert set(served["old"].index_information()) == {"_id_", "a_1_b_-1"}


def test_a_taken_port_is_said_and_ends_the_process(mongo_uri: str) -> None:
    port = int(mongo_uri.rpartition(":")[2])
    second = subprocess.run(argv(port), capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in second.stderr


def test_it_ends_on_sigterm() -> None:
    with subprocess.Popen(argv(*free_ports(1)), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert "listening" in server.stdout.readline()
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 128 + signal.SIGTERM
