"""Common causes: the loss of a whole group at once, and which groups a roster has.

Belongs here: groups by team, role, home region and leave, and what the loss of each opens. Does not belong here:
the worst people whoever they are (worst.py), how likely a loss is (probability.py).

A group comes in as a name and the indices of its people, so that any other common cause (a car pool, a flu ward)
can be asked in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from resilience_assets.analysis.contingency.labels import Counts, Demand, deficits
from resilience_assets.analysis.contingency.masks import Masks, Moves
from resilience_assets.domain.days import day_text
from resilience_assets.domain.roster import Roster

Groups = Mapping[str, Sequence[int]]
FEWEST = 2
"""People that make a group; the loss of one is N-1."""


@dataclass(frozen=True, eq=False)
class GroupLoss:
    """What the loss of a group opens over T slots.

    `people` are indices in order. `now` [T] seats open with nobody lost, `after` [T] with the group lost.
    """

    name: str
    people: tuple[int, ...]
    now: Counts
    after: Counts

    @property
    def seats(self) -> int:
        """Seats more open than now, over all slots."""
        return int((self.after - self.now).sum())

    @property
    def slots(self) -> int:
        """Slots in which more seats are open than now."""
        return int((self.after > self.now).sum())

    @property
    def worst_slot(self) -> int | None:
        """The slot in which most seats are then open, the earliest of equals among those that the loss breaks."""
        broken = self.after > self.now
        return int(np.where(broken, self.after, -1).argmax()) if broken.any() else None

    @property
    def passes(self) -> bool:
        """Whether no seat is then open in any slot: an open seat of today is no pass."""
        return not self.after.any()


def group_losses(masks: Masks, moves: Moves, demand: Demand, groups: Groups) -> tuple[GroupLoss, ...]:
    """The loss of each group against a demand [T, Q]: most seats first, then most slots, then by name.

    ValueError for a group with a person whom the program has not.
    """
    count = masks.place.shape[1]
    now = deficits(masks, moves, demand)
    found = []
    for name, members in groups.items():
        people = tuple(sorted({int(p) for p in members}))
        if people and not 0 <= people[0] <= people[-1] < count:
            raise ValueError(f"group {name}: people {list(people)}, and the program has 0 to {count - 1}")
        found.append(GroupLoss(name, people, now, deficits(masks, moves, demand, people)))
    return tuple(sorted(found, key=lambda one: (-one.seats, -one.slots, one.name)))


def group_columns(losses: Sequence[GroupLoss], roster: Roster) -> dict[str, list[Any]]:
    """Group losses in flat form, with ids; `roster` is the window whose slots they are of.

    `worst_day`, `worst_slot`, `worst_deficit` are None for a loss that opens nothing.
    """
    days, codes = roster.day_of_slot(), [one.code for one in roster.program.slot_types]
    worst = [one.worst_slot for one in losses]
    return {
        "group": [one.name for one in losses],
        "people": [[roster.people[p].id for p in one.people] for one in losses],
        "seats": [one.seats for one in losses],
        "slots": [one.slots for one in losses],
        "worst_day": [None if t is None else int(days[t]) for t in worst],
        "worst_slot": [None if t is None else codes[t % roster.per_day] for t in worst],
        "worst_deficit": [None if t is None else int(one.after[t]) for one, t in zip(losses, worst, strict=True)],
        "passes": [one.passes for one in losses],
    }


def groups_of(roster: Roster) -> dict[str, tuple[int, ...]]:
    """All groups that a roster tells of: teams, roles, home regions, and people on leave together."""
    return {
        **by_value("team", [person.team for person in roster.people]),
        **by_value("role", [person.role for person in roster.people]),
        **by_value("home region", [person.home_region for person in roster.people]),
        **same_leave(roster),
    }


def by_value(kind: str, values: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """People with the same value (one for each person, '' unknown), two and more of them: {'team Blue': (0, 3)}."""
    found: dict[str, list[int]] = {}
    for person, value in enumerate(values):
        if value:
            found.setdefault(value, []).append(person)
    return {f"{kind} {value}": tuple(people) for value, people in sorted(found.items()) if len(people) >= FEWEST}


def same_leave(roster: Roster) -> dict[str, tuple[int, ...]]:
    """People with an absence of the same kind on the same first and last date, within the dates of the roster.

    They are away together (a course, a deployment, a flu), and what keeps one of them away longer keeps all.
    Absences that only overlap make no group. Those asked for and not approved yet count too.
    """
    away = roster.absences
    found: dict[tuple[int, int, str], set[int]] = {}
    for person, first, last, kind in zip(
        away.person.tolist(), away.first.tolist(), away.last.tolist(), away.kind, strict=True
    ):
        if first <= roster.last_day and last >= roster.first_day:
            found.setdefault((first, last, kind), set()).add(person)
    out: dict[str, tuple[int, ...]] = {}
    for (first, last, kind), people in sorted(found.items()):
        if len(people) >= FEWEST:
            dates = f"{day_text(first) or 'always'} to {day_text(last) or 'further notice'}"
            out[f"away together {dates} ({kind})"] = tuple(sorted(people))
    return out
