"""The network of one period, against igraph."""

import random

import igraph
import numpy as np
import pandas as pd
import pytest

from graph_jobs.evolution import TOP, _period, pairs_of


def casts(seed: int, people: int, movies: int) -> list[np.ndarray]:
    chance = random.Random(seed)
    return [np.array(sorted(chance.sample(range(people), chance.randint(1, 7)))) for _ in range(movies)]


def test_pairs_are_counted_once_a_movie_the_lesser_id_first() -> None:
    one, other, times = pairs_of([np.array([3, 5, 9]), np.array([3, 9]), np.array([4])])
    assert list(zip(one.tolist(), other.tolist(), times.tolist(), strict=True)) == [(3, 5, 1), (3, 9, 2), (5, 9, 1)]
    assert [len(column) for column in pairs_of([np.array([4])])] == [0, 0, 0]


def test_a_period_is_what_igraph_sees() -> None:
    found_casts = casts(4, 500, 140)
    row = _period(("decade", 1990, 1999), pd.DataFrame({"people": found_casts})).iloc[0]
    shared: dict[tuple[int, int], int] = {}
    for cast in found_casts:
        people = cast.tolist()
        for i, a in enumerate(people):
            for b in people[i + 1 :]:
                shared[a, b] = shared.get((a, b), 0) + 1
    people = sorted({int(person) for cast in found_casts for person in cast})
    at = {person: i for i, person in enumerate(people)}
    graph = igraph.Graph(n=len(people), edges=[(at[a], at[b]) for a, b in shared])
    assert (row.period_kind, row.first_year, row.last_year, row.movies) == ("decade", 1990, 1999, 140)
    assert (row.actors, row.edges, row.shared_movies) == (len(people), len(shared), sum(shared.values()))
    parts = graph.connected_components()
    assert (row.components, row.largest_component) == (len(parts), max(parts.sizes()))
    assert row.triangles == len(graph.list_triangles())
    assert 3 * row.triangles / row.connected_triples == pytest.approx(graph.transitivity_undirected())
    strength, degree = graph.strength(weights=list(shared.values())), graph.degree()
    order = sorted(range(len(people)), key=lambda i: (-strength[i], -degree[i], people[i]))[:TOP]
    assert [(actor["place"], actor["person_id"], actor["degree"], actor["weighted_degree"]) for actor in row.top] == [
        (place, people[i], degree[i], strength[i]) for place, i in enumerate(order, 1)
    ]


def test_lone_actors_are_counted_and_have_no_place() -> None:
    row = _period(("window", 1990, 1994), pd.DataFrame({"people": [np.array([7]), np.array([7]), np.array([8])]})).iloc[
        0
    ]
    assert (row.movies, row.actors, row.edges, row.components, row.communities) == (3, 2, 0, 2, 2)
    assert row.top == []
