"""A picture of the largest communities: a page with no part outside of it, and an SVG."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
from jinja2 import Environment
from markupsafe import Markup, escape

from graph_jobs.errors import GraphError
from lakehouse.hive import query

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lakehouse.settings import Settings

COMMUNITIES = 12
MEMBERS = 30
# So many names of a community are always shown.
_NAMED = 2
_SEED = 20260101
_SIZE = 1000

# Twelve hues that stay apart on a light and on a dark ground.
_COLOURS = (
    "#4477aa", "#ee6677", "#228833", "#c9a227", "#66a3cc", "#aa3377",
    "#dd7733", "#44aa99", "#9467bd", "#8c6d31", "#7f8c8d", "#d45087",
)  # fmt: skip

_STYLE = """
circle { stroke: var(--ground, #fbfaf8); stroke-width: .8; cursor: pointer; }
line { stroke: var(--edge, #52525b); stroke-opacity: .16; stroke-width: .6; }
text { font: 600 11px system-ui, sans-serif; fill: var(--ink, #1f2328); text-anchor: middle; pointer-events: none;
  paint-order: stroke; stroke: var(--ground, #fbfaf8); stroke-width: 3px; stroke-linejoin: round; }
text:not(.always):not(.chosen) { display: none; }
.choosing circle:not(.chosen) { opacity: .18; } .choosing line:not(.chosen) { stroke-opacity: .03; }
.choosing line.chosen { stroke-opacity: .6; } .choosing text:not(.chosen) { display: none; }
"""


@dataclass(frozen=True)
class Community:
    """A community as it is drawn and listed; see `gold.actor_communities`."""

    id: int
    name: str
    actors: int
    years: str
    genres: str
    colour: str


@dataclass(frozen=True)
class Actor:
    """A member as it is drawn; see `gold.actor_centrality`."""

    id: int
    name: str
    community_id: int
    degree: int
    weighted_degree: int
    pagerank: float
    rank: int


def write_picture(settings: Settings, folder: Path) -> Path:
    """Write `network.html` and `network.svg`; give the page's path.

    The same marts give the same bytes.

    Args:
        settings: where the Thrift server is.
        folder: made where it is missing.

    Raises:
        GraphError: there is no community to draw.
        LakehouseError: the Thrift server does not answer, or has no marts.
    """
    communities = _communities(settings)
    if not communities:
        raise GraphError("There is no community to draw.", "Fill the lake first: `lakehouse demo` or `lakehouse run`.")
    actors = _actors(settings, communities)
    edges = _edges(settings, actors)
    drawing = draw(communities, actors, edges)
    ((total_communities, total_actors),) = query(settings, "select communities, actors from graph.network_runs").rows
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "network.svg").write_text(
        drawing.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(
            "<title>", f"<style>{_STYLE}</style><rect width='100%' height='100%' fill='#fbfaf8'/><title>", 1
        ),
        encoding="utf-8",
    )
    named = {community.id: community.name for community in communities}
    told = {str(actor.id): {**asdict(actor), "community": named[actor.community_id]} for actor in actors}
    template = Environment(autoescape=True).from_string(
        files("graph_jobs").joinpath("picture.html.j2").read_text(encoding="utf-8")
    )
    page = folder / "network.html"
    page.write_text(
        template.render(
            communities=communities,
            actors=sorted(actors, key=lambda actor: actor.name),
            members_shown=MEMBERS,
            total_communities=f"{total_communities:,}",
            total_actors=f"{total_actors:,}",
            # Names are escaped in it.
            drawing=Markup(drawing),
            drawing_style=Markup(_STYLE),
            # A closing tag within a name would end the script.
            actors_json=Markup(json.dumps(told, sort_keys=True).replace("<", "\\u003c")),
        ),
        encoding="utf-8",
    )
    return page


def draw(communities: Sequence[Community], actors: Sequence[Actor], edges: Sequence[tuple[int, int, int]]) -> str:
    """Draw a network as an SVG element.

    Args:
        communities: in the order of their size.
        actors: members of them, in the order of their PageRank within each.
        edges: person_id_a, person_id_b, shared_movies; between those actors.
    """
    places = _places(communities, actors, edges)
    colours = {community.id: community.colour for community in communities}
    lines = [
        f'<line data-a="{a}" data-b="{b}" x1="{places[a][0]:.1f}" y1="{places[a][1]:.1f}" '
        f'x2="{places[b][0]:.1f}" y2="{places[b][1]:.1f}"/>'
        for a, b, _ in edges
    ]
    most = max(actor.pagerank for actor in actors)
    circles, labels = [], []
    shown: dict[int, int] = {}
    for actor in actors:
        x, y = places[actor.id]
        radius = 3 + 7 * (actor.pagerank / most) ** 0.5
        shown[actor.community_id] = shown.get(actor.community_id, 0) + 1
        always = ' class="always"' if shown[actor.community_id] <= _NAMED else ""
        circles.append(
            f'<circle data-id="{actor.id}" data-community="{actor.community_id}" cx="{x:.1f}" cy="{y:.1f}" '
            f'r="{radius:.1f}" fill="{colours[actor.community_id]}" tabindex="0" role="img" '
            f'aria-label="{escape(actor.name)}"><title>{escape(actor.name)}</title></circle>'
        )
        labels.append(
            f'<text data-id="{actor.id}"{always} x="{x:.1f}" y="{y - radius - 3:.1f}">{escape(actor.name)}</text>'
        )
    return (
        f'<svg viewBox="0 0 {_SIZE} {_SIZE}" tabindex="0" role="group" aria-label="The actor network">'
        f"<title>The largest communities of the actor network</title>"
        f"{''.join(lines)}{''.join(circles)}{''.join(labels)}</svg>"
    )


def _places(
    communities: Sequence[Community], actors: Sequence[Actor], edges: Sequence[tuple[int, int, int]]
) -> dict[int, tuple[float, float]]:
    """Where each actor is drawn: communities are laid out by what joins them, members within by what joins those."""
    home = {actor.id: actor.community_id for actor in actors}
    between: nx.Graph[int] = nx.Graph()
    between.add_nodes_from(community.id for community in communities)
    for a, b, shared in edges:
        if home[a] != home[b]:
            weight = between.get_edge_data(home[a], home[b], {"weight": 0})["weight"] + shared
            between.add_edge(home[a], home[b], weight=weight)
    centres = nx.spring_layout(between, k=2.2, weight=None, iterations=300, seed=_SEED)
    places: dict[int, tuple[float, float]] = {}
    for community in communities:
        members = [actor.id for actor in actors if actor.community_id == community.id]
        within: nx.Graph[int] = nx.Graph()
        within.add_nodes_from(members)
        within.add_weighted_edges_from((a, b, shared) for a, b, shared in edges if home[a] == home[b] == community.id)
        spread = nx.spring_layout(within, iterations=150, seed=_SEED)
        middle = np.median(list(spread.values()), axis=0)
        spread = {member: point - middle for member, point in spread.items()}
        room = 0.21 * (len(members) / MEMBERS) ** 0.5
        # The forces say in which direction and in which order; outward, every member gets the same room.
        for place, member in enumerate(sorted(members, key=lambda one: (float(np.hypot(*spread[one])), one))):
            away = max(float(np.hypot(*spread[member])), 1e-9)
            x, y = centres[community.id] + spread[member] / away * room * ((place + 0.5) / len(members)) ** 0.5
            places[member] = (float(x), float(y))
    return _fitted(places)


def _fitted(places: dict[int, tuple[float, float]]) -> dict[int, tuple[float, float]]:
    points = np.array(list(places.values()))
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.06 * _SIZE
    scaled = margin + (points - low) / np.maximum(high - low, 1e-9) * (_SIZE - 2 * margin)
    return {actor: (float(x), float(y)) for actor, (x, y) in zip(places, scaled, strict=True)}


def _communities(settings: Settings) -> list[Community]:
    rows = query(
        settings,
        "select community_id, community_name, actors, first_year, last_year, array_join(main_genres, ', ') "
        f"from gold.actor_communities where size_rank <= {COMMUNITIES} order by size_rank",
    ).rows
    return [
        Community(number, name, actors, f"{first} to {last}" if first else "", genres or "", colour)
        for (number, name, actors, first, last, genres), colour in zip(rows, _COLOURS, strict=False)
    ]


def _actors(settings: Settings, communities: Sequence[Community]) -> list[Actor]:
    listed = ", ".join(str(community.id) for community in communities)
    rows = query(
        settings,
        "select person_id, coalesce(person_name, cast(person_id as string)), community_id, degree, weighted_degree, "
        "pagerank, pagerank_rank from (select *, row_number() over (partition by community_id order by pagerank_rank) "
        f"as place from gold.actor_centrality where community_id in ({listed})) where place <= {MEMBERS} "
        "order by community_id, place",
    ).rows
    return [Actor(*row) for row in rows]


def _edges(settings: Settings, actors: Sequence[Actor]) -> list[tuple[int, int, int]]:
    listed = ", ".join(str(actor.id) for actor in actors)
    rows = query(
        settings,
        "select person_id_a, person_id_b, shared_movies from graph.actor_edges "
        f"where person_id_a in ({listed}) and person_id_b in ({listed}) order by person_id_a, person_id_b",
    ).rows
    return [(int(a), int(b), int(shared)) for a, b, shared in rows]
