import re

import numpy as np
import pytest

from graph_jobs.errors import GraphError
from graph_jobs.network import check
from tests.unit.graph_jobs.graphs import arrays

# Two triangles.
GRAPH = arrays(6, {(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5)})
GOOD = {
    "person_id": np.arange(6),
    "degree": np.full(6, 2),
    "pagerank": np.full(6, 1 / 6),
    "weighted_pagerank": np.full(6, 1 / 6),
    "betweenness": np.zeros(6),
    "triangles": np.ones(6, dtype=int),
    "component_id": np.array([0, 0, 0, 3, 3, 3]),
    "community_id": np.array([0, 0, 0, 3, 3, 3]),
}


def test_what_keeps_the_laws_passes() -> None:
    check(GOOD, GRAPH)


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("component_id", np.arange(6), "6 of 6 edges join two components"),
        ("community_id", np.array([0, 0, 0, 0, 3, 3]), "1 communities lie in more than one component"),
        ("degree", np.full(6, 1), "degrees sum to 6 for 6 edges"),
        ("triangles", np.array([1, 1, 0, 1, 1, 1]), "triangles have 5 corners"),
        ("pagerank", np.full(6, 0.5), "PageRank sums to 3.0"),
        ("weighted_pagerank", np.full(6, 0.25), "weighted PageRank sums to 1.5"),
        ("betweenness", np.array([0, 0, 0, 0, 1.5, np.nan]), "2 actors with a betweenness beyond 0 to 1"),
        ("person_id", np.arange(5), "5 rows for 6 actors"),
    ],
)
def test_what_breaks_a_law_is_refused(column: str, values: np.ndarray, said: str) -> None:
    with pytest.raises(GraphError, match=re.escape(said)):
        check(GOOD | {column: values}, GRAPH)
