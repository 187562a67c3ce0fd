"""How the in-memory MongoDB stand-in is started, for a machine without a MongoDB."""

import os

from lakehouse.artefacts import Jars, pyspark_home
from lakehouse.services import mongo_standin
from lakehouse.services.process import Command
from lakehouse.settings import Settings


def command(settings: Settings, java: str, jars: Jars) -> Command:
    """The argv of the stand-in."""
    classpath = [*(str(jar) for jar in jars.mongo_standin), str(pyspark_home() / "jars" / "*")]
    return Command(
        "mongo",
        mongo_standin.command(java, classpath, settings.mongo.port, heap=f"{settings.mongo.heap_mb}m"),
        dict(os.environ),
        {"mongo.port": settings.mongo.port},
    )
