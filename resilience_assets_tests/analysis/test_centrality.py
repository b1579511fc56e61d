"""Centrality on graphs that can be counted by hand, the solver where power iteration fails, and rank correlation."""

from __future__ import annotations

from itertools import permutations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from resilience_assets.analysis.centrality import (
    WEIGHTS,
    Centrality,
    centrality,
    graph_of,
    rank_correlation,
)
from resilience_assets.domain.roster import Roster
from resilience_assets_tests.analysis.building import build

POSTS = {"clinic": "CLINIC", "icu": "ICU"}


def bridge() -> Roster:
    """A works in the ICU on the first morning, C in the clinic on the second; B with both, qualified for both."""
    return build(
        {"A": "H .", "B": "H H", "C": ". H"}, posts=POSTS, holds={"A": "icu", "B": "icu", "C": "clinic"},
        qualified=[("A", "icu"), ("B", "icu"), ("B", "clinic"), ("C", "clinic")],
    )  # fmt: skip


def damage(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Slots lost."""
    return np.array(values, dtype=np.int64)


def test_the_graph_joins_people_to_their_slots_and_services() -> None:
    a, b, c, clinic, icu, first, second = 0, 1, 2, 3, 4, 5 + 0, 5 + 3
    edges = {(a, first), (b, first), (b, second), (c, second), (a, icu), (b, icu), (b, clinic), (c, clinic)}
    assert {tuple(sorted(edge)) for edge in graph_of(bridge()).edges} == edges


def test_measures_of_a_small_graph_by_hand() -> None:
    found = centrality(bridge(), damage(0, 2, 1))
    assert found.nodes == 7
    assert found.exact
    assert found.through == "networkx"
    # B lies on all paths between the two halves of three nodes: 9 of 15 pairs, and on one of two between slot and
    # service of each half
    assert found.betweenness.tolist() == pytest.approx([0.5 / 15, 10 / 15, 0.5 / 15], abs=1e-9)
    assert found.degree.tolist() == pytest.approx([2 / 6, 4 / 6, 2 / 6], abs=1e-9)
    # A x = lambda x with lambda = sqrt(6): 1 for A and C, 2 for B, and this for the slots and services between them
    side = np.sqrt(6) / 2
    norm = np.sqrt(4 + 4 * (side * side) + 2)
    assert found.eigenvector.tolist() == pytest.approx([1 / norm, 2 / norm, 1 / norm], abs=1e-8)
    assert found.difficulty.tolist() == [0.5, 0.5, 0.5]
    assert found.workload.tolist() == [0.25, 0.5, 0.25]
    score = sum(weight * getattr(found, name)[1] for name, weight in WEIGHTS.items())
    assert found.composite[1] == pytest.approx(score)
    assert sum(WEIGHTS.values()) == pytest.approx(1)


def test_pagerank_is_the_fixed_point_of_a_random_walk() -> None:
    graph = graph_of(bridge())
    matrix = nx.to_numpy_array(graph)
    walk = 0.85 * (matrix / matrix.sum(axis=0)) + 0.15 / len(graph)
    values, vectors = np.linalg.eig(walk)
    fixed = np.real(vectors[:, np.argmax(np.real(values))])
    fixed = dict(zip(graph, fixed / fixed.sum(), strict=True))
    found = centrality(bridge(), damage(0, 0, 0)).pagerank
    assert found.tolist() == pytest.approx([fixed[p] for p in range(3)], abs=1e-5)


def brute_betweenness(graph: nx.Graph, node: object) -> float:
    """By definition: the share of shortest paths between others that lead over a node, all pairs."""
    others = [one for one in graph if one != node]
    total = 0.0
    for s, t in permutations(others, 2):
        if nx.has_path(graph, s, t):
            paths = list(nx.all_shortest_paths(graph, s, t))
            total += sum(node in path for path in paths) / len(paths)
    return total / (len(others) * (len(others) - 1))


def test_betweenness_is_what_it_says() -> None:
    roster = build(
        {"A": "D . H", "B": "H P .", "C": ". H -", "E": "- - P"}, posts=POSTS,
        qualified=[("A", "icu"), ("B", "icu"), ("C", "clinic"), ("E", "icu")],
    )  # fmt: skip
    graph, found = graph_of(roster), centrality(roster, damage(0, 0, 0, 0))
    expected = [brute_betweenness(graph, p) for p in range(4)]
    assert found.betweenness.tolist() == pytest.approx(expected, abs=1e-8)


def test_the_eigenvector_is_found_where_power_iteration_does_not_converge() -> None:
    # a complete bipartite graph less its symmetry: -lambda is as large as lambda, and plain iteration swings
    roster = build(
        {"A": "H H H", "B": "H H H", "C": "H H H"}, posts=POSTS, qualified=[("A", "icu"), ("B", "icu"), ("C", "icu")]
    )
    found = centrality(roster, damage(1, 1, 1))
    assert (found.eigenvector > 0.3).all()
    matrix = nx.to_numpy_array(graph_of(roster))
    swing = np.ones(len(matrix)) + np.arange(len(matrix))
    for _ in range(1000):
        swing = matrix @ swing
        swing /= np.linalg.norm(swing)
    again = matrix @ swing
    assert np.abs(again / np.linalg.norm(again) - swing).max() > 0.01


def test_a_graph_of_one_edge_or_of_equal_parts_has_no_eigenvector_and_says_so() -> None:
    lone = centrality(build({"A": "H"}, qualified=[]), damage(0))
    assert np.isnan(lone.eigenvector).all()
    assert np.isnan(lone.composite).all()
    assert lone.columns(["A"])["eigenvector"] == [None]
    equal = build({"A": "D .", "B": ". D"}, posts=POSTS, qualified=[("A", "icu"), ("B", "clinic")])
    assert np.isnan(centrality(equal, damage(0, 0)).eigenvector).all()


def test_who_stands_alone_is_0_and_a_smaller_part_is_unknown() -> None:
    roster = build(
        {"A": "D D .", "B": "D D .", "C": ". . H", "E": ". . ."}, posts=POSTS,
        qualified=[("A", "icu"), ("B", "icu"), ("C", "clinic")], holds={"C": "clinic"},
    )  # fmt: skip
    found = centrality(roster, damage(0, 0, 0, 0))
    assert (found.eigenvector[:2] > 0).all()
    assert np.isnan(found.eigenvector[2])
    assert found.eigenvector[3] == 0
    assert (found.difficulty[3], found.workload[3], found.degree[3]) == (0, 0, 0)


def test_correlation_with_the_damage_is_none_where_that_does_not_vary() -> None:
    assert set(centrality(bridge(), damage(1, 1, 1)).correlation.values()) == {None}
    found = centrality(bridge(), damage(0, 2, 0)).correlation
    assert found["betweenness"] == found["degree"] == 1.0
    assert found["difficulty"] is None  # all alike
    assert set(found) == {*WEIGHTS, "composite"}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12))
def test_rank_correlation_is_spearmans(rows: list[tuple[int, int]]) -> None:
    x, y = np.array(rows, dtype=np.float64).T
    found = rank_correlation(x, y.astype(np.int64))
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert found is None
    else:
        assert found == pytest.approx(spearmanr(x, y).statistic, abs=1e-8)


def test_unknown_values_are_left_out_of_the_correlation() -> None:
    assert rank_correlation(np.array([1.0, np.nan, 2.0]), damage(1, 5, 2)) == 1.0
    assert rank_correlation(np.array([1.0, np.nan]), damage(1, 5)) is None


def many(people: int, days: int) -> Roster:
    """A roster of random work."""
    random = np.random.default_rng(5)
    picture = {f"P{n:02}": " ".join(random.choice(["H", "P", "D", "."], days)) for n in range(people)}
    return build(picture, posts=POSTS, qualified=[(name, ("icu", "clinic")[n % 2]) for n, name in enumerate(picture)])


def test_a_large_graph_is_exact_too_and_says_through_whom() -> None:
    roster = many(30, 20)
    small, large = centrality(roster, damage(*range(30))), centrality(roster, damage(*range(30)), most_steps=20_000)
    assert (small.through, large.through) == ("networkx", "resilience_bipartite")
    assert large.exact
    assert large.betweenness.tolist() == pytest.approx(small.betweenness.tolist(), abs=2e-9)  # both are rounded
    assert large.columns(["x"] * 30) | {"betweenness": 0, "composite": 0} == small.columns(["x"] * 30) | {
        "betweenness": 0,
        "composite": 0,
    }


@pytest.mark.parametrize("most_steps", [10_000_000, 20_000])
def test_the_same_roster_gives_the_same_figures(most_steps: int) -> None:
    def once() -> Centrality:
        return centrality(many(20, 15), damage(*range(20)), most_steps=most_steps)

    one, other = once(), once()
    assert one.columns(["x"] * 20) == other.columns(["x"] * 20)
    assert one.correlation == other.correlation


def test_a_program_without_people_or_dates_is_empty() -> None:
    found = centrality(bridge().window(0, 1), damage(0, 0, 0))
    assert found.workload.tolist() == [0, 0, 0]
