"""The best seating of all slots together when nobody may work more than so many slots of a block of dates.

Belongs here: the flow, its blocks, losing people from it. Does not belong here: how many slots a duty rule leaves
in a block (hour_blocks.py), what is said about it (hours.py).

The seating of a window is one flow: a unit goes from the source through the blocks of a person (each as
long as several of the next smaller: a laminar family), through the person in one slot (1), to a post in that slot
(its demand). All capacities are whole, so the largest flow is a seating (L. R. Ford and D. R. Fulkerson, "Maximal
flow through a network", Canad. J. Math. 8 (1956) 399-404), and it is the largest when no open seat can be reached
along a path of moves from a person with slots to spare.

Losing people needs no new flow. Their seats open, and each is looked for once. A search that fails has found all
seats and blocks that could have helped and can help no more: no later path enters them, because a way in
would be a way out to somebody with slots to spare. They are left out from then on; what was dead in the
full roster stays dead when somebody is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.bits import WORD, Words, after_lowest, lowest, some
from resilience_assets.analysis.contingency.compiled import Number, compiled
from resilience_assets.analysis.contingency.components import Part
from resilience_assets.analysis.contingency.labels import Demand, demand_of_part, unfillable
from resilience_assets.analysis.contingency.masks import Masks
from resilience_assets.analysis.contingency.seating import Octets

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

IDLE = 255
"""In place of a post: not seated."""
NO_CAP = np.iinfo(np.int64).max
"""Slots of a block without a limit."""
NOWHERE = -1


@dataclass(frozen=True, eq=False)
class Blocks:
    """Blocks of slots, B of them, and how many slots each person may work in each.

    - `first`, `end` [B]: slots first..end - 1. `parent` [B]: the next larger block around it, -1 for none.
    - `leaf` [T]: the smallest block of each slot.
    - `most` [P, B]: slots that a person may work in a block; NO_CAP for no limit.
    """

    first: Ints
    end: Ints
    parent: Ints
    leaf: Ints
    most: Ints


def one_block(slots: int, people: int) -> Blocks:
    """All slots as one block without a limit."""
    zero = np.zeros(1, dtype=np.int64)
    whole = np.full((people, 1), NO_CAP, dtype=np.int64)
    return Blocks(zero, np.array([slots]), np.array([NOWHERE]), np.zeros(slots, dtype=np.int64), whole)


class Flow(NamedTuple):
    """What does not change: T slots, P people in V words, Q posts, B blocks.

    `holders` [T, Q, V] the people who may hold a post with demand, as bits; the others are those of `Blocks`.
    """

    holders: Words
    first: Ints
    end: Ints
    parent: Ints
    leaf: Ints
    most: Ints


class Seated(NamedTuple):
    """A seating of all slots, and what is dead in it.

    `post` [T, P] the post held, IDLE for none; `used` [P, B] slots worked in each block; `asleep` [T, V] people who
    need not be looked at in a slot, as bits; `dead` [T * Q + P * B] seats and blocks that cannot help.
    """

    post: Octets
    used: Ints
    asleep: Words
    dead: Bools


class Search(NamedTuple):
    """Work space of a search: a node is a seat (slot * Q + post) or, from T * Q on, a block of a person.

    `came` the node that each was reached from, `by` [T * Q] the person who gives the seat up; `queue` the nodes
    in order; `asleep`, `met` as in `Seated`, with what this search has met.
    """

    came: Ints
    by: Ints
    queue: Ints
    asleep: Words
    met: Bools


@dataclass(frozen=True, eq=False)
class WithinBlocks:
    """The best seating within blocks, from which losses are asked. `deficit` [T]: seats open; of equally
    good seatings the one that is found first, so only its sum has a meaning beyond this seating."""

    flow: Flow
    seated: Seated
    deficit: Ints

    def losses(self, groups: Ints) -> Ints:
        """Seats more open in all slots together when the people of each group are lost, [N].

        `groups` [N, K] are indices of people, no one twice in a group; negative ones are nobody.
        """
        slots, now = self.flow.holders.shape[0], self.seated
        left = Seated(
            np.empty_like(now.post), np.empty_like(now.used), np.empty_like(now.asleep), np.empty_like(now.dead)
        )
        out = np.zeros(len(groups), dtype=np.int64)
        holes = np.empty(slots * max(1, groups.shape[1]), dtype=np.int64)
        lose_groups(groups, self.flow, self.seated, left, _work_space(self.flow), holes, out)
        return out


@dataclass(frozen=True, eq=False)
class WithinParts:
    """The best seatings of the parts of a program (components.py), of P people in all; `deficit` as above."""

    people: int
    parts: tuple[tuple[Part, WithinBlocks], ...]
    deficit: Ints

    def losses(self, groups: Ints) -> Ints:
        """Seats more open in all slots together when the people of each group are lost, [N], as above: summed over parts."""
        out = np.zeros(len(groups), dtype=np.int64)
        for part, within in self.parts:
            number = np.full(self.people + 1, NOWHERE, dtype=np.int64)
            number[part.people] = np.arange(part.people.size)
            inside = number[np.where(groups < 0, self.people, groups)]
            some_inside = (inside >= 0).any(axis=1)
            out[some_inside] += within.losses(inside[some_inside])
        return out


def seat_within(masks: Masks, demand: Demand, blocks: Blocks) -> WithinBlocks | WithinParts:
    """The best seating of all slots against a demand [T, Q], with anyone moved (`Moves.FULL`), within blocks."""
    if not masks.parts:
        return _seat_whole(masks, demand, blocks)
    found = tuple(
        (part, _seat_whole(inside, demand_of_part(demand, part), replace(blocks, most=blocks.most[part.people])))
        for part, inside in masks.parts
    )
    deficit = sum((one.deficit for _, one in found), start=unfillable(masks, demand))
    return WithinParts(masks.place.shape[1], found, deficit)


def _seat_whole(masks: Masks, demand: Demand, blocks: Blocks) -> WithinBlocks:
    slots, people = masks.place.shape
    posts = demand.shape[1]
    flow = Flow(holders_of(masks, demand), blocks.first, blocks.end, blocks.parent, blocks.leaf, blocks.most)
    seated = Seated(
        np.full((slots, people), IDLE, dtype=np.uint8),
        np.zeros(blocks.most.shape, dtype=np.int64),
        np.zeros((slots, flow.holders.shape[2]), dtype=np.uint64),
        np.zeros(slots * posts + blocks.most.size, dtype=np.bool_),
    )
    need = np.maximum(demand, 0).astype(np.int64)
    seat_published(masks.place, need, flow, seated)
    fill_all(need, flow, seated, _work_space(flow))
    return WithinBlocks(flow, seated, need.sum(axis=1))


def holders_of(masks: Masks, demand: Demand) -> Words:
    """Who may hold each post with demand in each slot, as sets of people, [T, Q, V]."""
    slots, people = masks.place.shape
    posts, words = demand.shape[1], max(1, -(-people // WORD))
    able = np.zeros((slots, words * WORD), dtype=np.bool_)
    out = np.zeros((slots, posts, words), dtype=np.uint64)
    for q in range(posts):
        word, place = divmod(q, WORD)
        able[:, :people] = (masks.may[:, :, word] >> np.uint64(place)) & np.uint64(1)
        able &= demand[:, q : q + 1] > 0
        out[:, q] = np.packbits(able, axis=1, bitorder="little").view("<u8")
    return out


def _work_space(flow: Flow) -> Search:
    slots, posts, words = flow.holders.shape
    nodes = slots * posts + flow.most.size
    return Search(
        np.empty(nodes, dtype=np.int64),
        np.empty(slots * posts, dtype=np.int64),
        np.empty(nodes, dtype=np.int64),
        np.empty((slots, words), dtype=np.uint64),
        np.empty(nodes, dtype=np.bool_),
    )


@compiled
def seat_published(place: Octets, need: Ints, flow: Flow, seated: Seated) -> None:
    """Seat people where the roster has them, while seats and their slots last; `need` [T, Q] is lowered."""
    posts = need.shape[1]
    for t in range(place.shape[0]):
        for p in range(place.shape[1]):
            q = place[t, p]
            if q < posts and need[t, q] > 0 and has_room(p, flow.leaf[t], flow, seated.used):
                seated.post[t, p] = q
                need[t, q] -= 1
                work(p, flow.leaf[t], NOWHERE, 1, flow, seated.used)


@compiled
def has_room(p: Number, b: Number, flow: Flow, used: Ints) -> bool:
    """Whether a person may work one more slot in a block and in all around it."""
    while b != NOWHERE:
        if used[p, b] >= flow.most[p, b]:
            return False
        b = flow.parent[b]
    return True


@compiled
def work(p: Number, b: Number, until: Number, more: Number, flow: Flow, used: Ints) -> None:
    """A person works so many slots more in block b and those around it, up to and without `until`."""
    while b != until:
        used[p, b] += more
        b = flow.parent[b]


@compiled
def fill_all(need: Ints, flow: Flow, seated: Seated, s: Search) -> None:
    """Fill all open seats that can be; `need` [T, Q] is lowered to what stays open."""
    for t in range(need.shape[0]):
        for q in range(need.shape[1]):
            while need[t, q] > 0 and fill(t * need.shape[1] + q, flow, seated, s):
                need[t, q] -= 1


@compiled
def fill(seat: Number, flow: Flow, seated: Seated, s: Search) -> bool:
    """Fill one open seat along a shortest path of moves; False, and dead what was met, when there is none."""
    if seated.dead[seat]:
        return False
    source = reach(seat, flow, seated, s)
    if source == NOWHERE:
        copy(s.asleep, seated.asleep)
        copy(s.met, seated.dead)
        return False
    move(source, seat, flow, seated, s)
    return True


@compiled
def copy(source: npt.NDArray[Any], target: npt.NDArray[Any]) -> None:
    """Copy an array element by element: an assignment of whole arrays would make a third in between."""
    for i in range(source.size):
        target.flat[i] = source.flat[i]


@compiled
def reach(seat: Number, flow: Flow, seated: Seated, s: Search) -> int:
    """Breadth first from an open seat to a person with slots to spare: the largest block, or NOWHERE."""
    seats = s.by.size
    copy(seated.asleep, s.asleep)
    copy(seated.dead, s.met)
    s.met[seat] = True
    s.came[seat] = NOWHERE
    s.queue[0] = seat
    head, tail = 0, 1
    while head < tail:
        node = s.queue[head]
        head += 1
        if node >= seats:
            tail = give_up(node, tail, flow, seated.post, s)
        else:
            tail, source = call(node, tail, flow, seated, s)
            if source != NOWHERE:
                return int(source)
    return NOWHERE


@compiled
def call(seat: Number, tail: Number, flow: Flow, seated: Seated, s: Search) -> tuple[int, int]:
    """All who may take a seat: who is seated in the slot leaves another seat, who is not needs room in the blocks.

    Returns the new end of the queue, and the block of somebody with slots to spare or NOWHERE.
    """
    posts = flow.holders.shape[1]
    t, q = seat // posts, seat % posts
    for word in range(s.asleep.shape[1]):
        fresh = flow.holders[t, q, word] & ~s.asleep[t, word]
        s.asleep[t, word] |= fresh
        while some(fresh):
            p = word * WORD + lowest(fresh)
            fresh = after_lowest(fresh)
            if seated.post[t, p] == IDLE:
                tail, source = climb(p, flow.leaf[t], seat, tail, flow, seated.used, s)
                if source != NOWHERE:
                    return tail, source
            else:
                tail = leave(t * posts + np.int64(seated.post[t, p]), p, seat, tail, s)
    return int(tail), NOWHERE


@compiled
def leave(seat: Number, p: Number, node: Number, tail: Number, s: Search) -> int:
    """Note that person p may give up a seat for `node`; returns the new end of the queue."""
    if s.met[seat]:
        return int(tail)
    s.met[seat] = True
    s.came[seat] = node
    s.by[seat] = p
    s.queue[tail] = seat
    return int(tail + 1)


@compiled
def climb(p: Number, b: Number, node: Number, tail: Number, flow: Flow, used: Ints, s: Search) -> tuple[int, int]:
    """Ask for one slot more in block b of a person and, while there is room, in those around it; returns as `call`."""
    while True:
        block = s.by.size + p * used.shape[1] + b
        if s.met[block]:
            return int(tail), NOWHERE
        s.met[block] = True
        s.came[block] = node
        s.queue[tail] = block
        tail += 1
        if used[p, b] >= flow.most[p, b]:
            return int(tail), NOWHERE
        if flow.parent[b] == NOWHERE:
            return int(tail), int(block)
        node, b = block, flow.parent[b]


@compiled
def give_up(block: Number, tail: Number, flow: Flow, post: Octets, s: Search) -> int:
    """A person may give up any seat within a block for one more slot in it; returns the new end of the queue."""
    seats, posts, blocks = s.by.size, flow.holders.shape[1], flow.first.size
    p, b = (block - seats) // blocks, (block - seats) % blocks
    for t in range(flow.first[b], flow.end[b]):
        if post[t, p] == IDLE:
            continue
        inner = flow.leaf[t]
        while inner != b:
            # its seats are met from the larger block: nothing is gained by coming from inside
            s.met[seats + p * blocks + inner] = True
            inner = flow.parent[inner]
        tail = leave(t * posts + np.int64(post[t, p]), p, block, tail, s)
    return int(tail)


@compiled
def move(source: Number, seat: Number, flow: Flow, seated: Seated, s: Search) -> None:
    """Everybody on the path from the person with slots to spare to the open seat moves."""
    seats, posts, blocks = s.by.size, flow.holders.shape[1], flow.first.size
    node = source
    while node != seat:
        if node >= seats:
            # one slot more in this block: taken inside, or by sitting down in a seat
            p = (node - seats) // blocks
            seated.used[p, (node - seats) % blocks] += 1
            node = s.came[node]
            if node < seats:
                seated.post[node // posts, p] = node % posts
            continue
        t, p = node // posts, s.by[node]
        node = s.came[node]
        if node < seats:
            seated.post[t, p] = node % posts
        else:
            # the block itself gains the slot again that is given up inside it
            seated.post[t, p] = IDLE
            b = (node - seats) % blocks
            work(p, flow.leaf[t], b, -1, flow, seated.used)
            seated.used[p, b] -= 1


@compiled
def lose_groups(groups: Ints, flow: Flow, seated: Seated, left: Seated, s: Search, holes: Ints, out: Ints) -> None:
    """The body of `WithinBlocks.losses`; `left`, `s` and `holes` are work space, `out` is written."""
    for n in range(groups.shape[0]):
        copy(seated.post, left.post)
        copy(seated.used, left.used)
        copy(seated.asleep, left.asleep)
        copy(seated.dead, left.dead)
        count = 0
        for k in range(groups.shape[1]):
            if groups[n, k] >= 0:
                count = lose(groups[n, k], flow, left, holes, count)
        for i in range(count):
            if not fill(holes[i], flow, left, s):
                out[n] += 1


@compiled
def lose(p: Number, flow: Flow, left: Seated, holes: Ints, count: Number) -> int:
    """A person leaves all seats and is looked at no more; returns how many seats are noted in `holes`."""
    posts = flow.holders.shape[1]
    bit = np.uint64(1) << np.uint64(p % WORD)
    for t in range(left.post.shape[0]):
        left.asleep[t, p // WORD] |= bit
        if left.post[t, p] != IDLE:
            holes[count] = t * posts + np.int64(left.post[t, p])
            left.post[t, p] = IDLE
            count += 1
    return int(count)
