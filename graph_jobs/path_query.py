"""How two actors are connected, from the network's tables, asked of the Thrift server."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from graph_jobs.errors import GraphError
from graph_jobs.search import shortest_path
from lakehouse.hive import query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lakehouse.settings import Settings

_ASKED_AT_ONCE = 10_000


@dataclass(frozen=True)
class Step:
    """A person on a path.

    Args:
        person: the name, or the id of a person without one.
        movie: a movie shared with the person before, the latest of them; empty for the first.
    """

    person: str
    movie: str


def find_path(settings: Settings, start: str, target: str) -> list[Step]:
    """Give a shortest chain of people who shared movies, from one actor to another.

    Of several shortest ones, the first in the order of ids from the target on. Both ends are searched from.

    Args:
        settings: where the Thrift server is.
        start: a name, whatever its case, or an id.
        target: another.

    Raises:
        GraphError: nobody, or more than one, is called so; or no path connects the two.
        LakehouseError: the Thrift server does not answer, or has no network.
    """
    people = [_person(settings, name) for name in (start, target)]
    chain = shortest_path(partial(_edges, settings), *people)
    if chain is None:
        raise GraphError(
            f"No chain of shared movies connects {start} and {target}.",
            "They are in different components: see component_id in gold.actor_centrality.",
        )
    return _described(settings, chain)


def _edges(settings: Settings, actors: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The edges of some actors; many are asked for in several queries."""
    for first in range(0, len(actors), _ASKED_AT_ONCE):
        listed = ", ".join(map(str, actors[first : first + _ASKED_AT_ONCE]))
        yield from query(
            settings,
            "select person_id_a, person_id_b from graph.actor_edges "
            f"where person_id_a in ({listed}) or person_id_b in ({listed})",
        ).rows


def _person(settings: Settings, name: str) -> int:
    """The id of an actor of the network, from a name or an id."""
    text = name.strip()
    asked = (
        f"people.person_id = {int(text)}" if text.isdigit() else f"lower(people.person_name) = lower({_quoted(text)})"
    )
    found = query(
        settings,
        "select people.person_id, people.person_name, actor_metrics.degree from silver.people "
        "inner join graph.actor_metrics on people.person_id = actor_metrics.person_id "
        f"where {asked} order by actor_metrics.degree desc, people.person_id",
    ).rows
    if not found:
        raise GraphError(
            f"Nobody in the network is called {name}.",
            'Look for the name: lakehouse sql "select person_id, person_name from gold.actor_centrality '
            "where person_name like '%...%'\".",
        )
    if len(found) > 1:
        several = ", ".join(f"{person_id} ({degree:,} partners)" for person_id, _, degree in found[:5])
        raise GraphError(f"{len(found)} people are called {name}: {several}.", "Give the id instead of the name.")
    return int(found[0][0])


def _described(settings: Settings, chain: list[int]) -> list[Step]:
    """Name the people of a chain, and for each two in a row the latest movie that they share."""
    listed = ", ".join(str(person) for person in chain)
    names = dict(
        query(settings, f"select person_id, person_name from silver.people where person_id in ({listed})").rows
    )
    shared = query(
        settings,
        "select one.person_id, other.person_id, max_by(movies.title, struct(movies.release_date, movies.movie_id)) "
        "from silver.cast_members as one inner join silver.cast_members as other on one.movie_id = other.movie_id "
        "inner join silver.movies on one.movie_id = movies.movie_id "
        f"where one.person_id in ({listed}) and other.person_id in ({listed}) group by one.person_id, other.person_id",
    ).rows
    movies = {(one, other): title for one, other, title in shared}
    before = [None, *chain]
    return [
        Step(names.get(person) or str(person), movies.get((previous, person)) or "")
        for previous, person in zip(before, chain, strict=False)
    ]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
