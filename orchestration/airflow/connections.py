"""Airflow's connections and the settings: what is made of what.

`lakehouse airflow up` makes the connections from the settings, where they are missing. A task takes addresses and
secrets from them, so that somebody who changes one in Airflow changes what the tasks use.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from lakehouse.settings import Settings


class Connection(Protocol):
    """What is read of a connection of Airflow's."""

    @property
    def host(self) -> str | None:
        """The server."""

    @property
    def port(self) -> int | None:
        """Its port."""

    @property
    def login(self) -> str | None:
        """The user."""

    @property
    def password(self) -> str | None:
        """The secret."""


def declared(settings: Settings) -> dict[str, dict[str, Any]]:
    """The connections as the settings have them, by id; a secret is in `password` alone."""
    tmdb = urlsplit(settings.tmdb.url)
    found: dict[str, dict[str, Any]] = {
        "tmdb": {
            "conn_type": "http",
            "host": tmdb.hostname,
            "port": tmdb.port,
            "schema": tmdb.scheme,
            "password": settings.tmdb.token.get_secret_value(),
            "description": "TMDB's API; the password is the token",
        },
        "thrift": {
            "conn_type": "generic",
            "host": settings.thrift.host,
            "port": settings.thrift.port,
            "description": "the Spark Thrift server",
        },
        "mongo": {
            "conn_type": "generic",
            "password": settings.mongo.uri.get_secret_value(),
            "description": "MongoDB; the password is the URI",
        },
    }
    alerts = settings.alerts
    if webhook := alerts.slack_webhook.get_secret_value():
        found["slack"] = {"conn_type": "generic", "password": webhook, "description": "the password is the webhook"}
    if alerts.smtp_host:
        found["smtp"] = {
            "conn_type": "generic",
            "host": alerts.smtp_host,
            "port": alerts.smtp_port,
            "login": alerts.smtp_user,
            "password": alerts.smtp_password.get_secret_value(),
            "description": "the mail server of alerts",
        }
    return found


def applied(settings: Settings, find: Callable[[str], Connection | None]) -> Settings:
    """The settings with what connections say in the place of what they say.

    Args:
        settings: the settings in force.
        find: gives a connection by its id, None where there is none.
    """
    sections: dict[str, Any] = {}
    if (tmdb := find("tmdb")) and tmdb.password:
        sections["tmdb"] = settings.tmdb.model_copy(
            update={"token": SecretStr(tmdb.password), "url": _moved(settings.tmdb.url, tmdb)}
        )
    if (thrift := find("thrift")) and thrift.host:
        moved = {"host": thrift.host, "port": thrift.port or settings.thrift.port}
        sections["thrift"] = settings.thrift.model_copy(update=moved)
    if (mongo := find("mongo")) and mongo.password:
        sections["mongo"] = settings.mongo.model_copy(update={"uri": SecretStr(mongo.password)})
    alerts: dict[str, Any] = {}
    if (slack := find("slack")) and slack.password:
        alerts["slack_webhook"] = SecretStr(slack.password)
    if (smtp := find("smtp")) and smtp.host:
        alerts |= {
            "smtp_host": smtp.host,
            "smtp_port": smtp.port or settings.alerts.smtp_port,
            "smtp_user": smtp.login or "",
            "smtp_password": SecretStr(smtp.password or ""),
        }
    if alerts:
        sections["alerts"] = settings.alerts.model_copy(update=alerts)
    return settings.model_copy(update=sections)


@dataclass(frozen=True)
class Given:
    """A connection, as plain values."""

    host: str | None = None
    port: int | None = None
    login: str | None = None
    password: str | None = None


IDS = ("tmdb", "thrift", "mongo", "slack", "smtp")
"""The connections that are looked at."""


def found_in(find: Callable[[str], Connection | None]) -> dict[str, dict[str, Any]]:
    """What is read of each connection, as plain values, by its id; `as_connections` takes it."""
    found = {conn_id: find(conn_id) for conn_id in IDS}
    return {
        conn_id: asdict(Given(one.host, one.port, one.login, one.password)) for conn_id, one in found.items() if one
    }


def as_connections(told: Mapping[str, Mapping[str, Any]]) -> dict[str, Connection]:
    """What `found_in` gave."""
    return {conn_id: Given(**values) for conn_id, values in told.items()}


def _moved(url: str, connection: Connection) -> str:
    """The address on the connection's host and port, where it has one."""
    if not connection.host:
        return url
    parts = urlsplit(url)
    host = f"{connection.host}:{connection.port}" if connection.port else connection.host
    return urlunsplit((parts.scheme, host, parts.path, parts.query, parts.fragment))


def of_airflow(conn_id: str) -> Connection | None:
    """Look a connection up, in a task."""
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found: Connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return None
    return found
