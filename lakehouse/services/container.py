"""One service as the only process of a container: `python -m lakehouse.services.container namenode`.

It writes what the service reads from the settings, then becomes the service, which so gets the container's signals.
With `--check` it makes a real call to the service instead, for the container's health check.
"""

import os
import subprocess
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer

from lakehouse.artefacts import POSTGRESQL_DRIVER, ensure_further, ensure_jars
from lakehouse.errors import ServiceError
from lakehouse.java import java_home
from lakehouse.services import hdfs, health, metastore, standalone, thrift, tmdb
from lakehouse.services.process import Command
from lakehouse.settings import Settings, load_settings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Service(StrEnum):
    """What a container can be."""

    namenode = "namenode"
    datanode = "datanode"
    metastore = "metastore"
    spark_master = "spark-master"
    spark_worker = "spark-worker"
    thrift = "thrift"
    tmdb = "tmdb"


CHECKS: dict[Service, Callable[[Settings], str]] = {
    Service.namenode: health.namenode,
    Service.datanode: health.datanode,
    Service.metastore: health.metastore,
    Service.spark_master: standalone.check_master,
    Service.spark_worker: standalone.check_worker,
    Service.thrift: health.thrift,
    Service.tmdb: health.tmdb,
}


@app.command()
def main(
    service: Annotated[Service, typer.Argument(help="What to be.")],
    check: Annotated[bool, typer.Option("--check", help="Ask the one that runs here how it is.")] = False,
) -> None:
    """Be one service of the lakehouse, in the foreground."""
    settings = load_settings()
    if check:
        print(CHECKS[service](settings))
    else:
        become(prepared(service, settings), settings)


def prepared(service: Service, settings: Settings) -> Command:
    """Make what a service needs before its start (configuration, jars, an empty namespace); give how it is started.

    Raises:
        ArtefactError: a jar, or Java, is missing and cannot be fetched.
        ServiceError: the NameNode's folder cannot be formatted.
    """
    if service is Service.thrift:
        return thrift.command(settings)
    if service is Service.tmdb:
        return tmdb.command(settings)
    hdfs.write_configuration(settings)
    home = java_home(settings.cache)
    if service is Service.spark_master:
        return standalone.master(settings, home)
    if service is Service.spark_worker:
        return standalone.worker(settings, home)
    java, jars = str(home / "bin" / "java"), ensure_jars(settings.cache)
    if service is Service.metastore:
        metastore.write_configuration(settings)
        drivers = ensure_further([POSTGRESQL_DRIVER], settings.cache) if settings.metastore.database_url else ()
        return metastore.command(settings, java, jars, drivers)
    if service is Service.namenode and not hdfs.is_formatted(settings):
        _format(hdfs.format_command(settings, java, jars))
    return next(command for command in hdfs.commands(settings, java, jars) if command.name == service)


def become(command: Command, settings: Settings) -> None:
    """Replace this process by the service; does not return."""
    settings.home.mkdir(parents=True, exist_ok=True)
    os.chdir(settings.home)
    os.execve(command.argv[0], command.argv, command.environment)


def _format(argv: list[str]) -> None:
    if subprocess.run(argv, stdin=subprocess.DEVNULL, check=False).returncode:
        raise ServiceError(
            "The NameNode's folder could not be formatted.",
            "Hadoop has said why above; see that its volume is writable.",
        )


if __name__ == "__main__":
    from lakehouse.cli import run_safely

    run_safely(app)
