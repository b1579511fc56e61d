"""The roster of one program on all dates on file, as arrays.

Belongs here: the arrays, their shapes, cutting a window, looking up who is qualified when, hours.
Does not belong here: reading tables (storage), building the arrays from facts (assembly.py),
hashing (fingerprint.py), judging (analysis).

Axes: P people (sorted by id), Q posts (sorted by id), T = days x S slots with t = day * S + slot.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from resilience_assets.domain import states
from resilience_assets.domain.days import IntArray, utc_minutes
from resilience_assets.domain.nouns import Person, Post, Service
from resilience_assets.domain.program import Program

CellArray = npt.NDArray[np.int16]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Qualifications:
    """Person may hold post, from epoch day, to epoch day (both inclusive). Four columns of length N."""

    person: npt.NDArray[np.int32]
    post: npt.NDArray[np.int16]
    first: npt.NDArray[np.int32]
    last: npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Absences:
    """Person away, first to last epoch day (inclusive). Columns of length N.

    `approved` false means asked for only: such a person still counts as present. `reported` true
    means that it was reported here and is not yet in the source. `source` is the id of the row in
    the absence table, or of the reported absence where `reported`.
    """

    person: npt.NDArray[np.int32]
    first: npt.NDArray[np.int32]
    last: npt.NDArray[np.int32]
    kind: tuple[str, ...]
    approved: BoolArray
    reported: BoolArray
    source: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Roster:
    """See the module. All arrays are read-only by convention; a roster version is never changed.

    - `planned` [P, T] int16: the state as rostered (post index >= 0 or a code of states.py).
    - `state` [P, T] int16: the same after absences and employment dates; ABSENT wins over work.
    - `shift` [P, T] int16: index in `program.shifts` of the shift planned in the cell, -1 if none.
    - `starts` [P, T] bool: the cell is the first slot of its shift.
    - `required`, `minimum` [Q, T] int16: heads required and the safe minimum, 0 <= minimum <= required.
    - `source` [P, T] int32: id of the assignment row behind the cell, 0 if none.
    - `demand_source` [Q, T] int32: id of the demand row behind the cell; negative for a weekly rule's id; 0 if none.
    """

    program: Program
    first_day: int
    days: int
    people: tuple[Person, ...]
    services: tuple[Service, ...]
    posts: tuple[Post, ...]
    planned: CellArray
    state: CellArray
    shift: CellArray
    starts: BoolArray
    required: CellArray
    minimum: CellArray
    qualifications: Qualifications
    absences: Absences
    source: npt.NDArray[np.int32]
    demand_source: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        people, posts, slots = len(self.people), len(self.posts), self.slots
        for name in ("planned", "state", "shift", "starts", "source"):
            if getattr(self, name).shape != (people, slots):
                raise ValueError(f"roster {self.program.id}: {name} has shape {getattr(self, name).shape}, not {(people, slots)}")
        for name in ("required", "minimum", "demand_source"):
            if getattr(self, name).shape != (posts, slots):
                raise ValueError(f"roster {self.program.id}: {name} has shape {getattr(self, name).shape}, not {(posts, slots)}")

    @property
    def per_day(self) -> int:
        """Number S of slots on a date."""
        return len(self.program.slot_types)

    @property
    def slots(self) -> int:
        """Number T of slots on file."""
        return self.days * self.per_day

    @property
    def last_day(self) -> int:
        """Last epoch day on file; first_day - 1 for an empty roster."""
        return self.first_day + self.days - 1

    def day_of_slot(self) -> IntArray:
        """Epoch day of each slot, [T]."""
        return self.first_day + np.repeat(np.arange(self.days, dtype=np.int64), self.per_day)

    def window(self, first: int, last: int) -> Roster:
        """The same roster on epoch days first..last (inclusive) only; dates not on file are left out.

        People, posts, qualifications and absences stay whole, so that indices keep their meaning.
        """
        low = max(first, self.first_day)
        days = max(0, min(last, self.last_day) - low + 1)
        if days == 0:
            low = first
        cut = slice((low - self.first_day) * self.per_day, (low - self.first_day + days) * self.per_day) if days else slice(0, 0)
        cells = {
            name: getattr(self, name)[:, cut]
            for name in ("planned", "state", "shift", "starts", "source", "required", "minimum", "demand_source")
        }
        return replace(self, first_day=low, days=days, **cells)

    def slot_bounds(self) -> tuple[IntArray, IntArray]:
        """UTC minutes at which each slot starts and ends, two arrays [T]."""
        start = np.empty((self.days, self.per_day), dtype=np.int64)
        end = np.empty_like(start)
        for s, slot in enumerate(self.program.slot_types):
            start[:, s] = utc_minutes(self.program.time_zone, self.first_day, self.days, slot.start)
            end[:, s] = utc_minutes(self.program.time_zone, self.first_day, self.days, slot.end)
        return start.ravel(), end.ravel()

    def slot_hours(self) -> npt.NDArray[np.float64]:
        """Length of each slot in hours, [T], in UTC: a night around a clock change has 11 or 13."""
        start, end = self.slot_bounds()
        return (end - start) / 60.0

    def shift_bounds(self) -> tuple[IntArray, IntArray]:
        """UTC minutes at which each shift would start and end on each date, two arrays [K, days]."""
        count = len(self.program.shifts)
        start = np.empty((count, self.days), dtype=np.int64)
        end = np.empty_like(start)
        for k, shift in enumerate(self.program.shifts):
            start[k] = utc_minutes(self.program.time_zone, self.first_day, self.days, shift.start)
            end[k] = utc_minutes(self.program.time_zone, self.first_day, self.days, shift.end)
        return start, end

    @cached_property
    def _qualification_days(self) -> IntArray:
        """Epoch days on which the set of valid qualifications may change, sorted."""
        q = self.qualifications
        return np.unique(np.concatenate([q.first.astype(np.int64), q.last.astype(np.int64) + 1]))

    @cached_property
    def _qualification_masks(self) -> dict[int, BoolArray]:
        return {}

    def qualified_on(self, day: int) -> BoolArray:
        """Who may hold which post on an epoch day, [P, Q] bool. Cached between changes; do not write."""
        epoch = int(np.searchsorted(self._qualification_days, day, side="right"))
        mask = self._qualification_masks.get(epoch)
        if mask is None:
            q = self.qualifications
            valid = (q.first <= day) & (day <= q.last)
            mask = np.zeros((len(self.people), len(self.posts)), dtype=np.bool_)
            mask[q.person[valid], q.post[valid]] = True
            self._qualification_masks[epoch] = mask
        return mask

    def qualification_periods(self) -> list[tuple[int, int, BoolArray]]:
        """The dates on file cut where qualifications change: (first slot, end slot, mask [P, Q])."""
        cuts = self._qualification_days
        inside = cuts[(cuts > self.first_day) & (cuts <= self.last_day)]
        bounds = [self.first_day, *(int(day) for day in inside), self.last_day + 1]
        return [
            ((low - self.first_day) * self.per_day, (high - self.first_day) * self.per_day, self.qualified_on(low))
            for low, high in pairwise(bounds)
            if high > low
        ]

    def qualified_cells(self, cells: CellArray) -> BoolArray:
        """Where a [P, T] array of states holds a post for which the person is qualified that day."""
        out = np.zeros(cells.shape, dtype=np.bool_)
        rows = np.arange(len(self.people))[:, None]
        for low, high, mask in self.qualification_periods():
            part = cells[:, low:high]
            if len(self.posts):
                out[:, low:high] = (part >= 0) & mask[rows, np.maximum(part, 0)]
        return out

    def filled(self) -> npt.NDArray[np.int32]:
        """Heads seated at each post: qualified and present people, [Q, T]."""
        out = np.zeros((len(self.posts), self.slots), dtype=np.int32)
        person, slot = np.nonzero(self.qualified_cells(self.state))
        np.add.at(out, (self.state[person, slot], slot), 1)
        return out

    def available(self) -> BoolArray:
        """Where a person could work here: not absent, resting, elsewhere or unknown, [P, T]."""
        present: BoolArray = (self.state >= 0) | (self.state == states.OFF) | (self.state == states.FREE)
        return present


CELL_FIELDS = ("planned", "state", "shift", "starts", "required", "minimum")
"""The arrays that decide results; `source` and `demand_source` only say where a cell came from."""


def same_roster(one: Roster, other: Roster) -> bool:
    """True when two rosters are equal bit for bit, provenance included."""
    for spec in fields(Roster):
        a, b = getattr(one, spec.name), getattr(other, spec.name)
        if isinstance(a, np.ndarray):
            if a.dtype != b.dtype or not np.array_equal(a, b):
                return False
        elif isinstance(a, Qualifications | Absences):
            for inner in fields(type(a)):
                x, y = getattr(a, inner.name), getattr(b, inner.name)
                equal = x.dtype == y.dtype and np.array_equal(x, y) if isinstance(x, np.ndarray) else x == y
                if not equal:
                    return False
        elif a != b:
            return False
    return True
