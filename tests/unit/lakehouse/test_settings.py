from pathlib import Path

import pytest
from typer.testing import CliRunner

from lakehouse.errors import ConfigurationError
from lakehouse.services.health import own_services
from lakehouse.settings import flatten, load_settings, mask, origins, project_root


@pytest.fixture(autouse=True)
def _no_other_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("LAKEHOUSE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "lakehouse.yaml").write_text("thrift: {port: 10001}\nmongo: {port: 27018}\n")
    monkeypatch.setenv("LAKEHOUSE_THRIFT__PORT", "10002")
    settings = load_settings()
    assert (settings.thrift.port, settings.mongo.port, settings.metastore.port) == (10002, 27018, 9083)
    assert origins() == {
        "thrift.port": "environment LAKEHOUSE_THRIFT__PORT",
        "mongo.port": str(tmp_path / "lakehouse.yaml"),
    }


def test_addresses_follow_ports() -> None:
    settings = load_settings(hdfs={"namenode_port": 9100}, mongo={"port": 27100}, metastore={"port": 9200})
    assert settings.warehouse == "hdfs://127.0.0.1:9100/warehouse"
    assert settings.metastore.uri == "thrift://127.0.0.1:9200"
    assert settings.mongo.uri.get_secret_value() == "mongodb://127.0.0.1:27100"
    assert settings.runs_own_hdfs
    assert settings.runs_own_mongo


def test_a_given_address_is_kept_and_its_service_is_not_ours() -> None:
    settings = load_settings(mongo={"uri": "mongodb://reader:pw@db:27017"})  # pragma: allowlist secret
    assert settings.mongo.uri.get_secret_value().endswith("@db:27017")
    assert not settings.runs_own_mongo


def test_two_settings_do_not_share_their_sections() -> None:
    first = load_settings(thrift={"port": 1})
    assert load_settings().thrift.port == 10000
    assert first.thrift.port == 1


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("LAKEHOUSE_THRIFT__PROT", "1", "LAKEHOUSE_THRIFT__PROT"),
        ("LAKEHOUSE_TRIFT", "1", "LAKEHOUSE_TRIFT"),
        ("LAKEHOUSE_HOME__X", "1", "LAKEHOUSE_HOME__X"),
        ("LAKEHOUSE_THRIFT__PORT", "many", "thrift.port"),
        ("LAKEHOUSE_GATE__FAILING_ROWS", "-1", "gate.failing_rows"),
        ("LAKEHOUSE_PROFILE", "laptop", "profile"),
    ],
)
def test_an_unknown_key_or_a_bad_value_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, named: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=named):
        load_settings()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("thrift: {prot: 1}", "unknown setting 'thrift.prot'"),
        ("hadoop: 1", "unknown setting 'hadoop'"),
        ("- a", "must hold a mapping"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "lakehouse.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=named):
        load_settings()


def test_a_config_file_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_CONFIG", "/nowhere/lakehouse.yaml")
    with pytest.raises(ConfigurationError, match=r"/nowhere/lakehouse\.yaml"):
        load_settings()


def test_profile_cluster_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_PROFILE", "cluster")
    with pytest.raises(ConfigurationError, match=r"hdfs\.uri, metastore\.uri, mongo\.uri"):
        load_settings()
    settings = load_settings(
        hdfs={"uri": "hdfs://nn:8020"}, metastore={"uri": "thrift://ms:9083"}, mongo={"uri": "mongodb://db"}
    )
    assert settings.spark.master == "yarn"
    assert settings.warehouse == "hdfs://nn:8020/warehouse"
    assert origins()["spark.master"] == "profile cluster"


def test_the_example_of_a_cluster_is_in_force_as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_CONFIG", str(project_root() / "deploy" / "cluster" / "lakehouse.yaml"))
    with pytest.raises(ConfigurationError, match=r"profile cluster needs mongo\.uri"):
        load_settings()
    monkeypatch.setenv("LAKEHOUSE_MONGO__URI", "mongodb://db")
    settings = load_settings()
    assert settings.warehouse == "hdfs://namenode.example:8020/warehouse"
    assert own_services(settings) == []
    assert settings.spark.extra["spark.executor.memory"] == "8g"


def test_secrets_are_masked_wherever_settings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from lakehouse.cli import app

    uri = "mongodb://writer:s3cret@db:27017"  # pragma: allowlist secret
    monkeypatch.setenv("LAKEHOUSE_MONGO__URI", uri)
    webhook = "https://hooks.slack.example/services/s3cret"  # pragma: allowlist secret
    monkeypatch.setenv("LAKEHOUSE_ALERTS__SLACK_WEBHOOK", webhook)
    lineage = "https://writer:s3cret@lineage.example"  # pragma: allowlist secret
    monkeypatch.setenv("LAKEHOUSE_OPS__OPENLINEAGE_URL", lineage)
    assert flatten(load_settings())["alerts.slack_webhook"] == "***"
    assert flatten(load_settings())["ops.openlineage_url"] == "https://***@lineage.example"
    assert flatten(load_settings())["mongo.uri"] == "mongodb://***@db:27017"
    shown = CliRunner().invoke(app, ["config"]).output
    assert "s3cret" not in shown
    assert "environment LAKEHOUSE_MONGO__URI" in shown
    assert "s3cret" not in repr(load_settings())


def test_a_bad_address_for_lineage_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_OPS__OPENLINEAGE_URL", "ftp://writer:s3cret@lineage")  # pragma: allowlist secret
    with pytest.raises(ConfigurationError, match=r"ops\.openlineage_url: must begin with http") as caught:
        load_settings()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "masked"),
    [
        ("mongodb://a:b@h/db", "mongodb://***@h/db"),
        ("mongodb://h/db", "mongodb://h/db"),
        ("token", "***"),
        ("", ""),
    ],
)
def test_mask(uri: str, masked: str) -> None:
    assert mask(uri) == masked


def test_without_a_token_the_stand_in_is_asked() -> None:
    settings = load_settings(tmdb={"port": 8599})
    assert settings.tmdb.url == "http://127.0.0.1:8599/3"
    assert settings.tmdb.export_url == "http://127.0.0.1:8599/p/exports"
    assert settings.runs_own_tmdb


def test_with_a_token_tmdb_is_asked_and_no_stand_in_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_TMDB__TOKEN", "a-token")
    settings = load_settings()
    assert settings.tmdb.url == "https://api.themoviedb.org/3"
    assert not settings.runs_own_tmdb
    assert "tmdb" not in own_services(settings)
    assert flatten(settings)["tmdb.token"] == "***"


def test_a_demo_asks_the_stand_in_whatever_token_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestration.commands import demo_settings

    monkeypatch.setenv("LAKEHOUSE_TMDB__TOKEN", "a-token")
    settings = demo_settings(load_settings(), movies=7)
    assert settings.runs_own_tmdb
    assert settings.tmdb.token.get_secret_value() == "standin"
    assert settings.demo.movies == 7
