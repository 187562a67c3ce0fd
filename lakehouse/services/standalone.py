"""Spark's own cluster: a master and a worker from pyspark's jars. Only containers use it; `local` Spark needs neither.

The ports of their pages, and the worker's cores and memory, are Spark's own variables (`SPARK_WORKER_MEMORY`, ...).
"""

import json
import os
import socket
from pathlib import Path
from urllib.parse import urlparse

from lakehouse.artefacts import pyspark_home
from lakehouse.errors import ConfigurationError, ServiceError
from lakehouse.services.health import get
from lakehouse.services.process import Command
from lakehouse.settings import Settings

_MASTER = "org.apache.spark.deploy.master.Master"
_WORKER = "org.apache.spark.deploy.worker.Worker"


def master(settings: Settings, java_home: Path) -> Command:
    """How the master is started: where `spark.master` says that it is."""
    address = urlparse(_address(settings))
    arguments = ["--host", str(address.hostname), "--port", str(address.port or 7077)]
    return Command("spark-master", [_launcher(), _MASTER, *arguments], _environment(settings, java_home))


def worker(settings: Settings, java_home: Path) -> Command:
    """How the worker of `spark.master` is started, under this host's name or what Spark's variable says."""
    host = os.environ.get("SPARK_LOCAL_HOSTNAME") or socket.gethostname()
    arguments = ["--host", host, "--work-dir", str(settings.home / "work"), _address(settings)]
    return Command("spark-worker", [_launcher(), _WORKER, *arguments], _environment(settings, java_home))


def check_master(settings: Settings) -> str:
    """The master takes applications."""
    state = _state("SPARK_MASTER_WEBUI_PORT", 8080)
    if state.get("status") != "ALIVE":
        raise ServiceError(f"The Spark master is {state.get('status')}.")
    return f"{state.get('aliveworkers')} workers"


def check_worker(settings: Settings) -> str:
    """The worker has found its master."""
    state = _state("SPARK_WORKER_WEBUI_PORT", 8081)
    if not state.get("masterurl"):
        raise ServiceError("The Spark worker has not found its master yet.")
    return f"works for {state['masterurl']}"


def _state(variable: str, port: int) -> dict[str, object]:
    return dict(json.loads(get(f"http://127.0.0.1:{os.environ.get(variable, port)}/json/")))


def _address(settings: Settings) -> str:
    address = settings.spark.master
    if not address.startswith("spark://"):
        raise ConfigurationError(
            f"spark.master is {address!r}, no address of a master.", "Set it to spark://host:7077."
        )
    return address


def _launcher() -> str:
    """Spark's launcher: it knows which of Java's modules Spark needs opened."""
    return str(pyspark_home() / "bin" / "spark-class")


def _environment(settings: Settings, java_home: Path) -> dict[str, str]:
    return {
        # What a finished application leaves is deleted; whoever runs this can say otherwise.
        "SPARK_WORKER_OPTS": "-Dspark.worker.cleanup.enabled=true",
        "SPARK_DAEMON_MEMORY": "256m",
        **os.environ,
        "JAVA_HOME": str(java_home),
        "SPARK_HOME": str(pyspark_home()),
        "SPARK_CONF_DIR": str(settings.home / "conf"),
        "SPARK_LOCAL_DIRS": str(settings.home / "tmp"),
    }
