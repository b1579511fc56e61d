"""Judging one added shift of one person by every duty rule, compiled.

Belongs here: the arrays of the question, the change that the shift makes in every window and sequence. Does not
belong here: filling these arrays from a roster and a policy, and what the answer is called (added_shift.py).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.bits import (
    PostSet,
    Words,
    after_lowest,
    load,
    lowest,
    only,
    some,
    store,
    without,
)
from resilience_assets.analysis.contingency.compiled import Number, compiled
from resilience_assets.analysis.contingency.seating import Ints, Octets
from resilience_assets.analysis.duty_hours import TOLERANCE
from resilience_assets.analysis.work import SPILL_DATES, FloatArray
from resilience_assets.domain.roster import BoolArray

FINE, STRETCHED, BROKEN, UNKNOWN = 0, 1, 2, 255
"""What an added shift does; UNKNOWN is not asked yet."""
MEASURES = ("hours", "worked_days", "nights", "calls", "free_days")
HOURS, WORKED_DAYS, NIGHTS, CALLS, FREE_DAYS = range(5)
PATTERNS = ("rest_between", "rest_after", "max_continuous", "succession", "consecutive_days", "consecutive_nights")
BETWEEN, AFTER, CONTINUOUS, SUCCESSION, DAYS_IN_A_ROW, NIGHTS_IN_A_ROW = range(6)
A_DAY = 24 * 60
MOST_LOST_FREE_DAYS = 5
"""A shift of at most 72 h takes at most so many free periods of 24 h away."""


START, END, DAY, KIND = range(4)
"""Columns of a table of shifts: UTC minutes, the date from the first on file on which it begins, index of the shift
(-1: none has the hours of the slot)."""


class Worked(NamedTuple):
    """What people work: `shifts` [N, 4] in order of person and start, those of p from begin[p] to begin[p + 1] - 1.

    `hours`, `nights` [P, D] by date; `is_night` [K + 1] by shift, the last for none; `midnight` [D + 6] UTC minutes.
    """

    begin: Ints
    shifts: Ints
    hours: FloatArray
    nights: FloatArray
    is_night: BoolArray
    midnight: Ints


class Caps(NamedTuple):
    """The rolling windows, R rules: `rules` [R, 4] are measure, width in dates, minutes of a call, judged.

    `measured` and `limit` [R, P, D] are of the window that ends on each date, as published; the limit is out of reach
    where the rule does not bind or is not in force. `scale` [R, P, D] turns a measure into the unit of the rule.
    """

    rules: Ints
    measured: FloatArray
    limit: FloatArray
    scale: FloatArray


class Forbidden(NamedTuple):
    """The forbidden patterns, N rules: `rules` [N, 5] are kind, minutes, minutes of transition, minutes of work before,
    dates or nights in a row. `binds` [N, P], `in_force` [N, D], `pairs` [K, K] of shifts, `gap` the longest break."""

    rules: Ints
    binds: BoolArray
    in_force: BoolArray
    pairs: BoolArray
    gap: float


class Bench(NamedTuple):
    """Arrays for work on one person: `shifts` [n, 4] with the added one, `periods` [n, 2] of work, `gone` [n, 4] the
    shifts that are replaced, `extra` [4] hours added on each date from the shift's on."""

    shifts: Ints
    periods: Ints
    gone: Ints
    extra: FloatArray


class Judged(NamedTuple):
    """Answers: `verdict` [I, P], `by_rule` and `value` [I, P, R + N] (caps first, then patterns; unit of the rule)."""

    verdict: Octets
    by_rule: Octets
    value: npt.NDArray[np.float32]


class Duty(NamedTuple):
    """All that the question needs; `added` [I, 4] are the shifts that may be added."""

    added: Ints
    worked: Worked
    caps: Caps
    forbidden: Forbidden
    bench: Bench
    judged: Judged


@compiled
def mark_wanted(may: Words, span: Ints, slots: Ints, blank: PostSet, wanted: BoolArray) -> None:
    """Mark the added shift of every post that a person may hold in these slots, [I, P]."""
    for t in slots:
        for p in range(wanted.shape[1]):
            posts = load(may[t], p, blank)
            while some(posts):
                wanted[span[t, lowest(posts)], p] = True
                posts = after_lowest(posts)


@compiled
def drop_broken(place: Octets, may: Words, span: Ints, verdict: Octets, blank: PostSet) -> None:
    """Take posts whose added shift breaks a rule from the sets `may` [T, P * W], but not the post held."""
    for t in range(place.shape[0]):
        for p in range(place.shape[1]):
            posts = load(may[t], p, blank)
            kept, left = posts, posts
            while some(left):
                q = lowest(left)
                left = after_lowest(left)
                if verdict[span[t, q], p] == BROKEN and q != place[t, p]:
                    kept = without(kept, only(q, blank))
            store(may[t], p, kept)


@compiled
def judge_wanted(wanted: BoolArray, duty: Duty) -> None:
    """Judge what is marked and not judged yet."""
    for i in range(wanted.shape[0]):
        for p in range(wanted.shape[1]):
            if wanted[i, p] and duty.judged.verdict[i, p] == UNKNOWN:
                duty.judged.verdict[i, p] = verdict(i, p, duty)


@compiled
def verdict(i: Number, p: Number, duty: Duty) -> int:
    """What added shift i does to person p."""
    w, bench, added = duty.worked, duty.bench, duty.added[i]
    own = w.shifts[w.begin[p] : w.begin[p + 1]]
    count, gone = put_in(added, own, bench.shifts, bench.gone)
    if count == 0:
        return FINE
    hours_added(added, own, w.midnight, bench.extra)
    periods = bench.periods[: join(bench.shifts[:count], duty.forbidden.gap, bench.periods)]
    replaced, worst = bench.gone[:gone], FINE
    for r in range(duty.caps.rules.shape[0]):
        worst = max(worst, passes_cap(i, p, r, added, replaced, periods, duty))
    for n in range(duty.forbidden.rules.shape[0]):
        if duty.forbidden.binds[n, p]:
            worst = max(worst, makes_pattern(i, p, n, added, bench.shifts[:count], periods, duty))
    return worst


@compiled
def put_in(added: Ints, own: Ints, out: Ints, gone: Ints) -> tuple[int, int]:
    """The shifts of a person with the added one, in order of start, and those that it replaces; how many of each.

    0 where the added one lies in one of the own.
    """
    count, replaced, placed = 0, 0, False
    for x in range(own.shape[0]):
        if own[x, START] <= added[START] and own[x, END] >= added[END]:
            return 0, 0
        if own[x, START] >= added[START] and own[x, END] <= added[END]:
            copy_row(own[x], gone[replaced])
            replaced += 1
            continue
        if not placed and own[x, START] > added[START]:
            copy_row(added, out[count])
            count += 1
            placed = True
        copy_row(own[x], out[count])
        count += 1
    if not placed:
        copy_row(added, out[count])
        count += 1
    return count, replaced


@compiled
def copy_row(row: Ints, out: Ints) -> None:
    """Write one shift over another."""
    for column in range(row.size):
        out[column] = row[column]


@compiled
def hours_added(added: Ints, own: Ints, midnight: Ints, extra: FloatArray) -> None:
    """Hours of the added shift that the person does not work anyway, by date, into `extra`."""
    extra[:] = 0.0
    cursor = added[START]
    for x in range(own.shape[0]):
        if own[x, END] > cursor and own[x, START] < added[END]:
            spread(cursor, own[x, START], midnight[added[DAY] :], extra)
            cursor = max(cursor, own[x, END])
    spread(cursor, added[END], midnight[added[DAY] :], extra)


@compiled
def spread(begin: Number, end: Number, midnight: Ints, extra: FloatArray) -> None:
    """Add the hours from one minute to another to the dates that begin at `midnight`."""
    for j in range(extra.size):
        minutes = min(end, midnight[j + 1]) - max(begin, midnight[j])
        if minutes > 0:
            extra[j] += minutes / 60.0


@compiled
def join(shifts: Ints, gap: float, periods: Ints) -> int:
    """The work periods of shifts in order of start; how many."""
    count = 0
    for x in range(shifts.shape[0]):
        if count > 0 and shifts[x, START] - periods[count - 1, 1] <= gap:
            periods[count - 1, 1] = max(periods[count - 1, 1], shifts[x, END])
        else:
            periods[count, 0], periods[count, 1] = shifts[x, START], shifts[x, END]
            count += 1
    return count


@compiled
def passes_cap(i: Number, p: Number, r: Number, added: Ints, gone: Ints, periods: Ints, duty: Duty) -> int:
    """What happens to rolling rule r: the worst of all windows in which there is more work than before."""
    caps, w = duty.caps, duty.worked
    measure, width, call, judged = caps.rules[r, 0], caps.rules[r, 1], caps.rules[r, 2], caps.rules[r, 3]
    days, worst, most, value = w.hours.shape[1], FINE, -np.inf, 0.0
    room = (added[END] - added[START]) / 60.0 if measure == HOURS else 1.0
    for e in range(added[DAY], min(days, added[DAY] + SPILL_DATES + width - 1)):
        before, limit = caps.measured[r, p, e], caps.limit[r, p, e]
        first, change = e - width + 1, 0.0
        if measure == FREE_DAYS:
            if first >= 0 and before <= limit + 1 + MOST_LOST_FREE_DAYS:
                change = free_days(periods, w.midnight[first], w.midnight[e + 1]) - before
        elif measure in (HOURS, WORKED_DAYS):
            change = added_dates(first, e, added[DAY], duty.bench.extra, w.hours[p], measure == WORKED_DAYS)
        else:
            change = added_counts(first, e, added, gone, measure == NIGHTS, call, w.is_night)
        over = limit - before - change if measure == FREE_DAYS else before + change - limit
        harm = -change if measure == FREE_DAYS else change
        state = state_of(over, room, judged) if harm > TOLERANCE else FINE
        if state != FINE and over > most:
            most, value = over, (before + change) * caps.scale[r, p, e]
        worst = max(worst, state)
    duty.judged.by_rule[i, p, r], duty.judged.value[i, p, r] = worst, value
    return worst


@compiled
def state_of(over: float, room: float, judged: Number) -> int:
    """FINE, STRETCHED or BROKEN by how much is over the limit."""
    if over > TOLERANCE:
        return BROKEN if judged else STRETCHED
    return STRETCHED if judged and over + room > TOLERANCE else FINE


@compiled
def added_dates(first: Number, last: Number, day: Number, extra: FloatArray, hours: FloatArray, dates: bool) -> float:
    """Hours (or dates of work) that dates first..last have more, `extra` being those of `day` and on."""
    more = 0.0
    for j in range(extra.size):
        if first <= day + j <= last and extra[j] > 0 and not (dates and hours[day + j] > 0):
            more += 1.0 if dates else extra[j]
    return more


@compiled
def added_counts(
    first: Number, last: Number, added: Ints, gone: Ints, nights: bool, call: Number, is_night: BoolArray
) -> float:
    """Nights (or calls) that begin on dates first..last more: the added one, less those that it replaces."""
    more = 0.0
    if first <= added[DAY] <= last:
        more += is_night[added[KIND]] if nights else added[END] - added[START] >= call
    for x in range(gone.shape[0]):
        if first <= gone[x, DAY] <= last:
            more -= is_night[gone[x, KIND]] if nights else gone[x, END] - gone[x, START] >= call
    return more


@compiled
def free_days(periods: Ints, left: Number, right: Number) -> int:
    """Free periods of 24 h between two minutes, beside these work periods."""
    total, cursor = 0, left
    for n in range(periods.shape[0]):
        if periods[n, 1] > left and periods[n, 0] < right:
            total += max(0, periods[n, 0] - cursor) // A_DAY
            cursor = max(cursor, periods[n, 1])
    return int(total + max(0, right - cursor) // A_DAY)


@compiled
def makes_pattern(
    i: Number, p: Number, n: Number, added: Ints, shifts: Ints, periods: Ints, duty: Duty
) -> int:  # fmt: skip
    """What happens to pattern n; `shifts` and `periods` are those with the added shift."""
    f, day, state, value = duty.forbidden, added[DAY], FINE, 0.0
    kind, minutes, transition, after, most = (
        f.rules[n, 0], f.rules[n, 1], f.rules[n, 2], f.rules[n, 3], f.rules[n, 4],
    )  # fmt: skip
    if kind in (DAYS_IN_A_ROW, NIGHTS_IN_A_ROW):
        worked = duty.worked.nights[p] if kind == NIGHTS_IN_A_ROW else duty.worked.hours[p]
        night = kind == NIGHTS_IN_A_ROW and duty.worked.is_night[added[KIND]]
        day, run = run_of_dates(day, duty.bench.extra, worked, kind == NIGHTS_IN_A_ROW, night)
        state, value = (BROKEN if run > most else STRETCHED if run == most else FINE), float(run)
    elif kind == SUCCESSION:
        state = BROKEN if follows_wrongly(added, shifts, f.pairs) else FINE
    elif kind == CONTINUOUS:
        length = longest_with(added, periods)
        state, value = (
            (BROKEN if length > minutes + transition else STRETCHED if length > minutes else FINE),
            length / 60.0,
        )
    else:
        state = BROKEN if rests_too_little(added, periods, minutes, after if kind == AFTER else 0) else FINE
    if not f.in_force[n, min(day, f.in_force.shape[1] - 1)]:
        return FINE
    r = duty.caps.rules.shape[0] + n
    duty.judged.by_rule[i, p, r], duty.judged.value[i, p, r] = state, value
    return state


@compiled
def period_of(added: Ints, periods: Ints) -> int:
    """The work period that the added shift is part of."""
    j = 0
    while periods[j, 1] < added[END]:
        j += 1
    return j


@compiled
def longest_with(added: Ints, periods: Ints) -> int:
    """Minutes of the work period that the added shift is part of."""
    j = period_of(added, periods)
    return int(periods[j, 1] - periods[j, 0])


@compiled
def rests_too_little(added: Ints, periods: Ints, minutes: Number, after: Number) -> bool:
    """Whether there is too little rest before or behind the period of the added shift, where the period before the rest
    is at least `after` minutes long."""
    j = period_of(added, periods)
    if j > 0 and periods[j, 0] - periods[j - 1, 1] < minutes and periods[j - 1, 1] - periods[j - 1, 0] >= after:
        return True
    behind = j + 1 < periods.shape[0] and periods[j + 1, 0] - periods[j, 1] < minutes
    return bool(behind and periods[j, 1] - periods[j, 0] >= after)


@compiled
def run_of_dates(
    day: Number, extra: FloatArray, worked: FloatArray, nights: bool, night: bool
) -> tuple[int, int]:  # fmt: skip
    """The last of the dates (or nights) in a row that the shift makes longer, and how many; 0 where it does not."""
    days, end = worked.size, day
    first: Number = np.int64(-1)
    for j in range(extra.size):
        more = (j == 0 and night) if nights else extra[j] > 0
        if more and day + j < days:
            end = day + j + 1
            if first < 0 and worked[day + j] <= 0:
                first = day + j
    if first < 0:
        return int(day), 0
    last = first
    while first > 0 and (worked[first - 1] > 0 or day <= first - 1 < end):
        first -= 1
    while last + 1 < days and (worked[last + 1] > 0 or day <= last + 1 < end):
        last += 1
    return int(last), int(last - first + 1)


@compiled
def follows_wrongly(added: Ints, shifts: Ints, pairs: BoolArray) -> bool:
    """Whether a shift of the date before or after may not stand beside the added one."""
    if added[KIND] < 0:
        return False
    for x in range(shifts.shape[0]):
        if shifts[x, KIND] < 0:
            continue
        if shifts[x, DAY] == added[DAY] - 1 and pairs[shifts[x, KIND], added[KIND]]:
            return True
        if shifts[x, DAY] == added[DAY] + 1 and pairs[added[KIND], shifts[x, KIND]]:
            return True
    return False
