"""How the tests of this folder start the MongoDB stand-in."""

from lakehouse.artefacts import ensure_jars, pyspark_home
from lakehouse.java import java_home
from lakehouse.services.mongo_standin import classpath, command
from lakehouse.settings import load_settings


def argv(port: int) -> list[str]:
    cache = load_settings().cache
    jars = ensure_jars(cache).mongo_standin
    java = str(java_home(cache) / "bin" / "java")
    return command(java, classpath(list(jars), pyspark_home() / "jars"), port, heap="512m")
