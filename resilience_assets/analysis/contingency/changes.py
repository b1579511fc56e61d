"""What is new in a contingency report since the one before it.

Belongs here: comparing two reports of one program on the dates that both speak of. Does not belong here:
finding the one before (storage).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.dominators import ESSENTIAL
from resilience_assets.analysis.contingency.labels import Counts
from resilience_assets.analysis.contingency.seating import Octets


@dataclass(frozen=True, eq=False)
class Known:
    """What a report said, as far as it is compared: labels [T, P], deficit [T] and losses stood [T] from `first_day` on."""

    first_day: int
    per_day: int
    people: tuple[str, ...]
    label: Octets
    deficit: Counts
    survives: Counts


@dataclass(frozen=True, slots=True)
class NewLoss:
    """Somebody whose loss opens a seat in `slots` slots in which it did not; the first of them."""

    person: str
    slots: int
    day: int
    slot: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Since the report before: `people` whose loss is worse, gravest first; slots with more seats open, and slots in
    which a loss of one or of two now opens a seat and did not. `relieved` people are no longer needed anywhere."""

    people: tuple[NewLoss, ...]
    open_slots: tuple[int, ...]
    n1_slots: tuple[int, ...]
    n2_slots: tuple[int, ...]
    relieved: tuple[str, ...]

    @property
    def any(self) -> bool:
        """Whether anything became worse."""
        return bool(self.people or self.open_slots or self.n1_slots or self.n2_slots)


def changes(before: Known, now: Known) -> Changes:
    """What became worse from one report to the next, on the dates of both; slots are numbered as in `now`.

    People are compared by id: somebody who came in between is new with all that the loss opens. ValueError
    where the day is divided differently.
    """
    if before.per_day != now.per_day:
        raise ValueError(f"the reports have {before.per_day} and {now.per_day} slots a day: they cannot be compared")
    begin = max(before.first_day, now.first_day)
    end = min(_end(before), _end(now))
    then, this = _between(before, begin, end), _between(now, begin, end)
    offset = (begin - now.first_day) * now.per_day
    needed = this.label == ESSENTIAL
    was = _needed_by_id(then, now.people)
    fresh = needed & ~was
    worse = [_new_loss(now, fresh[:, p], int(p), begin) for p in np.flatnonzero(fresh.any(axis=0))]
    gone = was.any(axis=0) & ~needed.any(axis=0)
    return Changes(
        people=tuple(sorted(worse, key=lambda one: (-one.slots, one.day, one.slot, one.person))),
        open_slots=_slots(this.deficit > then.deficit, offset),
        n1_slots=_slots((this.survives < 1) & (then.survives >= 1), offset),
        n2_slots=_slots((this.survives < 2) & (then.survives >= 2), offset),
        relieved=tuple(now.people[p] for p in np.flatnonzero(gone)),
    )


def _end(known: Known) -> int:
    return known.first_day + int(known.label.shape[0]) // known.per_day


def _between(known: Known, first: int, end: int) -> Known:
    """The same for the dates from `first` up to, not including, `end`."""
    low = (first - known.first_day) * known.per_day
    high = max(low, (end - known.first_day) * known.per_day)
    part = slice(low, high)
    return Known(first, known.per_day, known.people, known.label[part], known.deficit[part], known.survives[part])


def _needed_by_id(then: Known, people: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Whether the loss of each of these people opened a seat, [T, P]; False for who was not there."""
    column = {person: p for p, person in enumerate(then.people)}
    out: npt.NDArray[np.bool_] = np.zeros((then.label.shape[0], len(people)), dtype=np.bool_)
    for p, person in enumerate(people):
        if person in column:
            out[:, p] = then.label[:, column[person]] == ESSENTIAL
    return out


def _new_loss(now: Known, fresh: npt.NDArray[np.bool_], p: int, begin: int) -> NewLoss:
    slots = np.flatnonzero(fresh)
    day, slot = divmod(int(slots[0]), now.per_day)
    return NewLoss(now.people[p], int(slots.size), begin + day, slot)


def _slots(which: npt.NDArray[np.bool_], offset: int) -> tuple[int, ...]:
    return tuple(int(t) + offset for t in np.flatnonzero(which))
