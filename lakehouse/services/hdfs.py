"""A NameNode and a DataNode, from the jar that Hadoop publishes for its own test clusters."""

import os
from pathlib import Path
from urllib.parse import urlparse
from xml.sax.saxutils import escape

from lakehouse.artefacts import Jars, pyspark_home
from lakehouse.services.process import Command
from lakehouse.settings import Settings

_NAMENODE = "org.apache.hadoop.hdfs.server.namenode.NameNode"
_DATANODE = "org.apache.hadoop.hdfs.server.datanode.DataNode"
_LOG4J = """\
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSS} %p %c{1}: %m%n%ex
"""


def configuration(path: Path, values: dict[str, str]) -> None:
    """Write a Hadoop `*-site.xml`."""
    body = "\n".join(
        f"  <property><name>{escape(name)}</name><value>{escape(value)}</value></property>"
        for name, value in values.items()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'<?xml version="1.0"?>\n<configuration>\n{body}\n</configuration>\n', encoding="utf-8")


def write_configuration(settings: Settings) -> Path:
    """Write core-site.xml and hdfs-site.xml under `home/conf`, for the daemons and any Hadoop client."""
    conf = settings.home / "conf"
    data = settings.home / "hdfs"
    host = settings.bind
    namenode = urlparse(settings.hdfs.uri)
    configuration(conf / "core-site.xml", {"fs.defaultFS": settings.hdfs.uri, "hadoop.tmp.dir": f"{data}/tmp"})
    configuration(
        conf / "hdfs-site.xml",
        {
            "dfs.replication": str(settings.hdfs.replication),
            "dfs.namenode.name.dir": f"file://{data}/name",
            "dfs.datanode.data.dir": f"file://{data}/data",
            "dfs.namenode.rpc-address": f"{namenode.hostname}:{namenode.port or settings.hdfs.namenode_port}",
            "dfs.namenode.rpc-bind-host": host,
            "dfs.namenode.http-address": f"{host}:{settings.hdfs.namenode_http_port}",
            "dfs.datanode.address": f"{host}:{settings.hdfs.datanode_port}",
            "dfs.datanode.ipc.address": f"{host}:{settings.hdfs.datanode_ipc_port}",
            "dfs.datanode.http.address": f"{host}:{settings.hdfs.datanode_http_port}",
            "dfs.datanode.hostname": settings.hdfs.datanode_host or host,
            # Containers' addresses need not have names.
            "dfs.namenode.datanode.registration.ip-hostname-check": "false",
            # Few nodes: leave safe mode as soon as their blocks are reported.
            "dfs.namenode.safemode.extension": "0",
            "dfs.namenode.safemode.min.datanodes": "1",
            "dfs.client.block.write.replace-datanode-on-failure.enable": "false",
            "dfs.permissions.superusergroup": "supergroup",
        },
    )
    (conf / "log4j2.properties").write_text(_LOG4J, encoding="utf-8")
    return conf


def java_command(settings: Settings, java: str, classpath: list[Path], heap_mb: int, main: str) -> list[str]:
    """The argv of a Hadoop or Hive daemon: our configuration first on its class path."""
    conf = settings.home / "conf"
    return [
        java,
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        f"-Dlog4j2.configurationFile=file:{conf}/log4j2.properties",
        "-Djava.net.preferIPv4Stack=true",
        "-cp",
        ":".join([str(conf), *(str(path) for path in classpath)]),
        main,
    ]


def classpath(jars: Jars) -> list[Path]:
    """What a Hadoop program needs: pyspark's jars, and the services' jar."""
    return [pyspark_home() / "jars" / "*", jars.hadoop_services]


def is_formatted(settings: Settings) -> bool:
    """Whether the NameNode has a namespace on disk."""
    return (settings.home / "hdfs" / "name" / "current" / "VERSION").exists()


def format_command(settings: Settings, java: str, jars: Jars) -> list[str]:
    """The argv that makes an empty namespace. Never overwrites one."""
    command = java_command(settings, java, classpath(jars), settings.hdfs.heap_mb, _NAMENODE)
    return [*command, "-format", "-nonInteractive"]


def commands(settings: Settings, java: str, jars: Jars) -> list[Command]:
    """How NameNode and DataNode are started."""
    environment = dict(os.environ)
    heap = settings.hdfs.heap_mb
    return [
        Command(
            "namenode",
            java_command(settings, java, classpath(jars), heap, _NAMENODE),
            environment,
            {
                "hdfs.namenode_port": settings.hdfs.namenode_port,
                "hdfs.namenode_http_port": settings.hdfs.namenode_http_port,
            },
        ),
        Command(
            "datanode",
            java_command(settings, java, classpath(jars), heap, _DATANODE),
            environment,
            {
                "hdfs.datanode_port": settings.hdfs.datanode_port,
                "hdfs.datanode_ipc_port": settings.hdfs.datanode_ipc_port,
                "hdfs.datanode_http_port": settings.hdfs.datanode_http_port,
            },
        ),
    ]
