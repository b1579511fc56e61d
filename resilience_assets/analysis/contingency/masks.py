"""Who may be seated at which post in which slot, under the four answers to "who may move?".

Belongs here: the masks of a roster, losing people. Does not belong here: rest rules
(rest.py), the seating (seating.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.bits import WORD, Words, bits_of, blank_of, members_of, words_for
from resilience_assets.analysis.contingency.components import Part, parts_of, renumbered
from resilience_assets.analysis.contingency.rest import PostShifts, posts_by_shift, posts_within_rest
from resilience_assets.analysis.contingency.seating import AWAY, FREE, MOST_POSTS, OFF, UNSEATED, Ints, Octets
from resilience_assets.domain import states
from resilience_assets.domain.roster import Roster
from resilience_assets.policy.duty import DutyPolicy


class Moves(IntEnum):
    """Who may be moved when somebody is lost; each admits all that the one before it admits."""

    STATIC = 0
    """Nobody: as rostered."""
    DIRECT = 1
    """Free people step in."""
    CALL_IN = 2
    """Off people who stay legal too."""
    FULL = 3
    """Anyone at work may be moved, and call-in."""

    @property
    def text(self) -> str:
        """As shown to people."""
        return ("as rostered", "free people step in", "with call-in", "anyone may be moved")[self]


def movable(moves: Moves) -> Octets:
    """For each code of a place, 1 where the person may be moved, [256]; the others stay at their post."""
    out = np.zeros(256, dtype=np.uint8)
    out[FREE] = moves >= Moves.DIRECT
    out[OFF] = moves >= Moves.CALL_IN
    out[:MOST_POSTS] = moves >= Moves.FULL
    out[UNSEATED] = moves >= Moves.FULL
    return out


@dataclass(frozen=True, eq=False)
class Masks:
    """Places and allowed posts of a program in a window, T slots, P people, W words a set.

    - `place` [T, P] uint8: the post held by a qualified person, or FREE, OFF, UNSEATED, AWAY.
    - `may` [T, P, W] uint64: posts that the person may hold when moved or called in: qualified that day,
      and no rest or succession rule broken with the published neighbours; always the post held. Empty
      for who is AWAY.

    Static, direct, call-in and full differ only in whose `may` counts (`movable`).

    Above 250 posts `split` holds the parts of the program (components.py), and posts have the number that they
    have in the part of the person: W is then what the largest part needs. `whole`: not to be split, whatever it holds.
    """

    place: Octets
    may: Words
    split: tuple[Part, ...] = ()
    whole: bool = False

    @property
    def words(self) -> int:
        """Words W of a set of posts."""
        return int(self.may.shape[2])

    @property
    def rows(self) -> Words:
        """`may` with the sets of a slot side by side, [T, P * W]; ValueError above 250 posts."""
        if self.split:
            raise ValueError(f"more than {MOST_POSTS} posts: ask the `parts` of the masks one by one")
        slots, people, words = self.may.shape
        return self.may.reshape(slots, people * words)

    @cached_property
    def parts(self) -> tuple[tuple[Part, Masks], ...]:
        """Parts with nothing to do with each other, each with its own masks; empty where splitting gains nothing.

        Only sets of several words are split: what one word holds is asked sooner as a whole.
        """
        if self.split:
            return tuple((part, self._inside(part)) for part in self.split)
        if self.whole or self.words == 1:
            return ()
        able = members_of(np.bitwise_or.reduce(self.may, axis=0), self.words * WORD)
        found = parts_of(able)
        if max((words_for(part.posts.size) for part in found), default=self.words) == self.words:
            return ()
        blank = blank_of(self.words)
        return tuple((part, Masks(*renumbered(self.place, self.rows, part, blank))) for part in found)

    def _inside(self, part: Part) -> Masks:
        words = words_for(part.posts.size)
        place, may = self.place[:, part.people], self.may[:, part.people, :words]
        return Masks(np.ascontiguousarray(place), np.ascontiguousarray(may))

    def pieces(self, posts: int) -> tuple[tuple[Part, Masks], ...]:
        """The parts; where it is not split, the whole of so many posts as one part."""
        return self.parts or ((Part(np.arange(self.place.shape[1]), np.arange(posts)), self),)

    def divided(self) -> Masks:
        """The same with its parts in `split`, so that nothing made from it (people lost, fewer slots) looks for them again."""
        if self.split or self.whole:
            return self
        return self.divided_into(self.parts) if self.parts else replace(self, whole=True)

    def divided_into(self, parts: Sequence[tuple[Part, Masks]]) -> Masks:
        """The program with these parts, which have masks of their own; who is in none keeps the place."""
        words = max((inside.words for _, inside in parts), default=1)
        place, may = self.place.copy(), np.zeros((*self.place.shape, words), dtype=np.uint64)
        for part, inside in parts:
            place[:, part.people] = inside.place
            may[:, part.people, : inside.words] = inside.may
        return Masks(place, may, tuple(part for part, _ in parts))

    def without(self, people: Sequence[int]) -> Masks:
        """The same with these people lost in all slots."""
        place, may = self.place.copy(), self.may.copy()
        place[:, list(people)] = AWAY
        may[:, list(people)] = 0
        return replace(self, place=place, may=may)

    def between(self, first: int, end: int) -> Masks:
        """The same for slots first..end - 1 only."""
        return replace(self, place=self.place[first:end], may=self.may[first:end])

    def at(self, slots: npt.NDArray[np.generic]) -> Masks:
        """The same for some slots only: their indices, or True for each of them [T]."""
        return replace(self, place=self.place[slots], may=self.may[slots])


def masks_of(roster: Roster, duty: DutyPolicy, first_day: int, last_day: int) -> Masks:
    """Masks for epoch days first_day..last_day of a roster that holds its history too.

    Neighbours before and after these dates count where they are on file. Above 250 posts the program is split;
    ValueError when a part of it is still larger.
    """
    posts = len(roster.posts)
    window = roster.window(first_day, last_day)
    low = (window.first_day - roster.first_day) * roster.per_day if window.days else 0
    if posts > MOST_POSTS:
        return _masks_in_parts(roster, duty, window, low)
    place = places(window)
    able = np.zeros((window.slots, len(window.people), words_for(posts)), dtype=np.uint64)
    for begin, end, mask in window.qualification_periods():
        able[begin:end] = bits_of(mask)
    able[place == AWAY] = 0
    if window.days:
        shifts = posts_by_shift(roster, low, low + window.slots)
        able &= posts_within_rest(roster, duty, shifts, low, place)
        able |= bits_of_places(place, posts)
    return Masks(place, able)


def _masks_in_parts(roster: Roster, duty: DutyPolicy, window: Roster, low: int) -> Masks:
    able = np.zeros((len(window.people), len(window.posts)), dtype=np.bool_)
    for _, _, mask in window.qualification_periods():
        able |= mask
    try:
        # where nobody may hold anything, a part without posts: the numbers of the program are too large for a set
        split = parts_of(able) or (Part(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)),)
    except ValueError as error:
        raise ValueError(f"program {roster.program.id}: {error}") from error
    number = np.zeros(len(window.posts), dtype=np.int64)
    for part in split:
        number[part.posts] = np.arange(part.posts.size)
    place = places(window, number)
    words = max((words_for(part.posts.size) for part in split), default=1)
    may = np.zeros((window.slots, len(window.people), words), dtype=np.uint64)
    shifts = posts_by_shift(roster, low, low + window.slots) if window.days else None
    for part in split:
        inside = np.zeros((window.slots, part.people.size, words), dtype=np.uint64)
        for begin, end, mask in window.qualification_periods():
            inside[begin:end] = bits_of(mask[np.ix_(part.people, part.posts)], words)
        here = place[:, part.people]
        inside[here == AWAY] = 0
        if shifts is not None:
            others = np.full_like(place, AWAY)
            others[:, part.people] = here
            own = PostShifts(shifts.which[:, part.posts], shifts.shift, shifts.back)
            legal = posts_within_rest(roster, duty, own, low, others)[:, part.people]
            inside[:, :, : legal.shape[2]] &= legal
            inside |= bits_of_places(here, part.posts.size, words)
        may[:, part.people] = inside
    return Masks(place, may, split)


def places(window: Roster, number: Ints | None = None) -> Octets:
    """The code of each person in each slot, [T, P]; a post is its index, or its `number` [Q]."""
    out = np.full(window.state.shape, AWAY, dtype=np.uint8)
    out[window.state == states.FREE] = FREE
    out[window.state == states.OFF] = OFF
    out[window.state >= 0] = UNSEATED
    held = window.qualified_cells(window.state)
    out[held] = window.state[held] if number is None else number[window.state[held]]
    return np.ascontiguousarray(out.T)


def bits_of_places(place: Octets, posts: int, words: int | None = None) -> Words:
    """The post held as a set, [T, P, W]; empty for a place that is no post."""
    single = bits_of(np.vstack([np.eye(posts, dtype=np.bool_), np.zeros((1, posts), dtype=np.bool_)]), words)
    return np.asarray(single[np.minimum(place, posts)], dtype=np.uint64)
