"""How many slots each person may work in each block of dates, out of the caps on hours of the duty rules.

Belongs here: cutting dates into blocks, hours of a slot at a post, hours that are worked already, whole slots that
fit under a cap. Does not belong here: the flow within blocks (hour_flow.py), breaches (analysis.duty_hours).

A cap slides over every window of so many dates. Blocks that do not overlap are some of these windows, or parts of
them, so whoever keeps the cap keeps it in each block: blocks ask for less than the rule. Blocks begin on the Monday
on or before the first date; the shortest cap makes the smallest blocks (7 dates: ISO weeks), a longer
one as many whole smaller blocks as fit into its window (28 dates: four ISO weeks). Where something must be
rounded or is not known (which shift a post is worked as, hours around a midnight between two blocks), it is taken so
that more can be worked, not less. Caps on anything but hours are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.capacity import hour_caps
from resilience_assets.analysis.contingency.bits import WORD
from resilience_assets.analysis.contingency.hour_flow import NO_CAP, NOWHERE, Blocks, Ints, one_block
from resilience_assets.analysis.contingency.labels import Demand
from resilience_assets.analysis.contingency.masks import Masks
from resilience_assets.analysis.contingency.rest import posts_by_shift
from resilience_assets.analysis.contingency.seating import MOST_POSTS
from resilience_assets.analysis.work import absent_days, hours_by_day, midnights, worked_shifts
from resilience_assets.domain import states
from resilience_assets.domain.days import MINUTES_A_DAY
from resilience_assets.domain.program import Program
from resilience_assets.domain.roster import Roster
from resilience_assets.policy.duty import DutyPolicy, RollingWindow

FloatArray = npt.NDArray[np.float64]

TOLERANCE = 1e-6
"""Hours are sums of minutes / 60: so much above a cap is rounding."""
THURSDAY = 3
"""Day of the week of epoch day 0, counted from Monday."""


@dataclass(frozen=True, eq=False)
class _Worked:
    """What is worked whatever is planned inside the window, by local date from `first_day` on, [P, D]."""

    first_day: int
    fixed: FloatArray
    published: FloatArray
    absent: npt.NDArray[np.bool_]


def blocks_of(roster: Roster, masks: Masks, demand: Demand, duty: DutyPolicy, first_day: int, last_day: int) -> Blocks:
    """Blocks of epoch days first_day..last_day of a roster that holds its history too.

    `masks` and `demand` [T, Q] are those of the same dates. Published work outside of these dates, and work
    elsewhere, stays as it is. Nobody is allowed less than is worked as published, where that keeps the cap.
    """
    window = roster.window(first_day, last_day)
    people = len(roster.people)
    lengths = block_lengths(duty, window.first_day, window.last_day)
    if not lengths or not window.slots or not people:
        return one_block(window.slots, people)
    monday = window.first_day - (window.first_day + THURSDAY) % 7
    cost = slot_hours_of_people(roster, window, masks, demand)
    worked = _worked_anyway(roster, window, monday, max(lengths))
    seated = (masks.place < MOST_POSTS).T
    first, end, most, level = [], [], [], []
    for length, widths in lengths.items():
        for begin in range(monday, window.last_day + 1, length):
            low, high = _slots_of_dates(window, begin, begin + length)
            first.append(low)
            end.append(high)
            level.append(length)
            caps = _caps(roster, duty, worked, widths, begin, length)
            most.append(_whole_slots(window, worked, cost, seated, caps, begin, length, low, high))
    parent, leaf = _nested(np.array(first), np.array(end), level, window.slots)
    return Blocks(np.array(first), np.array(end), parent, leaf, np.array(most, dtype=np.int64).T.copy())


def block_lengths(duty: DutyPolicy, first_day: int, last_day: int) -> dict[int, set[int]]:
    """Lengths of blocks in dates, the shortest first, each with the windows (in dates) that it is a part of.

    Of the caps on hours that are in force on some of these dates. Each length is a whole multiple of the one before it.
    """
    out: dict[int, set[int]] = {}
    length = 0
    for width in sorted(
        {
            rule.window_days
            for rule in duty.rules
            if isinstance(rule, RollingWindow)
            and rule.measure == "hours"
            and any(rule.in_force(day) for day in range(first_day, last_day + 1))
        }
    ):
        length = width // length * length if length else width
        out.setdefault(length, set()).add(width)
    return out


def slot_hours_of_people(roster: Roster, window: Roster, masks: Masks, demand: Demand) -> FloatArray:
    """The fewest hours that a slot costs each person, [P, T]; infinite where there is no seat for the person.

    Over all posts with demand that the person may hold, each worked as its usual shift; and, where the person is
    seated, as the shift that is published. The hours of a shift are spread over its slots as it overlaps them.
    """
    low = (window.first_day - roster.first_day) * roster.per_day
    share = _share_of_slots(roster.program)
    length = window.slot_hours()
    type_of_slot = np.arange(window.slots) % window.per_day
    usual = posts_by_shift(roster, low, low + window.slots)
    shift, back = usual.shift[usual.which], usual.back[usual.which]
    by_post = share[shift, back * roster.per_day + type_of_slot[:, None]] * length[:, None]
    out = np.full(masks.place.shape, np.inf)
    for part, inside in masks.pieces(demand.shape[1]):
        fewest = np.full(inside.place.shape, np.inf)
        for n, q in enumerate(part.posts.tolist()):
            word, place = divmod(n, WORD)
            may = ((inside.may[:, :, word] >> np.uint64(place)) & np.uint64(1)).astype(np.bool_)
            may &= demand[:, q, None] > 0
            fewest = np.where(may, np.minimum(fewest, by_post[:, q, None]), fewest)
        out[:, part.people] = fewest
    person, slot = np.nonzero((window.state >= 0) & (window.shift >= 0))
    published = _least_share(share, roster.per_day)[window.shift[person, slot], type_of_slot[slot]] * length[slot]
    out[slot, person] = np.where(np.isfinite(out[slot, person]), np.minimum(out[slot, person], published), np.inf)
    return np.ascontiguousarray(out.T)


def _share_of_slots(program: Program) -> FloatArray:
    """Hours that a shift costs in a slot / length of the slot, [K + 1, 4 S] by offset from its date; 1 without a shift."""
    per_day = len(program.slot_types)
    out = np.ones((len(program.shifts) + 1, 4 * per_day))
    for k, shift in enumerate(program.shifts):
        overlap = {}
        for offset in program.slots_of(shift):
            slot, later = program.slot_types[offset % per_day], offset // per_day * MINUTES_A_DAY
            overlap[offset] = max(0, min(shift.end, slot.end + later) - max(shift.start, slot.start + later))
        for offset, minutes in overlap.items():
            slot = program.slot_types[offset % per_day]
            hours = (shift.end - shift.start) * minutes / max(1, sum(overlap.values()))
            out[k, offset] = min(1.0, hours / (slot.end - slot.start))
    return out


def _least_share(share: FloatArray, per_day: int) -> FloatArray:
    """The least share of each slot type in a shift, [K + 1, S], over the dates on which the shift covers it."""
    dates = share.reshape(len(share), -1, per_day)
    return np.asarray(dates.min(axis=1), dtype=np.float64)


def _worked_anyway(roster: Roster, window: Roster, monday: int, longest: int) -> _Worked:
    """Hours by date from the Monday on to the end of the last block: published, and what is not ours to move."""
    days = -(-(window.last_day - monday + 1) // longest) * longest
    near = roster.window(monday - 4, monday + days - 1)  # a shift of the days before may reach into it
    state = near.state.copy()
    low = (window.first_day - near.first_day) * near.per_day
    inside = state[:, low : low + window.slots]
    inside[inside != states.ELSEWHERE] = states.OFF
    moved = replace(near, state=state)
    at = monday - near.first_day
    reach = min(days, near.days - at)

    def cut(by_date: npt.NDArray[np.generic]) -> FloatArray:
        out = np.zeros((len(near.people), days))
        skip = max(0, -at)
        out[:, skip:reach] = by_date[:, at + skip : at + reach]
        return out

    return _Worked(
        monday,
        cut(hours_by_day(moved, worked_shifts(moved))),
        cut(hours_by_day(near, worked_shifts(near))),
        cut(absent_days(near)) > 0,
    )


def _caps(
    roster: Roster, duty: DutyPolicy, worked: _Worked, widths: set[int], begin: int, length: int
) -> list[FloatArray]:
    """Hours that each person may work in a block by each cap of these windows, [P]; leave shortens some of them."""
    low = begin - worked.first_day
    leave = worked.absent[:, low : low + length].sum(axis=1)
    out = []
    for (width, least), cap in hour_caps(roster, duty, begin + length - 1).items():
        if width in widths:
            out.append(cap * np.maximum(least, width - leave) / width if least else cap)
    return out


def _whole_slots(
    window: Roster, worked: _Worked, cost: FloatArray, seated: npt.NDArray[np.bool_], caps: list[FloatArray],
    begin: int, length: int, low: int, high: int,
) -> Ints:  # fmt: skip
    """Slots low..high - 1 that each person may work within the tightest cap, the shortest ones first, [P]."""
    people = cost.shape[0]
    if not caps:
        return np.full(people, NO_CAP, dtype=np.int64)
    cap = np.min(caps, axis=0)
    dates = slice(begin - worked.first_day, begin - worked.first_day + length)
    inside = _share_inside(window, begin + length, low, high)
    left = cap - worked.fixed[:, dates].sum(axis=1) + TOLERANCE
    seats = np.isfinite(cost[:, low:high])
    hours = np.where(seats, np.where(seats, cost[:, low:high], 0.0) * inside, np.inf)
    fits = (np.sort(hours, axis=1).cumsum(axis=1) <= left[:, None]).sum(axis=1)
    # as published, and legal: allowed whatever the figures above say
    legal = worked.published[:, dates].sum(axis=1) <= cap + TOLERANCE
    fits = np.maximum(fits, np.where(legal, seated[:, low:high].sum(axis=1), 0))
    free = np.isinf(cap) | (fits >= seats.sum(axis=1))
    return np.where(free, NO_CAP, fits).astype(np.int64)


def _share_inside(window: Roster, behind: int, low: int, high: int) -> FloatArray:
    """The share of each slot low..high - 1 that lies before the epoch day `behind`, [high - low]."""
    start, end = (one[low:high] for one in window.slot_bounds())
    after = behind - window.first_day
    if after > window.days:
        return np.ones(high - low)
    border = int(midnights(window)[after])
    return np.clip((border - start) / (end - start), 0.0, 1.0)


def _slots_of_dates(window: Roster, begin: int, behind: int) -> tuple[int, int]:
    """Slots of the window on epoch days begin..behind - 1."""
    low, high = (min(max(day - window.first_day, 0), window.days) * window.per_day for day in (begin, behind))
    return low, high


def _nested(first: Ints, end: Ints, level: list[int], slots: int) -> tuple[Ints, Ints]:
    """The next larger block around each, [B], and the smallest block of each slot, [T]."""
    parent = np.full(first.size, NOWHERE, dtype=np.int64)
    leaf = np.full(slots, NOWHERE, dtype=np.int64)
    lengths = sorted(set(level))
    for b in range(first.size):
        larger = [a for a in range(first.size) if level[a] > level[b] and first[a] <= first[b] and end[b] <= end[a]]
        if larger:
            parent[b] = min(larger, key=lambda a: level[a])
        if level[b] == lengths[0]:
            leaf[first[b] : end[b]] = b
    return parent, leaf
