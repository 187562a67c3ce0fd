"""How the Spark Thrift server is started; the server itself is `lakehouse.thrift_server`."""

import os
import sys

from lakehouse.services.process import Command
from lakehouse.settings import PREFIX, Settings, config_file


def command(settings: Settings) -> Command:
    """The argv of the Thrift server's driver."""
    environment = dict(os.environ)
    # The child must use this instance, also when it was chosen by an argument rather than the environment.
    environment[f"{PREFIX}HOME"] = str(settings.home)
    if (config := config_file()) is not None:
        environment[f"{PREFIX}CONFIG"] = str(config)
    environment["PYTHONUNBUFFERED"] = "1"
    return Command(
        "thrift",
        [sys.executable, "-m", "lakehouse.thrift_server"],
        environment,
        {"thrift.port": settings.thrift.port},
    )
