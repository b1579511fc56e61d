"""Who backs whom up: the classes of all slots, as sets of people.

Belongs here: gathering classes that are the same people in several slots. Does not belong here: what a class
is (dominators.py).

The people of a class stand in for each other and nobody else does: the loss of any one is made good, of any two
is not.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from resilience_assets.analysis.contingency.dominators import ESSENTIAL, NEITHER
from resilience_assets.analysis.contingency.labels import Labels


@dataclass(frozen=True, slots=True)
class Backing:
    """The same people (indices, ascending) as a class in these slots."""

    people: tuple[int, ...]
    slots: tuple[int, ...]


def backings(found: Labels, most: int = 20) -> list[Backing]:
    """Classes that are one in most slots first, then smaller ones, then in the order of people; at most so many."""
    slots_of: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for t in np.flatnonzero(found.classes):
        row = found.label[t]
        for c in np.setdiff1d(row, (NEITHER, ESSENTIAL)):
            slots_of[tuple(int(p) for p in np.flatnonzero(row == c))].append(int(t))
    order = sorted(slots_of.items(), key=lambda one: (-len(one[1]), len(one[0]), one[0]))
    return [Backing(people, tuple(slots)) for people, slots in order[:most]]
