"""How the tests of this folder start the MongoDB stand-in."""

import socket

from lakehouse.artefacts import ensure_jars, pyspark_home
from lakehouse.java import java_home
from lakehouse.services.mongo_standin import classpath, command
from lakehouse.settings import load_settings


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def argv(port: int) -> list[str]:
    cache = load_settings().cache
    jars = ensure_jars(cache).mongo_standin
    java = str(java_home(cache) / "bin" / "java")
    return command(java, classpath(list(jars), pyspark_home() / "jars"), port, heap="512m")
