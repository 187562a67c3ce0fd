"""The picture of made-up communities, in a browser that reaches nothing."""

import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from graph_jobs import picture
from graph_jobs.errors import GraphError
from graph_jobs.picture import Actor, Community, draw, write_picture
from lakehouse.settings import Settings, load_settings
from tests.browser import pictured, shown

# A name that ends the script that it stands in, would it not be escaped.
HOSTILE = '</script><b>Bobby</b> "O\'Tables" & Söhne'


def network() -> tuple[list[Community], list[Actor], list[tuple[int, int, int]]]:
    chance = random.Random(3)
    communities = [
        Community(100 * c, f"Community {c}", 40, "1960 to 2020", "Drama", picture._COLOURS[c]) for c in range(1, 5)
    ]
    actors, edges = [], set()
    for community in communities:
        ids = list(range(community.id, community.id + 12))
        actors += [Actor(one, f"Actor {one}", community.id, 5, 7, 1 / (1 + one % 100), one) for one in ids]
        for _ in range(9):
            cast = sorted(chance.sample(ids, 4))
            edges |= {(a, b, 1) for a in cast for b in cast if a < b}
    edges |= {(105, 205, 2), (107, 301, 1)}
    actors[5] = Actor(105, HOSTILE, 100, 9, 9, 0.2, 6)
    return communities, actors, sorted(edges)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    communities, actors, edges = network()

    @dataclass
    class Answer:
        rows: list[Any]

    monkeypatch.setattr(picture, "_communities", lambda settings: communities)
    monkeypatch.setattr(picture, "_actors", lambda settings, communities: actors)
    monkeypatch.setattr(picture, "_edges", lambda settings, actors: edges)
    monkeypatch.setattr(picture, "query", lambda settings, sql: Answer([(812, 15021)]))
    return load_settings()


def test_the_page_shows_every_actor_and_community_and_asks_for_nothing(settings: Settings, tmp_path: Path) -> None:
    page = shown(write_picture(settings, tmp_path).as_uri())
    assert len(re.findall("<circle ", page)) == 48
    assert len(re.findall("<li><button", page)) == 4
    assert "of 812 communities" in page
    assert "<b>Bobby</b>" not in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_a_link_to_an_actor_shows_the_partners(settings: Settings, tmp_path: Path) -> None:
    page = shown(write_picture(settings, tmp_path).as_uri() + "#205")
    _, _, edges = network()
    partners = {str(b if a == 205 else a) for a, b, _ in edges if 205 in (a, b)}
    assert 'class="choosing"' in page
    assert set(re.findall(r'<circle data-id="(\d+)"[^>]*class="chosen"', page)) == partners | {"205"}
    assert re.search(r"<b>Actor 205</b><span>5 partners, 7 shared movies; rank 205 by PageRank", page)


def test_the_page_and_the_svg_can_be_looked_at(settings: Settings, tmp_path: Path) -> None:
    page = write_picture(settings, tmp_path)
    pictured(page.as_uri(), tmp_path / "page.png", 1400, 900)
    pictured((tmp_path / "network.svg").as_uri(), tmp_path / "svg.png", 1000, 1000)
    pictured(page.as_uri(), tmp_path / "phone.png", 500, 900)


def test_the_same_network_is_drawn_the_same(settings: Settings, tmp_path: Path) -> None:
    first, again = write_picture(settings, tmp_path / "a"), write_picture(settings, tmp_path / "b")
    assert first.read_bytes() == again.read_bytes()
    assert draw(*network()) == draw(*network())


def test_without_communities_there_is_nothing_to_draw(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(picture, "_communities", lambda settings: [])
    with pytest.raises(GraphError, match="no community to draw"):
        write_picture(load_settings(), tmp_path)
