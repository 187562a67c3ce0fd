import hashlib
import json
from pathlib import Path

import pytest

from lakehouse import artefacts
from lakehouse.artefacts import Artefact
from lakehouse.errors import ArtefactError

_JAR = b"a jar"
_PINNED = Artefact("g", "one", "1", hashlib.sha256(_JAR).hexdigest())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / _PINNED.file).write_bytes(_JAR)
    return tmp_path


def test_every_artefact_is_pinned_but_the_one_that_no_mirror_here_serves() -> None:
    pinned = [
        *artefacts.DELTA,
        artefacts.HADOOP_SERVICES,
        *artefacts.MONGO_STANDIN,
        artefacts.POSTGRESQL_DRIVER,
        artefacts.GRAPHFRAMES[-1],
    ]
    assert all(artefact.sha256 and len(artefact.sha256) == 64 for artefact in pinned)


def test_a_jar_that_is_what_was_pinned_is_verified_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artefacts._verify((_PINNED,), folder)
    monkeypatch.setattr(artefacts, "sha256_of", lambda path: pytest.fail("read again"))
    artefacts._verify((_PINNED,), folder)


def test_a_jar_that_is_not_what_was_pinned_is_refused(folder: Path) -> None:
    artefacts._verify((_PINNED,), folder)
    (folder / _PINNED.file).write_bytes(b"another jar")
    with pytest.raises(ArtefactError, match="not the pinned g:one:1"):
        artefacts._verify((_PINNED,), folder)


def test_an_artefact_without_a_pin_is_held_to_what_it_first_was(folder: Path) -> None:
    unpinned = Artefact("g", "one", "1", None)
    artefacts._verify((unpinned,), folder)
    assert json.loads((folder / "verified.json").read_text())[unpinned.file][2] == _PINNED.sha256
    (folder / unpinned.file).write_bytes(b"another jar")
    with pytest.raises(ArtefactError, match="not the pinned"):
        artefacts._verify((unpinned,), folder)


def test_what_is_known_of_the_other_jars_stays(folder: Path) -> None:
    artefacts._verify((_PINNED,), folder)
    other = Artefact("g", "other", "1", None)
    (folder / other.file).write_bytes(_JAR)
    artefacts._verify((other,), folder)
    assert set(json.loads((folder / "verified.json").read_text())) == {_PINNED.file, other.file}


def test_what_only_some_machines_need_is_fetched_once_and_held_to_its_pin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []

    def fetch(wanted: list[Artefact], cache: Path) -> None:
        fetched.extend(artefact.name for artefact in wanted)
        (cache / "jars" / wanted[0].file).write_bytes(_JAR)

    monkeypatch.setattr(artefacts, "_fetch", fetch)
    with pytest.raises(ArtefactError, match=r"not the pinned org\.postgresql:postgresql"):
        artefacts.ensure_further([artefacts.POSTGRESQL_DRIVER], tmp_path)
    paths = artefacts.ensure_further([_PINNED], tmp_path)
    assert artefacts.ensure_further([_PINNED], tmp_path) == paths == (tmp_path / "jars" / _PINNED.file,)
    assert fetched == ["postgresql", "one"]


def test_graphframes_falls_back_where_the_first_is_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jars").mkdir()
    asked: list[str] = []

    def fetch(wanted: list[Artefact], cache: Path) -> None:
        asked.append(wanted[0].name)
        if wanted[0] is artefacts.GRAPHFRAMES[0]:
            raise ArtefactError("not served")

    monkeypatch.setattr(artefacts, "_fetch", fetch)
    assert artefacts._graphframes(tmp_path, lambda step: None) is artefacts.GRAPHFRAMES[-1]
    assert asked == [artefact.name for artefact in artefacts.GRAPHFRAMES]


def test_what_cannot_be_fetched_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Answer:
        stdout, stderr = "", "unresolved dependency"

    monkeypatch.setattr(artefacts.subprocess, "run", lambda *a, **k: Answer())
    with pytest.raises(ArtefactError, match="g:one:1 could not be fetched"):
        artefacts._fetch([_PINNED], tmp_path)
    assert (tmp_path / "resolve.log").read_text() == "unresolved dependency"
