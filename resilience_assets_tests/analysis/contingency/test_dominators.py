"""Classes, against the dominator tree of networkx over a seating of networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.dominators import ESSENTIAL
from resilience_assets.analysis.contingency.labels import labels
from resilience_assets.analysis.contingency.masks import Masks, Moves
from resilience_assets.analysis.contingency.seating import FREE
from resilience_assets_tests.analysis.contingency.blocks import Bools, Demand, block_of

PEOPLE, POSTS = 40, 14
BLOCKS = 220


def wide_block(random: np.random.Generator) -> tuple[Masks, Bools, Demand]:
    """Forty people, most with one or two posts, hardly more of them than seats."""
    able = random.random((PEOPLE, POSTS)) < random.uniform(0.04, 0.14)
    able[np.arange(PEOPLE), random.integers(0, POSTS, PEOPLE)] = True
    place = np.array([random.choice(np.flatnonzero(row)) for row in able], dtype=np.uint8)
    demand = np.bincount(place, minlength=POSTS).astype(np.int16)
    demand -= (random.random(POSTS) < 0.15) & (demand > 0)
    place[random.random(PEOPLE) < 0.1] = FREE
    return block_of(place, able), able, demand[None]


def parents_of_networkx(may: Bools, demand: Demand) -> list[object]:
    """For each person: 'essential', or the child of the root above the person; people alone there have themselves."""
    seats = [(int(q), n) for q in range(demand.size) for n in range(int(demand[0, q]))]
    graph = nx.Graph()
    graph.add_nodes_from(range(may.shape[0]))
    graph.add_nodes_from(("seat", *seat) for seat in seats)
    graph.add_edges_from((p, ("seat", *seat)) for p in range(may.shape[0]) for seat in seats if may[p, seat[0]])
    matching = nx.bipartite.hopcroft_karp_matching(graph, top_nodes=range(may.shape[0]))
    held = {p: matching[p][1] for p in range(may.shape[0]) if p in matching}
    paths = nx.DiGraph()
    paths.add_node("root")
    paths.add_edges_from(("root", p) for p in range(may.shape[0]) if p not in held)
    paths.add_edges_from((x, y) for x in range(may.shape[0]) for y, q in held.items() if x != y and may[x, q])
    above = nx.immediate_dominators(paths, "root")
    out: list[object] = []
    for p in range(may.shape[0]):
        if p not in above:
            out.append("essential")
            continue
        top: object = p
        while above[top] != "root":
            top = above[top]
        out.append(top)
    return out


def test_beside_networkx() -> None:
    random = np.random.default_rng(11)
    pairs = same = 0
    for _ in range(BLOCKS):
        masks, able, demand = wide_block(random)
        label = labels(masks, Moves.FULL, demand).label[0]
        tops = parents_of_networkx(able, demand)
        assert [top == "essential" for top in tops] == (label == ESSENTIAL).tolist()
        ours = together(label)
        codes = np.array([-1 if top == "essential" else int(str(top)) for top in tops])
        theirs = (codes[:, None] == codes[None, :]) & (codes >= 0)
        np.fill_diagonal(theirs, False)
        assert np.array_equal(ours, theirs)
        pairs += PEOPLE * (PEOPLE - 1) // 2
        same += int(ours.sum()) // 2
    assert pairs > 167_000
    assert same > 2_000


def together(label: npt.NDArray[np.uint8]) -> Bools:
    """Pairs of one class, [P, P], without the diagonal."""
    known = (label > 0) & (label != ESSENTIAL)
    same = (label[:, None] == label[None, :]) & known
    np.fill_diagonal(same, False)
    return same
