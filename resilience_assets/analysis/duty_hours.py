"""Duty rules applied to a roster: breaches with their measure and limit.

Belongs here: the evaluation of the three kinds of rules over all people at once. Does not belong
here: the rules (policy), hours still to be had (capacity.py), who should work instead (contingency).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.work import (
    WorkedShifts,
    WorkPeriods,
    absent_days,
    hours_by_day,
    is_night,
    midnights,
    starts_by_day,
    work_periods,
    worked_shifts,
)
from resilience_assets.domain.days import IntArray
from resilience_assets.domain.roster import BoolArray, Roster
from resilience_assets.policy.duty import DutyPolicy, ForbiddenPattern, RollingWindow, Rule, SlotRatio, matches

FloatArray = npt.NDArray[np.float64]

TOLERANCE = 1e-6
"""Hours are sums of minutes / 60: less than this is rounding and not a breach."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One breach of one rule by one person (or, for a ratio, in one slot of one service).

    `person` is the id, '' for a ratio; `service` and `slot` (code) are filled for a ratio only.
    `first_day` and `last_day` are the epoch days of the window, or of the sequence. `measured` and
    `limit` are in the unit of the rule: for a rolling window per `per_days`, averaged over it.
    """

    person: str
    rule: str
    section: str
    force: str
    first_day: int
    last_day: int
    measured: float
    limit: float
    service: str = ""
    slot: str = ""


@dataclass(frozen=True, eq=False)
class _Work:
    """What every rule reads, computed once."""

    roster: Roster
    shifts: WorkedShifts
    periods: WorkPeriods
    hours: FloatArray
    absent: BoolArray
    period_day: IntArray


def breaches(roster: Roster, duty: DutyPolicy, first_day: int, last_day: int) -> list[Breach]:
    """Breaches on epoch days first_day..last_day of a roster that holds its history too.

    Rolling windows slide by a day and are judged when they end on one of these dates; before the
    first date on file nothing is known: a cap is then judged by what is known, a floor only on
    windows that lie wholly on file. Of overlapping windows in breach the worst is told. Patterns are
    judged when they end on these dates. In order of rule, person, date.
    """
    low, high = max(first_day, roster.first_day) - roster.first_day, min(last_day, roster.last_day) - roster.first_day
    if low > high or not roster.people:
        return []
    shifts = worked_shifts(roster)
    periods = work_periods(shifts, duty.break_hours * 60)
    period_day = np.searchsorted(midnights(roster), periods.start, side="right") - 1
    work = _Work(roster, shifts, periods, hours_by_day(roster, shifts), absent_days(roster), period_day)
    out: list[Breach] = []
    for rule in duty.rules:
        if not rule.active:
            continue
        if isinstance(rule, RollingWindow):
            found = _rolling(work, rule, low, high) if rule.judged else []
        elif isinstance(rule, ForbiddenPattern):
            found = _pattern(work, rule, low, high)
        else:
            found = _ratio(roster, rule, low, high)
        out += [breach for breach in found if rule.in_force(breach.last_day)]
    return out


def bound_people(roster: Roster, rule: Rule) -> BoolArray:
    """Which people of a roster a rule binds, [P]."""
    verdict = {role: rule.binds(role) for role in {person.role for person in roster.people}}
    return np.array([verdict[person.role] for person in roster.people], dtype=np.bool_)


def _rolling(work: _Work, rule: RollingWindow, low: int, high: int) -> list[Breach]:
    measured, limit = windows(work.roster, work.shifts, work.periods, work.hours, work.absent, rule, low, high)
    if rule.bound == "at_most":
        excess = measured - limit
    else:
        excess = limit - measured
        excess[:, np.arange(low, high + 1) < rule.window_days - 1] = -np.inf  # not wholly on file
    excess[~bound_people(work.roster, rule)] = -np.inf
    found: list[Breach] = []
    for person, first, last in _runs(excess > TOLERANCE):
        worst = first + int(np.argmax(excess[person, first : last + 1]))
        end = low + worst
        scale = rule.limit / limit[person, worst]
        found.append(
            _breach(
                work.roster,
                rule,
                int(person),
                end - rule.window_days + 1,
                end,
                measured[person, worst] * scale,
                rule.limit,
            )
        )
    return found


def windows(
    roster: Roster, shifts: WorkedShifts, periods: WorkPeriods, hours: FloatArray, absent: BoolArray,
    rule: RollingWindow, low: int, high: int,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Measure and limit of a rule in each window that ends on day low..high (counted from the first on file).

    Two arrays [P, high - low + 1]; dates before the first on file count as without work.
    """
    if rule.measure == "free_days":
        measured = _free_periods(roster, periods, rule.window_days, low, high)
        return measured, np.full(measured.shape, rule.window_limit)
    if rule.measure == "hours":
        daily = hours
    elif rule.measure == "worked_days":
        daily = (hours > 0).astype(np.float64)
    elif rule.measure == "nights":
        daily = starts_by_day(roster, shifts, is_night(roster, shifts))
    else:
        daily = starts_by_day(roster, shifts, shifts.end - shifts.start >= rule.call_hours * 60)
    measured = window_sums(daily, rule.window_days, low, high)
    if not rule.leave_excluded:
        return measured, np.full(measured.shape, rule.window_limit)
    leave = window_sums(absent.astype(np.float64), rule.window_days, low, high)
    counted = np.maximum(rule.per_days, rule.window_days - leave)
    return measured, rule.limit * counted / rule.per_days


def window_sums(daily: FloatArray, width: int, low: int, high: int) -> FloatArray:
    """Sums over the `width` days that end on each day low..high, [P, high - low + 1]; before day 0 is 0."""
    total = np.zeros((daily.shape[0], daily.shape[1] + 1))
    np.cumsum(daily, axis=1, out=total[:, 1:])
    ends = np.arange(low, high + 1) + 1
    return np.asarray(total[:, ends] - total[:, np.maximum(0, ends - width)], dtype=np.float64)


def _free_periods(roster: Roster, periods: WorkPeriods, width: int, low: int, high: int) -> FloatArray:
    """Continuous 24-hour periods without work in each window that ends on day low..high, [P, n].

    Each stretch without work inside the window counts floor(length / 24 h). The stretches are the
    gaps between periods, cut at the ends of the window.
    """
    people, day_minutes = len(roster.people), 24 * 60
    begin = midnights(roster)
    ends = np.arange(low, high + 1)
    from_minute, to_minute = begin[np.maximum(0, ends - width + 1)], begin[ends + 1]
    if not periods.person.size:
        return np.broadcast_to((to_minute - from_minute) // day_minutes, (people, ends.size)).astype(np.float64)
    # one sorted line of time for all people: person i lives at i * reach
    base = min(int(begin[0]), int(periods.start.min()))
    reach = max(int(begin[-1]), int(periods.end.max())) - base + 1
    starts = periods.start - base + periods.person * reach
    finishes = periods.end - base + periods.person * reach
    row = (np.arange(people) * reach)[:, None]
    left, right = from_minute - base + row, to_minute - base + row
    first = np.searchsorted(finishes, left, side="right")  # first period that ends inside or after
    after = np.searchsorted(starts, right, side="left")  # first period that starts behind the window
    gaps = np.zeros(starts.size + 1, dtype=np.int64)
    gaps[1:-1] = np.maximum(0, starts[1:] - finishes[:-1]) // day_minutes
    inner = np.concatenate([[0], np.cumsum(gaps)])
    some = after > first
    at_start = np.maximum(0, starts[np.minimum(first, starts.size - 1)] - left) // day_minutes
    at_end = np.maximum(0, right - finishes[np.maximum(after - 1, 0)]) // day_minutes
    between = inner[np.maximum(after, first + 1)] - inner[first + 1]
    return np.where(some, at_start + between + at_end, (right - left) // day_minutes).astype(np.float64)


def _pattern(work: _Work, rule: ForbiddenPattern, low: int, high: int) -> list[Breach]:
    if rule.pattern == "succession":
        return _successions(work, rule, low, high)
    if rule.pattern in ("consecutive_days", "consecutive_nights"):
        return _consecutive(work, rule, low, high)
    periods, day, hours = work.periods, work.period_day, float(rule.hours or 0)
    # a sequence ends with the period that comes too early, or with the period that is too long
    closing = np.arange(periods.person.size)
    if rule.pattern == "max_continuous":
        measured = periods.minutes / 60.0
        wrong = measured > hours + rule.transition_hours + TOLERANCE
    else:
        gap = np.full(periods.person.size, np.inf)
        gap[:-1] = np.where(periods.followed[:-1], (periods.start[1:] - periods.end[:-1]) / 60.0, np.inf)
        measured = gap
        wrong = gap < hours - TOLERANCE
        if rule.pattern == "rest_after":
            wrong &= periods.minutes / 60.0 >= float(rule.after_hours or 0) - TOLERANCE
        closing = np.minimum(closing + 1, periods.person.size - 1)
    wrong &= bound_people(work.roster, rule)[periods.person]
    wrong &= (day[closing] >= low) & (day[closing] <= high)
    return [
        _breach(work.roster, rule, int(periods.person[i]), int(day[i]), int(day[closing[i]]), float(measured[i]), hours)
        for i in np.flatnonzero(wrong)
    ]


def _consecutive(work: _Work, rule: ForbiddenPattern, low: int, high: int) -> list[Breach]:
    if rule.pattern == "consecutive_days":
        worked = work.hours > 0
    else:
        worked = starts_by_day(work.roster, work.shifts, is_night(work.roster, work.shifts)) > 0
    worked = worked & bound_people(work.roster, rule)[:, None]
    most = int(rule.days or 0)
    return [
        _breach(work.roster, rule, person, first, last, float(last - first + 1), float(most))
        for person, first, last in _runs(worked)
        if last - first + 1 > most and last >= low and first <= high
    ]


def _successions(work: _Work, rule: ForbiddenPattern, low: int, high: int) -> list[Breach]:
    roster, shifts = work.roster, work.shifts
    code = {shift.code: k for k, shift in enumerate(roster.program.shifts)}
    bound = bound_people(roster, rule)
    found: list[tuple[int, int]] = []
    for before, after in roster.program.forbidden_successions:
        first = starts_by_day(roster, shifts, shifts.shift == code[before]) > 0
        second = starts_by_day(roster, shifts, shifts.shift == code[after]) > 0
        person, day = np.nonzero(first[:, :-1] & second[:, 1:] & bound[:, None])
        found += [(int(p), int(d)) for p, d in zip(person, day, strict=True) if low <= d + 1 <= high]
    return [_breach(roster, rule, person, day, day + 1, 1.0, 0.0) for person, day in sorted(set(found))]


def _ratio(roster: Roster, rule: SlotRatio, low: int, high: int) -> list[Breach]:
    """Slots in which a service has fewer supervisors at work than its supervised people need."""
    cut = slice(low * roster.per_day, (high + 1) * roster.per_day)
    state = roster.state[:, cut]
    service_of_post = np.array([post.service for post in roster.posts] or [0], dtype=np.int64)
    service = np.where(state >= 0, service_of_post[np.maximum(state, 0)], -1)
    roles = [person.role for person in roster.people]
    supervisor = np.array([matches(role, rule.supervisors) for role in roles], dtype=np.bool_)
    shares = np.array([next((one.share for one in rule.supervised if matches(role, one.roles)), 0.0) for role in roles])
    shares[~bound_people(roster, rule) | supervisor] = 0.0
    out: list[Breach] = []
    for s, one in enumerate(roster.services):
        there = service == s
        needed = np.ceil(shares @ there - TOLERANCE)
        have = supervisor @ there.astype(np.int64)
        for slot in np.flatnonzero(have < needed):
            day = roster.first_day + low + int(slot) // roster.per_day
            code = roster.program.slot_types[int(slot) % roster.per_day].code
            section = rule.section_on(day)
            out.append(
                Breach("", rule.id, section, rule.force, day, day, float(have[slot]), float(needed[slot]), one.id, code)
            )
    return out


def _runs(cells: BoolArray) -> list[tuple[int, int, int]]:
    """Runs of true cells along the second axis: (row, first, last), in order."""
    padded = np.zeros((cells.shape[0], cells.shape[1] + 2), dtype=np.int8)
    padded[:, 1:-1] = cells
    change = np.diff(padded, axis=1)
    rows, first = np.nonzero(change == 1)
    _, behind = np.nonzero(change == -1)
    return [(int(r), int(a), int(b) - 1) for r, a, b in zip(rows, first, behind, strict=True)]


def _breach(roster: Roster, rule: Rule, person: int, first: int, last: int, measured: float, limit: float) -> Breach:
    first_day, last_day = roster.first_day + first, roster.first_day + last
    section = rule.section_on(last_day)
    return Breach(roster.people[person].id, rule.id, section, rule.force, first_day, last_day, float(measured), limit)
