"""Chains: how many people have to move so that the loss of one person is made good.

Belongs here: counting them for everybody. Does not belong here: who the movers are (covers.py), whether
a loss can be made good at all (labels.py).

Theorem. Given a best seating in which p is seated, and which stays as large without p: the fewest people whose
place has to differ is the length of a shortest alternating path from a person who is not seated to the seat of p.
(The symmetric difference of the two seatings is a union of alternating paths and cycles, C. Berge, PNAS 43 (1957)
842-844; the one that ends at the seat of p alone makes the loss good, and one person on it is one person moved.)
Everybody seated at one post has the same length, and a breadth-first search over posts finds all of them.
Somebody rostered at a post beyond its seats is not seated, and takes a seat of that post without a move.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from resilience_assets.analysis.contingency.bits import (
    PostSet,
    Words,
    after_lowest,
    blank_of,
    load,
    lowest,
    only,
    some,
    union,
    without,
)
from resilience_assets.analysis.contingency.compiled import compiled
from resilience_assets.analysis.contingency.labels import Counts, Demand, demand_of_part
from resilience_assets.analysis.contingency.masks import Masks, Moves, movable
from resilience_assets.analysis.contingency.seating import Ints, Octets, Seating, empty_seating, seat

UNREACHED = -1


@dataclass(frozen=True, eq=False)
class Chains:
    """How many people move when one person is lost, T slots and P people.

    - `by_slot` [T, P] uint8: the fewest people who have to move in the slot, counted from its best seating;
      0 where the person is not needed, or where the loss opens a seat that no move fills (labels.py tells these).
      1 is a direct stand-in.
    - `length` [P]: the most in any slot.
    """

    by_slot: Octets
    length: Counts


def chains(masks: Masks, moves: Moves, demand: Demand) -> Chains:
    """The chains of everybody in every slot against a demand [T, Q]."""
    slots, people = masks.place.shape
    posts = demand.shape[1]
    out = np.zeros((slots, people), dtype=np.uint8)
    if masks.split:
        # who makes a loss good is of the same part
        for part, inside in masks.parts:
            out[:, part.people] = chains(inside, moves, demand_of_part(demand, part)).by_slot
        return Chains(out, _longest(out))
    count_chains(
        masks.place, masks.rows, movable(moves), demand, empty_seating(people, posts, masks.words),
        blank_of(masks.words), np.empty(posts + 1, dtype=np.int64), np.empty(posts, dtype=np.int64), out,
    )  # fmt: skip
    return Chains(out, _longest(out))


def _longest(by_slot: Octets) -> Counts:
    return np.asarray(by_slot.max(axis=0, initial=0), dtype=np.int64)


@compiled
def count_chains(
    place: Octets, may: Words, moves: Octets, demand: Demand, s: Seating, blank: PostSet, depth: Ints, queue: Ints,
    out: Octets,
) -> None:  # fmt: skip
    """The body of `chains`; `may` is [T, P * W], `depth` [Q + 1] and `queue` [Q] are for work, the last is written."""
    pool = demand.shape[1]
    for t in range(place.shape[0]):
        seat(place[t], may[t], moves, demand[t], s, blank)
        depths(place[t], s, blank, depth, queue)
        for p in range(place.shape[1]):
            g = s.group[p]
            if g != pool and depth[g] > 0:
                out[t, p] = depth[g]


@compiled
def depths(place: Octets, s: Seating, blank: PostSet, depth: Ints, queue: Ints) -> None:
    """Moves after which each post has one person more than it needs: `depth` [Q + 1], UNREACHED where none help."""
    pool = s.need.size - 1
    reached = blank
    for q in range(pool):
        depth[q] = UNREACHED
    depth[pool] = 0
    count = 0
    for p in range(place.size):
        held = np.int64(place[p])
        if s.group[p] == pool and held < pool and s.need[held] > 0 and depth[held] == UNREACHED:
            depth[held] = 0
            queue[count] = held
            count += 1
            reached = union(reached, only(held, blank))
    count = note_depth(without(load(s.once, pool, blank), reached), 1, count, depth, queue)
    reached = union(reached, load(s.once, pool, blank))
    i = 0
    while i < count:
        q = queue[i]
        fresh = without(load(s.once, q, blank), reached)
        reached = union(reached, fresh)
        count = note_depth(fresh, depth[q] + 1, count, depth, queue)
        i += 1


@compiled
def note_depth(fresh: PostSet, moves: int, count: int, depth: Ints, queue: Ints) -> int:
    """Append posts that are reached after so many moves; returns how many are noted now."""
    while some(fresh):
        q = lowest(fresh)
        fresh = after_lowest(fresh)
        depth[q] = moves
        queue[count] = q
        count += 1
    return count
