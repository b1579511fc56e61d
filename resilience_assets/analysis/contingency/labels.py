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

from resilience_assets.analysis.contingency.bits import (
    WORD,
    PostSet,
    Words,
    bits_of,
    blank_of,
    load,
    members_of,
    only,
    store,
    union,
)
from resilience_assets.analysis.contingency.compiled import compiled
from resilience_assets.analysis.contingency.components import Part
from resilience_assets.analysis.contingency.dominators import ESSENTIAL, NEITHER, label_groups
from resilience_assets.analysis.contingency.masks import Masks, Moves, movable
from resilience_assets.analysis.contingency.seating import Octets, Seating, empty_seating, open_seats, seat

Demand = npt.NDArray[np.int16]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Labels:
    """What the loss of people costs in each slot, for one notion of who may move and one demand.

    - `label` [T, P] uint8: ESSENTIAL (the loss of the person opens a seat), a class number (the loss of any
      two of one class in one slot opens a seat), or NEITHER. Classes are numbered within a slot, from 1. (uint16
      where a slot of a program in parts has more than 254 of them: 255 is left out then.)
    - `deficit` [T]: seats open when nobody is lost. `classes` [T]: the highest number of a class.
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
    if masks.parts:
        return labels_in_parts(masks, moves, demand)
    return labels_of_whole(
        masks, movable(moves), demand, empty_seating(masks.place.shape[1], demand.shape[1], masks.words)
    )


def labels_of_whole(masks: Masks, codes: Octets, demand: Demand, seating: Seating) -> Labels:
    """Labels of a program that is not split; `codes` [256] says whose place may be changed, `seating` is work space."""
    slots, people = masks.place.shape
    label = np.empty((slots, people), dtype=np.uint8)
    deficit, classes = np.empty(slots, dtype=np.int64), np.empty(slots, dtype=np.int64)
    lost = np.zeros(people, dtype=np.int64)
    posts_lost = np.zeros((people, masks.words), dtype=np.uint64)
    label_slots(
        masks.place, masks.rows, codes, demand, seating, blank_of(masks.words), label, deficit, classes, lost,
        posts_lost.reshape(-1),
    )  # fmt: skip
    return Labels(label, deficit, classes, lost, posts_lost)


def labels_in_parts(masks: Masks, moves: Moves, demand: Demand) -> Labels:
    """Label each part by itself; the classes of a slot are numbered on from part to part."""
    slots, people = masks.place.shape
    found = [labels(inside, moves, demand_of_part(demand, part)) for part, inside in masks.parts]
    many = np.sum([one.classes for one in found], axis=0).max(initial=0) >= ESSENTIAL
    label = np.full((slots, people), NEITHER, dtype=np.uint16 if many else np.uint8)
    deficit, classes = unfillable(masks, demand), np.zeros(slots, dtype=np.int64)
    lost, posts = np.zeros(people, dtype=np.int64), np.zeros((people, demand.shape[1]), dtype=np.bool_)
    for (part, _), one in zip(masks.parts, found, strict=True):
        inside = (one.label != NEITHER) & (one.label != ESSENTIAL)
        number = one.label + inside * classes.astype(label.dtype)[:, None]
        if many:
            number += inside & (number >= ESSENTIAL)
        label[:, part.people] = number
        classes += one.classes
        deficit += one.deficit
        lost[part.people] = one.slots_lost
        posts[np.ix_(part.people, part.posts)] = members_of(one.posts_lost, part.posts.size)
    words = -(-demand.shape[1] // WORD)
    return Labels(label, deficit, classes + (classes >= ESSENTIAL), lost, bits_of(posts, words))


def demand_of_part(demand: Demand, part: Part) -> Demand:
    """The demand of the posts of a part."""
    return np.ascontiguousarray(demand[:, part.posts])


def unfillable(masks: Masks, demand: Demand) -> Counts:
    """Seats of masks in parts that nobody may ever hold, [T]: their posts are in no part."""
    nobody = np.ones(demand.shape[1], dtype=np.bool_)
    for part, _ in masks.parts:
        nobody[part.posts] = False
    return np.asarray(np.maximum(demand[:, nobody], 0).sum(axis=1), dtype=np.int64)


def deficits(masks: Masks, moves: Moves, demand: Demand, lost: Sequence[int] = ()) -> Counts:
    """Seats that stay open in each slot after the best re-deployment, [T], when these people are lost."""
    if masks.parts:
        return unfillable(masks, demand) + sum(
            deficits(inside, moves, demand_of_part(demand, part), np.flatnonzero(np.isin(part.people, lost)).tolist())
            for part, inside in masks.parts
        )
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
    for g in range(s.kind.size):
        # `single` is free again: the classes are known
        store(s.single, g, only(g, blank) if s.kind[g] == ESSENTIAL else blank)
    for p in range(label.size):
        store(posts_lost, p, union(load(posts_lost, p, blank), load(s.single, s.group[p], blank)))
    for p in range(label.size):
        lost[p] += int(label[p] == ESSENTIAL)


@compiled
def deficit_of_slots(
    place: Octets, may: Words, moves: Octets, demand: Demand, s: Seating, blank: PostSet, deficit: Counts
) -> None:
    """The body of `deficits`; `may` is [T, P * W], the last is written."""
    slots = place.shape[0]
    for t in range(slots):
        seat(place[t], may[t], moves, demand[t], s, blank)
        deficit[t] = open_seats(s)
