"""A MongoDB-protocol server for machines without MongoDB.

The server is `de.bwaldvogel:mongo-java-server` with its in-memory backend: **its data is gone when it stops**.
PyMongo 4 refuses the wire version that it reports, so `MongoStandin.java` starts it with another. Janino, which
pyspark ships, compiles that source at start, so no JDK is needed.
"""

import os
from pathlib import Path

SOURCE = Path(__file__).with_name("MongoStandin.java")

# The two Maven artefacts that pyspark does not ship.
ARTEFACTS = (
    "de.bwaldvogel:mongo-java-server-core:1.47.0",
    "de.bwaldvogel:mongo-java-server-memory-backend:1.47.0",
)

# What else is needed, as patterns of file names in pyspark's `jars` folder (all of it works too, but starts slower).
PYSPARK_JARS = (
    "janino-*.jar",
    "commons-compiler-*.jar",
    "netty-buffer-*.jar",
    "netty-codec-[0-9]*.jar",
    "netty-codec-base-*.jar",
    "netty-common-*.jar",
    "netty-handler-[0-9]*.jar",
    "netty-resolver-[0-9]*.jar",
    "netty-transport-[0-9]*.jar",
    "netty-transport-native-unix-common-*.jar",
    "slf4j-api-*.jar",
    "log4j-slf4j2-impl-*.jar",
    "log4j-api-*.jar",
    "log4j-core-*.jar",
)


def classpath(artefacts: list[Path], pyspark_jars: Path) -> list[str]:
    """The class path of the stand-in: the files of `ARTEFACTS`, and its part of pyspark's `jars` folder.

    Raises:
        FileNotFoundError: a pattern of `PYSPARK_JARS` matches nothing in `pyspark_jars`.
    """
    entries = [str(path) for path in artefacts]
    for pattern in PYSPARK_JARS:
        found = sorted(pyspark_jars.glob(pattern))
        if not found:
            raise FileNotFoundError(f"{pyspark_jars} holds no {pattern}, which the MongoDB stand-in needs")
        entries += [str(path) for path in found]
    return entries


def command(java: str, classpath: list[str], port: int, heap: str = "1g") -> list[str]:
    """The argv that runs the stand-in in the foreground until SIGTERM.

    Args:
        java: path of the `java` program.
        classpath: class path entries, as `classpath()` gives them.
        port: TCP port on 127.0.0.1. If it is taken, the process says so on stderr and exits with 1.
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
