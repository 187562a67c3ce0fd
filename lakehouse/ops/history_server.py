"""Spark's history server over the event logs: what its web UI showed of applications that have ended."""

import os
import subprocess
from pathlib import Path

from lakehouse.artefacts import pyspark_home
from lakehouse.java import java_home
from lakehouse.ops import event_logs
from lakehouse.services.process import Command, require_free
from lakehouse.settings import Settings

_MAIN = "org.apache.spark.deploy.history.HistoryServer"
_HEAP_MB = 512
_LOG4J = """\
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSS} %p %c{1}: %m%n%ex
"""


def command(settings: Settings) -> Command:
    """How the server is started: on the instance's own address, over the instance's event logs."""
    logs = event_logs.folder(settings.home)
    logs.mkdir(parents=True, exist_ok=True)
    properties = {
        "log4j2.configurationFile": f"file:{_log4j_file(settings.home)}",
        "java.io.tmpdir": str(_scratch(settings.home)),
        "spark.history.fs.logDirectory": logs.as_uri(),
        "spark.history.fs.update.interval": "5s",
        "spark.history.ui.port": str(settings.ops.history_port),
        # The server's own log is in its window; nothing else is to be kept of it.
        "spark.ui.showConsoleProgress": "false",
    }
    argv = [
        str(java_home(settings.cache) / "bin" / "java"),
        f"-Xmx{_HEAP_MB}m",
        "-XX:+UseSerialGC",
        *(f"-D{name}={value}" for name, value in properties.items()),
        "--add-opens=java.base/java.nio=ALL-UNNAMED",
        "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
        "--add-opens=java.base/java.lang=ALL-UNNAMED",
        "--add-opens=java.base/java.util=ALL-UNNAMED",
        "-cp",
        str(pyspark_home() / "jars" / "*"),
        _MAIN,
    ]
    environment = {**os.environ, "SPARK_LOCAL_IP": settings.bind, "SPARK_HOME": str(pyspark_home())}
    return Command("history", argv, environment, {"ops.history_port": settings.ops.history_port})


def _log4j_file(home: Path) -> Path:
    path = home / "conf" / "history.log4j2.properties"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_LOG4J, encoding="utf-8")
    return path


def _scratch(home: Path) -> Path:
    scratch = home / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    return scratch


def serve(settings: Settings) -> int:
    """Run the server until it is interrupted; give its exit code.

    Raises:
        ServiceError: its port is taken.
    """
    how = command(settings)
    require_free(how)
    with subprocess.Popen(how.argv, env=how.environment, stdin=subprocess.DEVNULL) as server:
        try:
            return server.wait()
        except KeyboardInterrupt:
            server.terminate()
            return server.wait()
