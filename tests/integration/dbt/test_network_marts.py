"""The marts of the network on a small lake, and the commands that read it."""

from collections import defaultdict
from pathlib import Path

import pytest

from lakehouse.hive import query
from lakehouse.settings import Settings
from tests.browser import shown
from tests.instance import lakehouse
from tests.integration.dbt.conftest import Dbt
from tests.oracle.network import billed

pytestmark = pytest.mark.stack

_BILLING = 10
_WINDOW = 5


@pytest.fixture(scope="module")
def casts(built: Settings) -> dict[str, tuple[int | None, list[int]]]:
    """Of each movie the year and the people in its first places, from Silver by other means than the graph jobs."""
    credits = query(
        built,
        "select cast_members.movie_id, movies.release_year, cast_members.person_id, cast_members.billing_order, "
        "cast_members.credit_id from silver.cast_members inner join silver.movies "
        "on cast_members.movie_id = movies.movie_id",
    ).rows
    years = {movie: year for movie, year, *_ in credits}
    first = billed(((movie, *credit) for movie, _, *credit in credits), _BILLING)
    return {movie: (years[movie], people) for movie, people in first.items()}


def test_periods_are_those_of_the_movies_in_them(
    built: Settings, casts: dict[str, tuple[int | None, list[int]]]
) -> None:
    known = [(year, people) for year, people in casts.values() if year is not None]
    low, high = min(year for year, _ in known), max(year for year, _ in known)
    periods: dict[tuple[str, int, int], list[list[int]]] = defaultdict(list)
    for year, people in known:
        periods["decade", year // 10 * 10, year // 10 * 10 + 9].append(people)
        for last in range(max(year, min(low + _WINDOW - 1, high)), min(year + _WINDOW - 1, high) + 1):
            periods["window", last - _WINDOW + 1, last].append(people)
    expected = {}
    before: dict[str, set[int]] = {}
    for key in sorted(periods):
        actors = {person for people in periods[key] for person in people}
        edges = {(a, b) for people in periods[key] for a in people for b in people if a < b}
        past = before.get(key[0])
        turnover = None if past is None else round(1 - len(actors & past) / len(actors | past), 9)
        expected[key] = (
            len(periods[key]),
            len(actors),
            len(edges),
            None if past is None else len(actors - past),
            None if past is None else len(past - actors),
            turnover,
        )
        before[key[0]] = actors
    found = query(
        built,
        "select period_kind, first_year, last_year, movies, actors, edges, entered_actors, left_actors, "
        "round(turnover, 9) from gold.network_evolution",
    ).rows
    assert {row[:3]: row[3:] for row in found} == expected
    assert len(expected) > 10


def test_communities_hold_every_actor_of_a_community_that_is_listed(built: Settings) -> None:
    sums = query(
        built,
        "select community_id, count(*) from gold.actor_centrality group by community_id having count(*) >= 3",
    ).rows
    listed = query(built, "select community_id, actors from gold.actor_communities").rows
    assert sorted(sums) == sorted(listed)
    assert len(listed) > 3


def test_a_path_leads_over_shared_movies(stack: dict[str, str], built: Settings) -> None:
    person, target, distance = query(
        built,
        "select person_id, target_person_id, distance from gold.actor_distances "
        "order by distance desc, person_id limit 1",
    ).rows[0]
    assert distance > 1
    answer = lakehouse(stack, "graph", "path", str(person), str(target))
    assert answer.returncode == 0, answer.stderr
    names = dict(query(built, "select person_id, person_name from silver.people").rows)
    steps = [line for line in answer.stdout.splitlines() if line.split()[:1] and line.split()[0].isdigit()]
    assert len(steps) == distance + 1
    assert names[person] in steps[0]
    assert names[target] in steps[-1]


def test_who_is_not_there_is_said(stack: dict[str, str], built: Settings) -> None:
    answer = lakehouse(stack, "graph", "path", "Nobody At All", "1")
    assert answer.returncode != 0
    assert "Nobody in the network is called Nobody At All" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_largest_communities_are_drawn(stack: dict[str, str], built: Settings, tmp_path: Path) -> None:
    answer = lakehouse(stack, "graph", "picture", "--to", str(tmp_path))
    assert answer.returncode == 0, answer.stderr
    page = shown((tmp_path / "network.html").as_uri())
    communities = query(built, "select count(*) from gold.actor_communities").rows[0][0]
    assert page.count("<li><button") == min(communities, 12)
    assert page.count("<circle ") > 30


def test_tables_of_two_networks_are_refused(dbt: Dbt, built: Settings) -> None:
    kept = query(built, "select * from graph.network_runs").rows
    query(built, "delete from graph.network_runs")
    try:
        refused = dbt("test", "--select", "network_is_whole")
        assert refused.returncode == 1
        assert "network_is_whole" in refused.stdout
    finally:
        values = ", ".join("null" if value is None else repr(value) for value in kept[0])
        query(built, f"insert into graph.network_runs values ({values})")
    assert dbt("test", "--select", "network_is_whole").returncode == 0
