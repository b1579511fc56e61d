"""Which posts a person may be moved or called in to without breaking a rest or succession rule.

Belongs here: the shift that a post has in a slot, the shifts on either side of it, the rules between them.
Does not belong here: qualification (masks.py), caps over weeks (analysis.duty_hours).

Only the person's published neighbours count: the shift that the person works in the slot itself is taken as
given up. Who works the shift of the post already, at the same hours, is never barred by it: the move
breaks nothing that is not broken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.bits import PostSet, Words, bits_of, blank_of, load, store, union, words_for
from resilience_assets.analysis.contingency.compiled import Number, compiled
from resilience_assets.analysis.contingency.seating import AWAY
from resilience_assets.analysis.duty_hours import bound_people
from resilience_assets.analysis.work import WorkedShifts, shift_slots, worked_shifts
from resilience_assets.domain.roster import Roster
from resilience_assets.policy.duty import DutyPolicy, ForbiddenPattern

Ints = npt.NDArray[np.int64]
Octets = npt.NDArray[np.uint8]

NOBODY = -1
BETWEEN, AFTER, CONTINUOUS, SUCCESSION = 0, 1, 2, 3
"""Kinds of rules: rest_between, rest_after, max_continuous, succession."""
PATTERNS = {"rest_between": BETWEEN, "rest_after": AFTER, "max_continuous": CONTINUOUS, "succession": SUCCESSION}


@dataclass(frozen=True, eq=False)
class PostShifts:
    """The shifts that posts have in slots first..first + T - 1 of a roster.

    `which` [T, Q] indexes the candidates of all slots; a candidate is a shift that begins so many dates
    before the date of the slot: `shift` [C] (-1: no shift covers the slot, it is worked as it is) and `back` [C].
    """

    which: Ints
    shift: Ints
    back: Ints


def posts_by_shift(roster: Roster, first: int, end: int) -> PostShifts:
    """The shift of each post in each slot first..end - 1.

    It is the one that most people are planned for at that post in that slot, away or not (of equals the
    first); where nobody is planned, the one that most are planned for there in slots of that type on all dates on
    file, and where that is nobody too, the shortest shift that covers the slot.
    """
    chosen = _usual_shifts(roster)[np.arange(first, end) % roster.per_day]
    heads = _heads_by_shift(roster, first, end, end - first, lambda slot: slot - first)
    chosen = np.where(heads.any(axis=2), heads.argmax(axis=2), chosen) if heads.shape[2] else chosen
    codes, which = np.unique(chosen, return_inverse=True)
    return PostShifts(
        which.reshape(chosen.shape), np.where(codes < 0, -1, codes // 4), np.where(codes < 0, 0, codes % 4)
    )


def _usual_shifts(roster: Roster) -> Ints:
    """Shift * 4 + dates back that is usual for each post in slots of each type, [slot types, Q]; -1 for none."""
    shortest = np.array([_shortest(roster, s) for s in range(roster.per_day)], dtype=np.int64)
    usual = np.repeat(shortest[:, None], len(roster.posts), axis=1)
    heads = _heads_by_shift(roster, 0, roster.slots, roster.per_day, lambda slot: slot % roster.per_day)
    return np.where(heads.any(axis=2), heads.argmax(axis=2), usual) if heads.shape[2] else usual


def _heads_by_shift(roster: Roster, first: int, end: int, rows: int, row_of: Callable[[Ints], Ints]) -> Ints:
    """People planned in slots first..end - 1 by row (`row_of` a slot), post and shift * 4 + dates back, [rows, Q, 4K]."""
    kinds, posts = 4 * len(roster.program.shifts), len(roster.posts)
    person, slot = np.nonzero((roster.planned[:, first:end] >= 0) & (roster.shift[:, first:end] >= 0))
    slot = slot + first
    shift = roster.shift[person, slot].astype(np.int64)
    # a shift touches its own date and at most three more
    code = shift * 4 + np.clip(_dates_back(roster, person, slot, shift), 0, 3)
    cells = (row_of(slot) * posts + roster.planned[person, slot]) * kinds + code
    return np.bincount(cells, minlength=rows * posts * kinds).reshape(rows, posts, kinds)


def _dates_back(roster: Roster, person: Ints, slot: Ints, shift: Ints) -> Ints:
    """Dates from the one on which the shift of a cell begins to the one of the cell."""
    first, _ = shift_slots(roster.program)
    index = np.where(roster.starts, np.arange(roster.slots)[None, :], -1)
    began = np.maximum.accumulate(index, axis=1)[person, slot]
    began = np.where(began < 0, slot, began)  # its beginning is not on file
    return np.asarray(slot // roster.per_day - began // roster.per_day + first[shift] // roster.per_day, dtype=np.int64)


def _shortest(roster: Roster, s: int) -> int:
    """Shift * 4 + dates back of the shortest shift that covers a slot type, -1 if none does."""
    covering = [
        (shift.end - shift.start, k, offset // roster.per_day)
        for k, shift in enumerate(roster.program.shifts)
        for offset in roster.program.slots_of(shift)
        if offset % roster.per_day == s
    ]
    if not covering:
        return -1
    _, shift, back = min(covering)
    return shift * 4 + back


class Neighbours(NamedTuple):
    """The shifts that people work, in order of person and start; those of p are begin[p] .. begin[p + 1] - 1.

    `start`, `end` in UTC minutes, `latest` the latest end of this and all earlier shifts of the person;
    `day` from the first date on file; `shift` the index.
    """

    begin: Ints
    start: Ints
    end: Ints
    latest: Ints
    day: Ints
    shift: Ints


class RestRules(NamedTuple):
    """The rules of rest, R of them: kind, minutes, and for AFTER the minutes of work that call for the rest.

    `binds` [R, P], `in_force` [R, D]; `forbidden` [K, K] pairs of shifts on two dates in a row; `gap` is
    the longest break in minutes that does not end a work period.
    """

    kind: Ints
    minutes: Ints
    after: Ints
    binds: npt.NDArray[np.bool_]
    in_force: npt.NDArray[np.bool_]
    forbidden: npt.NDArray[np.bool_]
    gap: float


def posts_within_rest(roster: Roster, duty: DutyPolicy, posts: PostShifts, first: int, place: Octets) -> Words:
    """Posts whose shift breaks no rule with the neighbours of the person, [T, P, W], from slot `first` on.

    The posts are those of `posts`, which may be some of the program only. `place` [T, P] are codes of seating.py;
    who is not available may hold nothing.
    """
    slots, people = place.shape
    words = words_for(posts.which.shape[1])
    sets = np.zeros((slots, posts.shift.size, words), dtype=np.uint64)
    for c in range(posts.shift.size):
        sets[:, c] = bits_of(posts.which == c)
    worked = worked_shifts(roster)
    out = np.zeros((slots, people, words), dtype=np.uint64)
    start, end = _bounds_of_candidates(roster, posts, first, slots)
    legal_posts(
        place, sets.reshape(slots, posts.shift.size * words), posts.shift, posts.back, start, end,
        _neighbours(roster, worked), _own_shift(roster, worked, first, slots), _rules(roster, duty),
        first, roster.per_day,
        blank_of(words), out.reshape(slots, people * words),
    )  # fmt: skip
    return out


def _bounds_of_candidates(roster: Roster, posts: PostShifts, first: int, slots: int) -> tuple[Ints, Ints]:
    """UTC minutes at which each candidate would start and end in each slot, two [T, C]."""
    slot = np.arange(first, first + slots)
    slot_start, slot_end = roster.slot_bounds()
    start = np.empty((slots, posts.shift.size), dtype=np.int64)
    end = np.empty_like(start)
    starts, ends = roster.shift_bounds()
    for c, (shift, back) in enumerate(zip(posts.shift, posts.back, strict=True)):
        if shift < 0:
            start[:, c], end[:, c] = slot_start[slot], slot_end[slot]
        else:
            day = np.maximum(slot // roster.per_day - back, 0)
            start[:, c], end[:, c] = starts[shift, day], ends[shift, day]
    return start, end


def _neighbours(roster: Roster, worked: WorkedShifts) -> Neighbours:
    begin = np.searchsorted(worked.person, np.arange(len(roster.people) + 1)).astype(np.int64)
    latest = worked.end.copy()
    for p in range(len(roster.people)):
        part = slice(begin[p], begin[p + 1])
        latest[part] = np.maximum.accumulate(worked.end[part]) if begin[p] < begin[p + 1] else worked.end[part]
    return Neighbours(begin, worked.start, worked.end, latest, worked.day, worked.shift)


def _own_shift(roster: Roster, worked: WorkedShifts, first: int, slots: int) -> Ints:
    """Index in `worked` of the shift that a person works in a slot, -1 for none, [T, P]."""
    own = np.full((len(roster.people), roster.slots), NOBODY, dtype=np.int64)
    offset, width = shift_slots(roster.program)
    begin = worked.day * roster.per_day + offset[worked.shift] if worked.shift.size else worked.day
    for step in range(int(width.max(initial=0))):
        slot = begin + step
        inside = (step < width[worked.shift]) & (slot < roster.slots)
        inside[inside] = roster.shift[worked.person[inside], slot[inside]] == worked.shift[inside]
        own[worked.person[inside], slot[inside]] = np.flatnonzero(inside)
    return np.ascontiguousarray(own[:, first : first + slots].T)


def _rules(roster: Roster, duty: DutyPolicy) -> RestRules:
    rules = [rule for rule in duty.rules if isinstance(rule, ForbiddenPattern) and rule.pattern in PATTERNS]
    code = {shift.code: k for k, shift in enumerate(roster.program.shifts)}
    forbidden = np.zeros((len(code), len(code)), dtype=np.bool_)
    for before, after in roster.program.forbidden_successions:
        forbidden[code[before], code[after]] = True
    days = range(roster.first_day, roster.last_day + 1)
    return RestRules(
        np.array([PATTERNS[rule.pattern] for rule in rules], dtype=np.int64),
        np.array([round((float(rule.hours or 0) + rule.transition_hours) * 60) for rule in rules], dtype=np.int64),
        np.array([round(float(rule.after_hours or 0) * 60) for rule in rules], dtype=np.int64),
        np.array([bound_people(roster, rule) for rule in rules], dtype=np.bool_).reshape(len(rules), len(roster.people)),
        np.array([[rule.in_force(day) for day in days] for rule in rules], dtype=np.bool_).reshape(len(rules), len(days)),
        forbidden,
        duty.break_hours * 60,
    )


@compiled
def legal_posts(
    place: Octets, sets: Words, shift: Ints, back: Ints, start: Ints, end: Ints, near: Neighbours,
    own: Ints, rules: RestRules, first: Number, per_day: Number, blank: PostSet, out: Words,
) -> None:  # fmt: skip
    """The body of `posts_within_rest`; `out` [T, P * W] is written, `sets` [T, C * W] are the posts of candidates."""
    slots, people = place.shape
    for t in range(slots):
        day = (first + t) // per_day
        for p in range(people):
            if place[t, p] == AWAY:
                continue
            found = blank
            for c in range(shift.size):
                posts = load(sets[t], c, blank)
                a, b = start[t, c], end[t, c]
                if is_legal(p, a, b, shift[c], day - back[c], own[t, p], near, rules, day):
                    found = union(found, posts)
            store(out[t], p, found)


@compiled
def is_legal(
    p: Number,
    a: Number,
    b: Number,
    shift: Number,
    begins: Number,
    own: Number,
    near: Neighbours,
    rules: RestRules,
    day: Number,
) -> bool:
    """Whether person p may work from minute a to b, the shift that begins on date `begins`, instead of the own one."""
    if own >= 0 and near.start[own] == a and near.end[own] == b:
        return True
    low, high = int(near.begin[p]), int(near.begin[p + 1])
    left = own - 1 if own >= 0 else last_before(a, low, high, near)
    right = own + 1 if own >= 0 else left + 1
    for r in range(rules.kind.size):
        if not (rules.binds[r, p] and rules.in_force[r, day]):
            continue
        if rules.kind[r] == SUCCESSION:
            if shift >= 0 and follows_wrongly(shift, begins, left, right, low, high, near, rules.forbidden):
                return False
        elif rests_too_little(r, a, b, left, right, low, high, near, rules):
            return False
    return True


@compiled
def last_before(a: Number, low: Number, high: Number, near: Neighbours) -> int:
    """The last shift of a person that starts at minute a or before, low - 1 if none does."""
    while low < high:
        middle = (low + high) // 2
        if near.start[middle] <= a:
            low = middle + 1
        else:
            high = middle
    return low - 1


@compiled
def follows_wrongly(
    shift: Number, begins: Number, left: Number, right: Number, low: Number, high: Number, near: Neighbours,
    forbidden: npt.NDArray[np.bool_],
) -> bool:  # fmt: skip
    """Whether the shift may not follow one of the date before, or not come before one of the date after."""
    i = left
    while i >= low and near.day[i] >= begins - 1:
        if near.day[i] == begins - 1 and forbidden[near.shift[i], shift]:
            return True
        i -= 1
    j = right
    while j < high and near.day[j] <= begins + 1:
        if near.day[j] == begins + 1 and forbidden[shift, near.shift[j]]:
            return True
        j += 1
    return False


@compiled
def rests_too_little(
    r: Number,
    a: Number,
    b: Number,
    left: Number,
    right: Number,
    low: Number,
    high: Number,
    near: Neighbours,
    rules: RestRules,
) -> bool:
    """Whether rule r is broken by the work period that a..b becomes part of, before, in or behind it."""
    begin, finish = a, b
    i, j = left, right
    while i >= low and begin - near.latest[i] <= rules.gap:
        begin, finish = min(begin, near.start[i]), max(finish, near.latest[i])
        i -= 1
    while j < high and near.start[j] - finish <= rules.gap:
        finish = max(finish, near.end[j])
        j += 1
    kind, minutes = rules.kind[r], rules.minutes[r]
    if kind == CONTINUOUS:
        return bool(finish - begin > minutes)
    short_before = i >= low and begin - near.latest[i] < minutes
    short_behind = j < high and near.start[j] - finish < minutes
    if kind == BETWEEN:
        return bool(short_before or short_behind)
    if short_behind and finish - begin >= rules.after[r]:
        return True
    return bool(short_before and near.latest[i] - period_start(i, low, near, rules.gap) >= rules.after[r])


@compiled
def period_start(i: Number, low: Number, near: Neighbours, gap: float) -> int:
    """The minute at which the work period begins that ends with shift i."""
    begin = near.start[i]
    while i > low and begin - near.latest[i - 1] <= gap:
        i -= 1
        begin = min(begin, near.start[i])
    return int(begin)
