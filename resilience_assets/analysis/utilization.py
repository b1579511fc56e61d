"""Utilization: person-slots required against person-slots available, by scope and day.

Belongs here: who is available, the rate, its level, buffer, safe load, wait. Does not belong here:
seats and open cells (coverage.py), hours left in duty caps (capacity.py), thresholds (policy).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.capacity import hour_caps, hours_left
from resilience_assets.analysis.coverage import Coverage, coverage
from resilience_assets.analysis.queueing import erlang_wait_factor, mm1_wait_factor
from resilience_assets.analysis.scopes import qualified_by_scope
from resilience_assets.analysis.work import absent_days, hours_by_day, work_share_of_slots, worked_shifts
from resilience_assets.domain.roster import BoolArray, Roster
from resilience_assets.domain.scales import UtilizationLevel
from resilience_assets.policy.model import Policy, StepArray

FloatArray = npt.NDArray[np.float64]

WHOLE_HORIZON = None
"""The day of a row that speaks of all days together."""
MOST_CELLS = 1_000_000
"""Cells (scope, person, slot) that are looked at together."""


@dataclass(frozen=True, eq=False)
class Utilization:
    """Utilization by scope and day; arrays [N, 1 + D] as in Coverage (column 0 is the whole horizon).

    `rate` is NaN where there is nothing to measure (no demand in the whole horizon of the program),
    0 where this scope asks for nothing, infinite where demand meets nobody. `level` holds numbers of
    UtilizationLevel. `buffer` is the share of the available that may still be asked for below the
    safe load; `safe_load` whole person-slots. `wait_mm1` and `wait_erlang` are mean waits in units
    of the mean service: the first takes all people as one server, the second counts `servers`, the
    people available in an average slot (to the nearest whole one, at least one).
    """

    covered: Coverage
    available: FloatArray
    rate: FloatArray
    level: StepArray
    buffer: FloatArray
    safe_load: FloatArray
    servers: npt.NDArray[np.int64]
    wait_mm1: FloatArray
    wait_erlang: FloatArray

    def of_program(self) -> float | None:
        """Rate of the whole program over the whole horizon; None when unknown."""
        value = float(self.rate[0, 0])
        return None if np.isnan(value) else value

    def level_of_program(self) -> UtilizationLevel:
        """Level of the whole program over the whole horizon."""
        return UtilizationLevel(int(self.level[0, 0]))

    def columns(self) -> dict[str, list[Any]]:
        """The table in flat form, a list a column, a row for each scope and day (day None = whole horizon).

        Unknown figures are None; infinite ones stay float('inf'). `level` is the word.
        """
        covered, days = self.covered, self.covered.days
        width = 1 + days
        figures: dict[str, npt.NDArray[Any]] = {
            "required": covered.required, "available": self.available, "assigned": covered.assigned,
            "utilization": self.rate, "coverage": covered.coverage, "coverage_minimum": covered.coverage_minimum,
            "open_seats": covered.open_seats, "open_below_minimum": covered.open_below_minimum,
            "buffer": self.buffer, "safe_load": self.safe_load,
            "wait_factor": self.wait_mm1, "wait_factor_erlang": self.wait_erlang, "servers": self.servers,
        }  # fmt: skip
        out: dict[str, list[Any]] = {
            "scope": [kind for kind in covered.scopes.kind for _ in range(width)],
            "key": [key for key in covered.scopes.key for _ in range(width)],
            "day": [WHOLE_HORIZON, *range(covered.first_day, covered.first_day + days)] * len(covered.scopes),
        }
        for name, figure in figures.items():
            values = figure.ravel().tolist()
            out[name] = [None if value != value else value for value in values] if figure.dtype.kind == "f" else values
        words = {int(level): level.text for level in UtilizationLevel}
        out["level"] = [words[level] for level in self.level.ravel().tolist()]
        return out


def utilization(
    roster: Roster, policy: Policy, first_day: int, last_day: int, covered: Coverage | None = None
) -> Utilization:
    """Utilization of a roster (with its history) on epoch days first_day..last_day (inclusive).

    Required are the heads of demand. Available is, a person and window, the smaller of (a) the slots
    of the window in which the person is not absent, resting, elsewhere or unknown, on days on which
    the person is qualified for a post of the scope, and (b) the hours left in the tightest duty cap
    (times full-time share, `capacity.hours_left`) over the mean hours of a slot that the person may
    work (one with demand for a post for which the person is qualified; its hours are those of the
    shifts that cover it, `work.work_share_of_slots`). Services share people: a
    person counts in every service for which they are qualified, so the available of services do not
    add up to the program's. A day's available is what that day could hold if all others stay as
    rostered, so days do not add up to the horizon either.

    `covered` is the coverage of the same dates, if it is at hand.
    """
    covered = covered if covered is not None else coverage(roster, first_day, last_day)
    return _figures(covered, _available(roster, policy, covered), roster.per_day, policy)


def _available(roster: Roster, policy: Policy, covered: Coverage) -> FloatArray:
    """Person-slots available, [N, 1 + D]."""
    window = covered.window
    people, days, per_day = len(window.people), window.days, window.per_day
    count = len(covered.scopes)
    if not days or not people:
        return np.zeros((count, 1 + days))
    present = window.available().reshape(people, days, per_day)
    length = window.slot_hours().reshape(days, per_day) * work_share_of_slots(window.program)
    slots = present.sum(axis=2).astype(np.float64)
    hours = (present * length).sum(axis=2)
    whole_left, day_left = _hours_left(roster, window, policy, hours)
    able = qualified_by_scope(window, covered.scopes)
    work_slots, work_hours = _workable(window, covered, present, length)

    out = np.zeros((count, 1 + days))
    day_slots = able * slots
    out[:, 1:] = _within_hours(day_slots, able * hours, work_slots, work_hours, day_left).sum(axis=1)
    out[:, 0] = _within_hours(
        day_slots.sum(axis=2), (able * hours).sum(axis=2), work_slots.sum(axis=2), work_hours.sum(axis=2), whole_left
    ).sum(axis=1)
    return out


def _hours_left(roster: Roster, window: Roster, policy: Policy, most: FloatArray) -> tuple[FloatArray, FloatArray]:
    low = window.first_day - roster.first_day
    high = low + window.days - 1
    caps = hour_caps(roster, policy.duty, window.last_day)
    if not caps:
        return most.sum(axis=1), most
    reach = max(width for width, _ in caps)
    # only what a window of a rule can touch, and three dates more: a shift lasts at most 72 h
    near = roster.window(window.first_day - reach - 3, window.last_day + reach)
    shift_by = near.first_day - roster.first_day
    hours = hours_by_day(near, worked_shifts(near))
    return hours_left(hours, absent_days(near), caps, low - shift_by, high - shift_by, most)


def _within_hours(
    slots: FloatArray, hours: FloatArray, work_slots: FloatArray, work_hours: FloatArray, left: FloatArray
) -> FloatArray:
    """min(slots, hours left / mean slot), elementwise; the mean over workable slots, else over all of them."""
    workable = work_slots > 0
    total = np.where(workable, work_hours, hours)
    number = np.where(workable, work_slots, slots)
    some = (slots > 0) & (total > 0)
    return np.where(some, np.minimum(slots, left * np.where(some, number, 0) / np.where(some, total, 1)), 0.0)


def _workable(
    window: Roster, covered: Coverage, present: BoolArray, length: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Number and hours of slots with demand for a post that a present person may hold, two [N, P, D]."""
    people, days, per_day = present.shape
    scopes = covered.scopes
    asked = (window.required > 0).astype(np.float32)
    number = np.zeros((len(scopes), people, days))
    hours = np.zeros_like(number)
    # as many scopes at a time as fit a few megabytes
    step = max(1, MOST_CELLS // (people * days * per_day))
    for low, high, mask in window.qualification_periods():
        first, last = low // per_day, high // per_day
        for n in range(0, len(scopes), step):
            held = mask[None] & scopes.posts[n : n + step, None]
            may = (held.astype(np.float32) @ asked[:, low:high] > 0).reshape(-1, people, last - first, per_day)
            may &= present[:, first:last]
            number[n : n + step, :, first:last] = may.sum(axis=3)
            hours[n : n + step, :, first:last] = (may * length[first:last]).sum(axis=3)
    return number, hours


def _figures(covered: Coverage, available: FloatArray, per_day: int, policy: Policy) -> Utilization:
    required = covered.required.astype(np.float64)
    nobody = available <= 0
    rate = np.where(nobody, np.where(required > 0, np.inf, 0.0), required / np.where(nobody, 1.0, available))
    if required[0, 0] == 0:
        rate[:] = np.nan
    # a tolerance, so that 0.8 x 35 is 28 whole slots
    safe = np.floor(policy.utilization.orange * available + 1e-9)
    buffer = np.where(nobody, 0.0, np.maximum(0.0, safe - required) / np.where(nobody, 1.0, available))
    slots = np.full(required.shape, float(per_day))
    slots[:, 0] = max(1, per_day * covered.days)
    # whole people in an average slot, as full as the scope is: the rounding must not make a queue endless
    servers = np.where(nobody, 0, np.maximum(1, np.floor(available / slots + 0.5))).astype(np.int64)
    load = np.where(nobody, required, np.where(nobody, 0.0, rate) * servers)
    return Utilization(
        covered=covered,
        available=available,
        rate=rate,
        level=policy.utilization.levels(rate),
        buffer=buffer,
        safe_load=safe,
        servers=servers,
        wait_mm1=mm1_wait_factor(rate),
        wait_erlang=np.where(np.isnan(rate), np.nan, erlang_wait_factor(servers, load)),
    )
