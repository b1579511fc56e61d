"""All pairs of people over all slots, counted from the labels: histogram, worst pairs; no matrix is made.

Belongs here: adding up classes over slots. Does not belong here: what a class is (dominators.py).

With L(p) the slots in which p is essential, C(p, q) those in which both are of one class, E(p, q) those in which
both are essential: the loss of both opens L(p) + L(q) + C(p, q) seats, and breaks E(p, q) slots fewer than that.
Only pairs who share a class somewhere differ from the sum of the two people; only these are walked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.bits import WORD, Words, ones
from resilience_assets.analysis.contingency.compiled import Number, compiled
from resilience_assets.analysis.contingency.dominators import ESSENTIAL, NEITHER
from resilience_assets.analysis.contingency.labels import Counts, Labels
from resilience_assets.analysis.contingency.seating import Octets

Small = npt.NDArray[np.int32]
Indices = npt.NDArray[np.uint32]
"""Of people: without a sign nothing must be tested before an array is indexed."""
FEW_PEOPLE = 100
"""With fewer people than these all pairs are looked at sooner than any are ruled out."""
TOP_PEOPLE = 24
"""People whose pairs say from where on a pair may be among the worst."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Every pair of people, exactly. Rows of the two lists: seats, slots, person, person (indices, first < second).

    `histogram` [H]: how many pairs open so many seats (index) over all slots. `worst_by_seats` [N, 4] in order of
    seats, slots, people; `worst_by_slots` [N, 4] of slots, seats, people. Pairs that open none are not listed.
    """

    histogram: Counts
    worst_by_seats: Counts
    worst_by_slots: Counts

    @property
    def harmful(self) -> int:
        """Pairs whose loss opens at least one seat."""
        return int(self.histogram[1:].sum())


class Classmates(NamedTuple):
    """Who shares a class with whom: the entries of p are begin[p] .. begin[p + 1] - 1, one a slot.

    An entry names the members of the class behind p: member[first] .. member[end - 1].
    """

    begin: Counts
    first: Counts
    end: Counts
    member: Indices


def pairs(found: Labels, most: int = 20) -> Pairs:
    """Count all pairs; the worst `most` of them are listed, a list by seats and one by slots."""
    people = found.label.shape[1]
    lost, essential = found.slots_lost.astype(np.int32), essential_slots(found)
    histogram = _sums_of_two(found.slots_lost, 3 * found.label.shape[0] + 1)
    by_seats = np.zeros((most + 1, 4), dtype=np.int64)
    by_slots = np.zeros((most + 1, 4), dtype=np.int64)
    count_pairs(
        lost, floor_of(lost, essential, most), classmates(found), essential, np.zeros(people, dtype=np.int32),
        np.empty(people + 1, dtype=np.uint32), np.empty(people + 1, dtype=np.uint32), histogram, by_seats, by_slots,
    )  # fmt: skip
    last = np.flatnonzero(histogram)
    histogram = histogram[: last[-1] + 1] if last.size else histogram[:1]
    listed = by_slots[:most][by_slots[:most, 0] > 0]
    return Pairs(histogram, by_seats[:most][by_seats[:most, 0] > 0], listed[:, [1, 0, 2, 3]])


def _sums_of_two(lost: Counts, size: int) -> Counts:
    """How many pairs of people have each sum of slots lost, [size]."""
    heads = np.bincount(lost)
    ordered = np.convolve(heads, heads)
    ordered[::2] -= heads  # a person with itself
    out = np.zeros(max(size, ordered.size), dtype=np.int64)
    out[: ordered.size] = ordered // 2
    return out


def classmates(found: Labels) -> Classmates:
    """The classes of all slots, turned to the people."""
    people = found.label.shape[1]
    begin = np.zeros(people + 1, dtype=np.int64)
    count_members(found.label, found.classes, begin)
    begin = np.cumsum(begin)
    size = int(begin[-1])
    first, end = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    member = np.empty(size, dtype=np.uint32)
    position = np.empty(256, dtype=np.int64)
    join_classmates(found.label, found.classes, begin[:-1].copy(), position, first, end, member)
    return Classmates(begin, first, end, member)


def essential_slots(found: Labels) -> Words:
    """For each person the slots in which the person is essential, as bits, [ceil(T / 64), P]."""
    slots, people = found.label.shape
    out = np.zeros((-(-slots // WORD), people), dtype=np.uint64)
    mark_essential(found.label, out)
    return out


@compiled
def mark_essential(label: Octets, bits: Words) -> None:
    """The body of `essential_slots`."""
    for t in range(label.shape[0]):
        row, word, place = label[t], bits[t // WORD], np.uint64(t % WORD)
        for p in range(row.size):
            word[p] |= np.uint64(row[p] == ESSENTIAL) << place


@compiled
def count_members(label: Octets, classes: Counts, begin: Counts) -> None:
    """begin[p + 1] = slots in which p is in a class."""
    for t in range(label.shape[0]):
        if classes[t] == 0:
            continue
        for p in range(label.shape[1]):
            begin[p + 1] += label[t, p] != NEITHER and label[t, p] != ESSENTIAL


@compiled
def join_classmates(
    label: Octets, classes: Counts, entry: Counts, position: Counts, first: Counts, end: Counts, member: Indices
) -> None:
    """Write members slot by slot and class by class, in order of people; `entry` [P] and `position` [256] are used up."""
    base = 0
    for t in range(label.shape[0]):
        if classes[t] == 0:
            continue
        position[: classes[t] + 2] = 0
        for p in range(label.shape[1]):
            if label[t, p] != NEITHER and label[t, p] != ESSENTIAL:
                position[label[t, p] + 1] += 1
        position[1] = base
        for c in range(1, classes[t] + 1):
            position[c + 1] += position[c]
        base = write_members(label[t], classes[t], position, entry, first, end, member)


@compiled
def write_members(
    label: Octets, classes: Number, position: Counts, entry: Counts, first: Counts, end: Counts, member: Indices
) -> int:
    """The members of one slot; position[c] is where class c begins; returns where the next slot begins."""
    base = position[classes + 1]
    for p in range(label.size - 1, -1, -1):
        c = label[p]
        if c != NEITHER and c != ESSENTIAL:
            # from the back: position[c + 1] walks down from the end of class c to its beginning
            position[c + 1] -= 1
            member[position[c + 1]] = p
    for c in range(1, classes + 1):
        low = position[c + 1]
        high = position[c + 2] if c < classes else base
        for i in range(low, high):
            e = entry[member[i]]
            entry[member[i]] = e + 1
            first[e] = i + 1
            end[e] = high
    return int(base)


@compiled
def count_pairs(
    lost: Small, floor: Number, mates: Classmates, essential: Words, together: Small, touched: Indices, chosen: Indices,
    histogram: Counts, by_seats: Counts, by_slots: Counts,
) -> None:  # fmt: skip
    """Correct the histogram for pairs who share a class and list the worst; `together`, `touched`
    and `chosen` are work space.

    No pair that opens fewer than `floor` seats is listed.
    """
    most_behind = np.int64(0)
    for p in range(lost.size):
        most_behind = max(most_behind, np.int64(lost[p]))
    for p in range(lost.size):
        count = add_up(p, mates, together, touched)
        most_together = correct(p, lost, together, touched[:count], histogram)
        least = max(floor, least_to_enter(by_seats, by_slots))
        if lost[p] + most_behind + most_together >= least:
            list_worst(p, least, lost, together, essential, chosen, by_seats, by_slots)
        for i in range(count):
            together[touched[i]] = 0


@compiled
def add_up(p: Number, mates: Classmates, together: Small, touched: Indices) -> int:
    """Slots in which p shares a class with each later person; returns how many people, listed in `touched`."""
    count = 0
    for e in range(mates.begin[p], mates.begin[p + 1]):
        for i in range(mates.first[e], mates.end[e]):
            q = mates.member[i]
            # written always and kept if new: there is no branch to be guessed wrongly
            touched[count] = q
            count += together[q] == 0
            together[q] += 1
    return count


@compiled
def correct(p: Number, lost: Small, together: Small, touched: Indices, histogram: Counts) -> int:
    """Move the pairs of p with those touched from the sum of two to what they open; returns the most slots together."""
    most = 0
    for i in range(touched.size):
        q = touched[i]
        base = lost[p] + lost[q]
        histogram[base] -= 1
        histogram[base + together[q]] += 1
        most = max(most, together[q])
    return most


def floor_of(lost: Small, essential: Words, most: int) -> int:
    """A number of seats that a pair must open to be listed: pairs of the people who lose most fill both lists with it."""
    enough = max(TOP_PEOPLE, math.isqrt(8 * most) // 2 + 2)  # of so many people there are at least `most` pairs
    if lost.size < FEW_PEOPLE or lost.size < enough:
        return 1
    top = np.argsort(lost)[: -enough - 1 : -1].copy()
    slots = np.empty(enough * (enough - 1) // 2, dtype=np.int64)
    slots_of_pairs(top, lost, essential, slots)
    return max(1, int(np.partition(slots, -most)[-most]))


@compiled
def slots_of_pairs(top: Counts, lost: Small, essential: Words, slots: Counts) -> None:
    """Slots in which one of two people is essential, for all pairs of `top`: the pair breaks at least these."""
    count = 0
    for i in range(top.size):
        for j in range(i):
            p, q = top[i], top[j]
            slots[count] = lost[p] + lost[q] - common_slots(p, q, essential)
            count += 1


@compiled
def list_worst(
    p: Number, floor: Number, lost: Small, together: Small, essential: Words, chosen: Indices,
    by_seats: Counts, by_slots: Counts,
) -> None:  # fmt: skip
    """Enter the pairs of p with later people that open `floor` seats and are bad enough into the lists."""
    behind, also, least = lost[p + 1 :], together[p + 1 :], floor - lost[p]
    if worst_of(behind, also) < least:
        return
    count = 0
    for i in range(behind.size):
        # written always and kept if bad enough: as in `add_up`
        chosen[count] = i
        count += int(np.int32(behind[i] + also[i]) >= least)
    for n in range(count):
        q = p + 1 + np.int64(chosen[n])
        seats = lost[p] + lost[q] + together[q]
        slots = seats - common_slots(p, q, essential)
        enter(seats, slots, p, q, by_seats)
        enter(slots, seats, p, q, by_slots)


@compiled
def worst_of(lost: Small, together: Small) -> int:
    """The largest sum of the two: so simple a loop is many times faster than one that decides something."""
    most = np.int32(0)
    for i in range(lost.size):
        most = max(most, np.int32(lost[i] + together[i]))
    return int(most)


@compiled
def common_slots(p: Number, q: Number, essential: Words) -> int:
    """Slots in which both are essential."""
    total = 0
    for w in range(essential.shape[0]):
        total += ones(essential[w, p] & essential[w, q])
    return total


@compiled
def least_to_enter(by_seats: Counts, by_slots: Counts) -> int:
    """The fewest seats with which a pair may come before the last of one of the lists; a pair opens no more slots than seats.

    Of equals the earlier pair stays: pairs come in order of people.
    """
    last = by_seats.shape[0] - 2
    seats = by_seats[last, 0] + (by_seats[last, 0] == by_seats[last, 1])
    slots = max(by_slots[last, 0], 1)
    return int(max(min(seats, slots), 1))


@compiled
def enter(first: Number, second: Number, p: Number, q: Number, worst: Counts) -> None:
    """Put a pair in its place of the list; the last row of the array is below the list."""
    i = worst.shape[0] - 1
    while i > 0 and (worst[i - 1, 0] < first or (worst[i - 1, 0] == first and worst[i - 1, 1] < second)):
        for k in range(4):
            worst[i, k] = worst[i - 1, k]
        i -= 1
    worst[i, 0], worst[i, 1], worst[i, 2], worst[i, 3] = first, second, p, q
