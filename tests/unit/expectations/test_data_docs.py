import json
import os
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import typer
from typer.testing import CliRunner

from expectations.data_docs import make_docs
from expectations.data_docs_command import data_docs
from expectations.docs_reading import read_runs
from expectations.docs_words import block_html, words_html
from expectations.suites import SUITES, read_suite
from lakehouse.settings import Settings, load_settings
from tests.gate_results import BAD_MOVIES, GOOD, LOW, MOVIES, keep, passed, small_suite, write_suites

SCHEDULED = "scheduled__2026-03-02T08:00:00+00:00"

MARCH_1 = datetime(2026, 3, 1, 8, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 8, tzinfo=UTC)
RANKINGS = small_suite("gold.director_rankings")


class Page(HTMLParser):
    """Links, addresses of anything else, tags, and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.is_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.is_style = tag == "style"
        given = {name: value or "" for name, value in attrs}
        self.attributes |= set(given)
        if tag == "a":
            self.links.append(given["href"])
        else:
            self.loads += [given[name] for name in ("src", "href", "srcset", "data", "action") if name in given]

    def handle_endtag(self, tag: str) -> None:
        self.is_style = False

    def handle_data(self, data: str) -> None:
        if not self.is_style:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("home")
    keep(home, "run-1", MOVIES, MARCH_1, GOOD)
    keep(home, SCHEDULED, MOVIES, MARCH_2, BAD_MOVIES)
    keep(home, SCHEDULED, small_suite("bronze.movies"), MARCH_2 - timedelta(minutes=1), GOOD)
    keep(home, SCHEDULED, RANKINGS, MARCH_2 + timedelta(minutes=20), LOW)
    (home / "quality" / "run-1" / "silver.people.json").write_text("{half a file")
    return load_settings(home=str(home))


@pytest.fixture(scope="module")
def docs(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text("the report")
    return make_docs(settings, folder / "docs", write_suites(folder / "suites", MOVIES, RANKINGS)).parent


def page(docs: Path, place: str) -> Page:
    return Page((docs / place).read_text())


def test_there_is_an_index_a_page_a_run_and_table_and_a_page_a_suite(docs: Path) -> None:
    assert sorted(str(path.relative_to(docs)) for path in docs.rglob("*") if path.is_file()) == [
        "index.html",
        "runs/run-1/silver.movies.html",
        f"runs/{SCHEDULED}/bronze.movies.html",
        f"runs/{SCHEDULED}/gold.director_rankings.html",
        f"runs/{SCHEDULED}/silver.movies.html",
        "suites/bronze.movies.html",
        "suites/gold.director_rankings.html",
        "suites/silver.movies.html",
    ]


def test_every_link_leads_to_a_page_that_is_there_and_nothing_is_loaded(docs: Path) -> None:
    for path in docs.rglob("*.html"):
        shown = page(docs, str(path.relative_to(docs)))
        assert "script" not in shown.tags
        assert "style" not in shown.attributes, "the policy forbids it"
        assert shown.loads == ["data:,"]
        assert not re.search(r"https?:|//\w", path.read_text())
        for link in shown.links:
            if link.startswith("#"):
                continue
            assert not urlsplit(link).netloc
            assert (path.parent / unquote(link)).resolve().is_file(), link
        assert any("index.html" in link for link in shown.links)


def test_the_policy_seals_the_one_style_sheet(docs: Path) -> None:
    import base64
    import hashlib

    text = (docs / "index.html").read_text()
    found = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert found is not None
    digest = base64.b64encode(hashlib.sha256(found.group(1).encode()).digest()).decode()
    assert f"default-src &#39;none&#39;; style-src &#39;sha256-{digest}&#39;".replace("&#39;", "'") in text.replace(
        "&#39;", "'"
    )


def test_the_index_has_runs_newest_first_with_verdicts_and_scores(docs: Path) -> None:
    text = page(docs, "index.html").text
    newest, oldest = text.index("2026-03-02T08:20:00Z"), text.index("2026-03-01T08:00:00Z")
    assert newest < oldest
    assert "3 tables, 1 failed, 1 with warnings" in text
    assert re.search(r"silver\. movies failed 0\.9677 0\.9555 - 5 of 10", text)
    assert re.search(r"gold\. director_ rankings warning 0\.9900 - - 1 of 2", text)
    assert "home" not in text
    assert "quality/run-1/silver.people.json: JSONDecodeError" in text


def test_the_page_of_a_run_and_table_says_what_was_demanded_and_found_in_great_expectations_words(docs: Path) -> None:
    text = page(docs, f"runs/{SCHEDULED}/silver.movies.html").text
    broken = text[text.index("What did not pass What") : text.index("Completeness completeness: what passed")]
    assert "profit is revenue less budget: at least 0.98" in broken
    assert "0.9555555556" in broken
    assert "430 of 450" in broken
    # the table's completeness is met, so its one low rule is only to look at; its consistency is not
    assert "warning title is known: at least 0.95 29 of 450: the title is missing or blank" in broken
    assert "failed profit is revenue less budget: at least 0.98" in broken
    assert broken.index("failed profit") < broken.index("warning title")
    assert "trim(title) <> ''" in broken
    # of the two bounds, the softer is broken and the harder is met
    assert "warning processed in time: at most 1 (a warning) 1.50 h" in broken
    assert "passed processed in time: at most 2 1.50 h" in text
    assert "Consistency failed ≈0.9555555556 430 of 450 table consistency: at least 0.98 worst is profit" in text
    assert "Evaluated Expectations 10" in text
    assert "Unsuccessful Expectations 5" in text
    assert f"Great Expectations Version 1.24.1 Run Name {SCHEDULED} Run Time 2026-03-02T08:00:00Z" in text


def test_what_the_data_says_is_shown_and_is_no_markup(docs: Path) -> None:
    shown = page(docs, f"runs/{SCHEDULED}/silver.movies.html")
    assert "<script>alert('x')</script> & ${column} of $1" in shown.text


def test_the_page_of_a_suite_says_what_is_demanded_why_and_how_it_went(docs: Path) -> None:
    text = page(docs, "suites/silver.movies.html").text
    assert "What silver.movies must hold to." in text
    assert "title is known: at least 0.95 Where it does not hold, the title is missing or blank." in text
    assert "holds: trim(title) <> '' where: status = 'Released'" in text
    assert (
        "processed in time: at most 1 hours: max(hours) warning processed in time: at most 2 hours: max(hours) critical"
        in text
    )
    assert re.search(r"2026-03-02T08:00:00Z failed run-1 2026-03-01T08:00:00Z passed", text)


def test_a_page_leads_to_the_report_only_where_there_is_one(settings: Settings, docs: Path, tmp_path: Path) -> None:
    assert "../index.html" in page(docs, "index.html").links
    assert "../../../index.html" in page(docs, "runs/run-1/silver.movies.html").links
    alone = make_docs(settings, tmp_path / "docs", tmp_path / "no suites").parent
    assert "../index.html" not in page(alone, "index.html").links


def test_the_command_writes_to_home_and_says_where(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = typer.Typer()
    app.command("data-docs")(data_docs)
    monkeypatch.setattr("lakehouse.settings.load_settings", lambda: settings)
    shown = CliRunner().invoke(app, [])
    assert shown.output == f"{settings.home / 'data-docs' / 'index.html'}\n"
    (tmp_path / "file").write_text("")
    refused = CliRunner().invoke(app, ["--to", str(tmp_path / "file")])
    assert "cannot be written" in str(refused.exception)


def test_before_any_gate_the_index_says_so(tmp_path: Path) -> None:
    index = make_docs(load_settings(home=str(tmp_path / "home")), tmp_path / "docs")
    assert "No gate has been run yet" in Page(index.read_text()).text


def spoiled(content: dict[str, Any], part: str) -> None:
    """Leave JSON that says it is a result, and is none."""
    result = content["result"]["results"][0]
    match part:
        case "result":
            content["result"]["results"] = [{}]
        case "column":
            del result["expectation_config"]["kwargs"]["column"]
        case "kind":
            result["expectation_config"]["type"] = "expect_no_such_thing"
        case "field":
            result["odd"] = 1
        case "suite":
            content["suite"]["expectations"] = [{}]


@pytest.mark.parametrize("part", ["result", "column", "kind", "field", "suite"])
def test_a_file_that_cannot_be_rendered_is_named_and_the_others_have_their_pages(tmp_path: Path, part: str) -> None:
    for run_id, at in (("run-1", MARCH_1), ("run-2", MARCH_2)):
        keep(tmp_path, run_id, MOVIES, at, BAD_MOVIES)
        keep(tmp_path, run_id, RANKINGS, at, LOW)
    file = tmp_path / "quality" / "run-2" / "silver.movies.json"
    content = json.loads(file.read_text())
    spoiled(content, part)
    file.write_text(json.dumps(content))
    docs = make_docs(load_settings(home=str(tmp_path)), tmp_path / "docs").parent
    assert "quality/run-2/silver.movies.json: " in page(docs, "index.html").text
    assert not (docs / "runs/run-2/silver.movies.html").exists()
    for place in ("runs/run-1/silver.movies", "runs/run-2/gold.director_rankings", "suites/silver.movies"):
        assert (docs / f"{place}.html").is_file()


def test_of_many_runs_only_the_latest_are_read(tmp_path: Path) -> None:
    for number in range(1, 4):
        keep(tmp_path, f"run-{number}", RANKINGS, MARCH_1 + timedelta(days=number), LOW)
        os.utime(tmp_path / "quality" / f"run-{number}", (number, number))
    (tmp_path / "quality" / "run-1" / "gold.director_rankings.json").write_text("{half a file")
    found = read_runs(tmp_path, 2)
    assert [run.run_id for run in found.runs] == ["run-3", "run-2"]
    assert (found.unreadable, found.older) == ((), 1)
    assert read_runs(tmp_path, 3).older == 0
    assert len(read_runs(tmp_path, 3).unreadable) == 1


def test_content_of_every_kind_becomes_plain_html() -> None:
    template = {"template": "values of $column > ${min}\n$$5 & $unknown", "params": {"column": "<a>", "min": 0}}
    assert words_html({"string_template": template}) == (
        "values of <code>&lt;a&gt;</code> &gt; <code>0</code><br>$5 &amp; $unknown"
    )
    assert words_html(["a", {"content_block_type": "bullet_list", "bullet_list": ["<b>"]}]) == (
        "a <ul><li>&lt;b&gt;</li></ul>"
    )
    assert block_html({"header": "H", "header_row": ["x", "y", "z"], "table": [[1, None, "z"], ["k", "v"]]}) == (
        '<h3>H</h3><table><thead><tr><th scope="col">x</th><th scope="col">y</th><th scope="col">z</th></tr></thead>'
        '<tbody><tr><td>1</td><td></td><td>z</td></tr><tr><th scope="row">k</th><td>v</td></tr></tbody></table>'
    )


def test_every_suite_of_the_project_has_a_page_with_all_its_rules(tmp_path: Path) -> None:
    declared = [read_suite(path) for path in sorted(SUITES.glob("*/*.yaml"))]
    for suite in declared:
        keep(tmp_path, "run", suite, MARCH_1, [passed(rule.name, rule.dimension) for rule in suite.rules])
    docs = make_docs(load_settings(home=str(tmp_path)), tmp_path / "docs").parent
    for suite in declared:
        text = page(docs, f"suites/{suite.table}.html").text
        assert " ".join(suite.description.split()) in text
        for rule in suite.rules:
            assert f"{rule.name.replace('_', ' ')}: at least 1" in text
            assert " ".join(rule.reason.split()) in text
