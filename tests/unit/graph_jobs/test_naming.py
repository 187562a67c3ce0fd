import numpy as np

from graph_jobs.arrays import adjacency
from graph_jobs.naming import community_ids


def named(labels: dict[int, int], before: dict[int, int]) -> dict[int, int]:
    """Communities by any label, and the ids that people's had before; the lesser the id, the more movies are shared."""
    ids = np.array(sorted(labels))
    least = {label: min(person for person in labels if labels[person] == label) for label in labels.values()}
    groups = np.searchsorted(ids, [least[labels[person]] for person in ids.tolist()]).astype(np.int32)
    none = np.empty(0, dtype=np.int64)
    found = community_ids(
        adjacency(ids, none, none),
        groups,
        100 - ids,
        np.array(list(before), dtype=np.int64),
        np.array(list(before.values()), dtype=np.int64),
    )
    return dict(zip(ids.tolist(), found.tolist(), strict=True))


def test_a_new_community_is_named_for_its_best_connected_member() -> None:
    assert named({3: 9, 5: 9, 9: 9, 7: 1}, {}) == {3: 3, 5: 3, 9: 3, 7: 7}


def test_of_equally_connected_members_the_least_id_names_it() -> None:
    none = np.empty(0, dtype=np.int64)
    graph = adjacency(np.array([4, 6, 8]), none, none)
    strength = np.array([1, 5, 5])
    assert community_ids(graph, np.zeros(3, dtype=np.int32), strength, none, none).tolist() == [6, 6, 6]


def test_a_community_keeps_its_name_while_most_of_it_stays() -> None:
    before = dict.fromkeys(range(10, 20), 15)
    # Ten of eleven stay; 5 is better connected than who gave the name.
    assert named(dict.fromkeys([5, *range(10, 20)], 1), before)[5] == 15
    # Who gave the name has left.
    rest = {person: 1 for person in range(10, 20) if person != 15}
    assert named(rest | {15: 2}, before) == dict.fromkeys(rest, 10) | {15: 15}
    # Who gave the name acts no more at all.
    assert named(rest, before) == dict.fromkeys(rest, 10)
    # Halved: neither half is what it was.
    halves = {person: person % 2 for person in range(10, 20)}
    assert named(halves, before) == {person: 10 + person % 2 for person in range(10, 20)}


def test_names_are_never_shared() -> None:
    before = dict.fromkeys(range(1, 6), 3) | dict.fromkeys(range(6, 10), 8)
    # 3 has moved to the second community, 8 to the first.
    after = {1: 1, 2: 1, 8: 1, 4: 1, 5: 1, 6: 2, 7: 2, 3: 2, 9: 2}
    assert named(after, before) == {person: {1: 1, 2: 3}[label] for person, label in after.items()}


def test_nobody_has_no_community() -> None:
    assert named({}, {}) == named({}, {1: 1}) == {}
