"""A lake on Spark's own cluster or on YARN, of two nodes on this machine, over an HDFS of two DataNodes."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from lakehouse.artefacts import ensure_jars
from lakehouse.errors import ServiceError
from lakehouse.java import java_home
from lakehouse.services import health, mongo, process
from lakehouse.settings import Settings, load_settings
from tests.containers import Container, running_storage, storage_containers
from tests.instance import ROOT, free_ports, selected, variables
from tests.yarn import yarn

Engine = Literal["local", "standalone", "yarn"]
NODES = 2
EXECUTOR_ENV = ROOT / "dist" / "executor-env.tar.gz"
"""What `make executor-env` makes; the executors' Python comes from it."""

_EXECUTOR_MB, _DRIVER_MB = 1024, 1536
_START_SECONDS = 60


@contextmanager
def lake_on(engine: Engine, root: Path, executors: int = NODES) -> Iterator[dict[str, str]]:
    """An empty lake and all that it needs; gives the variables that select it.

    Args:
        engine: `local` is Spark in the drivers themselves, with as many cores as there are executors.
        root: where everything keeps its files.
        executors: of one core each, for each of the two drivers (the Thrift server's, a job's).
    """
    storage = storage_containers(root)
    with ExitStack() as running:
        running.enter_context(running_storage(storage))
        instance = {**_addresses(storage, root), "LAKEHOUSE_MONGO__URI": running.enter_context(_mongo(root / "mongo"))}
        if engine == "local":
            yield {**instance, "LAKEHOUSE_SPARK__MASTER": f"local[{executors}]"}
            return
        with selected(instance):
            settings = load_settings()
        extra = {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.executor.cores": "1",
            "spark.executor.instances": str(executors),
            "spark.cores.max": str(executors),
            "spark.executor.memory": f"{_EXECUTOR_MB}m",
            "spark.hadoop.dfs.replication": "2",
        }
        instance |= {
            "LAKEHOUSE_PROFILE": "cluster",
            "LAKEHOUSE_SPARK__EXECUTOR_ENV": str(EXECUTOR_ENV),
            "LAKEHOUSE_SPARK__SHUFFLE_PARTITIONS": "4",
            # All of it is on the loopback address.
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_HOSTNAME": "127.0.0.1",
        }
        if engine == "standalone":
            instance["LAKEHOUSE_SPARK__MASTER"] = running.enter_context(_standalone(root, instance))
        else:
            found = running.enter_context(yarn(settings, root / "yarn", NODES, 6 * _EXECUTOR_MB, 4))
            instance |= {"LAKEHOUSE_SPARK__MASTER": "yarn", "HADOOP_CONF_DIR": str(found.conf)}
            extra |= {"spark.yarn.am.memory": "256m"}
        instance["LAKEHOUSE_SPARK__EXTRA"] = json.dumps(extra)
        thrift = running.enter_context(Container("thrift", instance, root / "thrift.log"))
        thrift.finding()
        yield instance


def _addresses(storage: dict[str, Container], root: Path) -> dict[str, str]:
    ours = variables(root / "home")
    return {
        **{name: value for name, value in ours.items() if "HDFS" not in name and "METASTORE" not in name},
        "LAKEHOUSE_HDFS__URI": storage["namenode"].variables["LAKEHOUSE_HDFS__URI"],
        "LAKEHOUSE_HDFS__REPLICATION": "2",
        "LAKEHOUSE_METASTORE__URI": f"thrift://127.0.0.1:{storage['metastore'].variables['LAKEHOUSE_METASTORE__PORT']}",
        "LAKEHOUSE_THRIFT__DRIVER_MEMORY_MB": str(_DRIVER_MB),
        "LAKEHOUSE_SPARK__DRIVER_MEMORY_MB": str(_DRIVER_MB),
    }


@contextmanager
def _mongo(home: Path) -> Iterator[str]:
    """A MongoDB, which to the lake is one that runs elsewhere; gives its address."""
    with selected(variables(home)):
        settings = load_settings()
    java = str(java_home(settings.cache) / "bin" / "java")
    home.mkdir(parents=True)
    process.start(home, mongo.command(settings, java, ensure_jars(settings.cache)))
    try:
        _answers(settings)
        # Another host's name, so that the lake does not take it for its own.
        yield f"mongodb://localhost:{settings.mongo.port}"
    finally:
        process.stop(home, "mongo")


def _answers(settings: Settings) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            health.mongo(settings)
            return
        except ServiceError:
            assert time.monotonic() < deadline, process.log_tail(settings.home, "mongo")
            time.sleep(0.1)


@contextmanager
def _standalone(root: Path, instance: dict[str, str]) -> Iterator[str]:
    """A master and two workers; gives the master's address."""
    port, *pages = free_ports(2 + NODES)
    address = f"spark://127.0.0.1:{port}"
    common = {**instance, "LAKEHOUSE_SPARK__MASTER": address, "SPARK_MASTER_WEBUI_PORT": str(pages[0])}
    with ExitStack() as running:
        master = running.enter_context(
            Container("spark-master", {**common, "LAKEHOUSE_HOME": str(root / "master")}, root / "master.log")
        )
        master.finding()
        for number in range(1, NODES + 1):
            name = f"worker-{number}"
            own = {
                "LAKEHOUSE_HOME": str(root / name),
                "SPARK_WORKER_WEBUI_PORT": str(pages[number]),
                "SPARK_WORKER_CORES": "2",
                "SPARK_WORKER_MEMORY": f"{2 * _EXECUTOR_MB}m",
            }
            worker = running.enter_context(Container("spark-worker", {**common, **own}, root / f"{name}.log"))
            worker.finding()
        yield address
