"""Labels of all people in all slots: the loss of every person and of every pair, without a matrix.

Belongs here: running seating, reachability and dominators over slots, and the frozen result. Does not
belong here: the theory (there), counting pairs (pairs.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.bits import PostSet, Words, blank_of, load, only, store, union
from resilience_assets.analysis.contingency.compiled import compiled
from resilience_assets.analysis.contingency.dominators import ESSENTIAL, NEITHER, label_groups
from resilience_assets.analysis.contingency.masks import Masks, Moves, movable
from resilience_assets.analysis.contingency.seating import Octets, Seating, empty_seating, open_seats, seat

Demand = npt.NDArray[np.int16]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Labels:
    """What the loss of people costs in each slot, for one notion of who may move and one demand.

    - `label` [T, P] uint8: ESSENTIAL (the loss of the person opens a seat), a class number (the loss of any
      two of one class in one slot opens a seat), or NEITHER. Classes are numbered within a slot.
    - `deficit` [T]: seats open when nobody is lost. `classes` [T]: how many classes there are.
    - `slots_lost` [P]: slots in which the person is essential.
    - `posts_lost` [P, W]: the posts in which the person is then seated, as bits.
    """

    label: Octets
    deficit: Counts
    classes: Counts
    slots_lost: Counts
    posts_lost: Words

    def between(self, first: int, end: int) -> Labels:
        """The same for slots first..end - 1 only; `posts_lost` stays that of all slots."""
        label = self.label[first:end]
        lost = np.asarray((label == ESSENTIAL).sum(axis=0), dtype=np.int64)
        return Labels(label, self.deficit[first:end], self.classes[first:end], lost, self.posts_lost)

    @cached_property
    def survives(self) -> Counts:
        """Losses that each slot is sure to stand without a seat more open: 0, 1, or 2 for two and more. [T]."""
        essential = (self.label == ESSENTIAL).any(axis=1)
        return np.where(essential, 0, np.where(self.classes > 0, 1, 2)).astype(np.int64)

    def pair(self, p: int, q: int) -> tuple[int, int]:
        """Seats that open over all slots when p and q are both lost, and slots in which one opens."""
        if p == q:
            return int(self.slots_lost[p]), int(self.slots_lost[p])
        one, other = self.label[:, p], self.label[:, q]
        together = int(((one == other) & (one != NEITHER) & (one != ESSENTIAL)).sum())
        seats = int(self.slots_lost[p] + self.slots_lost[q]) + together
        return seats, seats - int(((one == ESSENTIAL) & (other == ESSENTIAL)).sum())


def labels(masks: Masks, moves: Moves, demand: Demand) -> Labels:
    """Label everybody in every slot against a demand [T, Q]."""
    slots, people = masks.place.shape
    label = np.empty((slots, people), dtype=np.uint8)
    deficit, classes = np.empty(slots, dtype=np.int64), np.empty(slots, dtype=np.int64)
    lost = np.zeros(people, dtype=np.int64)
    posts_lost = np.zeros((people, masks.words), dtype=np.uint64)
    label_slots(
        masks.place, masks.rows, movable(moves), demand,
        empty_seating(people, demand.shape[1], masks.words), blank_of(masks.words), label, deficit, classes, lost,
        posts_lost.reshape(-1),
    )  # fmt: skip
    return Labels(label, deficit, classes, lost, posts_lost)


def deficits(masks: Masks, moves: Moves, demand: Demand, lost: Sequence[int] = ()) -> Counts:
    """Seats that stay open in each slot after the best re-deployment, [T], when these people are lost."""
    left = masks.without(lost) if len(lost) else masks
    slots, people = left.place.shape
    out = np.empty(slots, dtype=np.int64)
    deficit_of_slots(
        left.place, left.rows, movable(moves), demand,
        empty_seating(people, demand.shape[1], left.words), blank_of(left.words), out,
    )  # fmt: skip
    return out


@compiled
def label_slots(
    place: Octets, may: Words, moves: Octets, demand: Demand, s: Seating, blank: PostSet,
    label: Octets, deficit: Counts, classes: Counts, lost: Counts, posts_lost: Words,
) -> None:  # fmt: skip
    """The body of `labels`; `may` is [T, P * W], the last five are written."""
    slots = place.shape[0]
    for t in range(slots):
        reached = seat(place[t], may[t], moves, demand[t], s, blank)
        deficit[t] = open_seats(s)
        essential, classes[t] = label_groups(reached, s, blank)
        if essential == 0 and classes[t] == 0:
            label[t] = NEITHER
            continue
        write_labels(label[t], s)
        if essential > 0:
            count_losses(label[t], lost, posts_lost, s, blank)
        for c in range(1, classes[t] + 1):
            label[t, s.head[c]] = c


@compiled
def write_labels(label: Octets, s: Seating) -> None:
    """Everybody gets the label of the group."""
    for p in range(label.size):
        label[p] = s.kind[s.group[p]]


@compiled
def count_losses(label: Octets, lost: Counts, posts_lost: Words, s: Seating, blank: PostSet) -> None:
    """Add a slot, and the post held in it, to all who are essential. The head of a class never is."""
    for p in range(label.size):
        if label[p] == ESSENTIAL:
            lost[p] += 1
            store(posts_lost, p, union(load(posts_lost, p, blank), only(np.int64(s.group[p]), blank)))


@compiled
def deficit_of_slots(
    place: Octets, may: Words, moves: Octets, demand: Demand, s: Seating, blank: PostSet, deficit: Counts
) -> None:
    """The body of `deficits`; `may` is [T, P * W], the last is written."""
    slots = place.shape[0]
    for t in range(slots):
        seat(place[t], may[t], moves, demand[t], s, blank)
        deficit[t] = open_seats(s)
