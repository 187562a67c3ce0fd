"""The main rules of Dockerfile linters, held to without one."""

import re
import tomllib
from fnmatch import fnmatch

from tests.instance import ROOT

TEXT = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
_JOINED = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", TEXT, flags=re.MULTILINE))
INSTRUCTIONS = [(word, rest) for word, _, rest in (line.partition(" ") for line in _JOINED.splitlines() if line)]
IGNORED = [
    line
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def _of(word: str) -> list[str]:
    return [rest for found, rest in INSTRUCTIONS if found == word]


def test_bases_are_of_one_exact_version() -> None:
    bases = [rest.split()[0] for rest in _of("FROM")]
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", bases[0])
    assert "latest" not in TEXT


def test_nothing_of_debian_is_added_to_the_base() -> None:
    assert not [run for run in _of("RUN") if re.search(r"\b(apt|apt-get|dpkg)\b", run)]


def test_it_does_not_run_as_root() -> None:
    last_stage = INSTRUCTIONS[max(i for i, (word, _) in enumerate(INSTRUCTIONS) if word == "FROM") :]
    users = [rest for word, rest in last_stage if word == "USER"]
    assert users[-1] == re.search(r"useradd .*--uid (\d+)", TEXT)[1] != "0"  # type: ignore[index]
    assert "sudo" not in TEXT


def test_files_are_copied_and_commands_are_lists() -> None:
    assert _of("ADD") == []
    assert all(rest.startswith("[") for word in ("CMD", "ENTRYPOINT") for rest in _of(word))
    assert all(rest.startswith("/") for rest in _of("WORKDIR"))
    assert len(_of("CMD")) == 1


def test_nothing_in_it_is_secret_or_names_a_registry() -> None:
    for rest in (*_of("ENV"), *_of("ARG")):
        assert not re.search("password|secret|token|api_?key|credential", rest, re.IGNORECASE)
    assert "://" not in TEXT
    assert not re.search(r"--(extra-)?index-url|--trusted-host|-i http", TEXT)


def test_uv_is_of_the_version_that_make_uses() -> None:
    used = re.search(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert used is not None
    assert _of("ARG") == [f"UV_VERSION={used[1]}"]
    assert any("--require-hashes" in run and "requirements.lock" in run for run in _of("RUN"))


def test_the_context_has_what_is_installed_and_nothing_secret() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = [
        *("pyproject.toml", "requirements.lock", "README.md", "LICENSE", "dbt_project"),
        *project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"],
    ]
    for name in needed:
        assert (ROOT / name).exists()
        assert not any(fnmatch(name, pattern) for pattern in IGNORED), name
    for name in (".env", ".env.local", ".git", "lakehouse.yaml", ".lakehouse"):
        assert any(fnmatch(name, pattern) for pattern in IGNORED), name
