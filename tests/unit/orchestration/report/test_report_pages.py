"""The report over a lake that never was: what its pages say, and that they hold together."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from lakehouse.settings import Settings, load_settings
from orchestration import offline
from orchestration.report import gold_genres, quality, wording
from orchestration.report.facts import read_facts
from orchestration.report.pages import PAGES
from orchestration.report.site import make_site
from tests import made_up_gold, made_up_lake
from tests.made_up_gold import HOSTILE, contracts
from tests.made_up_lake import MadeUpLake
from tests.unit.orchestration.report.parsed import Parsed

_NAMES = [name for name, _ in PAGES]
_SCRIPT = "<script"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(home=str(tmp_path_factory.mktemp("home")))


def made(settings: Settings, lake: MadeUpLake, to: Path, run_id: str | None = None) -> dict[str, str]:
    folder = make_site(settings, lake, to, run_id, extras=()).folder
    return {page.name: page.read_text(encoding="utf-8") for page in sorted(folder.glob("*.html"))}


@pytest.fixture(scope="module")
def good(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return made(settings, made_up_lake.good_lake(), tmp_path_factory.mktemp("good") / "report")


@pytest.fixture(scope="module")
def failed(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return made(settings, made_up_lake.failed_lake(), tmp_path_factory.mktemp("failed") / "report")


@pytest.fixture(scope="module")
def empty(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return made(settings, made_up_lake.empty_lake(), tmp_path_factory.mktemp("empty") / "report")


@pytest.fixture(scope="module")
def bare(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return made(settings, made_up_lake.bare_lake(), tmp_path_factory.mktemp("bare") / "report")


@pytest.fixture(scope="module")
def sparse(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return made(settings, made_up_lake.sparse_lake(), tmp_path_factory.mktemp("sparse") / "report")


@pytest.fixture(params=["good", "failed", "empty", "bare", "sparse"])
def site(request: pytest.FixtureRequest) -> dict[str, str]:
    pages: dict[str, str] = request.getfixturevalue(request.param)
    return pages


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.split("</style>")[-1]).split())


def section_of(html: str, key: str) -> str:
    start = html.index(f'<section aria-labelledby="{key}">')
    return html[start : html.index("</section>", start)]


def test_all_pages_are_there_run_no_script_and_load_nothing(site: dict[str, str]) -> None:
    assert sorted(site) == sorted(_NAMES)
    for html in site.values():
        assert _SCRIPT not in html
        assert offline.remote_targets(html) == []
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", html)


def test_the_policy_allows_the_page_s_own_style_and_nothing_else(site: dict[str, str]) -> None:
    for html in site.values():
        [style] = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        [policy] = [given["content"] for given in Parsed(html).all("meta") if "http-equiv" in given]
        assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:")
        # What the policy would refuse.
        assert not [given for _, given in Parsed(html).elements if "style" in given or "onclick" in given]


def test_ids_are_unique_and_links_lead_somewhere(site: dict[str, str]) -> None:
    parsed = {name: Parsed(html) for name, html in site.items()}
    for name, page in parsed.items():
        assert len(page.ids) == len(set(page.ids))
        for link in page.links:
            file, _, anchor = link.partition("#")
            assert not anchor or anchor in parsed[file or name].ids, link
            assert not file or file in site, link
        for _, given in page.elements:
            for named in ("aria-labelledby", "aria-describedby"):
                assert set(given.get(named, "").split()) <= set(page.ids)
        for clip in re.findall(r"url\(#([^)]+)\)", site[name]):
            assert clip in page.ids


def test_headings_are_in_order_and_the_language_is_said(site: dict[str, str]) -> None:
    for html in site.values():
        page = Parsed(html)
        assert page.headings.count(1) == 1
        assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
        assert page.all("html") == [{"lang": "en"}]


def test_every_chart_has_a_name_a_description_and_a_table(good: dict[str, str]) -> None:
    charts = re.findall(r"<figure.*?</figure>", "".join(good.values()), re.DOTALL)
    assert len(charts) >= 24
    for chart in charts:
        drawn = re.findall(r'<svg role="img" aria-labelledby="\S+" aria-describedby="\S+".*?</svg>', chart, re.DOTALL)
        assert len(drawn) == 2, "one for a wide and one for a narrow screen"
        for svg in drawn:
            assert re.search(r"<title id=[^>]+>[^<]{8,}</title><desc id=[^>]+>[^<]{12,}</desc>", svg)
            assert re.search(r"<(?:path|rect|line)[^>]+(?:fill|stroke)=\"var\(--", svg), "nothing is drawn"
        assert "<details>" in chart
        assert chart.count("<tr>") > 1


def test_the_colours_of_charts_are_the_page_s_own(good: dict[str, str]) -> None:
    for html in good.values():
        style = html[: html.index("</style>")]
        for name in set(re.findall(r"var\(--([a-z0-9-]+)\)", html)):
            assert style.count(f"--{name}:") == 2, f"{name} has no colour, light and dark"
        assert not re.findall(r'(?:fill|stroke)="(?!var|none)[^"]+"', html)


def test_a_hostile_title_is_text(good: dict[str, str]) -> None:
    for page in ("gold.html", "quality.html"):
        assert "&lt;script&gt;alert(" in good[page]
        assert HOSTILE not in good[page]


def test_a_good_run_says_what_was_published_and_when(good: dict[str, str]) -> None:
    said = text_of(good["index.html"])
    assert "Gold was published on 27 Nov 2026, 04:30 UTC" in said
    assert f"{len(contracts()) - 1} marts, computed for 27 Nov 2026, 00:00 UTC." in said
    assert "Took 7 min" in said
    assert "Steps 8 of 8 succeeded" in said
    assert "What went wrong" not in said
    gantt = section_of(good["index.html"], "steps")
    for step in ("ingest", "silver", "gate", "graph", "gold", "audit", "publish", "export", "dbt model"):
        assert f">{step}</text>" in gantt


def test_a_failed_run_says_what_is_wrong_what_to_do_and_what_readers_see(failed: dict[str, str]) -> None:
    said = text_of(failed["index.html"])
    assert "Nothing was published: the run failed in audit" in said
    assert "Readers see the version of 27 Nov 2026, 04:30 UTC" in said
    assert "What went wrong: gold.movie_performance: consistency 0.9712 is below 0.98" in said
    assert "What to do now: Look at the rows with lakehouse gate --failures gold.movie_performance" in said
    assert "Steps 5 of 6 succeeded" in said
    assert "critical gold.movie_performance profit_is_revenue_less_budget" in text_of(
        section_of(failed["index.html"], "alerts")
    )


def test_what_is_below_its_threshold_is_told_with_its_rows(failed: dict[str, str], good: dict[str, str]) -> None:
    low = text_of(section_of(failed["quality.html"], "below"))
    assert "fail gold.movie_performance profit_is_revenue_less_budget consistency" in low
    assert "0.9712 0.98" in low
    rows = text_of(section_of(failed["quality.html"], "failing-rows"))
    assert "603 the profit is not revenue less budget" in rows
    assert "&#34;revenue&#34;: 463517383" in rows
    assert "gold.movie_performance" not in text_of(section_of(good["quality.html"], "below"))
    over_time = section_of(failed["quality.html"], "over-time")
    assert "Demanded: 0.98. The lowest of all: gold.movie_performance with 0.9712" in over_time
    assert "threshold 0.95" in over_time


def test_gold_is_told_in_charts(good: dict[str, str]) -> None:
    said = text_of(good["gold.html"])
    for sentence in (
        "Drama leads with",
        "Most come out in December: 482.",
        "Action in June stands out, of the genres with 50 movies or more: ",
        "% against the same month of all movies.",
        "in the twelve months to 2026-10",
        "Love the Bomb, the Director&#39;s Cut (1986) earned most: $2.9 billion",
        "budget and revenue 0.",
        "stands first with 0.99 (405 partners)",
        "over windows of 5 years",
    ):
        assert sentence in said
    # The year and the month that are not over, and a group of four movies.
    assert '<th scope="row">2026</th>' not in section_of(good["gold.html"], "genres")
    assert "In 2025 the largest is Horror with" in said
    assert "In 2026" not in said
    assert '<th scope="row">2026-11</th>' not in good["gold.html"]
    assert "Western</text>" not in section_of(good["gold.html"], "correlations")


def test_a_share_that_is_not_known_is_no_share_of_nothing() -> None:
    tables = made_up_gold.gold()
    for row in tables["gold.genre_market_share"]:
        if row["release_year"] == made_up_gold.LAST_YEAR - 1:
            row["revenue_share"] = None
    facts = read_facts(MadeUpLake(tables))
    charts = {chart.key: chart for chart in gold_genres.sections(facts)[0].charts}
    assert charts["share-movies"].table.rows[0][0] == "2025"
    assert charts["share-revenue"].table.rows[0][0] == "2024"
    assert charts["share-revenue"].says.startswith("A few hits may make a year. In 2024 the largest is")


def test_a_lake_of_few_movies_has_no_blank_section(settings: Settings, tmp_path: Path) -> None:
    lake = made_up_gold.gold()
    for row in lake["gold.genre_seasonality"]:
        row["total_movies"] = 3
    for row in lake["gold.performance_correlations"]:
        row["movies"] = 4
    for row in lake["gold.box_office_trends"]:
        row["rolling_12m_revenue"] = row["rolling_12m_growth"] = None
    lake["gold.movie_performance"] = []
    html = made(settings, MadeUpLake(made_up_lake.ops(2) | lake), tmp_path / "few")["gold.html"]
    assert "movies, computed for" not in html
    assert "stands out" not in html
    assert "Rank correlations by decade" in section_of(html, "correlations")
    assert "Box office by month" in section_of(html, "box-office")
    for row in lake["gold.box_office_trends"]:
        row["is_partial_month"] = True
    for row in lake["gold.yoy_growth"]:
        row["is_partial_year"] = True
    html = made(settings, MadeUpLake(made_up_lake.ops(2) | lake), tmp_path / "fewer")["gold.html"]
    assert "No movie is known of a month or a year that is over." in section_of(html, "box-office")


def test_rows_of_every_rule_that_was_broken_are_shown(settings: Settings, tmp_path: Path) -> None:
    tables = made_up_lake.ops(2) | made_up_gold.gold()
    failing = tables["ops.quality_failures"][-1]
    tables["ops.quality_failures"] += [
        failing | {"table_name": table, "rule": "is_odd", "row_key": f"{table} {number:03}"}
        for table in ("bronze.movies", "silver.people")
        for number in range(400)
    ]
    html = made(settings, MadeUpLake(tables), tmp_path / "report")["quality.html"]
    rows = text_of(section_of(html, "failing-rows"))
    for table in ("bronze.movies", "silver.people"):
        assert f"{table}: 10 rows" in rows
        assert f"{table} 009" in rows
        assert f"{table} 010" not in rows
    assert "603 the profit is not" in rows


@pytest.mark.parametrize("dimension", ["volume", "timeliness", "drift"])
def test_what_is_no_share_does_not_look_like_one(dimension: str) -> None:
    tables = made_up_lake.ops(2) | made_up_gold.gold()
    for row in tables["ops.quality_metrics"]:
        if row["rule"] == "volume_is_usual":
            row.update(dimension=dimension, numerator=5012, denominator=4200)
    facts = read_facts(MadeUpLake(tables))
    [every] = [part for part in quality.sections(facts) if part.key == "rules"]
    [held] = {row[4] for table in every.tables for row in table.rows if "volume_is_usual" in row[2]}
    assert held == wording.NOTHING


def test_the_history_tells_every_run(good: dict[str, str]) -> None:
    runs = text_of(section_of(good["runs.html"], "all-runs"))
    assert runs.count("api-changes-") == 14
    assert "gate gate-by-hand succeeded 24.0 s" in runs
    assert "failed 3 min" in runs
    assert good["runs.html"].count(">failed</text>") == 2, "once for each width"


def test_an_older_run_can_be_told_of(settings: Settings, tmp_path: Path) -> None:
    lake = MadeUpLake(made_up_lake.ops(7))
    said = text_of(made(settings, lake, tmp_path / "report", "api-changes-2026-11-15")["index.html"])
    assert "Gold was published on 15 Nov 2026" in said
    assert "A later one took its place on 20 Nov 2026" in said


def test_what_is_missing_says_how_to_get_it(empty: dict[str, str], bare: dict[str, str]) -> None:
    assert "No run is known yet" in text_of(empty["index.html"])
    assert "lakehouse demo makes one" in text_of(empty["index.html"])
    for table in ("ops.steps", "ops.dbt_results", "ops.resources", "ops.alerts", "ops.publications"):
        assert f"{table} is empty." in text_of(empty["index.html"])
        assert f"There is no table {table} yet. lakehouse run and lakehouse demo keep" in text_of(bare["index.html"])
    for mart in ("genre_trends", "genre_market_share", "box_office_trends", "trending_scores", "network_evolution"):
        assert f"gold.{mart} is empty." in text_of(empty["gold.html"])
        assert f"There is no table gold.{mart} yet. lakehouse run or lakehouse demo publishes it." in text_of(
            bare["gold.html"]
        )
    for pages in (empty, bare):
        assert "<svg" not in "".join(pages.values())


def test_where_little_is_known_tables_stand_alone(sparse: dict[str, str]) -> None:
    assert "Directors by mean weighted rating" in sparse["gold.html"]
    assert "nan" not in text_of("".join(sparse.values())).lower().split()
    assert "None" not in text_of("".join(sparse.values())).replace("None.", "").split()


def test_the_same_tables_give_the_same_bytes(settings: Settings, failed: dict[str, str], tmp_path: Path) -> None:
    assert made(settings, made_up_lake.failed_lake(), tmp_path / "again") == failed
