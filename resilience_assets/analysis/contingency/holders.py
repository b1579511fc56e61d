"""Sole holders: who alone may hold a post that is asked for.

Belongs here: counting them. Does not belong here: whose loss opens a seat (labels.py), which is another
question: of two holders of a post of two seats none is the sole one, and both are essential.
"""

from __future__ import annotations

import numpy as np

from resilience_assets.analysis.contingency.bits import (
    PostSet,
    Words,
    blank_of,
    common,
    load,
    only,
    some,
    union,
    without,
)
from resilience_assets.analysis.contingency.compiled import Number, compiled
from resilience_assets.analysis.contingency.labels import Counts, Demand, demand_of_part
from resilience_assets.analysis.contingency.masks import Masks, Moves, movable
from resilience_assets.analysis.contingency.seating import MOST_POSTS, Octets


def sole_holder_slots(masks: Masks, moves: Moves, demand: Demand) -> Counts:
    """Slots in which each person is the only one who may hold some post with demand, [P]."""
    out = np.zeros(masks.place.shape[1], dtype=np.int64)
    for part, inside in masks.parts:
        out[part.people] = sole_holder_slots(inside, moves, demand_of_part(demand, part))
    if masks.parts:
        return out
    count_sole_holders(masks.place, masks.rows, movable(moves), demand, blank_of(masks.words), out)
    return out


@compiled
def count_sole_holders(place: Octets, may: Words, moves: Octets, demand: Demand, blank: PostSet, out: Counts) -> None:
    """The body of `sole_holder_slots`; `may` is [T, P * W], the last is written."""
    for t in range(place.shape[0]):
        asked, once, twice = blank, blank, blank
        for q in range(demand.shape[1]):
            if demand[t, q] > 0:
                asked = union(asked, only(q, blank))
        for p in range(place.shape[1]):
            posts = holdable(place[t, p], p, may[t], moves, asked, blank)
            twice = union(twice, common(once, posts))
            once = union(once, posts)
        alone = without(once, twice)
        if not some(alone):
            continue
        for p in range(place.shape[1]):
            out[p] += some(common(holdable(place[t, p], p, may[t], moves, asked, blank), alone))


@compiled
def holdable(code: Number, p: Number, may: Words, moves: Octets, asked: PostSet, blank: PostSet) -> PostSet:
    """Posts with demand that a person may hold: all allowed ones when the person may be moved, else the one held."""
    posts = load(may, p, blank)
    if not moves[code]:
        posts = only(code, blank) if code < MOST_POSTS else blank
    return common(posts, asked)
