"""Covers: who may legally take over an open seat, the least disturbance first.

Belongs here: finding covers of seats and telling them as rows. Does not belong here: what an added shift does to
the duty rules (added_shift.py), whether all open seats can be filled at once (seating.py): each seat is covered
by itself, and one person may cover several.

A cover is a chain: somebody comes in (free, called in while off, or from a post that can spare one) and takes the
seat, or takes the post of somebody who moves on, and so on to the seat. Nobody else's seat opens against the
demand given. The chain of each person who comes in is one with the fewest movers, found breadth-first from the
seat. Covers are ranked by: people moved; free before called in before moved; nothing stretched before stretched;
fewest hours in the 28 dates up to the day; id. A cover that breaks a duty rule is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.added_shift import AddedShifts, added_shifts
from resilience_assets.analysis.contingency.bits import PostSet, Words, blank_of, has, load
from resilience_assets.analysis.contingency.compiled import Number, compiled
from resilience_assets.analysis.contingency.components import Part
from resilience_assets.analysis.contingency.judging import BROKEN, STRETCHED
from resilience_assets.analysis.contingency.labels import Demand, demand_of_part
from resilience_assets.analysis.contingency.masks import Masks, Moves, masks_of, movable
from resilience_assets.analysis.contingency.seating import AWAY, FREE, MOST_POSTS, OFF, Ints, Octets
from resilience_assets.analysis.contingency.supervision import ratios_hold
from resilience_assets.analysis.work import FloatArray
from resilience_assets.domain.roster import BoolArray, Roster
from resilience_assets.policy.model import Policy

HOW = ("free", "called in", "moved")
"""How somebody comes in, the least disturbance first."""
FROM_FREE, FROM_OFF, FROM_POST, STAYS = 0, 1, 2, 9
NOBODY = -1
BEST_THREE = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One person of a cover: leaves a post, or a state below 0 (domain/states.py: free or off), and takes a post.

    `stretches` are the duty rules that the added work stretches: (rule id, a sentence for people).
    """

    person: int
    leaves: int
    takes: int
    stretches: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Cover:
    """One cover of the seat at `post` in `slot` of the window.

    `steps` begin with who takes the seat and end with who comes in; `hours_28` are the
    hours of who comes in, as published, in the 28 dates up to the day.
    """

    slot: int
    post: int
    rank: int
    how: str
    hours_28: float
    steps: tuple[Step, ...]

    @property
    def person(self) -> int:
        """Who comes in."""
        return self.steps[-1].person

    @property
    def people_moved(self) -> int:
        """How many people's place changes."""
        return len(self.steps)

    @property
    def stretches(self) -> tuple[tuple[str, str], ...]:
        """The duty rules that the cover stretches, of all its people."""
        return tuple(one for step in self.steps for one in step.stretches)


@dataclass(frozen=True, eq=False)
class Covers:
    """Covers of many seats, N in all, in order of the seats and then rank (from 1).

    `slot`, `post`, `rank`, `how` (index in HOW), `moved` (people) [N]; `mover`, `takes` [N, longest]: the people from
    who takes the seat to who comes in, and the post that each takes, NOBODY behind the last.
    """

    added: AddedShifts
    masks: Masks
    slot: Ints
    post: Ints
    rank: Ints
    how: Ints
    moved: Ints
    mover: npt.NDArray[np.int16]
    takes: npt.NDArray[np.int16]

    def __len__(self) -> int:
        return int(self.slot.size)

    @cached_property
    def person(self) -> Ints:
        """Who comes in, [N]."""
        return self.mover[np.arange(len(self)), self.moved - 1].astype(np.int64)

    @cached_property
    def hours_28(self) -> FloatArray:
        """Hours of who comes in, as published, in the 28 dates up to the day, [N]."""
        return np.asarray(self.added.hours_28[self.person, self.slot // self.added.roster.per_day], dtype=np.float64)

    def at(self, n: int) -> Cover:
        """Cover n with its steps."""
        slot = int(self.slot[n])
        movers, posts = self.mover[n, : self.moved[n]].tolist(), self.takes[n, : self.moved[n]].tolist()
        steps = tuple(
            Step(p, int(self.added.window.state[p, slot]), q, tuple(self.added.stretches(p, slot, q)))
            for p, q in zip(movers, posts, strict=True)
        )
        return Cover(slot, int(self.post[n]), int(self.rank[n]), HOW[self.how[n]], float(self.hours_28[n]), steps)

    def columns(self) -> dict[str, list[Any]]:
        """A row a cover: day (epoch), slot, post, rank, person, how, people_moved, hours_28, stretches, moves.

        `stretches` is a list of {person, rule, text}; `moves` says who goes where, with readable ids.
        """
        roster = self.added.roster
        codes = [one.code for one in roster.program.slot_types]
        posts, people = [post.id for post in roster.posts], [one.id for one in roster.people]
        first = self.added.window.first_day
        slots, moved = self.slot.tolist(), self.moved.tolist()
        told: dict[tuple[int, int, int], tuple[str, list[dict[str, str]]]] = {}
        texts, stretches = [], []
        for n, t in enumerate(slots):
            parts = []
            for p, q in zip(self.mover[n, : moved[n]].tolist(), self.takes[n, : moved[n]].tolist(), strict=True):
                if (t, p, q) not in told:
                    told[t, p, q] = self._step(t, p, q, people[p], posts)
                parts.append(told[t, p, q])
            texts.append(", ".join(text for text, _ in parts))
            stretches.append([one for _, rules in parts for one in rules])
        return {
            "day": [first + t // roster.per_day for t in slots],
            "slot": [codes[t % roster.per_day] for t in slots],
            "post": [posts[q] for q in self.post.tolist()],
            "rank": self.rank.tolist(),
            "person": [people[p] for p in self.person.tolist()],
            "how": [HOW[how] for how in self.how.tolist()],
            "people_moved": moved,
            "hours_28": np.round(self.hours_28, 2).tolist(),
            "stretches": stretches,
            "moves": texts,
        }

    def _step(self, t: int, p: int, q: int, person: str, posts: list[str]) -> tuple[str, list[dict[str, str]]]:
        """'ATT-03 from clinic to icu', and the rules that it stretches."""
        place = int(self.masks.place[t, p])
        if place in (FREE, OFF):
            origin = "(free)" if place == FREE else "(off)"
        else:
            origin = f"from {posts[self.added.window.state[p, t]]}"
        rules = [{"person": person, "rule": rule, "text": text} for rule, text in self.added.stretches(p, t, q)]
        return f"{person} {origin} to {posts[q]}", rules


def cover_line(cover: dict[str, Any]) -> str:
    """'ATT-03 (free) to icu; 96 h in 28 days; stretches: ATT-03 79 h a week, limit 60'."""
    told = f"{cover['moves']}; {cover['hours_28']:.4g} h in 28 days"
    if cover["stretches"]:
        told += "; stretches: " + ", ".join(f"{one['person']} {one['text']}" for one in cover["stretches"])
    return told


def covers(
    added: AddedShifts, masks: Masks, moves: Moves, demand: Demand, slot: int, post: int, most: int = BEST_THREE
) -> list[Cover]:
    """The best covers of one seat; see `covers_of_seats`."""
    found = covers_of_seats(added, masks, moves, demand, np.array([slot]), np.array([post]), most)
    return [found.at(n) for n in range(len(found))]


def covers_of_window(
    roster: Roster, policy: Policy, first_day: int, last_day: int, moves: Moves = Moves.FULL, most: int = BEST_THREE,
    seats: Literal["minimum", "required"] = "minimum",
) -> Covers:  # fmt: skip
    """The best covers of every post with a minimum (or required heads) in every slot of epoch days first_day..last_day.

    They are those of one head more than is there, with nobody lost: whichever one holder of the post is lost. Who is
    moved leaves no such seat open. The roster holds its history too.
    """
    window = roster.window(first_day, last_day)
    masks = masks_of(roster, policy.duty, first_day, last_day)
    added = added_shifts(roster, policy.duty, first_day, last_day)
    demand = np.ascontiguousarray((window.minimum if seats == "minimum" else window.required).T)
    slot, post = np.nonzero(demand)
    return covers_of_seats(added, masks, moves, demand, slot, post, most)


def covers_of_seats(
    added: AddedShifts, masks: Masks, moves: Moves, demand: Demand, slot: Ints, post: Ints, most: int = BEST_THREE
) -> Covers:
    """The best covers of seats (slot of the window, post), at most `most` each, at most one a person who comes in.

    Who is moved leaves no seat of `demand` [T, Q] open. People who are lost are AWAY in the masks (`Masks.without`).
    Where a rule on supervision is active, a chain that breaks it is left out, and others through the same person who
    comes in are not looked for.
    """
    slot, post = np.asarray(slot, dtype=np.int64), np.asarray(post, dtype=np.int64)
    verdict = added.judge(masks, np.unique(slot))
    found = []
    for part, inside in masks.pieces(demand.shape[1]):
        seats = np.flatnonzero(np.isin(post, part.posts))
        search = _search_of(added, inside, moves, demand, verdict, part if masks.parts else None)
        some = _covers_inside(search, inside, slot[seats], np.searchsorted(part.posts, post[seats]), added, most)
        found.append(_kept(some, _supervised(some, added, masks.place, part, slot[seats], most), seats, part))
    longest = max(one.mover.shape[1] for one in found)
    seat, rank, how, moved = (np.concatenate(column) for column in zip(*(one[:4] for one in found), strict=True))
    mover, takes = (
        np.concatenate([np.pad(row, ((0, 0), (0, longest - row.shape[1])), constant_values=NOBODY) for row in column])
        for column in zip(*(one[4:] for one in found), strict=True)
    )
    order = np.argsort(seat, kind="stable")
    of_slot, of_post = slot[seat[order]], post[seat[order]]
    return Covers(
        added, masks, of_slot, of_post, rank[order], how[order], moved[order], mover[order], takes[order]
    )  # fmt: skip


def _search_of(
    added: AddedShifts, masks: Masks, moves: Moves, demand: Demand, verdict: Octets, part: Part | None
) -> Search:  # fmt: skip
    """What is searched for the covers of a part of the program, or of the whole."""
    span, hours = added.span, added.hours_28
    if part is not None:
        demand, span = demand_of_part(demand, part), np.take(span, part.posts, axis=1)
        hours, verdict = hours[part.people], np.take(verdict, part.people, axis=1)
    return Search(masks.place, masks.rows, movable(moves), demand, span, hours, added.roster.per_day, verdict)


def _covers_inside(search: Search, masks: Masks, slot: Ints, post: Ints, added: AddedShifts, most: int) -> Found:
    """Covers of seats of a part, in its numbers; where a rule on supervision is active all there are, else `most`."""
    people, posts = masks.place.shape[1], search.demand.shape[1]
    asked = people if added.ratios else most
    found = Found(
        np.zeros((slot.size, asked), dtype=np.int64),
        np.zeros((slot.size, asked), dtype=np.int64),
        np.full((slot.size, asked, max(posts, 1)), NOBODY, dtype=np.int16),
        np.full((slot.size, asked, max(posts, 1)), NOBODY, dtype=np.int16),
    )
    find_covers(slot, post, search, _desk(people, posts, asked), blank_of(masks.words), found)
    return found


def _supervised(found: Found, added: AddedShifts, place: Octets, part: Part, slot: Ints, most: int) -> BoolArray:
    """Which covers found in a part are kept, [N, asked]: the first `most` that break no rule on supervision."""
    kept = np.asarray(found.moved > 0, dtype=np.bool_)
    if not added.ratios:
        return kept
    for n, k in np.argwhere(kept).tolist():
        t, cut = int(slot[n]), (n, k, slice(0, int(found.moved[n, k])))
        people, posts = part.people[found.mover[cut]], part.posts[found.takes[cut]]
        kept[n, k] = ratios_hold(added.ratios, t, place[t] == AWAY, people, posts)
    return np.asarray(kept & (kept.cumsum(axis=1) <= most), dtype=np.bool_)


def _kept(found: Found, kept: BoolArray, seats: Ints, part: Part) -> Kept:
    """The covers of a part that are kept [N, asked], in the numbers of the program; `seats` [N] are of all asked for."""
    longest = max(1, int(found.moved[kept].max(initial=1)))
    mover, takes = (steps[kept][:, :longest] for steps in (found.mover, found.takes))
    return Kept(
        seats[np.nonzero(kept)[0]],
        kept.cumsum(axis=1)[kept].astype(np.int64),
        found.how[kept],
        found.moved[kept],
        np.where(mover == NOBODY, NOBODY, part.people[mover]).astype(np.int16),
        np.where(takes == NOBODY, NOBODY, part.posts[takes]).astype(np.int16),
    )


def merged(one: Covers, other: Covers) -> Covers:
    """Covers of the same window together, in order of slot and post."""
    longest = max(one.mover.shape[1], other.mover.shape[1])
    order = np.lexsort([np.append(getattr(one, name), getattr(other, name)) for name in ("rank", "post", "slot")])

    def both(name: str) -> npt.NDArray[Any]:
        parts = [getattr(part, name) for part in (one, other)]
        if parts[0].ndim == 2:
            parts = [np.pad(p, ((0, 0), (0, longest - p.shape[1])), constant_values=NOBODY) for p in parts]
        return np.asarray(np.concatenate(parts)[order])

    return Covers(
        one.added, one.masks, *(both(name) for name in ("slot", "post", "rank", "how", "moved", "mover", "takes"))
    )


class Search(NamedTuple):
    """What is searched: places and allowed posts (masks.py), who may be moved, the demand, added shifts, hours."""

    place: Octets
    may: Words
    moves: Octets
    demand: Demand
    span: Ints
    hours: FloatArray
    per_day: int
    verdict: Octets


class Found(NamedTuple):
    """The best covers of N seats, `how` and `moved` [N, most] (moved 0: none), `mover` and `takes` [N, most, Q]."""

    how: Ints
    moved: Ints
    mover: npt.NDArray[np.int16]
    takes: npt.NDArray[np.int16]


class Kept(NamedTuple):
    """Covers as rows of `Covers`: `seat` [N] is the index of the seat among those asked for."""

    seat: Ints
    rank: Ints
    how: Ints
    moved: Ints
    mover: npt.NDArray[np.int16]
    takes: npt.NDArray[np.int16]


class Desk(NamedTuple):
    """Arrays for work on one seat.

    Of posts [Q]: `tight` where nobody can be spared, `layer` people moved until somebody at it has gone on to the seat (NOBODY: not reached), `mover` who goes on from it and `toward` where, `shaky` where a
    rule is stretched on the way, `queue` posts by layer. `how` [P] how each person could come in. Of the list [most]:
    `listed` who comes in, `through` which post, `strained` whether a rule is stretched."""

    tight: BoolArray
    layer: Ints
    mover: Ints
    toward: Ints
    shaky: BoolArray
    queue: Ints
    how: Ints
    listed: Ints
    through: Ints
    strained: BoolArray


def _desk(people: int, posts: int, most: int) -> Desk:
    whole = (np.zeros(posts, dtype=np.int64) for _ in range(4))
    layer, mover, toward, queue = whole
    return Desk(
        np.zeros(posts, dtype=np.bool_), layer, mover, toward, np.zeros(posts, dtype=np.bool_), queue,
        np.zeros(people, dtype=np.int64), np.zeros(most, dtype=np.int64), np.zeros(most, dtype=np.int64),
        np.zeros(most, dtype=np.bool_),
    )  # fmt: skip


@compiled
def find_covers(slot: Ints, post: Ints, search: Search, desk: Desk, blank: PostSet, found: Found) -> None:
    """The body of `covers_of_seats`; the last is written."""
    prepared = -1
    for n in range(slot.size):
        if slot[n] != prepared:
            prepared = slot[n]
            prepare(prepared, search, desk)
        count = search_from(slot[n], post[n], search, desk, blank)
        for k in range(count):
            tell(n, k, post[n], desk, found)


@compiled
def prepare(t: Number, search: Search, desk: Desk) -> None:
    """How each person could come in, and which posts cannot spare anybody."""
    desk.layer[:] = 0  # here: heads
    for p in range(search.place.shape[1]):
        if search.place[t, p] < MOST_POSTS:
            desk.layer[search.place[t, p]] += 1
    for q in range(desk.tight.size):
        asked = search.demand[t, q]
        desk.tight[q] = asked > 0 and desk.layer[q] <= asked
    for p in range(search.place.shape[1]):
        code = search.place[t, p]
        if code == AWAY or not search.moves[code] or (code < MOST_POSTS and desk.tight[code]):
            desk.how[p] = STAYS
        else:
            desk.how[p] = FROM_FREE if code == FREE else FROM_OFF if code == OFF else FROM_POST


@compiled
def search_from(t: Number, seat: Number, search: Search, desk: Desk, blank: PostSet) -> int:
    """List the best covers of a seat; returns how many."""
    desk.layer[:] = NOBODY
    desk.layer[seat], desk.shaky[seat], desk.queue[0] = 0, False, seat
    begin: Number = np.int64(0)
    end: Number = np.int64(1)
    count: Number = np.int64(0)
    while begin < end and count < desk.listed.size:
        count = list_comers(t, seat, begin, end, count, search, desk, blank)
        if count < desk.listed.size:
            begin, end = end, next_layer(t, begin, end, search, desk, blank)
    return int(count)


@compiled
def list_comers(
    t: Number, seat: Number, begin: Number, end: Number, before: Number, search: Search, desk: Desk, blank: PostSet
) -> int:
    """Add who may come in through the posts queue[begin:end]; `before` are listed already. Returns how many are now."""
    count = int(before)
    for p in range(search.place.shape[1]):
        if desk.how[p] == STAYS or search.place[t, p] == seat or is_listed(p, before, desk):
            continue
        through = np.int64(NOBODY)
        strained = bool(through == NOBODY)
        posts = load(search.may[t], p, blank)
        for i in range(begin, end):
            q = desk.queue[i]
            if not has(posts, q) or (through != NOBODY and (desk.shaky[q] or not strained)):
                continue
            verdict = search.verdict[search.span[t, q], p]
            if verdict == BROKEN:
                continue
            stretched = desk.shaky[q] or verdict == STRETCHED
            if through == NOBODY or (strained and not stretched):
                through, strained = q, stretched
        if through != NOBODY:
            count = insert(t, p, through, strained, before, count, search, desk)
    return count


@compiled
def is_listed(p: Number, count: Number, desk: Desk) -> bool:
    """Whether a person is among the first of the list."""
    found = False
    for k in range(count):
        found = found or desk.listed[k] == p
    return bool(found)


@compiled
def insert(
    t: Number, p: Number, through: Number, strained: bool, before: Number, count: Number, search: Search, desk: Desk
) -> int:
    """Put a person into the list behind the first `before`, in order of rank; returns how many are in it."""
    day, most = t // search.per_day, desk.listed.size
    k = int(count)
    while k > before and comes_before(p, strained, desk.listed[k - 1], desk.strained[k - 1], day, search, desk):
        if k < most:
            desk.listed[k], desk.through[k] = desk.listed[k - 1], desk.through[k - 1]
            desk.strained[k] = desk.strained[k - 1]
        k -= 1
    if k < most:
        desk.listed[k], desk.through[k], desk.strained[k] = p, through, strained
    return min(int(count) + 1, most)


@compiled
def comes_before(
    p: Number, strained: bool, other: Number, other_strained: bool, day: Number, search: Search, desk: Desk
) -> bool:
    """Whether p ranks before another who comes in by as many moves."""
    if desk.how[p] != desk.how[other]:
        return bool(desk.how[p] < desk.how[other])
    if strained != other_strained:
        return not strained
    if search.hours[p, day] != search.hours[other, day]:
        return bool(search.hours[p, day] < search.hours[other, day])
    return bool(p < other)


@compiled
def next_layer(t: Number, begin: Number, end: Number, search: Search, desk: Desk, blank: PostSet) -> int:
    """Queue the posts from which somebody may go on to queue[begin:end], each with the best to go; returns its end."""
    depth, day, last = desk.layer[desk.queue[begin]] + 1, t // search.per_day, int(end)
    for p in range(search.place.shape[1]):
        r = np.int64(search.place[t, p])
        if r >= MOST_POSTS or not desk.tight[r] or not search.moves[r]:
            continue
        if desk.layer[r] != NOBODY and desk.layer[r] != depth:
            continue
        posts = load(search.may[t], p, blank)
        for i in range(begin, end):
            q = desk.queue[i]
            if not has(posts, q):
                continue
            verdict = search.verdict[search.span[t, q], p]
            if verdict == BROKEN:
                continue
            shaky = desk.shaky[q] or verdict == STRETCHED
            if desk.layer[r] == NOBODY:
                desk.layer[r], desk.queue[last] = depth, r
                last += 1
            elif not goes_first(p, shaky, r, day, search, desk):
                continue
            desk.mover[r], desk.toward[r], desk.shaky[r] = p, q, shaky
    return last


@compiled
def goes_first(p: Number, shaky: bool, r: Number, day: Number, search: Search, desk: Desk) -> bool:
    """Whether p should rather go on from post r than who is noted: nothing stretched, fewest hours, id."""
    other = desk.mover[r]
    if shaky != desk.shaky[r]:
        return not shaky
    return bool(search.hours[p, day] < search.hours[other, day])


@compiled
def tell(n: Number, k: Number, seat: Number, desk: Desk, found: Found) -> None:
    """Write cover k of seat n, from who takes the seat to who comes in."""
    q, count = desk.through[k], 1
    while q != seat:
        q = desk.toward[q]
        count += 1
    found.moved[n, k], found.how[n, k] = count, desk.how[desk.listed[k]]
    q, at = desk.through[k], count - 1
    found.mover[n, k, at], found.takes[n, k, at] = desk.listed[k], q
    while q != seat:
        at -= 1
        found.mover[n, k, at], found.takes[n, k, at] = desk.mover[q], desk.toward[q]
        q = desk.toward[q]
