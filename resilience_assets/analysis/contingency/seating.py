"""The best seating of a slot: as many seats filled as can be, beginning with the roster as published.

Belongs here: the codes of places, the working arrays of a slot, the published seating, filling holes. Does not
belong here: who may hold which post (masks.py), what a loss costs (reachability.py, dominators.py).

A seating is a b-matching of people to posts. It is the largest when no alternating path leads from a person
who is not seated to a hole (C. Berge, "Two theorems in graph theory", PNAS 43 (1957) 842-844). As in
reachability.py, everything is asked of groups (all people seated at one post, and the pool of those who are
not seated), not of single people.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.bits import (
    PostSet,
    Words,
    common,
    has,
    load,
    lowest,
    only,
    some,
    store,
    union,
    without,
)
from resilience_assets.analysis.contingency.compiled import Number, compiled
from resilience_assets.analysis.contingency.reachability import breadth_first

Octets = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
People = npt.NDArray[np.int32]

MOST_POSTS = 250
"""Places up to here are posts; above are the codes that follow."""
FREE, OFF, UNSEATED, AWAY = 251, 252, 253, 255
"""Free; off; at work at a post that the person is not qualified for, which fills no seat; not available."""
NO_LIMIT = np.iinfo(np.int64).max
"""Seats of the pool."""
NOBODY = -1


class Seating(NamedTuple):
    """The working arrays of one slot, used again for the next. P people, Q posts, group Q is the pool.

    - `posts` [P sets] posts with demand that each person may hold; `group` [P] the group of each person.
    - `once` [Q + 1 sets] posts that somebody of the group may hold; `twice` those that two or more may.
    - `need`, `seated` [Q + 1] seats asked for and filled; of the pool, those in it who may hold a post with demand:
      they are listed in `pool` [P].
    - `first` [Q] and `following` [P]: somebody seated at each post, and behind each person another one who is
      seated there too (NOBODY at the end). Only from `link` on.
    - `order` [Q] posts in breadth-first order, -1 behind the last, `parent` [Q] the group from which each was reached.
    - `single` [Q + 1 sets] posts that were reached through one person of the group, `gate` [(Q + 1) * Q] who
      that is; `kind` [Q + 1] the label of each group, `head` [Q + 1] the person who dominates each class
      (dominators.py).
    """

    posts: Words
    group: Octets
    once: Words
    twice: Words
    need: Ints
    seated: Ints
    pool: People
    first: People
    following: People
    order: Ints
    parent: Ints
    single: Words
    gate: Ints
    kind: Octets
    head: Ints


def empty_seating(people: int, posts: int, words: int) -> Seating:
    """Working arrays for a program."""
    groups = posts + 1
    return Seating(
        np.empty(people * words, np.uint64),
        np.empty(people, np.uint8),
        np.empty(groups * words, np.uint64),
        np.empty(groups * words, np.uint64),
        np.empty(groups, np.int64),
        np.empty(groups, np.int64),
        np.empty(people, np.int32),
        np.empty(posts, np.int32),
        np.empty(people, np.int32),
        np.empty(posts, np.int64),
        np.empty(posts, np.int64),
        np.empty(groups * words, np.uint64),
        np.empty(groups * posts, np.int64),
        np.empty(groups, np.uint8),
        np.empty(groups, np.int64),
    )


@compiled
def seat(
    place: Octets, may: Words, moves: Octets, demand: npt.NDArray[np.int16], s: Seating, blank: PostSet
) -> PostSet:
    """The best seating of a slot; returns the posts that the pool can reach (reachability.py).

    `place` [P] is the code of each person, `may` [P sets] the posts for a person who may be moved,
    `moves` [256] says of each code whether it may be. Afterwards `s` holds the seating.
    """
    asked = ask(demand, s, blank)
    seat_as_published(place, may, moves, asked, s, blank)
    open_posts = holes(s, blank)
    if some(open_posts):
        step_in(open_posts, s, blank)
    reached = breadth_first(s, blank)
    if some(open_posts):
        reached = move_along_chains(reached, s, blank)
    return reached


@compiled
def ask(demand: npt.NDArray[np.int16], s: Seating, blank: PostSet) -> PostSet:
    """Empty the seats and set the demand of the slot; returns the posts with demand."""
    asked = blank
    pool = demand.size
    for q in range(pool):
        s.need[q] = demand[q] if demand[q] > 0 else 0
        if demand[q] > 0:
            asked = union(asked, only(q, blank))
    s.need[pool] = NO_LIMIT
    for g in range(pool + 1):
        s.seated[g] = 0
        store(s.once, g, blank)
        store(s.twice, g, blank)
        # until it has its other use: the post itself
        store(s.single, g, only(g, blank) if g < pool else blank)
    return asked


@compiled
def seat_as_published(place: Octets, may: Words, moves: Octets, asked: PostSet, s: Seating, blank: PostSet) -> None:
    """Seat people where the roster has them, while seats are left there; all others go to the pool."""
    pool = np.uint8(s.need.size - 1)
    waiting = 0
    for p in range(place.size):
        code = place[p]
        g = min(code, pool)
        # both are read and one is taken: there is no branch to be guessed wrongly
        posts, own = load(may, p, blank), load(s.single, g, blank)
        posts = posts if moves[code] else own
        g = g if s.seated[g] < s.need[g] else pool
        s.seated[g] += 1
        s.group[p] = g
        posts = common(posts, asked)
        store(s.posts, p, posts)
        add_to_group(np.int64(g), posts, s, blank)
        # written always and kept where it holds: as above
        s.pool[waiting] = p
        waiting += int((g == pool) & some(posts))
    s.seated[pool] = waiting


@compiled
def add_to_group(g: Number, posts: PostSet, s: Seating, blank: PostSet) -> None:
    """Somebody with these posts joins a group."""
    once = load(s.once, g, blank)
    store(s.twice, g, union(load(s.twice, g, blank), common(once, posts)))
    store(s.once, g, union(once, posts))


@compiled
def holes(s: Seating, blank: PostSet) -> PostSet:
    """Posts with seats left open."""
    found = blank
    for q in range(s.need.size - 1):
        if s.seated[q] < s.need[q]:
            found = union(found, only(q, blank))
    return found


@compiled
def step_in(open_posts: PostSet, s: Seating, blank: PostSet) -> None:
    """People of the pool take the open seats that they may hold, as they come: chains of length one."""
    pool = s.need.size - 1
    if not some(common(load(s.once, pool, blank), open_posts)):
        return
    once, twice = blank, blank
    waiting = 0
    for i in range(s.seated[pool]):
        p = s.pool[i]
        posts = load(s.posts, p, blank)
        fits = common(posts, open_posts)
        if some(fits):
            q = lowest(fits)
            s.group[p] = q
            s.seated[q] += 1
            add_to_group(q, posts, s, blank)
            if s.seated[q] == s.need[q]:
                open_posts = without(open_posts, only(q, blank))
        else:
            twice = union(twice, common(once, posts))
            once = union(once, posts)
            s.pool[waiting] = p
            waiting += 1
    s.seated[pool] = waiting
    store(s.once, pool, once)
    store(s.twice, pool, twice)


@compiled
def move_along_chains(reached: PostSet, s: Seating, blank: PostSet) -> PostSet:
    """Fill holes that are reached along shortest chains until none is; returns the posts then reached."""
    target = first_hole(reached, s, blank)
    if target >= 0:
        link(s)
    while target >= 0:
        push(target, s, blank)
        reached = breadth_first(s, blank)
        target = first_hole(reached, s, blank)
    return reached


@compiled
def link(s: Seating) -> None:
    """Write who is seated at each post into `first` and `following`."""
    pool = s.need.size - 1
    for q in range(pool):
        s.first[q] = NOBODY
    for p in range(s.group.size):
        g = s.group[p]
        if g < pool:
            s.following[p] = s.first[g]
            s.first[g] = p


@compiled
def first_hole(reached: PostSet, s: Seating, blank: PostSet) -> int:
    """A hole that is reached through the fewest people, -1 if none is."""
    found = common(holes(s, blank), reached)
    if not some(found):
        return -1
    i = 0
    while not has(found, s.order[i]):
        i += 1
    return int(s.order[i])


@compiled
def push(target: Number, s: Seating, blank: PostSet) -> None:
    """One more person at a post that is reached: everybody on the path moves one on, one of the pool comes in.

    Needs `link`.
    """
    pool = s.need.size - 1
    q = target
    while q != pool:
        g = s.parent[q]
        p = take_from_pool(q, s, blank) if g == pool else take_from_post(g, q, s, blank)
        s.group[p] = q
        s.following[p] = s.first[q]
        s.first[q] = p
        add_to_group(q, load(s.posts, p, blank), s, blank)
        q = g
    s.seated[target] += 1


@compiled
def take_from_pool(q: Number, s: Seating, blank: PostSet) -> int:
    """Take somebody who may hold post q out of the pool, and sum up anew who is left."""
    pool = s.need.size - 1
    once, twice = blank, blank
    taken = -1
    for i in range(s.seated[pool]):
        posts = load(s.posts, s.pool[i], blank)
        if taken < 0 and has(posts, q):
            taken = i
        else:
            twice = union(twice, common(once, posts))
            once = union(once, posts)
    store(s.once, pool, once)
    store(s.twice, pool, twice)
    p = s.pool[taken]
    s.seated[pool] -= 1
    s.pool[taken] = s.pool[s.seated[pool]]
    return int(p)


@compiled
def take_from_post(g: Number, q: Number, s: Seating, blank: PostSet) -> int:
    """Take somebody who may hold post q from post g, and sum up anew who is left there."""
    once, twice = blank, blank
    taken, before = NOBODY, NOBODY
    p = s.first[g]
    while p >= 0:
        posts = load(s.posts, p, blank)
        behind = s.following[p]
        if taken < 0 and has(posts, q):
            taken = p
            if before < 0:
                s.first[g] = behind
            else:
                s.following[before] = behind
        else:
            twice = union(twice, common(once, posts))
            once = union(once, posts)
            before = p
        p = behind
    store(s.once, g, once)
    store(s.twice, g, twice)
    return int(taken)


@compiled
def open_seats(s: Seating) -> int:
    """Seats asked for and not filled."""
    total = 0
    for q in range(s.need.size - 1):
        total += s.need[q] - s.seated[q]
    return total
