"""The loss of one person: whoever can be reached from the pool can be replaced.

Belongs here: what the pool reaches, with and without a part of a group. Does not belong here: pairs
(dominators.py).

Theorem. Given any best seating, the loss of p opens a seat if and only if p is seated and cannot be reached
from a person who is not seated, where x -> y when x may take the seat of y: p is then a loop of the dual
matroid. (The coarse split of A. L. Dulmage and N. S. Mendelsohn, "Coverings of bipartite graphs", Canad. J.
Math. 10 (1958) 517-534.) Everybody seated at one post has the same answer, so the search runs over posts:
the pool reaches the posts that somebody in it may hold, and a reached post those that somebody seated
there may hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resilience_assets.analysis.contingency.bits import PostSet, after_lowest, load, lowest, some, union, without
from resilience_assets.analysis.contingency.compiled import Number, compiled

if TYPE_CHECKING:
    from resilience_assets.analysis.contingency.seating import Seating


@compiled
def breadth_first(s: Seating, blank: PostSet) -> PostSet:
    """Posts reached from the pool, nearest first in `order` (-1 behind the last), in `parent` the group before each."""
    pool = s.need.size - 1
    reached = load(s.once, pool, blank)
    count = note(reached, pool, 0, s)
    i = 0
    while i < count:
        q = s.order[i]
        fresh = without(load(s.once, q, blank), reached)
        reached = union(reached, fresh)
        count = note(fresh, q, count, s)
        i += 1
    if count < pool:
        s.order[count] = -1
    return reached


@compiled
def note(fresh: PostSet, parent: Number, count: Number, s: Seating) -> int:
    """Append posts reached from a group to the order; returns how many are noted now."""
    while some(fresh):
        q = lowest(fresh)
        fresh = after_lowest(fresh)
        s.order[count] = q
        s.parent[q] = parent
        count += 1
    return int(count)


@compiled
def reached_without(g: Number, lost: PostSet, s: Seating, blank: PostSet) -> PostSet:
    """Posts reached from the pool when group g may no longer hold the posts `lost`."""
    pool = s.need.size - 1
    reached = load(s.once, pool, blank)
    if g == pool:
        reached = without(reached, lost)
    todo = reached
    while some(todo):
        q = lowest(todo)
        todo = after_lowest(todo)
        onward = load(s.once, q, blank)
        if q == g:
            onward = without(onward, lost)
        fresh = without(onward, reached)
        reached = union(reached, fresh)
        todo = union(todo, fresh)
    return reached
