"""Airflow's secrets and environment."""

import stat
from pathlib import Path

import pytest

from lakehouse.settings import Settings, load_settings
from orchestration.airflow import instance


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=str(tmp_path / "home"))


def test_secrets_are_made_once_and_read_by_their_owner_alone(settings: Settings) -> None:
    made = instance.secrets_of(settings)
    assert instance.secrets_of(settings) == made
    file = instance.folder(settings) / "secrets.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert len({made.fernet_key, made.api_secret_key, made.jwt_secret, made.password}) == 4


def test_two_instances_share_no_secret(settings: Settings, tmp_path: Path) -> None:
    other = load_settings(home=str(tmp_path / "other"))
    assert instance.secrets_of(other).password != instance.secrets_of(settings).password


def test_the_environment_is_this_instance_s_own(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW_HOME", "/somewhere")
    monkeypatch.setenv("AIRFLOW_CONN_TMDB", "http://kept")
    found = instance.environment(settings)
    assert found["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert found["AIRFLOW_HOME"] == str(settings.home / "airflow")
    assert found["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert found["LAKEHOUSE_HOME"] == str(settings.home)
    assert found["AIRFLOW_CONN_TMDB"] == "http://kept"


def test_no_argument_of_a_process_holds_a_secret(settings: Settings) -> None:
    from orchestration.airflow.server import commands

    secrets = vars(instance.secrets_of(settings)).values()
    for command in commands(settings):
        assert not any(secret in argument for argument in command.argv for secret in secrets)


def test_a_file_is_private_from_its_first_byte(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.json"
    instance.write_private(path, "one")
    instance.write_private(path, "two")
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
