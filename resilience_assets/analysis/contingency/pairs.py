"""All pairs of people over all slots, counted from the labels: histogram, worst pairs; no matrix is made.

Belongs here: adding up classes over slots. Does not belong here: what a class is (dominators.py).

With L(p) the slots in which p is essential, C(p, q) those in which both are of one class, E(p, q) those in which
both are essential: the loss of both opens L(p) + L(q) + C(p, q) seats, and breaks E(p, q) slots fewer than that.
Only pairs who share a class somewhere differ from the sum of the two people; only these are walked. Of the others
those are looked at whose sum is large enough for the lists of the worst, the largest sums first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.bits import NONE, WORD, Words, after_lowest, lowest, ones, some
from resilience_assets.analysis.contingency.compiled import Number, compiled
from resilience_assets.analysis.contingency.dominators import ESSENTIAL, NEITHER
from resilience_assets.analysis.contingency.labels import Counts, Labels
from resilience_assets.analysis.contingency.seating import Octets

Indices = npt.NDArray[np.uint32]
"""Of people: without a sign nothing must be tested before an array is indexed."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Every pair of people, exactly. Rows of the two lists: seats, slots, person, person (indices, first < second).

    `histogram` [H]: how many pairs open so many seats (index) over all slots. `worst_by_seats` [N, 4] in order of
    seats, slots, people; `worst_by_slots` [N, 4] in order of slots, seats, people. Pairs that open none are not listed.
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
    first: Indices
    end: Indices
    member: Indices


class PairWork(NamedTuple):
    """Working arrays for the pairs of P people, used again for each.

    - `together` [P] slots in which each shares a class with the person looked at (0 between uses), `touched` [P]
      who does.
    - `order` [P] people by the slots in which they are essential, most first; `heads` [T + 1] how many people are
      essential in so many slots, `value` [T + 1] the numbers of slots that occur, the largest first.
    - `essential`, `inside` [ceil(T / 64), P] for each person the slots with that label, and in a class, as bits.
    """

    together: Indices
    touched: Indices
    order: Indices
    heads: Counts
    value: Counts
    essential: Words
    inside: Words


def pairs(found: Labels, most: int = 20) -> Pairs:
    """Count all pairs; the worst `most` of them are listed, a list by seats and one by slots."""
    slots, people = found.label.shape
    mates = classmates(found)
    histogram = np.zeros(3 * slots + 1, dtype=np.int64)
    by_seats = np.zeros((most + 1, 4), dtype=np.int64)
    by_slots = np.zeros((most + 1, 4), dtype=np.int64)
    count_pairs(found.label, found.slots_lost, mates, empty_pair_work(people, slots), histogram, by_seats, by_slots)
    last = np.flatnonzero(histogram)
    histogram = histogram[: last[-1] + 1] if last.size else histogram[:1]
    listed = by_slots[:most][by_slots[:most, 0] > 0]
    return Pairs(histogram, by_seats[:most][by_seats[:most, 0] > 0], listed[:, [1, 0, 2, 3]])


def empty_pair_work(people: int, slots: int) -> PairWork:
    """Working arrays for a program."""
    return PairWork(
        np.zeros(people, dtype=np.uint32),
        np.empty(people, dtype=np.uint32),
        np.empty(people, dtype=np.uint32),
        np.empty(slots + 1, dtype=np.int64),
        np.empty(slots + 1, dtype=np.int64),
        np.empty((-(-slots // WORD), people), dtype=np.uint64),
        np.empty((-(-slots // WORD), people), dtype=np.uint64),
    )


def classmates(found: Labels) -> Classmates:
    """The classes of all slots, turned to the people."""
    people = found.label.shape[1]
    begin = np.zeros(people + 1, dtype=np.int64)
    size = count_members(found.label, found.classes, begin)
    first, end, member = (np.empty(size, dtype=np.uint32) for _ in range(3))
    if size:
        most = int(found.classes.max())
        work = np.empty(people + 1, dtype=np.uint32), np.empty(most + 1, dtype=np.int64)
        join_classmates(found.label, found.classes, begin, *work, first, end, member)
    return Classmates(begin, first, end, member)


@compiled
def count_members(label: Octets, classes: Counts, begin: Counts) -> int:
    """The entries of p begin at begin[p + 1] (to be moved to begin[p] as they are written); returns how many there are.

    `begin` [P + 1] comes in as zeros.
    """
    people = label.shape[1]
    for t in range(label.shape[0]):
        if classes[t] > 0:
            for p in range(people):
                begin[p + 1] += int(is_class(label[t, p]))
    total = 0
    for p in range(people):
        count = begin[p + 1]
        begin[p + 1] = total
        total += count
    return int(total)


@compiled
def is_class(label: Number) -> bool:
    """Whether a label is the number of a class."""
    return bool((label != NEITHER) & (label != ESSENTIAL))


@compiled
def join_classmates(
    label: Octets, classes: Counts, begin: Counts, inside: Indices, position: Counts,
    first: Indices, end: Indices, member: Indices,
) -> None:  # fmt: skip
    """Write entries slot by slot, in each the members class by class and in order of people.

    `begin[p + 1]`, where p begins, walks on to where p ends, and so p + 1 begins. `inside` [P + 1] and `position`
    [classes + 1] are work space.
    """
    base = 0
    for t in range(label.shape[0]):
        if classes[t] == 0:
            continue
        for c in range(classes[t] + 1):
            position[c] = 0
        count = 0
        for p in range(label.shape[1]):
            # written always and kept where it holds: there is no branch to be guessed wrongly
            inside[count] = p
            count += int(is_class(label[t, p]))
        for i in range(count):
            position[label[t, inside[i]]] += 1
        write_members(label[t], classes[t], inside[:count], base, position, member)
        write_entries(classes[t], base, position, begin, first, end, member)
        base += count


@compiled
def write_members(
    label: Octets, classes: Number, inside: Indices, base: Number, position: Counts, member: Indices
) -> None:
    """Sort the people of a slot by class; position[c] is their number in class c, and afterwards where it ends."""
    at = base
    for c in range(1, classes + 1):
        size = position[c]
        position[c] = at
        at += size
    for i in range(inside.size):
        c = label[inside[i]]
        member[position[c]] = inside[i]
        position[c] += 1


@compiled
def write_entries(
    classes: Number, base: Number, position: Counts, begin: Counts, first: Indices, end: Indices, member: Indices
) -> None:
    """An entry for each member of each class of a slot."""
    low = base
    for c in range(1, classes + 1):
        for i in range(low, position[c]):
            e = begin[np.int64(member[i]) + 1]
            begin[np.int64(member[i]) + 1] = e + 1
            first[e] = i + 1
            end[e] = position[c]
        low = position[c]


@compiled
def count_pairs(
    label: Octets, lost: Counts, mates: Classmates, w: PairWork, histogram: Counts, by_seats: Counts, by_slots: Counts
) -> None:
    """The body of `pairs`; the last three come in as zeros and are written."""
    mark_slots(label, w)
    values = sort_by_loss(lost, w)
    add_sums(values, w, histogram)
    list_sums(label, lost, w, by_seats, by_slots)
    for p in range(lost.size):
        if mates.begin[p] < mates.begin[p + 1]:
            count = add_up(p, mates, w)
            correct(p, count, lost, w, histogram, by_seats, by_slots)


@compiled
def mark_slots(label: Octets, w: PairWork) -> None:
    """Write `essential` and `inside`."""
    for i in range(w.essential.shape[0]):
        essential, inside = w.essential[i], w.inside[i]
        for p in range(essential.size):
            essential[p] = NONE
            inside[p] = NONE
        for t in range(WORD * i, min(WORD * (i + 1), label.shape[0])):
            row, place = label[t], np.uint64(t % WORD)
            for p in range(row.size):
                essential[p] |= np.uint64(row[p] == ESSENTIAL) << place
                inside[p] |= np.uint64(is_class(row[p])) << place


@compiled
def sort_by_loss(lost: Counts, w: PairWork) -> int:
    """Write `heads`, `value` and `order` (of equals in order of people); returns how many numbers of slots occur."""
    for n in range(w.heads.size):
        w.heads[n] = 0
    for p in range(lost.size):
        w.heads[lost[p]] += 1
    values, behind = 0, 0
    for n in range(w.heads.size - 1, -1, -1):
        if w.heads[n] > 0:
            w.value[values] = n
            values += 1
            # until the people are placed: where those of n begin
            behind += w.heads[n]
            w.heads[n] = behind - w.heads[n]
    for p in range(lost.size):
        w.order[w.heads[lost[p]]] = p
        w.heads[lost[p]] += 1
    for v in range(values - 1, 0, -1):
        w.heads[w.value[v]] -= w.heads[w.value[v - 1]]
    return int(values)


@compiled
def add_sums(values: Number, w: PairWork, histogram: Counts) -> None:
    """Count all pairs by the sum of the slots that the two lose one by one."""
    for i in range(values):
        n = w.value[i]
        histogram[2 * n] += w.heads[n] * (w.heads[n] - 1) // 2
        for j in range(i):
            histogram[n + w.value[j]] += w.heads[n] * w.heads[w.value[j]]


@compiled
def list_sums(label: Octets, lost: Counts, w: PairWork, by_seats: Counts, by_slots: Counts) -> None:
    """Enter the pairs who share no class, the largest sums first, until no more can enter."""
    least = least_to_enter(by_seats, by_slots)
    last = by_seats.shape[0] - 2
    for i in range(1, lost.size):
        p = w.order[i - 1]
        if lost[p] + lost[w.order[i]] < least:
            break
        for j in range(i, lost.size):
            q = w.order[j]
            seats = lost[p] + lost[q]
            if seats < least:
                break
            slots = seats - common_slots(p, q, w.essential)
            bad = seats >= by_seats[last, 0] or slots >= by_slots[last, 0]
            if bad and not share_a_class(p, q, label, w.inside):
                enter_both(seats, slots, p, q, by_seats, by_slots)
                least = least_to_enter(by_seats, by_slots)


@compiled
def share_a_class(p: Number, q: Number, label: Octets, inside: Words) -> bool:
    """Whether p and q are of one class in some slot."""
    for i in range(inside.shape[0]):
        both = inside[i, p] & inside[i, q]
        while some(both):
            t = WORD * i + lowest(both)
            if label[t, p] == label[t, q]:
                return True
            both = after_lowest(both)
    return False


@compiled
def add_up(p: Number, mates: Classmates, w: PairWork) -> int:
    """Slots in which p shares a class with each later person; returns how many people, listed in `touched`."""
    together, touched = w.together, w.touched
    count = np.uint64(0)
    for e in range(mates.begin[p], mates.begin[p + 1]):
        for i in range(mates.first[e], mates.end[e]):
            q = mates.member[i]
            before = together[q]
            if before == 0:
                touched[count] = q
                count += np.uint64(1)
            together[q] = before + 1
    return int(count)


@compiled
def correct(
    p: Number, count: Number, lost: Counts, w: PairWork, histogram: Counts, by_seats: Counts, by_slots: Counts
) -> None:
    """Move the pairs of p with those touched from the sum of two to what they open, and enter those bad enough."""
    together, touched = w.together, w.touched
    least = np.uint64(least_to_enter(by_seats, by_slots))
    for i in range(np.uint64(count)):
        q = touched[i]
        alone = np.uint64(lost[p]) + np.uint64(lost[q])
        seats = alone + np.uint64(together[q])
        together[q] = 0
        histogram[alone] -= 1
        histogram[seats] += 1
        if seats >= least:
            slots = np.int64(seats) - common_slots(p, q, w.essential)
            enter_both(np.int64(seats), slots, p, q, by_seats, by_slots)
            least = np.uint64(least_to_enter(by_seats, by_slots))


@compiled
def least_to_enter(by_seats: Counts, by_slots: Counts) -> int:
    """The fewest seats with which a pair may come into a list: it opens no fewer seats than it breaks slots."""
    last = by_seats.shape[0] - 2
    return int(max(min(by_seats[last, 0], by_slots[last, 0]), 1))


@compiled
def common_slots(p: Number, q: Number, essential: Words) -> int:
    """Slots in which both are essential."""
    total = 0
    for i in range(essential.shape[0]):
        total += ones(essential[i, p] & essential[i, q])
    return total


@compiled
def enter_both(seats: Number, slots: Number, p: Number, q: Number, by_seats: Counts, by_slots: Counts) -> None:
    """Put a pair into both lists, where it belongs there."""
    first, second = np.int64(min(p, q)), np.int64(max(p, q))
    enter(seats, slots, first, second, by_seats)
    enter(slots, seats, first, second, by_slots)


@compiled
def enter(most: Number, also: Number, p: Number, q: Number, worst: Counts) -> None:
    """Put a pair in its place of the list, of equals in order of people; the array's last row is below the list."""
    i = worst.shape[0] - 1
    while i > 0 and comes_before(most, also, p, q, worst[i - 1]):
        for k in range(4):
            worst[i, k] = worst[i - 1, k]
        i -= 1
    worst[i, 0], worst[i, 1], worst[i, 2], worst[i, 3] = most, also, p, q


@compiled
def comes_before(most: Number, also: Number, p: Number, q: Number, row: Counts) -> bool:
    """Whether a pair comes before the one of a row."""
    if most != row[0]:
        return bool(most > row[0])
    if also != row[1]:
        return bool(also > row[1])
    return bool(p < row[2] or (p == row[2] and q < row[3]))
