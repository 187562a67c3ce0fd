"""Runs `lakehouse` and `dbt` commands one after the other in one process, whose JVM stays warm from one to the next.

A JVM that has just started runs Spark several times slower than one that has worked for a minute, and dbt takes seconds
to be imported. Each command still has the environment, the folder, the Spark session and the output of its own.
"""

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Any


def main() -> None:
    """Answer each line of standard input, an asked command as JSON, by one line on standard output."""
    with os.fdopen(os.dup(1), "w") as answers:
        for line in sys.stdin:
            json.dump(_answer(**json.loads(line)), answers)
            answers.write("\n")
            answers.flush()


def _answer(program: str, arguments: list[str], variables: dict[str, str], folder: str) -> dict[str, Any]:
    os.chdir(folder)
    for name in [name for name in os.environ if name.startswith("LAKEHOUSE_")]:
        del os.environ[name]
    os.environ.update(variables)
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        os.dup2(stdout.fileno(), 1)
        os.dup2(stderr.fileno(), 2)
        returncode = _run(program, arguments)
        sys.stdout.flush()
        sys.stderr.flush()
        said = []
        for file in (stdout, stderr):
            file.seek(0)
            said.append(file.read().decode(errors="replace"))
    return {"returncode": returncode, "stdout": said[0], "stderr": said[1]}


def _run(program: str, arguments: list[str]) -> int:
    from lakehouse.spark import running_session

    sys.argv = [program, *arguments]
    try:
        _main(program)()
    except SystemExit as ended:
        return int(ended.code or 0)
    except Exception:  # noqa: BLE001 - as a process ends that has not caught it
        traceback.print_exc()
        return 1
    finally:
        session = running_session()
        if session is not None:
            # As with the process of a command: what it knew of tables ends with it.
            session.sparkContext._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
            session.stop()
    return 0


def _main(program: str) -> Callable[[], Any]:
    if program == "dbt":
        from dbt.cli.main import cli

        return cli
    from lakehouse.cli import main

    return main


if __name__ == "__main__":
    main()
