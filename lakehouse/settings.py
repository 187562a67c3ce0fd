"""The one `Settings`: what is in force, and where each value came from.

Sources, the first wins: `LAKEHOUSE_*` environment variables (two underscores between levels:
`LAKEHOUSE_THRIFT__PORT=10001`), then `lakehouse.yaml` (in the working directory, or the file that
`LAKEHOUSE_CONFIG` names), then the profile's defaults, then the defaults of `lakehouse.sections`.
"""

import os
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from lakehouse.errors import ConfigurationError
from lakehouse.sections import (
    Airflow,
    Alerts,
    Dbt,
    Demo,
    Export,
    Gate,
    Graph,
    Hdfs,
    Ingest,
    Metastore,
    Mongo,
    Ops,
    Publication,
    Spark,
    Thrift,
    Tmdb,
)

PREFIX = "LAKEHOUSE_"
# Variables that steer the program before any setting is read, or say who started it; they are no settings themselves.
CONTROL_VARIABLES = {"LAKEHOUSE_CONFIG", "LAKEHOUSE_TRACEBACK", "LAKEHOUSE_WRITER"}

TMDB_URL = "https://api.themoviedb.org/3"
TMDB_EXPORTS = "https://files.tmdb.org/p/exports"

_SECRET_NAMES = ("uri", "token", "password", "webhook")

STANDIN_TOKEN = "standin"
"""What the stand-in takes for a good token; it is no secret."""

PROFILES: dict[str, dict[str, Any]] = {
    "local": {},
    # An existing engine is addressed; its sizes belong to its operator, so only the essentials are set.
    "cluster": {"spark": {"master": "yarn", "shuffle_partitions": 200, "driver_memory_mb": 4096}},
}


class Settings(BaseSettings):
    """Everything that can be set. Construct it with `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", validate_default=True
    )

    profile: Literal["local", "cluster"] = "local"
    home: Path = Field(Path(".lakehouse"), description="data, logs and pid files of this instance")
    cache: Path = Field(Path("~/.cache/tmdb-lakehouse"), description="JVM artefacts, shared by instances")
    bind: str = Field("127.0.0.1", description="the address that services listen on")
    hdfs: Hdfs = Hdfs()
    metastore: Metastore = Metastore()
    thrift: Thrift = Thrift()
    mongo: Mongo = Mongo()
    spark: Spark = Spark()
    ingest: Ingest = Ingest()
    tmdb: Tmdb = Tmdb()
    graph: Graph = Graph()
    gate: Gate = Gate()
    publication: Publication = Publication()
    ops: Ops = Ops()
    alerts: Alerts = Alerts()
    export: Export = Export()
    dbt: Dbt = Dbt()
    demo: Demo = Demo()
    airflow: Airflow = Airflow()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment first; what `load_settings` passes is the YAML file over the profile."""
        return env_settings, init_settings

    @model_validator(mode="after")
    def _derive(self) -> "Settings":
        root = project_root()
        self.home = _absolute(self.home, root)
        self.cache = _absolute(self.cache, root)
        self.dbt.project_dir = _absolute(self.dbt.project_dir, root)
        self.gate.thresholds = _absolute(self.gate.thresholds, root)
        if self.profile == "cluster":
            missing = [
                name
                for name, value in (
                    ("hdfs.uri", self.hdfs.uri),
                    ("metastore.uri", self.metastore.uri),
                    ("mongo.uri", self.mongo.uri.get_secret_value()),
                )
                if not value
            ]
            if missing:
                raise ValueError(f"profile cluster needs {', '.join(missing)}")
        self.hdfs.uri = self.hdfs.uri or f"hdfs://{self.bind}:{self.hdfs.namenode_port}"
        self.metastore.uri = self.metastore.uri or f"thrift://{self.bind}:{self.metastore.port}"
        if not self.mongo.uri.get_secret_value():
            self.mongo.uri = SecretStr(f"mongodb://{self.bind}:{self.mongo.port}")
        asks_standin = self.profile == "local" and not self.tmdb.token.get_secret_value()
        self.tmdb.url = self.tmdb.url or (self.standin_url if asks_standin else TMDB_URL)
        self.tmdb.export_url = self.tmdb.export_url or (self.standin_exports if asks_standin else TMDB_EXPORTS)
        if asks_standin:
            self.tmdb.token = SecretStr(STANDIN_TOKEN)
        return self

    @property
    def warehouse(self) -> str:
        """The folder that holds every table, on HDFS."""
        return f"{self.hdfs.uri}/warehouse"

    @property
    def runs_own_hdfs(self) -> bool:
        """Whether HDFS is started here, rather than an existing one addressed."""
        return self.profile == "local" and self.hdfs.uri == f"hdfs://{self.bind}:{self.hdfs.namenode_port}"

    @property
    def runs_own_metastore(self) -> bool:
        """Whether the metastore is started here."""
        return self.profile == "local" and self.metastore.uri == f"thrift://{self.bind}:{self.metastore.port}"

    @property
    def runs_own_mongo(self) -> bool:
        """Whether the in-memory MongoDB stand-in is started here."""
        own = f"mongodb://{self.bind}:{self.mongo.port}"
        return self.profile == "local" and self.mongo.uri.get_secret_value() == own

    @property
    def runs_own_tmdb(self) -> bool:
        """Whether a stand-in for TMDB's API is started here."""
        return self.profile == "local" and self.tmdb.url == self.standin_url

    @property
    def standin_url(self) -> str:
        """Where the stand-in for TMDB's API listens."""
        return f"http://{self.bind}:{self.tmdb.port}/3"

    @property
    def standin_exports(self) -> str:
        """Where the stand-in has the daily exports of ids."""
        return f"http://{self.bind}:{self.tmdb.port}/p/exports"


def project_root() -> Path:
    """The folder that holds `dbt_project/` and `pyproject.toml`: where the packages were installed from."""
    return Path(__file__).resolve().parent.parent


def _absolute(path: Path, root: Path) -> Path:
    path = path.expanduser()
    return path if path.is_absolute() else root / path


def _merge(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        merged[key] = (
            _merge(merged[key], value) if isinstance(value, dict) and isinstance(merged.get(key), dict) else value
        )
    return merged


def config_file() -> Path | None:
    """The YAML file in use, or None where there is none.

    Raises:
        ConfigurationError: `LAKEHOUSE_CONFIG` names a file that is not there.
    """
    named = os.environ.get("LAKEHOUSE_CONFIG")
    path = Path(named) if named else Path.cwd() / "lakehouse.yaml"
    if path.is_file():
        return path
    if named:
        raise ConfigurationError(f"LAKEHOUSE_CONFIG names {path}, which is not there.", "Correct or unset it.")
    fallback = project_root() / "lakehouse.yaml"
    return fallback if fallback.is_file() else None


def read_config_file() -> dict[str, Any]:
    """Read the YAML file in use; `{}` where there is none.

    Raises:
        ConfigurationError: the file is not YAML, or not a mapping.
    """
    path = config_file()
    if path is None:
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not valid YAML: {error}.", "Correct the file.") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path} must hold a mapping of settings.", "See `lakehouse config` for the keys.")
    return content


def load_settings(**overrides: Any) -> Settings:
    """Read all sources into one `Settings`.

    Args:
        overrides: values that stand where the YAML file's stand (tests use this).

    Raises:
        ConfigurationError: an unknown key or a bad value; the message names each of them.
    """
    given = _merge(read_config_file(), overrides)
    profile = os.environ.get(f"{PREFIX}PROFILE", given.get("profile", "local"))
    values = _merge(PROFILES.get(str(profile), {}), given)
    _refuse_unknown_variables()
    try:
        return Settings(**values)
    except ValidationError as error:
        problems = "; ".join(_problem(item) for item in error.errors())
        raise ConfigurationError(
            f"The settings cannot be used: {problems}.",
            f"Correct {config_file() or 'lakehouse.yaml'} or the {PREFIX}* variables; "
            "`lakehouse config` lists the keys.",
        ) from error


def _problem(item: Any) -> str:
    name = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"unknown setting {name!r}"
    shown = (
        ""
        if any(word in name for word in _SECRET_NAMES) or item["type"] == "value_error"
        else f" (is {item['input']!r})"
    )
    message = item["msg"].removeprefix("Value error, ")
    return f"{name}{': ' if name else ''}{message[:1].lower()}{message[1:]}{shown}"


def _refuse_unknown_variables() -> None:
    """pydantic-settings passes over a misspelt top-level variable; here it is an error that names it."""
    for variable in sorted(os.environ):
        if not variable.startswith(PREFIX) or variable in CONTROL_VARIABLES:
            continue
        if _setting_of(variable) is None:
            raise ConfigurationError(
                f"{variable} is set, but there is no such setting.", "`lakehouse config` lists the names."
            )


def _setting_of(variable: str) -> str | None:
    """The dotted setting that an environment variable sets, or None."""
    parts = variable.removeprefix(PREFIX).lower().split("__")
    model: type[BaseModel] = Settings
    for depth, part in enumerate(parts):
        field = model.model_fields.get(part)
        if field is None:
            return None
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
        elif inner == dict[str, str]:
            return ".".join(parts)
        elif depth < len(parts) - 1:
            return None
    return ".".join(parts)


def flatten(settings: Settings) -> dict[str, str]:
    """Every setting in force as `section.key` -> text, secrets masked."""
    flat: dict[str, str] = {}

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, BaseModel):
            for name in type(value).model_fields:
                walk(f"{prefix}{name}.", getattr(value, name))
        elif isinstance(value, SecretStr):
            # Of a webhook the whole address is the secret.
            secret = value.get_secret_value()
            flat[prefix[:-1]] = ("***" if secret else "") if prefix.endswith("webhook.") else mask(secret)
        else:
            flat[prefix[:-1]] = str(value)

    walk("", settings)
    return flat


def mask(uri: str) -> str:
    """Hide user and password of a URI: `mongodb://***@host/db`."""
    scheme, found, rest = uri.partition("://")
    if not found:
        return "***" if uri else ""
    credentials, at, host = rest.rpartition("@")
    return f"{scheme}://***@{host}" if at and credentials else uri


def origins() -> dict[str, str]:
    """Where each set value comes from: `section.key` -> `environment NAME`, a file, or `profile NAME`.

    A setting that is absent here has its default, or is derived from another (an address from a port).
    """
    found: dict[str, str] = {}

    def mark(prefix: str, content: dict[str, Any], origin: str) -> None:
        for key, value in content.items():
            name = f"{prefix}{key}"
            if isinstance(value, dict):
                mark(f"{name}.", value, origin)
            else:
                found[name] = origin

    given = read_config_file()
    profile = str(os.environ.get(f"{PREFIX}PROFILE", given.get("profile", "local")))
    mark("", PROFILES.get(profile, {}), f"profile {profile}")
    mark("", given, str(config_file()))
    for variable in os.environ:
        if variable.startswith(PREFIX) and variable not in CONTROL_VARIABLES:
            name = _setting_of(variable)
            if name:
                found[name] = f"environment {variable}"
    return found
