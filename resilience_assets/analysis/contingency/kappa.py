"""How many further people each post could spare, and what follows for anyone who may hold it: bounds on many losses.

Belongs here: the spare people of posts, and the weights of people that bound what any k losses can open. Does
not belong here: the margin of a slot (margin.py), searching for the worst k people (worst.py).

For a post q of a slot let kappa(q) be how many further people can be pushed into it from the pool, with the
best seating kept: the least slack of a set of posts that holds q, plus the seats open now (margin.py); for a person
let kappa(p) be the least of the posts that p may hold. If the loss of K opens j - c seats, then by Hall's
theorem at a set of posts that j people of K may hold and that has c to spare, and kappa is at most c for
each of the j. So for |K| = k the seats that open in a slot are at most
- k less the least kappa of anyone in K, and
- the sum over p in K of max(0, k - kappa(p)) / k, since j - c is the sum over j people of 1 - c / j, and j <= k.
The second is a sum over people: the best k people of a program are the first k of a list.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.bits import PostSet, Words, blank_of, common, load, only, some, store, union
from resilience_assets.analysis.contingency.compiled import Number, compiled
from resilience_assets.analysis.contingency.labels import Counts, Demand, demand_of_part, unfillable
from resilience_assets.analysis.contingency.margin import count_stand_by, push_into
from resilience_assets.analysis.contingency.masks import Masks, Moves, movable
from resilience_assets.analysis.contingency.seating import Octets, Seating, empty_seating, link, open_seats, seat

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Weights:
    """What any `losses` people can open, T slots, P people.

    - `weight` [P]: the sum over slots of max(0, losses - kappa(p)), for the people asked about, else 0. The loss
      of any set of them of that size, or a smaller one, opens at most the sum of their weights / losses.
      Who has weight 0 adds nothing to any such set.
    - `most` [T]: the most seats that any such set opens in each slot, by the first bound.
    - `deficit` [T]: seats open when nobody is lost.
    """

    losses: int
    weight: Counts
    most: Counts
    deficit: Counts


def weights(masks: Masks, moves: Moves, demand: Demand, losses: int, among: Bools | None = None) -> Weights:
    """Bounds for the loss of up to `losses` people, of all or of those in `among` [P], against a demand [T, Q]."""
    slots, people = masks.place.shape
    asked = np.ones(people, dtype=np.bool_) if among is None else among
    if masks.parts:
        return _weights_in_parts(masks, moves, demand, losses, asked)
    weight = np.zeros(people, dtype=np.int64)
    most, deficit = np.zeros(slots, dtype=np.int64), np.empty(slots, dtype=np.int64)
    posts = demand.shape[1]
    weigh_slots(
        masks.place, masks.rows, movable(moves), demand, asked, losses, empty_seating(people, posts, masks.words),
        blank_of(masks.words), np.empty(posts, dtype=np.int64), np.empty(losses * masks.words, dtype=np.uint64),
        weight, most, deficit,
    )  # fmt: skip
    return Weights(losses, weight, most, deficit)


def _weights_in_parts(masks: Masks, moves: Moves, demand: Demand, losses: int, asked: Bools) -> Weights:
    """The weights of each part by itself: a set of posts in several parts is no thinner than what it has in one of them."""
    slots, people = masks.place.shape
    weight, most = np.zeros(people, dtype=np.int64), np.zeros(slots, dtype=np.int64)
    deficit = unfillable(masks, demand)
    for part, inside in masks.parts:
        one = weights(inside, moves, demand_of_part(demand, part), losses, asked[part.people])
        weight[part.people] = one.weight
        most = np.maximum(most, one.most)
        deficit += one.deficit
    return Weights(losses, weight, most, deficit)


@compiled
def weigh_slots(
    place: Octets, may: Words, moves: Octets, demand: Demand, asked: Bools, losses: Number, s: Seating, blank: PostSet,
    stand_by: Counts, within: Words, weight: Counts, most: Counts, deficit: Counts,
) -> None:  # fmt: skip
    """The body of `weights`; `may` is [T, P * W], the last three are written; `stand_by`, `within` are work space."""
    for t in range(place.shape[0]):
        reached = seat(place[t], may[t], moves, demand[t], s, blank)
        deficit[t] = open_seats(s)
        if sort_by_spare(reached, losses, stand_by, within, s, blank):
            most[t] = weigh_people(asked, losses, within, weight, s, blank)


@compiled
def sort_by_spare(
    reached: PostSet, losses: Number, stand_by: Counts, within: Words, s: Seating, blank: PostSet
) -> bool:
    """Set c of `within`: posts with at most c people to spare, c = 0 .. losses - 1; False if all are empty."""
    for c in range(losses):
        store(within, c, blank)
    count_stand_by(stand_by, s, blank)
    link(s)
    found = False
    for q in range(s.need.size - 1):
        # who stands by for a post can be pushed into it at once
        if s.need[q] == 0 or stand_by[q] >= losses:
            continue
        spare, _ = push_into(q, losses, s, blank)
        for c in range(spare, losses):
            store(within, c, union(load(within, c, blank), only(q, blank)))
            found = True
    return found


@compiled
def weigh_people(asked: Bools, losses: Number, within: Words, weight: Counts, s: Seating, blank: PostSet) -> int:
    """Add losses - kappa(p) to the weights of people; returns the largest that was added."""
    largest = 0
    widest = load(within, losses - 1, blank)
    for p in range(asked.size):
        posts = load(s.posts, p, blank)
        if not asked[p] or not some(common(posts, widest)):
            continue
        c = losses - 2
        while c >= 0 and some(common(posts, load(within, c, blank))):
            c -= 1
        added = losses - 1 - c
        weight[p] += added
        largest = max(largest, added)
    return int(largest)
