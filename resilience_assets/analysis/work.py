"""Who worked when: shifts, work periods and hours by local date, out of the cells of a roster.

Belongs here: reading work off a roster. Does not belong here: rules about it (duty_hours.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from resilience_assets.domain import states
from resilience_assets.domain.days import MINUTES_A_DAY, IntArray, utc_minutes
from resilience_assets.domain.program import Program
from resilience_assets.domain.roster import BoolArray, Roster

FloatArray = npt.NDArray[np.float64]

NIGHT_MARK = 27 * 60
"""A shift is a night when it is under way at 03:00 after the date on which it starts (or at 03:00 of it)."""
SPILL_DATES = 4
"""A shift lasts at most 72 h, so it touches its own date and at most three more."""


@dataclass(frozen=True, eq=False)
class WorkedShifts:
    """Shifts that are worked, in order of person and start. Columns of length N.

    `person` and `shift` are indices, `day` counts dates from the first on file, `start` and `end`
    are UTC minutes. A shift is worked when its first cell holds a post, ELSEWHERE or FREE; it ends
    early where a later cell of it is ABSENT.
    """

    person: IntArray
    day: IntArray
    shift: IntArray
    start: IntArray
    end: IntArray


@dataclass(frozen=True, eq=False)
class WorkPeriods:
    """Stretches of work without a longer break, in order of person and start; UTC minutes, length N."""

    person: IntArray
    start: IntArray
    end: IntArray

    @property
    def minutes(self) -> IntArray:
        """Length from first start to last end."""
        return self.end - self.start

    @cached_property
    def followed(self) -> BoolArray:
        """Where the next period in the list is of the same person."""
        out = np.zeros(self.person.size, dtype=np.bool_)
        out[:-1] = self.person[1:] == self.person[:-1]
        return out


@lru_cache(maxsize=1024)
def shift_slots(program: Program) -> tuple[IntArray, IntArray]:
    """Offset of the first slot that each shift covers, and number of slots that it covers; [K] each, cached."""
    covered = [program.slots_of(shift) for shift in program.shifts]
    first = np.array([slots[0] for slots in covered], dtype=np.int64)
    return first, np.array([len(slots) for slots in covered], dtype=np.int64)


@lru_cache(maxsize=1024)
def work_share_of_slots(program: Program) -> FloatArray:
    """Hours that holding a slot costs / its length, a slot type, [S], at most 1; cached.

    The mean over the program's shifts that cover the slot, each shift's hours spread over its slots as
    it overlaps them: in a pure shift roster with one slot of 24 h a date and shifts of 8 h it is 1/3.
    1 where no shift covers the slot.
    """
    per_day = len(program.slot_types)
    hours: list[list[float]] = [[] for _ in range(per_day)]
    for shift in program.shifts:
        overlaps = {}
        for offset in program.slots_of(shift):
            slot, later = program.slot_types[offset % per_day], offset // per_day * MINUTES_A_DAY
            overlaps[offset] = min(shift.end, slot.end + later) - max(shift.start, slot.start + later)
        for offset, overlap in overlaps.items():
            hours[offset % per_day].append((shift.end - shift.start) * overlap / sum(overlaps.values()))
    return np.array(
        [
            min(1.0, sum(cost) / len(cost) / (slot.end - slot.start)) if cost else 1.0
            for slot, cost in zip(program.slot_types, hours, strict=True)
        ]
    )


def worked_shifts(roster: Roster) -> WorkedShifts:
    """The shifts that people of a roster work, on all dates on file. ELSEWHERE with a shift counts."""
    at_work = (roster.state >= 0) | (roster.state == states.ELSEWHERE) | (roster.state == states.FREE)
    person, slot = np.nonzero(roster.starts & at_work & (roster.shift >= 0))
    shift = roster.shift[person, slot].astype(np.int64)
    # a shift late in the evening may cover no slot of its own date: its first cell is on the next
    late = shift_slots(roster.program)[0] // roster.per_day
    cell_day = slot // roster.per_day
    day = cell_day - late[shift] if shift.size else cell_day
    known = day >= 0
    person, slot, shift, day = person[known], slot[known], shift[known], day[known]
    starts, ends = roster.shift_bounds()
    start, end = starts[shift, day], ends[shift, day].copy()
    _cut_at_absence(roster, person, slot, shift, end)
    order = np.lexsort((start, person))
    return WorkedShifts(person[order], day[order], shift[order], start[order], end[order])


def _cut_at_absence(roster: Roster, person: IntArray, slot: IntArray, shift: IntArray, end: IntArray) -> None:
    """End a shift where its person is away from a later cell of it; only shifts over midnight can be."""
    widths = shift_slots(roster.program)[1]
    if not widths.size or widths.max() == 1:
        return
    slot_start = roster.slot_bounds()[0]
    away = roster.state == states.ABSENT
    for step in range(int(widths.max()) - 1, 0, -1):
        later = slot + step
        inside = (step < widths[shift]) & (later < roster.slots)
        inside[inside] = away[person[inside], later[inside]]
        end[inside] = np.minimum(end[inside], slot_start[later[inside]])


def work_periods(shifts: WorkedShifts, break_minutes: float) -> WorkPeriods:
    """Shifts of a person joined where the break between them is at most `break_minutes`."""
    if not shifts.person.size:
        return WorkPeriods(shifts.person, shifts.start, shifts.end)
    latest = _latest_end(shifts)
    begins = np.ones(shifts.person.size, dtype=np.bool_)
    begins[1:] = (shifts.person[1:] != shifts.person[:-1]) | (shifts.start[1:] - latest[:-1] > break_minutes)
    first = np.flatnonzero(begins)
    last = np.append(first[1:], shifts.person.size) - 1
    return WorkPeriods(shifts.person[first], shifts.start[first], latest[last])


def _latest_end(shifts: WorkedShifts) -> IntArray:
    """Latest end of this and all earlier shifts of the person: ends are not in order where shifts overlap."""
    apart = (shifts.end.max() - shifts.start.min() + 1) * shifts.person
    return np.asarray(np.maximum.accumulate(shifts.end + apart) - apart, dtype=np.int64)


def midnights(roster: Roster, extra: int = 1) -> IntArray:
    """UTC minutes at which each local date begins, for the dates on file and `extra` more."""
    return utc_minutes(roster.program.time_zone, roster.first_day, roster.days + extra, 0)


def hours_by_day(roster: Roster, shifts: WorkedShifts) -> FloatArray:
    """Hours worked on each local date, [P, D]: a night's hours after midnight belong to the next date.

    An hour in two shifts of a person (a handover) counts once.
    """
    cells = len(roster.people) * roster.days
    minutes = np.zeros(cells, dtype=np.float64)
    if not shifts.person.size:
        return minutes.reshape(len(roster.people), roster.days)
    begin = midnights(roster, SPILL_DATES + 1)
    start = shifts.start.copy()
    same = shifts.person[1:] == shifts.person[:-1]
    start[1:][same] = np.maximum(start[1:], _latest_end(shifts)[:-1])[same]
    for after in range(SPILL_DATES):
        day = shifts.day + after
        overlap = np.minimum(shifts.end, begin[day + 1]) - np.maximum(start, begin[day])
        inside = (overlap > 0) & (day < roster.days)
        where = shifts.person[inside] * roster.days + day[inside]
        minutes += np.bincount(where, weights=overlap[inside], minlength=cells)
    return minutes.reshape(len(roster.people), roster.days) / 60.0


def starts_by_day(roster: Roster, shifts: WorkedShifts, chosen: BoolArray) -> FloatArray:
    """How many of the chosen shifts start on each date, [P, D]."""
    cells = len(roster.people) * roster.days
    where = shifts.person[chosen] * roster.days + shifts.day[chosen]
    return np.bincount(where, minlength=cells).reshape(len(roster.people), roster.days).astype(np.float64)


def is_night(roster: Roster, shifts: WorkedShifts) -> BoolArray:
    """Which worked shifts are under way at 03:00, [N]."""
    night = np.array(
        [
            any(one.start < mark < one.end for mark in (NIGHT_MARK - 24 * 60, NIGHT_MARK))
            for one in roster.program.shifts
        ],
        dtype=np.bool_,
    )
    return night[shifts.shift] if night.size else np.zeros(0, dtype=np.bool_)


def absent_days(roster: Roster) -> BoolArray:
    """Dates on which a person is away in every slot, [P, D]."""
    away = (roster.state == states.ABSENT).reshape(len(roster.people), roster.days, roster.per_day)
    return np.asarray(away.all(axis=2), dtype=np.bool_)
