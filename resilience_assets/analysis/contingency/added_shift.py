"""What one more shift would do to the duty rules of a person: nothing, stretch one, break one.

Belongs here: the question and the answer for a roster and a policy. Does not belong here: judging one added shift
(judging.py), the rules as published (analysis.duty_hours), who is asked to work the shift (covers.py).

The shift comes on top of what the person works. Inside a shift that is worked anyway it changes nothing; shifts
that lie inside it are replaced by it. So hours are those of the union, and a person who is at work already adds
only the hours beyond the own shift. Absences do not cut the shift short.

A rule is broken where a window or a sequence with the added work passes the limit, even if it did so before and
is now worse. It is stretched where, after the shift, there would be no room for one more like it; a limit of
capacity only (`judged` false) where it is passed. Judged are the dates on file from the shift on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from resilience_assets.analysis.contingency.bits import blank_of
from resilience_assets.analysis.contingency.components import Part
from resilience_assets.analysis.contingency.judging import (
    FINE,
    MEASURES,
    PATTERNS,
    UNKNOWN,
    Bench,
    Caps,
    Duty,
    Forbidden,
    Judged,
    Worked,
    drop_broken,
    judge_wanted,
    mark_wanted,
)
from resilience_assets.analysis.contingency.masks import Masks
from resilience_assets.analysis.contingency.rest import posts_by_shift
from resilience_assets.analysis.contingency.seating import Ints, Octets
from resilience_assets.analysis.contingency.supervision import Ratio, ratios_of
from resilience_assets.analysis.duty_hours import bound_people, window_sums, windows
from resilience_assets.analysis.work import (
    SPILL_DATES,
    FloatArray,
    WorkedShifts,
    absent_days,
    hours_by_day,
    is_night,
    midnights,
    starts_by_day,
    work_periods,
    worked_shifts,
)
from resilience_assets.domain.roster import BoolArray, Roster
from resilience_assets.policy.duty import DutyPolicy, ForbiddenPattern, RollingWindow, Rule


@dataclass(frozen=True, eq=False)
class AddedShifts:
    """The shifts that posts have in the T slots of a window, and what each would do to each person's duty rules.

    `span` [T, Q] says which added shift taking a post in a slot is. `hours_28` [P, D of the window] are the hours that
    people work, as published, in the 28 dates that end on each date. `rules` are in the order of `duty.judged`;
    `ratios` are rules on supervision, which an added shift alone says nothing about.
    """

    roster: Roster
    window: Roster
    span: Ints
    rules: tuple[RollingWindow | ForbiddenPattern, ...]
    duty: Duty
    hours_28: FloatArray
    ratios: tuple[Ratio, ...]

    def judge(self, masks: Masks, slots: Ints) -> Octets:
        """What every post that a person may hold in these slots of the window does to the person, [I, P]."""
        wanted = np.zeros(self.duty.judged.verdict.shape, dtype=np.bool_)
        for part, inside in masks.parts if masks.split else ():
            own = np.zeros((len(wanted), part.people.size), dtype=np.bool_)
            mark_wanted(inside.rows, np.take(self.span, part.posts, axis=1), slots, blank_of(inside.words), own)
            wanted[:, part.people] = own
        if not masks.split:
            mark_wanted(masks.rows, self.span, slots, blank_of(masks.words), wanted)
        judge_wanted(wanted, self.duty)
        return self.duty.judged.verdict

    def within_rules(self, masks: Masks) -> Masks:
        """The masks without posts whose shift, added, would break a duty rule: caps over weeks as well as rest.

        Each person's shift is judged by itself, as if it were the only one added; the post held stays allowed.
        """
        verdict = self.judge(masks, np.arange(masks.place.shape[0]))
        if masks.split:
            return masks.divided_into([(part, self._dropped(inside, verdict, part)) for part, inside in masks.parts])
        return self._dropped(masks, verdict)

    def _dropped(self, masks: Masks, verdict: Octets, part: Part | None = None) -> Masks:
        """The masks, of a part or of the whole, without posts whose added shift breaks a rule."""
        span = self.span if part is None else np.take(self.span, part.posts, axis=1)
        own = verdict if part is None else np.take(verdict, part.people, axis=1)
        may = masks.rows.copy()
        drop_broken(masks.place, may, span, own, blank_of(masks.words))
        return replace(masks, may=may.reshape(masks.may.shape))

    def stretches(self, person: int, slot: int, post: int) -> list[tuple[str, str]]:
        """The rules that taking a post in a slot stretches or breaks, once judged: (rule id, a sentence for people)."""
        i = self.span[slot, post]
        by_rule, value = self.duty.judged.by_rule[i, person], self.duty.judged.value[i, person]
        fte = self.roster.people[person].fte
        return [
            (self.rules[r].id, sentence(self.rules[r], float(value[r]), fte)) for r in np.flatnonzero(by_rule != FINE)
        ]


def sentence(rule: RollingWindow | ForbiddenPattern, value: float, fte: float = 1.0) -> str:
    """What a person would then work beside the limit: '78 h a week on average over 28 days, limit 80'."""
    if isinstance(rule, ForbiddenPattern):
        if rule.pattern == "max_continuous":
            return f"{value:.4g} h of work without a break, limit {rule.hours:g} and {rule.transition_hours:g} for transitions"
        unit = "nights" if rule.pattern == "consecutive_nights" else "dates"
        return f"{value:.0f} {unit} in a row, limit {rule.days}"
    unit = {"hours": "h", "worked_days": "dates of work", "free_days": "free days"}.get(rule.measure, rule.measure)
    every = {1: "a day", 7: "a week"}.get(rule.per_days, f"in {rule.per_days} days")
    over = "" if rule.window_days == rule.per_days else f" on average over {rule.window_days} days"
    word = "at least" if rule.bound == "at_least" else "limit"
    limit = rule.limit if rule.judged else rule.limit * fte
    return f"{value:.3g} {unit} {every}{over}, {word} {limit:.3g}"


def added_shifts(roster: Roster, duty: DutyPolicy, first_day: int, last_day: int) -> AddedShifts:
    """For epoch days first_day..last_day of a roster that holds its history too; nothing is judged yet."""
    window = roster.window(first_day, last_day)
    low = (window.first_day - roster.first_day) if window.days else 0
    shifts = worked_shifts(roster)
    hours = hours_by_day(roster, shifts)
    span, added = _spans(roster, low * roster.per_day, window.slots)
    rules = [rule for rule in duty.rules if rule.active]
    caps = [rule for rule in rules if isinstance(rule, RollingWindow)]
    patterns = [rule for rule in rules if isinstance(rule, ForbiddenPattern)]
    room = int(np.bincount(shifts.person).max(initial=0)) + 2
    shape = (len(added), len(roster.people), len(caps) + len(patterns))
    asked = Duty(
        added,
        _worked(roster, shifts, hours),
        _caps(roster, duty, caps, shifts, hours),
        _forbidden(roster, duty, patterns),
        Bench(
            np.zeros((room, 4), dtype=np.int64),
            np.zeros((room, 2), dtype=np.int64),
            np.zeros((room, 4), dtype=np.int64),
            np.zeros(SPILL_DATES),
        ),
        Judged(
            np.full(shape[:2], UNKNOWN, dtype=np.uint8),
            np.zeros(shape, dtype=np.uint8),
            np.zeros(shape, dtype=np.float32),
        ),
    )
    hours_28 = window_sums(hours, 28, low, low + window.days - 1)
    return AddedShifts(roster, window, span, (*caps, *patterns), asked, hours_28, ratios_of(window, duty))


def _spans(roster: Roster, first: int, slots: int) -> tuple[Ints, Ints]:
    """Which added shift each post has in each slot from `first` on, [T, Q], and the shifts [I, 4]."""
    posts = posts_by_shift(roster, first, first + slots)
    kind = np.asarray(posts.shift[posts.which], dtype=np.int64)
    slot = np.broadcast_to(np.arange(first, first + slots)[:, None], kind.shape)
    day = slot // roster.per_day
    day = np.where(kind < 0, day, np.maximum(day - posts.back[posts.which], 0))
    # a post without a shift has the hours of the slot itself
    key = np.where(kind < 0, -1 - slot, kind * max(roster.days, 1) + day)
    _, at, span = np.unique(key, return_index=True, return_inverse=True)
    kind, day, slot = kind.ravel()[at], day.ravel()[at], slot.ravel()[at]
    slot_start, slot_end = roster.slot_bounds()
    starts, ends = roster.shift_bounds()
    start, end, known = slot_start[slot], slot_end[slot], kind >= 0
    start[known], end[known] = starts[kind[known], day[known]], ends[kind[known], day[known]]
    return span.reshape(key.shape).astype(np.int64), np.column_stack([start, end, day, kind]).astype(np.int64)


def _worked(roster: Roster, shifts: WorkedShifts, hours: FloatArray) -> Worked:
    begin = np.searchsorted(shifts.person, np.arange(len(roster.people) + 1)).astype(np.int64)
    table = np.column_stack([shifts.start, shifts.end, shifts.day, shifts.shift]).astype(np.int64)
    nights = starts_by_day(roster, shifts, is_night(roster, shifts))
    kinds = np.arange(len(roster.program.shifts), dtype=np.int64)
    by_kind = np.append(is_night(roster, WorkedShifts(kinds, kinds, kinds, kinds, kinds)), False)
    return Worked(begin, table, hours, nights, by_kind, np.array(midnights(roster, SPILL_DATES + 2)))


def _caps(
    roster: Roster, duty: DutyPolicy, rules: list[RollingWindow], shifts: WorkedShifts, hours: FloatArray
) -> Caps:
    shape = (len(rules), len(roster.people), roster.days)
    measured, limit, scale = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    fte = np.array([person.fte for person in roster.people])[:, None]
    periods, absent = work_periods(shifts, duty.break_hours * 60), absent_days(roster)
    table = np.zeros((len(rules), 4), dtype=np.int64)
    for r, rule in enumerate(rules):
        measured[r], limit[r] = windows(roster, shifts, periods, hours, absent, rule, 0, roster.days - 1)
        scale[r] = rule.limit / limit[r]
        if not rule.judged:
            limit[r] *= fte
        counts = bound_people(roster, rule)[:, None] & _in_force(roster, rule)
        limit[r] = np.where(counts, limit[r], np.inf if rule.bound == "at_most" else -np.inf)
        table[r] = MEASURES.index(rule.measure), rule.window_days, round(rule.call_hours * 60), rule.judged
    return Caps(table, measured, limit, scale)


def _forbidden(roster: Roster, duty: DutyPolicy, rules: list[ForbiddenPattern]) -> Forbidden:
    code = {shift.code: k for k, shift in enumerate(roster.program.shifts)}
    pairs = np.zeros((len(code), len(code)), dtype=np.bool_)
    for before, after in roster.program.forbidden_successions:
        pairs[code[before], code[after]] = True
    table = [
        (
            PATTERNS.index(rule.pattern), round(float(rule.hours or 0) * 60), round(rule.transition_hours * 60),
            round(float(rule.after_hours or 0) * 60), rule.days or 0,
        )
        for rule in rules
    ]  # fmt: skip
    return Forbidden(
        np.array(table, dtype=np.int64).reshape(len(rules), 5),
        np.array([bound_people(roster, rule) for rule in rules], dtype=np.bool_).reshape(
            len(rules), len(roster.people)
        ),
        np.array([_in_force(roster, rule) for rule in rules], dtype=np.bool_).reshape(len(rules), roster.days),
        pairs,
        duty.break_hours * 60,
    )


def _in_force(roster: Roster, rule: Rule) -> BoolArray:
    """On which dates a rule is in force, [D]."""
    return np.array(
        [rule.in_force(day) for day in range(roster.first_day, roster.first_day + roster.days)], dtype=np.bool_
    )
