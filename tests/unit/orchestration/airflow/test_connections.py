"""Airflow's connections, made of settings and read back."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lakehouse.settings import Settings, load_settings
from orchestration.airflow.connections import applied, declared


def settings_of(home: Path, **sections: Any) -> Settings:
    return load_settings(home=str(home), **sections)


def found_in(connections: dict[str, dict[str, Any]]) -> Any:
    def find(conn_id: str) -> Any:
        about = connections.get(conn_id)
        return (
            SimpleNamespace(**{"host": None, "port": None, "login": None, "password": None, **about}) if about else None
        )

    return find


def test_what_is_declared_gives_the_same_settings_back(tmp_path: Path) -> None:
    alerts = {"smtp_host": "mail.example", "smtp_user": "ann", "slack_webhook": "https://hooks.example/1"}
    settings = settings_of(tmp_path, alerts=alerts)
    assert applied(settings, found_in(declared(settings))) == settings


def test_without_connections_the_settings_stay(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert applied(settings, lambda conn_id: None) == settings


def test_what_somebody_has_set_in_airflow_is_used(tmp_path: Path) -> None:
    token, uri = "of-airflow", "mongodb://elsewhere:27018"
    changed = {
        "tmdb": {"host": "tmdb.example", "port": 8443, "password": token},
        "mongo": {"password": uri},
        "thrift": {"host": "thrift.example", "port": 10001},
    }
    found = applied(settings_of(tmp_path), found_in(changed))
    assert (found.tmdb.url, found.tmdb.token.get_secret_value()) == ("http://tmdb.example:8443/3", token)
    assert found.mongo.uri.get_secret_value() == uri
    assert (found.thrift.host, found.thrift.port) == ("thrift.example", 10001)


def test_no_secret_is_in_a_description(tmp_path: Path) -> None:
    webhook = "https://hooks.example/services/T0"
    for about in declared(settings_of(tmp_path, alerts={"slack_webhook": webhook})).values():
        assert not {value for name, value in about.items() if name != "password" and webhook in str(value)}
