"""Centrality: how people lie in the graph of who works when and is qualified for what. Descriptive only.

Belongs here: the graph, the measures of network analysis over it, one score of them, and how little they say of
the damage that a loss does. Does not belong here: that damage (contingency), betweenness of large graphs
(bipartite_brandes, networkx_backend).

Nodes are people, slots and services; a person is joined to the slots in which the person works and to the services
for which the person is qualified. All measures are networkx's, in its scaling: betweenness (Brandes 2001),
degree (shares of the other nodes), eigenvector (Bonacich 1986), PageRank (damping 0.85; sums to one over all nodes).
The graph is bipartite, so its spectrum is symmetric and plain power iteration need not converge on its leading
eigenvector: that is found by an eigenvalue solver, and is unknown where none is found, never zero for want of an
answer.

Betweenness is exact on every graph: by networkx's own code while that takes seconds, above by the backend that this
package registers with networkx, called directly so that a source tree that is not installed has it too.

Read it beside `correlation`, the rank correlation with the true damage of each loss: people who work much are
central whether they can be replaced or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt
from scipy.sparse.linalg import ArpackError, ArpackNoConvergence
from scipy.stats import rankdata

from resilience_assets.analysis import networkx_backend
from resilience_assets.analysis.contingency.labels import Counts
from resilience_assets.domain.roster import Roster

FloatArray = npt.NDArray[np.float64]

WEIGHTS: Mapping[str, float] = {
    "betweenness": 0.25,
    "pagerank": 0.25,
    "degree": 0.15,
    "eigenvector": 0.10,
    "difficulty": 0.15,
    "workload": 0.10,
}
"""Weights of the composite score."""
DAMPING = 0.85
"""Of PageRank."""
MOST_STEPS = 25_000_000
"""Nodes x edges up to which betweenness goes through networkx's own code: seven seconds on one core."""
NETWORKX = "networkx"
DIGITS = 9
"""Figures are rounded to so many: an eigenvalue solver may begin anywhere and differs behind them."""
FEWEST_NODES = 4
"""Fewer have no eigenvector that an iterative solver can find."""


@dataclass(frozen=True, eq=False)
class Centrality:
    """Measures of each person, [P] each; NaN where a measure is unknown.

    - `betweenness`, `degree`, `eigenvector`, `pagerank`: see the module.
    - `difficulty`: of replacement, 1 / (1 + mean number of others qualified for each of the person's services), 0
      for who has no service. `workload`: the person's share of all slots worked.
    - `composite`: the weighted sum (`WEIGHTS`), unknown where one of the six is.
    - `nodes`: of the graph. `through`: whose code computed betweenness, `NETWORKX` or `networkx_backend.NAME`.
    - `correlation`: of each of the seven with the true damage, by Spearman; None where either does not vary.
    """

    betweenness: FloatArray
    degree: FloatArray
    eigenvector: FloatArray
    pagerank: FloatArray
    difficulty: FloatArray
    workload: FloatArray
    composite: FloatArray
    nodes: int
    through: str
    correlation: Mapping[str, float | None]

    @property
    def exact(self) -> bool:
        """Whether betweenness is from all nodes as sources, and no estimate: always, whoever computed it."""
        return True

    def columns(self, ids: list[str]) -> dict[str, list[Any]]:
        """A row for each person; None where a measure is unknown."""
        out: dict[str, list[Any]] = {"person": list(ids)}
        for name in (*WEIGHTS, "composite"):
            out[name] = [None if value != value else value for value in getattr(self, name).tolist()]
        return out


def centrality(window: Roster, slots_lost: Counts, most_steps: int = MOST_STEPS) -> Centrality:
    """Centrality of the people of a window, beside the true damage of each loss, `slots_lost` [P].

    `most_steps` chooses whose code computes betweenness and changes no figure but for rounding.
    """
    graph = graph_of(window)
    through = NETWORKX if len(graph) * graph.number_of_edges() <= most_steps else networkx_backend.NAME
    measures = {
        "betweenness": _betweenness(graph, through),
        "degree": nx.degree_centrality(graph),
        "eigenvector": _eigenvector(graph),
        "pagerank": _pagerank(graph),
    }
    people = len(window.people)
    found = {
        name: np.array([values.get(p, np.nan) for p in range(people)], dtype=np.float64).round(DIGITS)
        for name, values in measures.items()
    }
    found["difficulty"] = difficulty(window)
    found["workload"] = workload(window)
    found["composite"] = sum((weight * found[name] for name, weight in WEIGHTS.items()), np.zeros(people))
    correlation = {name: rank_correlation(values, slots_lost) for name, values in found.items()}
    return Centrality(**found, nodes=len(graph), through=through, correlation=correlation)


def graph_of(window: Roster) -> nx.Graph:
    """The graph. Its nodes are numbers, which halves the time: person p is p, service s is P + s, slot t is P + S + t.

    All people and services are nodes, and slots in which anybody works.
    """
    people, services = len(window.people), len(window.services)
    graph = nx.Graph()
    graph.add_nodes_from(range(people + services))
    person, slot = np.nonzero(window.state >= 0)
    graph.add_edges_from(zip(person.tolist(), (slot + people + services).tolist(), strict=True))
    person, service = np.nonzero(services_of(window))
    graph.add_edges_from(zip(person.tolist(), (service + people).tolist(), strict=True))
    return graph


def services_of(window: Roster) -> npt.NDArray[np.bool_]:
    """Who is qualified for a post of which service on any date of the window, [P, services]."""
    out = np.zeros((len(window.people), len(window.services)), dtype=np.bool_)
    service = np.array([post.service for post in window.posts], dtype=np.int64)
    for _, _, mask in window.qualification_periods():
        person, post = np.nonzero(mask)
        out[person, service[post]] = True
    return out


def difficulty(window: Roster) -> FloatArray:
    """How hard each person is to replace, [P]: 1 / (1 + mean others qualified for each service); 0 without any."""
    able = services_of(window)
    count = able.sum(axis=1)
    others = (able * (able.sum(axis=0) - 1)).sum(axis=1)
    return np.where(count > 0, 1.0 / (1.0 + others / np.maximum(count, 1)), 0.0).round(DIGITS)


def workload(window: Roster) -> FloatArray:
    """Each person's share of all slots worked, [P]; 0 where nobody works."""
    worked = (window.state >= 0).sum(axis=1)
    return np.asarray(worked / max(1, worked.sum()), dtype=np.float64).round(DIGITS)


def _betweenness(graph: nx.Graph, through: str) -> Mapping[Any, float]:
    if through == NETWORKX:
        return dict(nx.betweenness_centrality(graph))
    return networkx_backend.betweenness_centrality(graph)


def _eigenvector(graph: nx.Graph) -> dict[int, float]:
    """Of the largest connected part. Who stands alone has 0, for no walk leads there; other parts are unknown."""
    alone = dict.fromkeys(nx.isolates(graph), 0.0)
    parts = sorted(nx.connected_components(graph), key=len, reverse=True)
    if not parts or len(parts[0]) < FEWEST_NODES or (len(parts) > 1 and len(parts[1]) == len(parts[0])):
        return {}
    part = nx.Graph()
    # in the order of the graph, not of the set
    part.add_nodes_from(node for node in graph if node in parts[0])
    part.add_edges_from(graph.edges(list(part)))
    try:
        return alone | dict(nx.eigenvector_centrality_numpy(part))
    except (ArpackNoConvergence, ArpackError):
        return {}


def _pagerank(graph: nx.Graph) -> dict[int, float]:
    if not len(graph):
        return {}
    try:
        return dict(nx.pagerank(graph, alpha=DAMPING))
    except nx.PowerIterationFailedConvergence:
        return {}


def rank_correlation(values: FloatArray, damage: Counts) -> float | None:
    """Spearman's rank correlation over the people whose value is known; None where either does not vary.

    Pearson's correlation of the ranks, equal values sharing their mean rank (C. Spearman, Am. J. Psychol. 15 (1904)).
    """
    known = ~np.isnan(values)
    x, y = values[known], damage[known]
    if x.size < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return round(float(np.corrcoef(rankdata(x), rankdata(y))[0, 1]), DIGITS)
