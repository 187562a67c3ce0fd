"""What each community is called, from one run to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from graph_jobs.arrays import Adjacency


def community_ids(
    graph: Adjacency,
    groups: NDArray[np.int32],
    strength: NDArray[np.int64],
    past_people: NDArray[np.int64],
    past_ids: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Give each actor the id of the community: that of one of its members, and the one it had before.

    A community is the same as one before where more than half of the members of both together are members of both; so
    each has one predecessor at most. It keeps the id while the person who gave it is still a member. Else it is named
    for the member with the greatest weighted degree, of equals the least id. Ids of two communities never meet, since
    each is a member's.

    Args:
        graph: the network.
        groups: of each actor, the number of the community's least member.
        strength: weighted degrees.
        past_people: who was in a community before, ids; empty for a network that is new.
        past_ids: of each of them, the community's id.
    """
    best = np.lexsort((graph.ids, -strength, groups))
    _, first = np.unique(groups[best], return_index=True)
    ids = np.empty(len(graph.ids), dtype=np.int64)
    ids[groups[best][first]] = graph.ids[best][first]
    if len(past_people) and len(graph.ids):
        members = np.bincount(groups, minlength=len(graph.ids))
        known, past, past_members = np.unique(past_ids, return_inverse=True, return_counts=True)
        at = np.minimum(np.searchsorted(graph.ids, past_people), len(graph.ids) - 1)
        stayed = graph.ids[at] == past_people
        both, common = np.unique(np.stack([groups[at[stayed]], past[stayed]], axis=1), axis=0, return_counts=True)
        group, before = both[:, 0], both[:, 1]
        namer = np.minimum(np.searchsorted(graph.ids, known), len(graph.ids) - 1)
        holds_namer = (graph.ids[namer[before]] == known[before]) & (groups[namer[before]] == group)
        kept = holds_namer & (3 * common > members[group] + past_members[before])
        ids[group[kept]] = known[before[kept]]
    return ids[groups]
