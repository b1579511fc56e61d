"""Cross-training: what it would do to let one more person hold one more post.

Belongs here: the gain of every (person, post), the best few recomputed. Does not belong here: who should learn
what for other reasons, what a course costs.

Theorem. In a slot with its best seating let R be the posts that the pool reaches (reachability.py), and let p be
of the pool or seated in R; anybody else's new post changes nothing, for nobody frees them. Let p learn post s
outside R, and let C(s) be the posts outside R that are reached from s.
- No seat of C(s) is open: the pool now reaches C(s) too, so all people seated there cease to be essential.
- A seat of C(s) is open: it is filled, and p becomes essential, for it was open without p. If p is of a class
  (dominators.py) the whole class becomes essential: the sets of posts that were one person better off than the
  worst and need p are, with the seats asked for, now among the worst. Nobody else changes.
So one search a slot and post holds the gain of every training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.bits import (
    PostSet,
    Words,
    after_lowest,
    bits_of,
    blank_of,
    common,
    has,
    load,
    lowest,
    only,
    some,
    union,
    without,
)
from resilience_assets.analysis.contingency.compiled import Number, compiled
from resilience_assets.analysis.contingency.dominators import ESSENTIAL, NEITHER, label_groups
from resilience_assets.analysis.contingency.labels import Counts, Demand, labels, write_labels
from resilience_assets.analysis.contingency.masks import Masks, Moves, movable, places
from resilience_assets.analysis.contingency.rest import posts_by_shift, posts_within_rest
from resilience_assets.analysis.contingency.seating import AWAY, Octets, Seating, empty_seating, holes, seat
from resilience_assets.domain.roster import Roster
from resilience_assets.policy.duty import DutyPolicy

Table = npt.NDArray[np.int32]
BEST = 5
"""Trainings that are recomputed."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """How exposed a program is, over all slots.

    `open` seats are open now; `seats` open more when people are lost one at a time, summed over the people;
    in `slots` some one loss opens a seat.
    """

    open: int
    seats: int
    slots: int


@dataclass(frozen=True, eq=False)
class Gains:
    """How much each figure of `Exposure` falls when person p may hold post q too, three [P, Q].

    Where an open seat is filled, `seats` and `slots` may rise, which is a gain below 0: who fills it is needed.
    """

    open: Table
    seats: Table
    slots: Table

    def order(self) -> Counts:
        """Trainings p * Q + q that improve something, the best first: by seats open now, by seats, by slots, by index."""
        columns = [gain.ravel() for gain in (self.slots, self.seats, self.open)]
        useful = np.flatnonzero((columns[2] > 0) | (columns[1] > 0) | (columns[0] > 0))
        return np.asarray(useful[np.lexsort([-column[useful] for column in columns])], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Trained:
    """A training and the exposure before and after it, both counted by labelling all slots anew."""

    person: int
    post: int
    before: Exposure
    after: Exposure


@dataclass(frozen=True, eq=False)
class Training:
    """All trainings against one demand; `by_tier` against that of tiers up to one; the `best` recomputed."""

    gains: Gains
    by_tier: Mapping[int, Gains]
    best: tuple[Trained, ...]

    def columns(self, people: Sequence[str], posts: Sequence[str], most: int | None = None) -> dict[str, list[Any]]:
        """The first `most` trainings that improve something, in order, in flat form with ids of people and posts.

        `tier_n` is the gain in seats for tiers up to n.
        """
        rows = self.gains.order()[:most]
        person, post = np.divmod(rows, max(1, len(posts)))
        out: dict[str, list[Any]] = {
            "person": [people[p] for p in person],
            "post": [posts[q] for q in post],
            "open": self.gains.open[person, post].tolist(),
            "seats": self.gains.seats[person, post].tolist(),
            "slots": self.gains.slots[person, post].tolist(),
        }
        for tier, gains in self.by_tier.items():
            out[f"tier_{tier}"] = gains.seats[person, post].tolist()
        return out


def legal_if_qualified(roster: Roster, duty: DutyPolicy, first_day: int, last_day: int) -> Words:
    """Posts that each person could hold in each slot if qualified for all, [T, P, W]: what rest rules leave.

    The slots are those of `masks_of` for the same dates; empty for who is not available.
    """
    window = roster.window(first_day, last_day)
    place = places(window)
    every = np.ones((1, len(roster.posts)), dtype=np.bool_)
    out = np.repeat(np.repeat(bits_of(every)[None], window.slots, axis=0), len(roster.people), axis=1)
    out[place == AWAY] = 0
    if window.days:
        low = (window.first_day - roster.first_day) * roster.per_day
        out &= posts_within_rest(roster, duty, posts_by_shift(roster, low, low + window.slots), low, place)
    return np.ascontiguousarray(out)


def training(
    masks: Masks,
    moves: Moves,
    demand: Demand,
    legal: Words,
    tier_of_post: Counts | None = None,
    best: int = BEST,
) -> Training:
    """The gain of every training against a demand [T, Q], where `legal` [T, P, W] (`legal_if_qualified`) lets it count.

    With the tiers of posts [Q], also against the demand of tiers up to each that occurs.
    """
    gains = training_gains(masks, moves, demand, legal)
    tiers = np.zeros(0, dtype=np.int64) if tier_of_post is None else np.unique(tier_of_post[demand.any(axis=0)])
    by_tier = {
        int(tier): training_gains(masks, moves, np.where(tier_of_post <= tier, demand, 0).astype(np.int16), legal)
        for tier in tiers
    }
    posts = demand.shape[1]
    before = exposure(masks, moves, demand)
    chosen = []
    for row in gains.order()[:best].tolist():
        person, post = divmod(row, posts)
        after = exposure(trained(masks, legal, person, post), moves, demand)
        chosen.append(Trained(person, post, before, after))
    return Training(gains, by_tier, tuple(chosen))


def exposure(masks: Masks, moves: Moves, demand: Demand) -> Exposure:
    """How exposed the program is, by labelling all slots."""
    found = labels(masks, moves, demand)
    return Exposure(
        int(found.deficit.sum()), int(found.slots_lost.sum()), int((found.label == ESSENTIAL).any(axis=1).sum())
    )


def trained(masks: Masks, legal: Words, person: int, post: int) -> Masks:
    """The masks when a person may hold one more post wherever it is legal."""
    word, bit = divmod(post, 64)
    may = masks.may.copy()
    may[:, person, word] |= legal[:, person, word] & np.uint64(1 << bit)
    return replace(masks, may=may)


def training_gains(masks: Masks, moves: Moves, demand: Demand, legal: Words) -> Gains:
    """The gain of every training, see the module."""
    slots, people = masks.place.shape
    posts = demand.shape[1]
    out = [np.zeros((people, posts), dtype=np.int32) for _ in range(3)]
    gain_of_slots(
        masks.place, masks.rows, legal.reshape(slots, people * masks.words), movable(moves), demand,
        empty_seating(people, posts, masks.words), blank_of(masks.words), np.empty(people, dtype=np.uint8),
        np.empty(256, dtype=np.int64), np.empty(posts, dtype=np.int64), *out,
    )  # fmt: skip
    return Gains(*out)


@compiled
def gain_of_slots(
    place: Octets, may: Words, legal: Words, moves: Octets, demand: Demand, s: Seating, blank: PostSet,
    label: Octets, members: Counts, freed: Counts, opened: Table, seats: Table, slots: Table,
) -> None:  # fmt: skip
    """The body of `training_gains`; `may`, `legal` are [T, P * W], the last three are written, those before work space."""
    for t in range(place.shape[0]):
        reached = seat(place[t], may[t], moves, demand[t], s, blank)
        beyond, essential = count_beyond(reached, s, blank)
        if not some(beyond):
            continue
        empty = holes(s, blank)
        if some(empty):
            number_members(reached, label, members, s, blank)
        todo = beyond
        while some(todo):
            q = lowest(todo)
            todo = after_lowest(todo)
            freed[q] = freed_from(q, reached, empty, s, blank)
        credit_people(
            place[t], legal[t], moves, beyond, reached, essential, freed, label, members, opened, seats, slots, s, blank
        )


@compiled
def count_beyond(reached: PostSet, s: Seating, blank: PostSet) -> tuple[PostSet, int]:
    """The posts with demand that the pool does not reach, and how many people are seated there: all are essential."""
    beyond, essential = blank, 0
    for q in range(s.need.size - 1):
        if s.need[q] > 0 and not has(reached, q):
            beyond = union(beyond, only(q, blank))
            essential += s.seated[q]
    return beyond, essential


@compiled
def number_members(reached: PostSet, label: Octets, members: Counts, s: Seating, blank: PostSet) -> None:
    """Label everybody in the slot, and count the members of each class."""
    _, classes = label_groups(reached, s, blank)
    write_labels(label, s)
    for c in range(1, classes + 1):
        label[s.head[c]] = c
        members[c] = 0
    for p in range(label.size):
        if label[p] != NEITHER and label[p] != ESSENTIAL:
            members[label[p]] += 1


@compiled
def freed_from(q: Number, reached: PostSet, empty: PostSet, s: Seating, blank: PostSet) -> int:
    """People seated at posts that are reached from q and not by the pool; -1 if a seat is open there."""
    seen = only(q, blank)
    todo = seen
    total = 0
    while some(todo):
        g = lowest(todo)
        todo = after_lowest(todo)
        total += s.seated[g]
        fresh = without(without(load(s.once, g, blank), reached), seen)
        seen = union(seen, fresh)
        todo = union(todo, fresh)
    return -1 if some(common(seen, empty)) else total


@compiled
def credit_people(
    place: Octets, legal: Words, moves: Octets, beyond: PostSet, reached: PostSet, essential: Number,
    freed: Counts, label: Octets, members: Counts, opened: Table, seats: Table, slots: Table, s: Seating,
    blank: PostSet,
) -> None:  # fmt: skip
    """Add what one slot gives to the gains of everybody who may be moved and is not essential."""
    pool = s.need.size - 1
    for p in range(place.size):
        g = s.group[p]
        if not moves[place[p]] or (g != pool and not has(reached, g)):
            continue
        todo = common(load(legal, p, blank), beyond)
        while some(todo):
            q = lowest(todo)
            todo = after_lowest(todo)
            if freed[q] < 0:
                opened[p, q] += 1
                seats[p, q] -= 1 if label[p] == NEITHER else members[label[p]]
                slots[p, q] -= essential == 0
            else:
                seats[p, q] += freed[q]
                slots[p, q] += freed[q] > 0 and freed[q] == essential
