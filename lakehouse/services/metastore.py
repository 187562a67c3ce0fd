"""The Hive metastore service, with Derby behind it."""

import os

from lakehouse.artefacts import Jars
from lakehouse.services.hdfs import classpath, configuration, java_command
from lakehouse.services.process import Command
from lakehouse.settings import Settings

_MAIN = "org.apache.hadoop.hive.metastore.HiveMetaStore"


def write_configuration(settings: Settings) -> None:
    """Write hive-site.xml beside the Hadoop configuration."""
    configuration(
        settings.home / "conf" / "hive-site.xml",
        {
            "javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={settings.home}/metastore;create=true",
            "javax.jdo.option.ConnectionDriverName": "org.apache.derby.jdbc.EmbeddedDriver",
            "datanucleus.schema.autoCreateAll": "true",
            "hive.metastore.schema.verification": "false",
            "hive.metastore.thrift.bind.host": settings.bind,
            "hive.metastore.warehouse.dir": settings.warehouse,
            # A Delta table's columns live in its log; the metastore must not judge their changes.
            "hive.metastore.disallow.incompatible.col.type.changes": "false",
            "hive.async.log.enabled": "false",
        },
    )


def command(settings: Settings, java: str, jars: Jars) -> Command:
    """How the metastore is started."""
    argv = java_command(settings, java, classpath(jars), settings.metastore.heap_mb, _MAIN)
    main = argv.index(_MAIN)
    argv[main:main] = [f"-Dderby.stream.error.file={settings.home}/logs/derby.log"]
    return Command(
        "metastore",
        [*argv, "-p", str(settings.metastore.port)],
        dict(os.environ),
        {"metastore.port": settings.metastore.port},
    )
