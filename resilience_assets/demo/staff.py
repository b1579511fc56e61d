"""The people of an invented program, who may hold which post, and who is away when.

Belongs here: making those records. Does not belong here: seating people (board.py), what one
program looks like (family_medicine.py, ward.py, department.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from resilience_assets.domain.days import OPEN_END, OPEN_START
from resilience_assets.domain.nouns import Person


@dataclass(frozen=True, slots=True)
class Qualified:
    """A person may hold a post from epoch day `first` to `last`, both inclusive."""

    person: str
    post: str
    first: int = OPEN_START
    last: int = OPEN_END


@dataclass(frozen=True, slots=True)
class Away:
    """A person is away on epoch days `first` to `last`.

    `late` is an absence that became known after the roster was published: nobody was put in the
    person's place, so it leaves open seats. An absence that is not approved is only asked for.
    """

    person: str
    first: int
    last: int
    kind: str
    approved: bool = True
    late: bool = False


def yearly_leave(
    people: list[Person], first_day: int, weeks: int, at_once: int, random: np.random.Generator
) -> list[Away]:
    """A week of leave (Monday to Sunday) for everybody, never more than `at_once` people in one week.

    `first_day` is a Monday. People beyond weeks x at_once get none in this stretch.
    """
    order = random.permutation(len(people)).tolist()
    seats = [week for _ in range(at_once) for week in random.permutation(weeks).tolist()]
    return [
        Away(people[index].id, first_day + 7 * week, first_day + 7 * week + 6, "vacation")
        for index, week in zip(order, seats, strict=False)
    ]


def without_overlaps(absences: list[Away]) -> list[Away]:
    """The absences without those that overlap an earlier one of the same person in the list."""
    kept: list[Away] = []
    for away in absences:
        if not any(a.person == away.person and a.first <= away.last and away.first <= a.last for a in kept):
            kept.append(away)
    return kept
