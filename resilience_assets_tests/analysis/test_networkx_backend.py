"""The backend of networkx: the same figures through either door, and refusal of what it is not made for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import networkx as nx
import numpy as np
import pytest

from resilience_assets.analysis import networkx_backend
from resilience_assets.analysis.networkx_backend import (
    NAME,
    BipartiteGraph,
    betweenness_centrality,
    can_run,
    convert_from_nx,
    convert_to_nx,
    should_run,
    two_sides,
)

REGISTERED = NAME in nx.utils.backends.backends
registered = pytest.mark.skipif(
    not REGISTERED, reason="the package is not installed with its entry points: pip install -e ."
)


def random_bipartite(seed: int) -> Iterator[nx.Graph]:
    """Graphs of words as nodes in shuffled order, with parts, lone nodes and empty sides."""
    random = np.random.default_rng(seed)
    for _ in range(20):
        sides = random.integers(0, 18, 2)
        names = [f"{side}{n}" for side, count in zip("ab", sides, strict=True) for n in range(count)]
        joined = random.random(tuple(sides)) < random.choice([0.03, 0.1, 0.4, 1.0])
        graph = nx.Graph()
        graph.add_nodes_from(random.permutation(names).tolist())
        graph.add_edges_from((f"a{a}", f"b{b}") for a, b in np.argwhere(joined).tolist())
        yield graph


def large() -> nx.Graph:
    """Large and dense enough to be worth it."""
    return nx.complete_bipartite_graph(280, 40)


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("normalized", [True, False])
def test_the_direct_way_is_networkx(seed: int, normalized: bool) -> None:
    for graph in random_bipartite(seed):
        found = betweenness_centrality(graph, normalized=normalized)
        expected = nx.betweenness_centrality(graph, normalized=normalized)
        assert list(found) == list(expected)  # in the same order
        assert found == pytest.approx(expected, abs=1e-12, rel=1e-12)


@registered
@pytest.mark.parametrize("seed", range(15))
def test_through_the_keyword_of_networkx_it_is_networkx(seed: int) -> None:
    for graph in random_bipartite(100 + seed):
        found = nx.betweenness_centrality(graph, backend=NAME)
        assert found == pytest.approx(nx.betweenness_centrality(graph, backend="networkx"), abs=1e-12, rel=1e-12)


@registered
def test_networkx_takes_it_by_preference_and_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted(graph: BipartiteGraph, *arguments: Any, **options: Any) -> dict[Any, float]:
        asked.append(len(graph))
        return betweenness_centrality(graph, *arguments, **options)

    monkeypatch.setattr(networkx_backend, "betweenness_centrality", counted)
    with nx.config(backend_priority=[NAME]):
        nx.betweenness_centrality(large())
        assert asked == [320]
        # an odd cycle, directions, weights, a sample: networkx's own code, as without a preference
        assert set(nx.betweenness_centrality(nx.cycle_graph(5)).values()) == {1 / 6}
        assert nx.betweenness_centrality(nx.path_graph(3, create_using=nx.DiGraph))[1] == 0.5
        assert nx.betweenness_centrality(large(), k=2, seed=1)
        assert nx.betweenness_centrality(nx.path_graph(3), weight="weight")[1] == 1
        assert nx.pagerank(nx.path_graph(3))
    assert asked == [320]


@registered
@pytest.mark.parametrize(
    ("graph", "options"),
    [
        (nx.cycle_graph(5), {}),
        (nx.DiGraph([(0, 1)]), {}),
        (nx.path_graph(3), {"weight": "w"}),
        (nx.path_graph(3), {"k": 2}),
    ],
)
def test_by_name_it_refuses_what_it_cannot(graph: nx.Graph, options: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError, match=NAME):
        nx.betweenness_centrality(graph, backend=NAME, **options)


@registered
def test_networkx_names_it_in_its_documentation() -> None:
    assert NAME in nx.betweenness_centrality.__doc__


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (nx.cycle_graph(3), "odd cycle"),
        (nx.Graph([(0, 1), (1, 1)]), "odd cycle"),
        (nx.DiGraph([(0, 1)]), "not a DiGraph"),
        (nx.MultiGraph([(0, 1), (0, 1)]), "not a MultiGraph"),
    ],
)
def test_the_direct_way_refuses_what_is_not_bipartite(graph: nx.Graph, message: str) -> None:
    with pytest.raises(NotImplementedError, match=message):
        betweenness_centrality(graph)
    assert not can_run("betweenness_centrality", (graph,), {})
    assert not should_run("betweenness_centrality", (), {"G": graph})


@pytest.mark.parametrize("options", [{"k": 1}, {"weight": "w"}, {"endpoints": True}])
def test_it_refuses_a_sample_weights_and_endpoints(options: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError, match="networkx's own code"):
        betweenness_centrality(nx.path_graph(4), **options)
    assert not can_run("betweenness_centrality", (nx.path_graph(4),), options)


def test_it_can_run_bipartite_graphs_and_should_where_it_pays() -> None:
    assert can_run("betweenness_centrality", (nx.path_graph(4), None, True), {"weight": None})
    assert not can_run("closeness_centrality", (nx.path_graph(4),), {})
    assert should_run("betweenness_centrality", (large(),), {})
    assert should_run("betweenness_centrality", (), {"G": convert_from_nx(nx.path_graph(4))})
    assert not should_run("betweenness_centrality", (nx.path_graph(4),), {})  # small
    assert not should_run("betweenness_centrality", (nx.path_graph(2000),), {})  # thin
    assert not should_run("betweenness_centrality", (nx.empty_graph(2000),), {})  # without edges


def test_two_sides_is_a_coloring_or_none() -> None:
    for graph in random_bipartite(3):
        side = two_sides(graph)
        assert side is not None
        assert all(side[a] != side[b] for a, b in graph.edges)
    for seed in range(30):
        graph = nx.gnp_random_graph(12, 0.12, seed=seed)
        assert (two_sides(graph) is not None) == nx.is_bipartite(graph)


def test_a_graph_comes_back_as_it_went() -> None:
    for graph in random_bipartite(4):
        found = convert_to_nx(convert_from_nx(graph))
        assert list(found) == list(graph)
        assert nx.utils.edges_equal(found.edges, graph.edges)
    assert convert_to_nx({"a": 1.0}) == {"a": 1.0}


@pytest.mark.parametrize("first", ["networkx", "resilience_assets.analysis.networkx_backend"])
def test_either_may_be_imported_first_without_a_warning(first: str) -> None:
    code = f"import {first}; import networkx, resilience_assets.analysis.networkx_backend"
    subprocess.run([sys.executable, "-W", "error::RuntimeWarning", "-c", code], check=True)
