"""Betweenness by matrix products: equal to the definition and to networkx, whatever the shape, block or depth."""

from __future__ import annotations

import networkx as nx
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from resilience_assets.analysis.bipartite_brandes import betweenness

Joined = npt.NDArray[np.bool_]
small = st.tuples(st.integers(0, 7), st.integers(0, 7)).flatmap(lambda shape: arrays(np.bool_, shape))


def graph_of(joined: Joined) -> nx.Graph:
    """Row r is node r, column c is node R + c."""
    graph = nx.Graph()
    graph.add_nodes_from(range(sum(joined.shape)))
    row, column = np.nonzero(joined)
    graph.add_edges_from(zip(row.tolist(), (column + joined.shape[0]).tolist(), strict=True))
    return graph


def by_networkx(joined: Joined) -> list[float]:
    """Over ordered pairs: twice what networkx sums over unordered ones."""
    return [2 * value for value in nx.betweenness_centrality(graph_of(joined), normalized=False).values()]


def ours(joined: Joined, **options: int) -> list[float]:
    """Rows, then columns."""
    return [*map(float, np.concatenate(betweenness(joined, **options)))]


def by_definition(joined: Joined) -> list[float]:
    """The share of shortest paths that lead over each node, path by path."""
    graph = graph_of(joined)
    total = [0.0] * len(graph)
    for s in graph:
        for t in nx.node_connected_component(graph, s) - {s}:
            paths = list(nx.all_shortest_paths(graph, s, t))
            for path in paths:
                for node in path[1:-1]:
                    total[node] += 1 / len(paths)
    return total


def test_a_path_by_hand() -> None:
    # row 0 - column 0 - row 1 - column 1: each of the two in the middle lies between two of the pairs, both ways
    rows, columns = betweenness(np.array([[True, False], [True, True]]))
    assert rows.tolist() == [0, 4]
    assert columns.tolist() == [4, 0]


def test_a_star_and_a_complete_graph_by_formula() -> None:
    rows, columns = betweenness(np.ones((1, 9), dtype=np.bool_))
    assert (rows.tolist(), columns.tolist()) == ([9 * 8], [0] * 9)
    # two columns reach one another over 4 rows alike, two rows over 3 columns alike
    rows, columns = betweenness(np.ones((4, 3), dtype=np.bool_))
    assert rows.tolist() == pytest.approx([3 * 2 / 4] * 4)
    assert columns.tolist() == pytest.approx([4 * 3 / 3] * 3)


@given(small)
def test_it_is_what_the_definition_says(joined: Joined) -> None:
    assert ours(joined) == pytest.approx(by_definition(joined), abs=1e-12, rel=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_networkx_on_random_graphs(seed: int) -> None:
    random = np.random.default_rng(seed)
    for _ in range(20):
        rows, columns = random.integers(0, 25, 2)
        joined = random.random((rows, columns)) < random.choice([0.02, 0.05, 0.1, 0.3, 0.9])
        assert ours(joined) == pytest.approx(by_networkx(joined), abs=1e-12, rel=1e-12)


@given(small, st.integers(1, 40))
def test_blocks_of_sources_do_not_matter(joined: Joined, cells: int) -> None:
    assert ours(joined, block_cells=cells) == pytest.approx(ours(joined), abs=1e-12, rel=1e-12)


@given(small)
def test_the_sides_may_be_exchanged(joined: Joined) -> None:
    rows, columns = betweenness(joined)
    turned = betweenness(joined.T)
    assert turned[1].tolist() == pytest.approx(rows.tolist(), abs=1e-12, rel=1e-12)
    assert turned[0].tolist() == pytest.approx(columns.tolist(), abs=1e-12, rel=1e-12)


def test_a_deep_graph_of_many_parts() -> None:
    # three long paths, beside rows and columns that stand alone
    path = np.eye(30, dtype=np.bool_) | np.eye(30, k=1, dtype=np.bool_)
    joined = np.zeros((95, 93), dtype=np.bool_)
    for part in range(3):
        joined[part * 30 : part * 30 + 30, part * 30 : part * 30 + 30] = path
    assert ours(joined) == pytest.approx(by_networkx(joined), abs=1e-12, rel=1e-12)


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0), (1, 1), (3, 2)])
def test_without_edges_nobody_lies_between(shape: tuple[int, int]) -> None:
    rows, columns = betweenness(np.zeros(shape, dtype=np.bool_))
    assert (rows.tolist(), columns.tolist()) == ([0] * shape[0], [0] * shape[1])


def test_it_refuses_what_is_no_matrix() -> None:
    with pytest.raises(ValueError, match="rows x columns"):
        betweenness(np.zeros(3, dtype=np.bool_))
    with pytest.raises(ValueError, match="at least 1"):
        betweenness(np.zeros((2, 2), dtype=np.bool_), block_cells=0)
