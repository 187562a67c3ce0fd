"""The data dictionary says what the models' YAML says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.instance import ROOT

_PROJECT = ROOT / "dbt_project"
_DICTIONARY = (ROOT / "docs" / "data_dictionary.md").read_text(encoding="utf-8")


def _models() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for path in sorted(_PROJECT.glob("models/**/*.yml")) + sorted(_PROJECT.glob("snapshots/*.yml")):
        layer = "silver" if path.parent.name == "snapshots" else path.relative_to(_PROJECT / "models").parts[0]
        read = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        found += [(layer, model) for kind in ("models", "snapshots") for model in read.get(kind, [])]
    return [(layer, model) for layer, model in found if model["name"] != "movie_descriptions"]


def _section(name: str) -> str:
    _, _, rest = _DICTIONARY.partition(f"\n### {name}\n")
    assert rest, f"docs/data_dictionary.md has no section {name}"
    return re.split(r"\n##+ ", rest)[0]


@pytest.mark.parametrize(
    ("layer", "model"), _models(), ids=lambda value: value if isinstance(value, str) else value["name"]
)
def test_every_column_is_in_the_dictionary_as_in_its_yaml(layer: str, model: dict[str, Any]) -> None:
    section = _section(f"{layer}.{model['name']}")
    rows = re.findall(r"^\| (`.+?`) \| `(.+)` \| (.*) \|$", section, flags=re.MULTILINE)
    listed = {name: (kind, meaning) for names, kind, meaning in rows for name in re.findall(r"`(\w+)`", names)}
    assert set(listed) == {column["name"] for column in model["columns"]}
    for column in model["columns"]:
        kind, meaning = listed[column["name"]]
        if "data_type" in column:
            assert kind.replace(" ", "") == column["data_type"].replace(" ", "")
        if layer == "gold":
            assert meaning == " ".join(column["description"].split())


def test_every_variable_is_explained() -> None:
    variables = yaml.safe_load((_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    assert [name for name in variables if name not in _DICTIONARY] == []


def test_the_list_of_sections_leads_somewhere() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).strip().replace(" ", "-")
        for line in re.findall(r"^#+ (.*)$", _DICTIONARY, flags=re.MULTILINE)
    }
    links = re.findall(r"\]\(#([^)]+)\)", _DICTIONARY)
    assert links
    assert [link for link in links if link not in headings] == []


def test_no_file_of_the_docs_links_to_one_that_is_not_there() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for link in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / Path(link)).exists(), f"{page.name}: {link}"
