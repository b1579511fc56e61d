"""The margin of a slot: the fewest people whose loss opens a seat, and the posts and people where it is so thin.

Belongs here: the margin with its witness, the curve of worst deficits. Does not belong here: worst sets
over many slots.

Theorem. For a set T of posts with demand let slack(T) be the people who may hold one of them less their
demand, and sigma the least slack over all T. The least number of losses that leaves more seats open than
now is sigma + 1 (P. Hall, "On representatives of subsets", J. London Math. Soc. 10 (1935) 26-30), and 0 when
seats are open already (sigma is then minus the seats open). slack is submodular, and the least over all T that
contain post q is the number of further people who can be pushed into q from the pool: one warm-started flow a
post. The posts that are not reached after the last push are the least T: the witness.

Curve. For k up to the number of people of the witness, the worst deficit after k losses is max(0, k - sigma):
each loss among these people beyond sigma costs a seat, and no loss costs more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.bits import (
    WORD,
    PostSet,
    Words,
    after_lowest,
    bits_of,
    blank_of,
    common,
    has,
    load,
    lowest,
    members_of,
    only,
    some,
    store,
    union,
    without,
)
from resilience_assets.analysis.contingency.compiled import Number, compiled
from resilience_assets.analysis.contingency.labels import Counts, Demand, demand_of_part, unfillable
from resilience_assets.analysis.contingency.masks import Masks, Moves, movable
from resilience_assets.analysis.contingency.reachability import breadth_first
from resilience_assets.analysis.contingency.seating import (
    Octets,
    Seating,
    add_to_group,
    empty_seating,
    link,
    open_seats,
    push,
    seat,
)

NO_DEMAND = np.iinfo(np.int64).max
"""Slack of a slot in which nobody is asked for: any number of losses opens nothing."""


@dataclass(frozen=True, eq=False)
class Margin:
    """The margin of each slot, T slots; figures are exact up to `most`, and at least `most` where they are it.

    - `slack` [T]: sigma, the people to spare at the thinnest set of posts; below 0 the seats open now;
      NO_DEMAND where nobody is asked for.
    - `posts` [T, W]: the witness, a set of posts as bits. `people` [T]: people who may hold one of them;
      `demand` [T]: their seats. people - demand = slack where that is below `most`.
    """

    slack: Counts
    posts: Words
    people: Counts
    demand: Counts
    most: int

    @property
    def losses(self) -> Counts:
        """k* [T]: the fewest losses after which a seat is open that should not be; 0 where one is open now."""
        return np.where(self.slack == NO_DEMAND, NO_DEMAND, np.maximum(0, self.slack + 1)).astype(np.int64)

    def curve(self, slot: int) -> Counts:
        """Worst deficit after 0, 1, .. losses, as far as the witness tells: up to the number of its people."""
        if self.slack[slot] >= self.most:
            return np.zeros(min(int(self.slack[slot]), self.most) + 1, dtype=np.int64)
        return np.asarray(np.maximum(0, np.arange(self.people[slot] + 1) - self.slack[slot]), dtype=np.int64)

    def witness(self, slot: int, posts: int) -> npt.NDArray[np.int64]:
        """Indices of the posts of the witness, of a program with so many posts."""
        return np.flatnonzero(members_of(self.posts[slot], posts))


def margin(masks: Masks, moves: Moves, demand: Demand, most: int = 12) -> Margin:
    """The margin of every slot against a demand [T, Q]; slack of `most` and more is not told apart."""
    if masks.parts:
        return margin_in_parts(masks, moves, demand, most)
    slots, people = masks.place.shape
    slack, held, asked = (np.empty(slots, dtype=np.int64) for _ in range(3))
    posts = np.zeros((slots, masks.words), dtype=np.uint64)
    margin_of_slots(
        masks.place, masks.rows, movable(moves), demand,
        empty_seating(people, demand.shape[1], masks.words), blank_of(masks.words), most,
        np.empty(demand.shape[1], dtype=np.int64), slack, posts, held, asked,
    )  # fmt: skip
    return Margin(slack, posts, held, asked, most)


def margin_in_parts(masks: Masks, moves: Moves, demand: Demand, most: int) -> Margin:
    """The margin of the thinnest part; where seats are open, all parts with open seats together."""
    held = np.zeros(demand.shape[1], dtype=np.bool_)
    for part, _ in masks.parts:
        held[part.posts] = True
    posts = (demand > 0) & ~held
    asked = unfillable(masks, demand)
    slack = np.where(asked > 0, -asked, NO_DEMAND)
    people = np.zeros(len(demand), dtype=np.int64)
    for part, inside in masks.parts:
        one = margin(inside, moves, demand_of_part(demand, part), most)
        # slack adds up over parts: the least sum takes in every part that is short by itself
        short = (one.slack < 0) & (slack < 0)
        thinner = ~short & (one.slack < slack)
        slack = np.where(short, slack + one.slack, np.where(thinner, one.slack, slack))
        people = np.where(short, people + one.people, np.where(thinner, one.people, people))
        asked = np.where(short, asked + one.demand, np.where(thinner, one.demand, asked))
        posts[thinner] = False
        posts[:, part.posts] |= (short | thinner)[:, None] & members_of(one.posts, part.posts.size)
    return Margin(slack, bits_of(posts, -(-demand.shape[1] // WORD)), people, asked, most)


@compiled
def margin_of_slots(
    place: Octets, may: Words, moves: Octets, demand: Demand, s: Seating, blank: PostSet, most: Number,
    stand_by: Counts, slack: Counts, witness: Words, people: Counts, asked: Counts,
) -> None:  # fmt: skip
    """The body of `margin`; the last four are written, `stand_by` [Q] is work space."""
    for t in range(place.shape[0]):
        reached = seat(place[t], may[t], moves, demand[t], s, blank)
        thin, posts = thinnest(reached, most, stand_by, s, blank)
        store(witness[t], 0, posts)
        slack[t] = thin
        people[t] = people_of(posts, s, blank)
        asked[t] = demand_of(posts, s)


@compiled
def thinnest(reached: PostSet, most: Number, stand_by: Counts, s: Seating, blank: PostSet) -> tuple[int, PostSet]:
    """The least slack (most at the highest) and a set of posts that has it."""
    asked = blank
    for q in range(s.need.size - 1):
        if s.need[q] > 0:
            asked = union(asked, only(q, blank))
    if not some(asked):
        return NO_DEMAND, blank
    missing = without(asked, reached)
    if some(missing):
        return -open_seats(s), missing
    count_stand_by(stand_by, s, blank)
    best, witness = most, blank
    todo = asked
    q = fewest_stand_by(todo, stand_by)
    if stand_by[q] < best:
        link(s)
    # who stands by for a post can be pushed into it at once: a post with `best` of them cannot be thinner
    while q >= 0 and stand_by[q] < best:
        pushed, cut = push_into(q, best, s, blank)
        if pushed < best:
            best, witness = pushed, without(asked, cut)
        todo = without(todo, only(q, blank))
        q = fewest_stand_by(todo, stand_by)
    return int(best), witness


@compiled
def count_stand_by(stand_by: Counts, s: Seating, blank: PostSet) -> None:
    """How many people of the pool may hold each post."""
    pool = s.need.size - 1
    for q in range(pool):
        stand_by[q] = 0
    for i in range(s.seated[pool]):
        left = load(s.posts, s.pool[i], blank)
        while some(left):
            stand_by[lowest(left)] += 1
            left = after_lowest(left)


@compiled
def fewest_stand_by(posts: PostSet, stand_by: Counts) -> int:
    """The post for which the fewest stand by, the first of equals; -1 of none."""
    found = -1
    while some(posts):
        q = lowest(posts)
        posts = after_lowest(posts)
        if found < 0 or stand_by[q] < stand_by[found]:
            found = q
    return found


@compiled
def push_into(q: Number, wanted: Number, s: Seating, blank: PostSet) -> tuple[int, PostSet]:
    """Push up to `wanted` further people into post q; returns how many went, and the posts that the last found reached.

    The people who are too many are then released to the pool: what remains is a best seating again,
    another one perhaps, and any will do.
    """
    pushed = 0
    reached = blank
    while pushed < wanted:
        reached = breadth_first(s, blank)
        if not has(reached, q):
            break
        push(q, s, blank)
        pushed += 1
    release(q, pushed, s, blank)
    return pushed, reached


@compiled
def release(q: Number, count: Number, s: Seating, blank: PostSet) -> None:
    """The first `count` people of post q go to the pool."""
    if count == 0:
        return
    pool = s.need.size - 1
    s.seated[q] -= count
    p = s.first[q]
    for _ in range(count):
        s.group[p] = pool
        s.pool[s.seated[pool]] = p
        s.seated[pool] += 1
        add_to_group(pool, load(s.posts, p, blank), s, blank)
        p = s.following[p]
    s.first[q] = p
    store(s.once, q, blank)
    store(s.twice, q, blank)
    while p >= 0:
        add_to_group(q, load(s.posts, p, blank), s, blank)
        p = s.following[p]


@compiled
def people_of(posts: PostSet, s: Seating, blank: PostSet) -> int:
    """People who may hold one of the posts."""
    total = 0
    for p in range(s.group.size):
        if some(common(load(s.posts, p, blank), posts)):
            total += 1
    return total


@compiled
def demand_of(posts: PostSet, s: Seating) -> int:
    """Seats asked for at the posts."""
    total = 0
    while some(posts):
        total += s.need[lowest(posts)]
        posts = after_lowest(posts)
    return total
