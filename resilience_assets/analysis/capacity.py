"""How much work people can still be asked for: hours left within every rolling cap.

Belongs here: hours left in the caps of the duty rules. Does not belong here: slots and their demand
(utilization.py), breaches (duty_hours.py).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from resilience_assets.analysis.duty_hours import bound_people
from resilience_assets.domain.roster import BoolArray, Roster
from resilience_assets.policy.duty import DutyPolicy, RollingWindow

FloatArray = npt.NDArray[np.float64]


def hour_caps(roster: Roster, duty: DutyPolicy, day: int) -> dict[tuple[int, int], FloatArray]:
    """Hours that a person may work in any window, times full-time share: {(window days, leave): caps [P]}.

    `leave` is the number of days to which leave may shorten the window, 0 where leave is counted.
    The tightest of several rules of one window; infinite for whom no rule binds. `day` is the epoch
    day on which the rules must be in force.
    """
    share = np.array([person.fte for person in roster.people], dtype=np.float64)
    caps: dict[tuple[int, int], FloatArray] = {}
    for rule in duty.rules:
        if isinstance(rule, RollingWindow) and rule.measure == "hours" and rule.in_force(day):
            key = (rule.window_days, rule.per_days if rule.leave_excluded else 0)
            bound = bound_people(roster, rule)
            cap = np.where(bound, rule.window_limit * share, np.inf)
            caps[key] = np.minimum(caps[key], cap) if key in caps else cap
    return {key: cap for key, cap in caps.items() if np.isfinite(cap).any()}


def hours_left(
    hours: FloatArray,
    absent: BoolArray,
    caps: dict[tuple[int, int], FloatArray],
    low: int,
    high: int,
    most: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """The most hours that people could work on days low..high without passing any cap: ([P], [P, n]).

    `hours` [P, D] is what is on file, of which everything outside low..high stays as it is; `most`
    [P, n] bounds each day. The first figure is for the whole stretch: days are filled in order, each
    as far as every window over it allows. That is the maximum, because an hour worked earlier
    leaves the windows of later days sooner than one worked later. The second is for each day alone,
    all other days staying as they are. Days off file count as without work.
    """
    count = high - low + 1
    whole, single = most.astype(np.float64), most.astype(np.float64)
    slacks: list[tuple[int, FloatArray]] = []
    for (width, least), cap in caps.items():
        outside = _around(hours, low, high, width)
        counted = _window_totals(outside, width)
        limit = np.broadcast_to(cap[:, None], counted.shape)
        if least:
            leave = _window_totals(_around(absent.astype(np.float64), low, high, width), width)
            limit = cap[:, None] * np.maximum(least, width - leave) / width
        # hours of the day itself are not in its own way
        tightest = sliding_window_view(limit - counted, width, axis=1).min(axis=2)
        single = np.minimum(single, np.maximum(0.0, tightest + outside[:, width - 1 : width - 1 + count]))
        outside[:, width - 1 : width - 1 + count] = 0.0
        slacks.append((width, limit - _window_totals(outside, width)))
    if not slacks:
        return whole.sum(axis=1), single
    total = np.zeros(hours.shape[0])
    for i in range(count):
        x = whole[:, i]
        for width, slack in slacks:
            x = np.minimum(x, slack[:, i : i + width].min(axis=1))
        x = np.maximum(0.0, x)
        for width, slack in slacks:
            slack[:, i : i + width] -= x[:, None]
        total += x
    return total, single


def _around(daily: FloatArray, low: int, high: int, width: int) -> FloatArray:
    """The days low - width + 1 .. high + width - 1 of [P, D], 0 where there is no file; a copy."""
    out = np.zeros((daily.shape[0], high - low + 2 * width - 1))
    begin = low - width + 1
    first, last = max(0, begin), min(daily.shape[1], high + width)
    if first < last:
        out[:, first - begin : last - begin] = daily[:, first:last]
    return out


def _window_totals(daily: FloatArray, width: int) -> FloatArray:
    """Sums over every `width` consecutive days of [P, n], [P, n - width + 1]."""
    total = np.zeros((daily.shape[0], daily.shape[1] + 1))
    np.cumsum(daily, axis=1, out=total[:, 1:])
    return np.asarray(total[:, width:] - total[:, :-width], dtype=np.float64)
