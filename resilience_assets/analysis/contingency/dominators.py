"""The loss of two people: a partition of the people of a slot into classes says it of every pair.

Belongs here: the classes of a slot. Does not belong here: counting pairs over slots (pairs.py).

Theorem. If neither p nor q alone opens a seat, both together open one if and only if no two vertex-disjoint
paths lead from the pool to p and q (the two are parallel in the dual matroid), which is (K. Menger,
"Zur allgemeinen Kurventheorie", Fund. Math. 10 (1927) 96-115) if and only if one person v is on every path to p
and on every path to q: p and q hang below the same child of the root in the dominator tree of the paths
(T. Lengauer and R. E. Tarjan, ACM TOPLAS 1 (1979) 121-141). Being parallel is an equivalence
relation, so the pairs of a slot are a partition, and a class number for each person holds them all.

A person can dominate a post only if the breadth-first tree enters the post through that one person of a
group: so each post of the tree has at most one candidate, tried by searching anew without it.
"""

from __future__ import annotations

import numpy as np

from resilience_assets.analysis.contingency.bits import (
    PostSet,
    Words,
    after_lowest,
    common,
    has,
    load,
    lowest,
    only,
    some,
    store,
    union,
    without,
)
from resilience_assets.analysis.contingency.compiled import Number, compiled
from resilience_assets.analysis.contingency.reachability import reached_without
from resilience_assets.analysis.contingency.seating import Seating

NEITHER = 0
"""Label of a person whose loss opens no seat, with whomever else it comes."""
ESSENTIAL = 255
"""Label of a person whose loss alone opens a seat. Labels between are classes."""


@compiled
def label_groups(reached: PostSet, s: Seating, blank: PostSet) -> tuple[int, int]:
    """The label of each group into `kind`, the head of each class into `head`.

    Returns the number of people who are essential, and of classes. The head of a class bears its label
    too, whatever the label of its group.
    """
    pool = s.need.size - 1
    for g in range(pool + 1):
        s.kind[g] = NEITHER
    essential = 0
    for q in range(pool):
        if s.seated[q] > 0 and not has(reached, q):
            s.kind[q] = ESSENTIAL
            essential += s.seated[q]
    classes = 0
    if find_gates(s, blank):
        classes = split_by_dominators(reached, s, blank)
    return essential, classes


@compiled
def find_gates(s: Seating, blank: PostSet) -> bool:
    """For each post that was reached through one person of a group, who that is; False where there is none."""
    posts = s.need.size - 1
    for g in range(posts + 1):
        store(s.single, g, blank)
    found = False
    i = 0
    while i < posts and s.order[i] >= 0:
        q = s.order[i]
        g = s.parent[q]
        if not has(load(s.twice, g, blank), q):
            store(s.single, g, union(load(s.single, g, blank), only(q, blank)))
            found = True
        i += 1
    if found:
        name_gates(s.posts, s, blank)
    return found


@compiled
def name_gates(posts_of: Words, s: Seating, blank: PostSet) -> None:
    """Write the one person of each group for its `single` posts into `gate`."""
    posts = s.need.size - 1
    for p in range(s.group.size):
        g = s.group[p]
        left = common(load(posts_of, p, blank), load(s.single, g, blank))
        while some(left):
            s.gate[np.int64(g) * posts + lowest(left)] = p
            left = after_lowest(left)


@compiled
def split_by_dominators(reached: PostSet, s: Seating, blank: PostSet) -> int:
    """Give every post below a top-level dominator the number of its class; returns the number of classes.

    Nearest posts come first, so the first person found to dominate a post is the outermost one. A post that is
    entered from a group which is already in a class is passed over: its gate is dominated itself.
    """
    posts = s.need.size - 1
    classes = 0
    i = 0
    while i < posts and s.order[i] >= 0:
        q = s.order[i]
        i += 1
        g = s.parent[q]
        if s.kind[q] != NEITHER or s.kind[g] != NEITHER or not has(load(s.single, g, blank), q):
            continue
        head = s.gate[g * posts + q]
        alone = without(load(s.posts, head, blank), load(s.twice, g, blank))
        below = without(reached, reached_without(g, alone, s, blank))
        # the gate of several posts may dominate only some of them
        if has(below, q):
            classes += 1
            s.head[classes] = head
            number_class(below, classes, s)
    return classes


@compiled
def number_class(below: PostSet, number: Number, s: Seating) -> None:
    """Posts that are in no class yet get this one."""
    while some(below):
        q = lowest(below)
        below = after_lowest(below)
        if s.kind[q] == NEITHER:
            s.kind[q] = number
