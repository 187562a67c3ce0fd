"""A MongoDB-protocol server for machines without MongoDB.

The server is `de.bwaldvogel:mongo-java-server` with its in-memory backend: **its data is gone when it stops**. PyMongo 4
refuses the wire version that it reports, so `MongoStandin.java` starts it with another. Janino, which pyspark ships,
compiles that source at start, so no JDK is needed.
"""

import os
from pathlib import Path

SOURCE = Path(__file__).with_name("MongoStandin.java")

# Maven coordinates that the class path must hold on top of pyspark's jars (Janino, Netty 4.2, SLF4J and Log4j are there).
ARTEFACTS = (
    "de.bwaldvogel:mongo-java-server-core:1.47.0",
    "de.bwaldvogel:mongo-java-server-memory-backend:1.47.0",
)


def command(java: str, classpath: list[str], port: int, heap: str = "1g") -> list[str]:
    """The argv that runs the stand-in in the foreground until SIGTERM.

    Args:
        java: path of the `java` program.
        classpath: class path entries (files, or folders ending in `/*`): the two `ARTEFACTS` and pyspark's jars.
        port: TCP port on 127.0.0.1. The server exits with a stack trace on stderr if the port is taken.
        heap: greatest heap of the JVM, as `-Xmx` takes it.
    """
    return [
        java,
        f"-Xmx{heap}",
        "-XX:+UseSerialGC",
        "-cp",
        os.pathsep.join(classpath),
        "org.codehaus.janino.SimpleCompiler",
        str(SOURCE),
        "MongoStandin",
        str(port),
    ]
