"""The worst people to lose together over a horizon, with a bound that says how far from the worst they may be.

Belongs here: greedy sets, branch and bound, the best last two from labels. Does not belong here: the bounds
themselves (kappa.py), single slots (margin.py), all pairs (pairs.py).

Which k people open the most seats over many slots is NP-hard (with nobody moved and one to spare in each slot it
is the densest subgraph of k vertices). The search removes people one by one, most weighty first, leaves a branch
when the bounds of kappa.py say that nothing better is in it, and ends two people early: labels say
what every pair opens. So a set of k is found at depth k - 2.

Effort is counted in nodes (sets of people for which all slots are seated anew) and not in seconds, so that the same
input gives the same answer anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from resilience_assets.analysis.contingency.compiled import Number, compiled
from resilience_assets.analysis.contingency.dominators import ESSENTIAL, NEITHER
from resilience_assets.analysis.contingency.kappa import weights
from resilience_assets.analysis.contingency.labels import Counts, Demand, Labels, deficits, labels
from resilience_assets.analysis.contingency.masks import Masks, Moves
from resilience_assets.analysis.contingency.seating import AWAY, Octets
from resilience_assets.domain.roster import Roster

NODES = 2_000
"""Nodes that a search may take unless told otherwise: seconds for 2,000 people."""
MOST_LOSSES = 8
"""More people than these are not searched for: the tree would be cut off anywhere."""

Deadline = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class Worst:
    """The worst set of up to `losses` people that was found, and what it opens over T slots.

    `people` are indices in order, without those whose loss adds nothing; `by_slot` [T] seats more open in
    each slot than now. No set of `losses` people opens more than `bound` seats. `nodes` is the effort.
    """

    losses: int
    people: tuple[int, ...]
    by_slot: Counts
    bound: int
    nodes: int

    @property
    def seats(self) -> int:
        """Seats that open over all slots."""
        return int(self.by_slot.sum())

    @property
    def proven(self) -> bool:
        """Whether no set of so many people is worse."""
        return self.seats == self.bound

    @property
    def slots(self) -> Counts:
        """Indices of the slots that break."""
        return np.flatnonzero(self.by_slot)


@dataclass
class _Search:
    """Where a search stands: what it looks at, the best so far, the effort spent."""

    masks: Masks
    moves: Moves
    demand: Demand
    limit: int
    deadline: Deadline | None
    base: int = 0
    best: int = 0
    people: tuple[int, ...] = ()
    nodes: int = 0
    over: bool = field(default=False)

    def without(self, lost: tuple[int, ...]) -> Masks:
        """The masks with people lost; who is AWAY may hold nothing, whatever `may` says."""
        place = self.masks.place.copy()
        place[:, list(lost)] = AWAY
        return replace(self.masks, place=place)

    def ends(self) -> bool:
        """Whether the budget is spent; counts a node where it is not."""
        self.over = self.over or self.nodes >= self.limit or (self.deadline is not None and self.deadline())
        self.nodes += not self.over
        return self.over

    def note(self, seats: int, people: tuple[int, ...]) -> None:
        """A set that opens so many seats; the first of equals stays."""
        if seats > self.best:
            self.best, self.people = seats, tuple(sorted(people))


def worst(
    masks: Masks, moves: Moves, demand: Demand, losses: int, *, nodes: int = NODES, deadline: Deadline | None = None
) -> Worst:
    """The up to `losses` people whose loss together opens most seats over all slots, against a demand [T, Q].

    After `nodes` nodes, or once `deadline()` is true, the best set so far is given with a bound that holds. With a
    deadline the answer depends on the speed of the machine; the search itself reads no clock.
    ValueError for less than 1 or more than MOST_LOSSES people.
    """
    return _worst(masks, moves, demand, losses, nodes, deadline, ())


def curve(
    masks: Masks, moves: Moves, demand: Demand, most: int = 4, *, nodes: int = NODES, deadline: Deadline | None = None
) -> tuple[Worst, ...]:
    """The worst 1, 2, .. `most` people, each with the whole budget; seats never fall along the curve."""
    found: list[Worst] = []
    for losses in range(1, most + 1):
        start = found[-1].people if found else ()
        found.append(_worst(masks, moves, demand, losses, nodes, deadline, start))
    return tuple(found)


def curve_columns(found: Sequence[Worst], roster: Roster) -> dict[str, list[Any]]:
    """A curve in flat form with ids, a row a number of losses; `roster` is the window whose slots they are of.

    `broken` lists the slots that break as (epoch day, slot code, seats more open).
    """
    days, codes = roster.day_of_slot().tolist(), [one.code for one in roster.program.slot_types]
    return {
        "losses": [one.losses for one in found],
        "people": [[roster.people[p].id for p in one.people] for one in found],
        "seats": [one.seats for one in found],
        "bound": [one.bound for one in found],
        "proven": [one.proven for one in found],
        "slots": [one.slots.size for one in found],
        "broken": [
            [(days[t], codes[t % roster.per_day], int(one.by_slot[t])) for t in one.slots.tolist()] for one in found
        ],
        "nodes": [one.nodes for one in found],
    }


def _worst(
    masks: Masks, moves: Moves, demand: Demand, losses: int, nodes: int, deadline: Deadline | None, start: tuple[int, ...]
) -> Worst:  # fmt: skip
    if not 1 <= losses <= MOST_LOSSES:
        raise ValueError(f"worst {losses} people: ask for 1 to {MOST_LOSSES}")
    masks = masks.divided()
    now = deficits(masks, moves, demand)
    search = _Search(masks, moves, demand, nodes, deadline, int(now.sum()))
    if start:
        search.note(int(deficits(masks, moves, demand, start).sum()) - search.base, start)
    bound = _search_all(search, losses)
    people = _without_idle(masks, moves, demand, search.people)
    return Worst(losses, people, deficits(masks, moves, demand, people) - now, bound, search.nodes)


def _search_all(search: _Search, losses: int) -> int:
    """Run the search; returns the bound. Slots that no set of so many people can break are left out."""
    masks = search.masks
    if losses > 2:
        root = weights(masks, search.moves, search.demand, losses)
        live = root.most > 0
        search.masks, search.demand = masks.at(live), search.demand[live]
        search.base = int(root.deficit[live].sum())
        candidates = np.flatnonzero(root.weight > 0)
        heaviest = np.sort(root.weight)[::-1][:losses]
        ceiling = min(int(root.most.sum()), int(heaviest.sum()) // losses)
    else:
        candidates = np.arange(masks.place.shape[1])
        ceiling = losses * len(masks.place)
    if candidates.size and search.demand.size:
        _greedy(search, losses, candidates)
        not_looked_at = _branch(search, (), candidates, losses, ceiling)
        return max(search.best, not_looked_at)
    return search.best


def _greedy(search: _Search, losses: int, candidates: Counts) -> None:
    """Two by two the worst to lose next, then any two of the set are exchanged for better ones while there are."""
    if losses <= 2:
        return  # the first node is exact
    chosen: tuple[int, ...] = ()
    while len(chosen) < losses and not search.ends():
        more = _last_two(search, chosen, candidates, min(2, losses - len(chosen)), floor=-1)
        if not more:
            break
        chosen += more
    better = True
    while better and not search.over:
        best, better = search.best, False
        for pair in combinations(search.people, 2):
            if search.ends():
                break
            rest = tuple(p for p in search.people if p not in pair)
            _last_two(search, rest, candidates, 2, search.best)
            if search.best > best:
                better = True
                break


def _branch(search: _Search, lost: tuple[int, ...], candidates: Counts, losses: int, inherited: int) -> int:
    """Search all sets of `lost` and up to `losses` candidates; returns a bound on those not looked at, 0 if all were."""
    if search.ends():
        return inherited
    if losses <= 2:
        _last_two(search, lost, candidates, losses, search.best)
        return 0
    among = np.zeros(search.masks.place.shape[1], dtype=np.bool_)
    among[candidates] = True
    found = weights(search.without(lost), search.moves, search.demand, losses, among)
    opened = int(found.deficit.sum()) - search.base
    search.note(opened, lost)
    ceiling = min(inherited, opened + int(found.most.sum()))
    order = candidates[np.argsort(-found.weight[candidates], kind="stable")]
    order = order[found.weight[order] > 0]
    bounds = np.minimum(ceiling, opened + _sums_of_next(found.weight[order], losses) // losses)
    for i in range(order.size):
        if bounds[i] <= search.best:
            break  # those behind are no better
        left = _branch(search, (*lost, int(order[i])), order[i + 1 :], losses - 1, int(bounds[i]))
        if search.over:
            return max(left, int(bounds[i + 1]))
    return 0


def _sums_of_next(values: Counts, count: int) -> Counts:
    """The sum of each value and those behind it, `count` in all; one 0 more at the end. [N + 1]."""
    sums = np.concatenate([[0], np.cumsum(values)])
    after = np.minimum(np.arange(values.size + 1) + count, values.size)
    return np.asarray(sums[after] - sums, dtype=np.int64)


def _last_two(search: _Search, lost: tuple[int, ...], candidates: Counts, losses: int, floor: int) -> tuple[int, ...]:
    """The one or two candidates to lose after `lost` that open most seats, noted; empty if not above `floor`."""
    found = labels(search.without(lost), search.moves, search.demand)
    opened = int(found.deficit.sum()) - search.base
    free = candidates[~np.isin(candidates, lost)]
    if not free.size:
        search.note(opened, lost)
        return ()
    more, people = _most_of_two(found, free, floor - opened) if losses == 2 else _most_of_one(found, free)
    if opened + more <= floor:
        return ()
    search.note(opened + more, lost + people)
    return people


def _most_of_one(found: Labels, candidates: Counts) -> tuple[int, tuple[int, ...]]:
    p = int(candidates[np.argmax(found.slots_lost[candidates])])
    return int(found.slots_lost[p]), (p,)


def _most_of_two(found: Labels, candidates: Counts, floor: int) -> tuple[int, tuple[int, ...]]:
    """The pair of candidates that opens most seats, if more than `floor`; a single one where there is no other."""
    label = found.label[:, candidates].T
    in_class = (label != NEITHER) & (label != ESSENTIAL)
    lost = found.slots_lost[candidates]
    # with p and q a seat opens where p is essential, where q is, and at most where both are in a class
    weight = 2 * lost + in_class.sum(axis=1)
    order = np.argsort(-weight, kind="stable")
    rows = np.ascontiguousarray(np.where(in_class, label, NEITHER)[order])
    # unlike NEITHER: two people without a class are never of one
    others = np.where(rows == NEITHER, rows.dtype.type(ESSENTIAL), rows)
    more, i, j = best_pair(rows, others, lost[order], weight[order], max(floor, -1))
    if i < 0:
        return _most_of_one(found, candidates)
    return more, (int(candidates[order[i]]), int(candidates[order[j]]))


@compiled
def best_pair(rows: Octets, others: Octets, lost: Counts, weight: Counts, floor: Number) -> tuple[int, int, int]:
    """The pair of rows with the most lost + lost + equal classes, above floor; -1 for both if none is.

    Rows [N, T] are in order of falling `weight`; half the sum of two weights is at least what they open.
    """
    best, first, second = floor, -1, -1
    for i in range(lost.size):
        for j in range(i + 1, lost.size):
            if weight[i] + weight[j] <= 2 * best:
                break
            opened = lost[i] + lost[j] + equal_places(rows[i], others[j])
            if opened > best:
                best, first, second = opened, i, j
    return int(best), first, second


@compiled
def equal_places(one: Octets, other: Octets) -> int:
    """Places in which two rows are equal."""
    count = 0
    for t in range(one.size):
        count += one[t] == other[t]
    return count


def _without_idle(masks: Masks, moves: Moves, demand: Demand, people: tuple[int, ...]) -> tuple[int, ...]:
    """The people without those, last first, whose loss adds nothing to that of the others."""
    seats = int(deficits(masks, moves, demand, people).sum())
    for p in reversed(people):
        rest = tuple(q for q in people if q != p)
        if int(deficits(masks, moves, demand, rest).sum()) == seats:
            people = rest
    return people
