"""The Hive metastore service, with Derby or PostgreSQL behind it."""

import os
from pathlib import Path

from lakehouse.artefacts import Jars
from lakehouse.services.hdfs import classpath, configuration, java_command
from lakehouse.services.process import Command
from lakehouse.settings import Settings

_MAIN = "org.apache.hadoop.hive.metastore.HiveMetaStore"


def write_configuration(settings: Settings) -> None:
    """Write hive-site.xml beside the Hadoop configuration, for its owner alone: a password may stand in it."""
    path = settings.home / "conf" / "hive-site.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    configuration(
        path,
        {
            **_database(settings),
            "datanucleus.schema.autoCreateAll": "true",
            "hive.metastore.schema.verification": "false",
            "hive.metastore.thrift.bind.host": settings.bind,
            "hive.metastore.warehouse.dir": settings.warehouse,
            # A Delta table's columns live in its log; the metastore must not judge their changes.
            "hive.metastore.disallow.incompatible.col.type.changes": "false",
            "hive.async.log.enabled": "false",
        },
    )


def _database(settings: Settings) -> dict[str, str]:
    metastore = settings.metastore
    if not metastore.database_url:
        return {
            "javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={settings.home}/metastore;create=true",
            "javax.jdo.option.ConnectionDriverName": "org.apache.derby.jdbc.EmbeddedDriver",
        }
    return {
        "javax.jdo.option.ConnectionURL": metastore.database_url,
        "javax.jdo.option.ConnectionDriverName": "org.postgresql.Driver",
        "javax.jdo.option.ConnectionUserName": metastore.database_user,
        "javax.jdo.option.ConnectionPassword": metastore.database_password.get_secret_value(),
    }


def command(settings: Settings, java: str, jars: Jars, drivers: tuple[Path, ...] = ()) -> Command:
    """How the metastore is started; `drivers` are the jars of its database, where that is not Derby."""
    argv = java_command(settings, java, [*classpath(jars), *drivers], settings.metastore.heap_mb, _MAIN)
    main = argv.index(_MAIN)
    argv[main:main] = [f"-Dderby.stream.error.file={settings.home}/logs/derby.log"]
    return Command(
        "metastore",
        [*argv, "-p", str(settings.metastore.port)],
        dict(os.environ),
        {"metastore.port": settings.metastore.port},
    )
