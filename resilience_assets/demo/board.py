"""A planning board: seats people of an invented program date by date, without breaking a rule.

Belongs here: the lines of demand, who may legally take a seat, the choice among them, rest, and
turning the board into record frames. Does not belong here: what one program needs and prefers
(family_medicine.py, ward.py, department.py).

The choice is greedy and deterministic: the least `score`, then the lighter load of late. Legal
means: qualified and present on the date, one duty a date (a morning may go on into the afternoon),
enough rest since the last duty, within the hours a week and the days in a row of the role.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resilience_assets.demo.staff import Away, Qualified
from resilience_assets.domain.days import MINUTES_A_DAY, IntArray
from resilience_assets.domain.nouns import Person
from resilience_assets.domain.program import Program, Shift
from resilience_assets.domain.roster import BoolArray

FloatArray = npt.NDArray[np.float64]

NEVER = np.inf
"""Score of a person who is not to be asked."""
LOAD_KEPT_A_DAY = 0.96
"""How much of yesterday's load still counts: about four weeks of memory."""
FULL_LOAD = 400.0
"""Load in decayed hours that weighs one point of score."""
NO_DUTY = 10**6


@dataclass(frozen=True, slots=True)
class Line:
    """Heads that a post needs on a shift on some weekdays (0 = Monday)."""

    post: str
    shift: str
    weekdays: tuple[int, ...]
    required: int
    minimum: int


WEEKDAYS = (0, 1, 2, 3, 4)
WEEKEND = (5, 6)
EVERY_DAY = (*WEEKDAYS, *WEEKEND)


class Board:
    """Mutable planning state of one program; one instance makes one roster and is thrown away.

    Arrays: P people x D dates from `first_day`, a Monday. `hours_a_week` [P] is the most that a person is
    planned for (full-time share included), `days_in_a_row` [P] likewise; `rest` is in minutes.
    """

    def __init__(
        self,
        program: Program,
        first_day: int,
        days: int,
        people: list[Person],
        posts: list[str],
        qualified: list[Qualified],
        absences: list[Away],
        hours_a_week: FloatArray,
        days_in_a_row: IntArray,
        rest: int,
    ) -> None:
        self.program, self.first_day, self.days, self.rest = program, first_day, days, rest
        self.people, self.posts = people, {post: index for index, post in enumerate(posts)}
        self.row = {person.id: index for index, person in enumerate(people)}
        self.shifts: dict[str, Shift] = {shift.code: shift for shift in program.shifts}
        self.hours_a_week, self.days_in_a_row = hours_a_week, days_in_a_row
        self.fte = np.array([person.fte for person in people])
        self.away, self.late = _away(people, self.row, absences, first_day, days)
        self.from_day = np.full((len(posts), len(people)), NO_DUTY, dtype=np.int64)
        self.to_day = np.full((len(posts), len(people)), -NO_DUTY, dtype=np.int64)
        for q in qualified:
            self.from_day[self.posts[q.post], self.row[q.person]] = q.first
            self.to_day[self.posts[q.post], self.row[q.person]] = q.last
        shape = (len(people), days)
        self.begins = np.full(shape, NO_DUTY, dtype=np.int64)
        """Minutes from midnight of the date at which the duty of a date begins; NO_DUTY if none."""
        self.finishes = np.full(shape, -NO_DUTY, dtype=np.int64)
        self.hours = np.zeros(shape)
        self.load = np.zeros(len(people))
        self.last_post = np.full(len(people), -1, dtype=np.int64)
        self.held: list[tuple[IntArray, int, str, str]] = []
        """(people, epoch day, shift code, post id or reserved word), in the order of seating."""

    def start_date(self) -> None:
        """Let the load of earlier dates fade; to be called once a date, before seating."""
        self.load *= LOAD_KEPT_A_DAY

    def may_hold(self, post: str, day: int) -> BoolArray:
        """Who is qualified for a post on an epoch day, [P]."""
        q = self.posts[post]
        return np.asarray((self.from_day[q] <= day) & (day <= self.to_day[q]))

    def legal(self, day: int, shift: Shift) -> BoolArray:
        """Who may be given a shift on an epoch day as far as presence, rest and hours go, [P]."""
        d = day - self.first_day
        hours = (shift.end - shift.start) / 60
        yesterday = self.finishes[:, d - 1] - MINUTES_A_DAY if d else np.full(len(self.people), -NO_DUTY)
        idle = self.begins[:, d] == NO_DUTY
        goes_on = (self.finishes[:, d] == shift.start) & (shift.end <= MINUTES_A_DAY)
        week = self.hours[:, d - d % 7 : d + 1].sum(axis=1)
        row = np.where(idle, self._days_before(d), 0)
        return np.asarray(
            ~self.away[:, d]
            & (idle | goes_on)
            & (shift.start - yesterday >= self.rest)
            & (week + hours <= self.hours_a_week + 1e-9)
            & (row < self.days_in_a_row)
        )

    def _days_before(self, d: int) -> IntArray:
        """How many dates in a row each person was on duty up to the day before date index d, [P]."""
        back = int(self.days_in_a_row.max())
        worked = self.hours[:, max(0, d - back) : d][:, ::-1] > 0
        return np.cumprod(worked, axis=1, dtype=np.int64).sum(axis=1)

    def fill(self, post: str, shift: str, day: int, heads: int, score: FloatArray) -> int:
        """Seat up to `heads` qualified people with the least score; returns how many were found."""
        kind = self.shifts[shift]
        can = self.legal(day, kind) & self.may_hold(post, day) & (score < NEVER)
        chosen = self._best(can, score - 0.5 * (self.last_post == self.posts[post]), heads)
        self.seat(chosen, day, shift, post)
        self.last_post[chosen] = self.posts[post]
        return len(chosen)

    def keep_at_work(self, shift: str, day: int, heads: int, score: FloatArray) -> None:
        """People who are at work without being needed: free to step in."""
        can = self.legal(day, self.shifts[shift]) & (score < NEVER)
        self.seat(self._best(can, score, heads), day, shift, "FREE")

    def _best(self, can: BoolArray, score: FloatArray, heads: int) -> IntArray:
        who = np.flatnonzero(can)
        key = score[who] + self.load[who] / (self.fte[who] * FULL_LOAD)
        return np.sort(who[np.argsort(key, kind="stable")[:heads]]).astype(np.int64)

    def seat(self, people: IntArray, day: int, shift: str, post: str) -> None:
        """Write a shift for people, legal or not, and count its hours."""
        if not len(people):
            return
        kind, d = self.shifts[shift], day - self.first_day
        hours = (kind.end - kind.start) / 60
        self.begins[people, d] = np.minimum(self.begins[people, d], kind.start)
        self.finishes[people, d] = np.maximum(self.finishes[people, d], kind.end)
        self.hours[people, d] += hours
        self.load[people] += hours
        self.held.append((people, day, shift, post))


def _away(
    people: list[Person], row: dict[str, int], absences: list[Away], first: int, days: int
) -> tuple[BoolArray, BoolArray]:
    """Dates on which a person was known to be away (or not employed), and dates of late absences, [P, D] each."""
    dates = first + np.arange(days)
    starts = np.array([person.starts for person in people])[:, None]
    ends = np.array([person.ends for person in people])[:, None]
    away = (dates < starts) | (dates > ends)
    late = np.zeros_like(away)
    for absence in absences:
        if absence.approved:
            target = late if absence.late else away
            target[row[absence.person], max(0, absence.first - first) : max(0, absence.last - first + 1)] = True
    return away, late


def rotate(board: Board, blocks: IntArray, post: str, heads: int, length: int, pool: BoolArray) -> None:
    """Give `heads` people at a time a rotation block of `length` dates at a post, in turn.

    Writes the post's index into `blocks` [P, D], where -1 is nobody's block yet. Only people of
    `pool` [P] who are qualified on the first date, free of other blocks and mostly present are taken.
    """
    turns = np.zeros(len(board.people))
    for start in range(0, board.days, length):
        cut = slice(start, min(start + length, board.days))
        can = (
            pool
            & board.may_hold(post, board.first_day + start)
            & (blocks[:, cut] == -1).all(axis=1)
            & (board.away[:, cut].mean(axis=1) < 0.4)
            & ~board.away[:, start]
        )
        who = np.flatnonzero(can)
        chosen = who[np.argsort(turns[who], kind="stable")[:heads]]
        turns[chosen] += 1
        blocks[chosen, cut] = board.posts[post]


def block_score(board: Board, blocks: IntArray, post: str, day: int, night_posts: frozenset[str]) -> FloatArray:
    """Whom to ask for a post on a date, [P]: people in its block, then people in none, then others.

    People in a block of nights are never asked for anything else.
    """
    block = blocks[:, day - board.first_day]
    score = np.where(block == board.posts[post], 0.0, np.where(block == -1, 2.0, 4.0))
    nights = [board.posts[name] for name in night_posts]
    score[np.isin(block, nights) & (block != board.posts[post])] = NEVER
    return score


def rest_slots(board: Board, protected: BoolArray) -> BoolArray:
    """Slots in which an idle person must rest, [P, D, S].

    After a duty and ahead of one, for the board's rest time, except between the half-days of one
    date; and on `protected` dates [P, D].
    """
    out = np.zeros((len(board.people), board.days, len(board.program.slot_types)), dtype=np.bool_)
    for s, slot in enumerate(board.program.slot_types):
        for shift_by in (-1, 0, 1):
            moved = shift_by * MINUTES_A_DAY
            begins = _shifted(board.begins, shift_by, NO_DUTY) + moved
            finishes = _shifted(board.finishes, shift_by, -NO_DUTY) + moved
            daytime = (shift_by == 0) & (finishes <= MINUTES_A_DAY) & (slot.end <= MINUTES_A_DAY)
            after = (slot.start >= finishes) & (slot.start - finishes < board.rest)
            ahead = (begins >= slot.end) & (begins - slot.end < board.rest)
            out[:, :, s] |= (after | ahead) & ~daytime
    return out | protected[:, :, None]


def _shifted(duty: IntArray, by: int, empty: int) -> IntArray:
    """The array [P, D] read `by` dates later, with `empty` past the ends."""
    out = np.full_like(duty, empty)
    if by > 0:
        out[:, :-by] = duty[:, by:]
    elif by < 0:
        out[:, -by:] = duty[:, :by]
    else:
        out[:] = duty
    return out


def protected_days(board: Board, dates_a_week: IntArray, last: IntArray) -> BoolArray:
    """Idle dates kept free of call-in, [P, D]: so many a week [P, weeks], beginning with a weekday.

    `last` [P] is the weekday that a person's protected dates are taken from first, then backwards
    through the week (Monday to Sunday) in which they lie.
    """
    weeks = dates_a_week.shape[1]
    idle = np.zeros((len(board.people), 7 * weeks), dtype=np.bool_)
    idle[:, : board.days] = (board.begins == NO_DUTY)[:, : 7 * weeks]
    idle = idle.reshape(len(board.people), weeks, 7)
    out, left = np.zeros_like(idle), dates_a_week.copy()
    everybody = np.arange(len(board.people))
    for back in range(7):
        weekday = (last - back) % 7
        take = idle[everybody, :, weekday] & (left > 0)
        out[everybody, :, weekday] = take
        left -= take
    return out.reshape(len(board.people), 7 * weeks)[:, : board.days]
