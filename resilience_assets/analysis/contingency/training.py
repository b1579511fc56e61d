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
So one search a slot and post holds the gain of every training. Of p it says only how many become essential with p, of s
only what lies beyond it: they may be of two parts of a program (components.py), which are searched one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.bits import (
    WIDTHS,
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
    words_for,
)
from resilience_assets.analysis.contingency.compiled import Number, compiled
from resilience_assets.analysis.contingency.components import Part
from resilience_assets.analysis.contingency.dominators import ESSENTIAL, NEITHER, label_groups
from resilience_assets.analysis.contingency.labels import Counts, Demand, demand_of_part, labels, write_labels
from resilience_assets.analysis.contingency.masks import Masks, Moves, movable, places
from resilience_assets.analysis.contingency.rest import PostShifts, posts_by_shift, posts_within_rest
from resilience_assets.analysis.contingency.seating import MOST_POSTS, Octets, Seating, empty_seating, holes, seat
from resilience_assets.domain.roster import Roster
from resilience_assets.policy.duty import DutyPolicy

Table = npt.NDArray[np.int32]
BEST = 5
"""Trainings that are recomputed."""
AT_ONCE = WIDTHS[-1] * WORD
"""Posts whose rest rules are asked for at once."""
OPENS = -1
"""A seat is open at the post or at one that is reached from it."""
REACHED = -2
"""Nothing changes with one more person at the post: the pool reaches it, or nobody is asked for."""


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
    """A training and the exposure before and after it, both counted by labelling all slots anew.

    Where the training ties more posts together than can be labelled at once, `after` is what the gain says.
    """

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

    The slots are those of `masks_of` for the same dates; empty for who is not available. Posts have the numbers of the
    roster, however many: sets of more than four words are for `training`, no kernel takes them.
    """
    window = roster.window(first_day, last_day)
    posts = len(roster.posts)
    # which post is held makes no difference here, and its number may be too large for a place
    place = places(window, np.zeros(posts, dtype=np.int64))
    if not window.days:
        return np.zeros((*place.shape, words_for(min(posts, AT_ONCE))), dtype=np.uint64)
    low = (window.first_day - roster.first_day) * roster.per_day
    shifts = posts_by_shift(roster, low, low + window.slots)
    found = []
    for first in range(0, max(posts, 1), AT_ONCE):
        some_posts = PostShifts(shifts.which[:, first : first + AT_ONCE], shifts.shift, shifts.back)
        found.append(posts_within_rest(roster, duty, some_posts, low, place))
    return np.ascontiguousarray(np.concatenate(found, axis=2))


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
        after = _exposure_after(masks, moves, demand, legal, person, post) or _less(before, gains, person, post)
        chosen.append(Trained(person, post, before, after))
    return Training(gains, by_tier, tuple(chosen))


def exposure(masks: Masks, moves: Moves, demand: Demand) -> Exposure:
    """How exposed the program is, by labelling all slots."""
    found = labels(masks, moves, demand)
    return Exposure(
        int(found.deficit.sum()), int(found.slots_lost.sum()), int((found.label == ESSENTIAL).any(axis=1).sum())
    )


def trained(masks: Masks, legal: Words, person: int, post: int) -> Masks:
    """The masks when a person may hold one more post wherever it is legal.

    ValueError where more than 250 posts then hang together.
    """
    word, bit = divmod(post, WORD)
    if masks.split:
        return _joined(masks, person, post, (legal[:, person, word] & np.uint64(1 << bit)) != 0)
    may = masks.may.copy()
    may[:, person, word] |= legal[:, person, word] & np.uint64(1 << bit)
    return replace(masks, may=may)


def _joined(masks: Masks, person: int, post: int, when: npt.NDArray[np.bool_]) -> Masks:
    """Masks in parts when a person may hold one more post in these slots [T]: the parts of both are one."""
    near = _parts_of_training(masks, person, post)
    people = np.unique(np.concatenate([[person], *(part.people for part, _ in near)]))
    posts = np.unique(np.concatenate([[post], *(part.posts for part, _ in near)]))
    place, able = masks.place[:, people], np.zeros((len(when), people.size, posts.size), dtype=np.bool_)
    for part, inside in near:
        number, who, which = np.arange(256), np.searchsorted(people, part.people), np.searchsorted(posts, part.posts)
        number[: which.size] = which
        place[:, who] = number[inside.place]
        able[:, who[:, None], which[None, :]] = members_of(inside.may, which.size)
    able[:, np.searchsorted(people, person), np.searchsorted(posts, post)] |= when
    words = words_for(posts.size)
    may = bits_of(able.reshape(-1, posts.size), words).reshape(*able.shape[:2], words)
    others = [one for one in masks.parts if one not in near]
    return masks.divided_into([*others, (Part(people, posts), Masks(np.ascontiguousarray(place), may))])


def _parts_of_training(masks: Masks, person: int, post: int) -> list[tuple[Part, Masks]]:
    """The parts of a person and of a post: one, two, or none."""
    return [one for one in masks.parts if person in one[0].people or post in one[0].posts]


def _exposure_after(
    masks: Masks, moves: Moves, demand: Demand, legal: Words, person: int, post: int
) -> Exposure | None:  # fmt: skip
    """The exposure after a training, None where too many posts hang together then."""
    together = {post}.union(*(part.posts.tolist() for part, _ in _parts_of_training(masks, person, post)))
    if masks.split and len(together) > MOST_POSTS:
        return None
    return exposure(trained(masks, legal, person, post), moves, demand)


def _less(before: Exposure, gains: Gains, person: int, post: int) -> Exposure:
    """The exposure less what a training gains."""
    return Exposure(
        before.open - int(gains.open[person, post]),
        before.seats - int(gains.seats[person, post]),
        before.slots - int(gains.slots[person, post]),
    )


def training_gains(masks: Masks, moves: Moves, demand: Demand, legal: Words) -> Gains:
    """The gain of every training, see the module."""
    found = _search_parts(masks, moves, demand, legal.shape[2]) if masks.split else _search(masks, moves, demand, False)
    out = [np.zeros((masks.place.shape[1], demand.shape[1]), dtype=np.int32) for _ in range(3)]
    credit_slots(legal, found, *out)
    return Gains(*out)


class Search(NamedTuple):
    """What one search a slot finds, T slots.

    - `freed` [T, Q] people who cease to be essential with one more person at the post, or OPENS, or REACHED.
    - `share` [T, P] people who become essential when the person fills an open seat, 0 for who frees nobody. Written
      where some post is beyond reach, and counted beyond 1 only where a seat is open.
    - `beyond` [T, W] the posts that are not REACHED, as bits. `essential` [T] people who are.
    """

    freed: Table
    share: Table
    beyond: Words
    essential: Counts


def _search(masks: Masks, moves: Moves, demand: Demand, every: bool) -> Search:
    """Search the slots of a program that is not split, or of a part; `every` as in `search_slots`."""
    slots, people = masks.place.shape
    posts = demand.shape[1]
    found = Search(
        np.full((slots, posts), REACHED, dtype=np.int32),
        np.zeros((slots, people), dtype=np.int32),
        np.zeros((slots, masks.words), dtype=np.uint64),
        np.zeros(slots, dtype=np.int64),
    )
    search_slots(
        masks.place, masks.rows, movable(moves), demand, every, empty_seating(people, posts, masks.words),
        blank_of(masks.words), np.empty(people, dtype=np.uint8), np.empty(256, dtype=np.int64), found,
    )  # fmt: skip
    return found


def _search_parts(masks: Masks, moves: Moves, demand: Demand, words: int) -> Search:
    """Search each part; sets of so many words, in the numbers of the program."""
    # who may hold nothing, and posts that nobody may hold, are in no part
    freed = np.where(demand > 0, OPENS, REACHED).astype(np.int32)
    share = np.asarray(movable(moves)[masks.place], dtype=np.int32)
    essential = np.zeros(len(demand), dtype=np.int64)
    for part, inside in masks.parts:
        one = _search(inside, moves, demand_of_part(demand, part), True)
        freed[:, part.posts], share[:, part.people] = one.freed, one.share
        essential += one.essential
    return Search(freed, share, bits_of(freed != REACHED, words), essential)


@compiled
def search_slots(
    place: Octets, may: Words, moves: Octets, demand: Demand, every: bool, s: Seating, blank: PostSet,
    label: Octets, members: Counts, found: Search,
) -> None:  # fmt: skip
    """The first half of `training_gains`; `may` is [T, P * W], the last is written, those before are work space.

    `every`: shares are written and counted in every slot, for posts of other parts.
    """
    for t in range(place.shape[0]):
        reached = seat(place[t], may[t], moves, demand[t], s, blank)
        beyond, found.essential[t] = count_beyond(reached, s, blank)
        if not (every or some(beyond)):
            continue
        store(found.beyond[t], 0, beyond)
        empty = holes(s, blank)
        counted = every or some(empty)
        if counted:
            number_members(reached, label, members, s, blank)
        share_out(place[t], moves, reached, counted, label, members, found.share[t], s)
        todo = beyond
        while some(todo):
            q = lowest(todo)
            todo = after_lowest(todo)
            found.freed[t, q] = freed_from(q, reached, empty, s, blank)


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
    return OPENS if some(common(seen, empty)) else total


@compiled
def share_out(
    place: Octets, moves: Octets, reached: PostSet, counted: bool, label: Octets, members: Counts, share: Table, s: Seating
) -> None:  # fmt: skip
    """Write the shares of one slot: of everybody who may be moved and is not essential."""
    pool = s.need.size - 1
    for p in range(place.size):
        g = s.group[p]
        if not moves[place[p]] or (g != pool and not has(reached, g)):
            share[p] = 0
            continue
        share[p] = 1 if not counted or label[p] == NEITHER else members[label[p]]


@compiled
def credit_slots(legal: Words, found: Search, opened: Table, seats: Table, slots: Table) -> None:
    """The second half of `training_gains`; the last three are written."""
    for t in range(found.beyond.shape[0]):
        last = found.beyond.shape[1]
        while last > 0 and not some(found.beyond[t, last - 1]):
            last -= 1
        for p in range(found.share.shape[1] if last > 0 else 0):
            if found.share[t, p] > 0:
                credit(
                    p, legal[t, p], found.beyond[t, :last], found.freed[t], found.share[t, p], found.essential[t],
                    opened, seats, slots,
                )  # fmt: skip


@compiled
def credit(
    p: Number, legal: Words, beyond: Words, freed: Table, share: Number, essential: Number, opened: Table, seats: Table,
    slots: Table,
) -> None:  # fmt: skip
    """Add what one slot gives to the gains of one person."""
    for word in range(beyond.size):
        todo = legal[word] & beyond[word]
        while some(todo):
            q = word * WORD + lowest(todo)
            todo = after_lowest(todo)
            if freed[q] < 0:
                opened[p, q] += 1
                seats[p, q] -= share
                slots[p, q] -= essential == 0
            else:
                seats[p, q] += freed[q]
                slots[p, q] += freed[q] > 0 and freed[q] == essential
