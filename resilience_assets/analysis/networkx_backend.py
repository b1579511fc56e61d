"""The backend `resilience_bipartite` of networkx: `nx.betweenness_centrality(graph, backend="resilience_bipartite")`.

Belongs here: what networkx asks of a backend (convert_from_nx, convert_to_nx, can_run, should_run, and the one
algorithm), and the direct way to it for a source tree that is not installed. Does not belong here: the algorithm
(bipartite_brandes).

It runs for undirected simple graphs whose edges all run between two sides, from all sources and without weight; it
cannot run for others, and networkx then takes its own code where the backend was a preference
(`nx.config.backend_priority`), and refuses where it was asked for by name.

networkx is imported in functions only: it reads `backend_info` while it is itself being imported.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis import bipartite_brandes

if TYPE_CHECKING:
    import networkx as nx

NAME = "resilience_bipartite"
FEWEST_NODES = 300
"""Smaller graphs are done before their matrix is built."""
LEAST_DENSITY = 0.02
"""Edges of all that the two sides could have; thinner graphs are quicker by following their edges."""


@dataclass(frozen=True, eq=False)
class BipartiteGraph:
    """A graph of two sides, without attributes.

    - `nodes`: all, in the order of the graph it came from.
    - `rows`, `columns`: those of either side that have edges.
    - `joined`: [rows, columns], true where there is an edge.
    """

    __networkx_backend__: ClassVar[str] = NAME

    nodes: tuple[Hashable, ...]
    rows: tuple[Hashable, ...]
    columns: tuple[Hashable, ...]
    joined: npt.NDArray[np.bool_]

    def is_directed(self) -> bool:
        """Never."""
        return False

    def is_multigraph(self) -> bool:
        """Never."""
        return False

    def __len__(self) -> int:
        return len(self.nodes)


def backend_info() -> dict[str, Any]:
    """What networkx tells people about the backend."""
    return {
        "backend_name": NAME,
        "project": "resilience-assets",
        "package": "resilience_assets",
        "short_summary": "Exact betweenness of dense bipartite graphs as matrix products.",
        "functions": {
            "betweenness_centrality": {
                "additional_docs": "Undirected bipartite graphs, without weight, k and endpoints; the answer is exact."
            }
        },
    }


def two_sides(graph: nx.Graph) -> dict[Hashable, int] | None:
    """The side, 0 or 1, of each node; the first of each connected part is on side 0. None where an odd cycle forbids it."""
    side: dict[Hashable, int] = {}
    for start in graph:
        if start in side:
            continue
        side[start] = 0
        waiting = deque([start])
        while waiting:
            node = waiting.popleft()
            other = 1 - side[node]
            for neighbor in graph.adj[node]:
                if neighbor not in side:
                    side[neighbor] = other
                    waiting.append(neighbor)
                elif side[neighbor] != other:
                    return None
    return side


def convert_from_nx(graph: nx.Graph, *_: Any, **__: Any) -> BipartiteGraph:
    """The graph as a matrix; attributes are left behind, for nothing here reads them.

    Raises NotImplementedError for a graph that is directed, has parallel edges or is not bipartite.
    """
    if graph.is_directed() or graph.is_multigraph():
        raise NotImplementedError(
            f"{NAME} takes undirected graphs without parallel edges, not a {type(graph).__name__}: use networkx's own code"
        )
    side = two_sides(graph)
    if side is None:
        raise NotImplementedError(
            f"{NAME} takes bipartite graphs, and this one has an odd cycle: use networkx's own code"
        )
    rows = tuple(node for node in graph if side[node] == 0 and graph.adj[node])
    columns = tuple(node for node in graph if side[node] == 1)
    index = {node: number for number, node in enumerate(columns)}
    joined = np.zeros((len(rows), len(columns)), dtype=np.bool_)
    for number, node in enumerate(rows):
        joined[number, [index[neighbor] for neighbor in graph.adj[node]]] = True
    return BipartiteGraph(tuple(graph), rows, columns, joined)


def convert_to_nx(found: Any, *_: Any, **__: Any) -> Any:
    """A graph of this backend as one of networkx; anything else as it is."""
    if not isinstance(found, BipartiteGraph):
        return found
    from networkx import Graph

    graph = Graph()
    graph.add_nodes_from(found.nodes)
    row, column = np.nonzero(found.joined)
    graph.add_edges_from((found.rows[r], found.columns[c]) for r, c in zip(row.tolist(), column.tolist(), strict=True))
    return graph


def betweenness_centrality(
    G: nx.Graph | BipartiteGraph,  # noqa: N803 - the name is networkx's
    k: int | None = None,
    normalized: bool = True,
    weight: str | None = None,
    endpoints: bool = False,
    seed: object = None,
) -> dict[Hashable, float]:
    """Betweenness of each node, equal to `networkx.betweenness_centrality` of the same graph but for rounding.

    Parameters and scaling are networkx's; `seed` matters only with `k`. Raises NotImplementedError for `k`,
    `weight` and `endpoints`, and for the graphs that `convert_from_nx` refuses.
    """
    if k is not None or weight is not None or endpoints:
        raise NotImplementedError(
            f"{NAME} computes betweenness from all sources, without weight and endpoints: use networkx's own code"
        )
    graph = G if isinstance(G, BipartiteGraph) else convert_from_nx(G)
    rows, columns = bipartite_brandes.betweenness(graph.joined)
    count = len(graph)
    # ordered pairs of other nodes; a pair counts once where it is not a share of all
    scale = 1.0 / max(1, (count - 1) * (count - 2)) if normalized else 0.5
    found: dict[Hashable, float] = dict.fromkeys(graph.nodes, 0.0)
    found.update(zip(graph.rows, (rows * scale).tolist(), strict=True))
    found.update(zip(graph.columns, (columns * scale).tolist(), strict=True))
    return found


_PARAMETERS = ("G", "k", "normalized", "weight", "endpoints", "seed")


def can_run(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether this backend gives what networkx would give for a call."""
    call = dict(zip(_PARAMETERS, args, strict=False)) | dict(kwargs)
    if name != "betweenness_centrality" or call.get("k") is not None or call.get("weight") is not None:
        return False
    graph = call["G"]
    if call.get("endpoints") or graph.is_directed() or graph.is_multigraph():
        return False
    return isinstance(graph, BipartiteGraph) or two_sides(graph) is not None


def should_run(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether it is worth the conversion: of many nodes, and dense between its sides. For calls that can run."""
    graph = args[0] if args else kwargs["G"]
    if isinstance(graph, BipartiteGraph):
        return True
    side = two_sides(graph)
    if side is None or len(graph) < FEWEST_NODES:
        return False
    columns = sum(side.values())
    return bool(graph.number_of_edges() > LEAST_DENSITY * columns * (len(side) - columns))
