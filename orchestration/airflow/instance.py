"""Where an instance's Airflow keeps its things, its secrets, and the environment that its processes run in.

Secrets are made once, stand in one file that only its owner reads, and are nowhere else: not in the repository, not in
an argument of a process.
"""

import json
import os
import secrets as randomness
import sys
from base64 import urlsafe_b64encode
from dataclasses import asdict, dataclass
from pathlib import Path

from lakehouse.locks import exclusive
from lakehouse.settings import PREFIX, Settings, config_file, project_root

POOL = "writer"
"""The pool of what writes to the lake: one at a time."""


@dataclass(frozen=True)
class Secrets:
    """What an instance's Airflow keeps to itself.

    Args:
        fernet_key: encrypts the passwords of connections in Airflow's database.
        api_secret_key: signs the sessions of the web pages.
        jwt_secret: signs the tokens of the API.
        password: of the user who logs in.
    """

    fernet_key: str
    api_secret_key: str
    jwt_secret: str
    password: str


def folder(settings: Settings) -> Path:
    """Airflow's own folder: `AIRFLOW_HOME`."""
    return settings.home / "airflow"


def dags_folder() -> Path:
    """Where the DAG files are."""
    return project_root() / "orchestration" / "dags"


def plugins_folder() -> Path:
    """Where the plugin is that shows the report and the lineage site."""
    return project_root() / "orchestration" / "airflow" / "plugins"


def manifest_file(settings: Settings, selector: str) -> Path:
    """dbt's manifest, as Cosmos makes tasks of it for the models of a selector."""
    return folder(settings) / "dbt" / f"manifest-{selector}.json"


def passwords_file(settings: Settings) -> Path:
    """Where Airflow looks up who may log in."""
    return folder(settings) / "passwords.json"


def secrets_of(settings: Settings) -> Secrets:
    """Give the instance's secrets; make them where there are none."""
    path = folder(settings) / "secrets.json"
    with exclusive(settings.home / "run" / "airflow-secrets.lock"):
        if path.is_file():
            return Secrets(**json.loads(path.read_text(encoding="utf-8")))
        made = Secrets(
            urlsafe_b64encode(randomness.token_bytes(32)).decode(),
            randomness.token_urlsafe(32),
            randomness.token_urlsafe(48),
            randomness.token_urlsafe(12),
        )
        write_private(path, json.dumps(asdict(made)))
        return made


def write_private(path: Path, text: str) -> None:
    """Write a file whole that its owner alone may read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
        handle.write(text)
    draft.replace(path)


def environment(settings: Settings) -> dict[str, str]:
    """The whole environment of Airflow's processes; every task finds this instance's settings in it."""
    secrets = secrets_of(settings)
    home = folder(settings)
    address = f"http://{settings.airflow.host or settings.bind}:{settings.airflow.port}"
    database = settings.airflow.database.get_secret_value() or f"sqlite:///{home / 'airflow.db'}"
    own = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder()),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins_folder()),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(settings.airflow.parallelism),
        "AIRFLOW__CORE__MAX_ACTIVE_RUNS_PER_DAG": "1",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW__CORE__FERNET_KEY": secrets.fernet_key,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{settings.airflow.user}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords_file(settings)),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__API__HOST": settings.bind,
        "AIRFLOW__API__PORT": str(settings.airflow.port),
        "AIRFLOW__API__BASE_URL": settings.airflow.base_url or address,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secrets.api_secret_key,
        "AIRFLOW__API__EXPOSE_CONFIG": "False",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.jwt_secret,
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
        # What a killed scheduler leaves behind is found within some three minutes.
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "120",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "60",
        "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
        # What dbt has parsed, for the calls of single models; the manifests are read as they are.
        "AIRFLOW__COSMOS__CACHE_DIR": str(home / "cosmos"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "DO_NOT_TRACK": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(project_root()), os.environ.get("PYTHONPATH", "")))),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        f"{PREFIX}HOME": str(settings.home),
    }
    if (config := config_file()) is not None:
        own[f"{PREFIX}CONFIG"] = str(config)
    # Another Airflow's configuration would mix with this one's; connections may come from the environment.
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW__", "AIRFLOW_HOME"))
    }
    return {**inherited, **own}
