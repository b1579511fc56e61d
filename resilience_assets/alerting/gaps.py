"""Declared gaps: seats known to be open and accepted, which leave the alarm and never the figure.

Belongs here: what of a service's open seats is accepted, and what is left to be alarmed of. Does not belong here:
declaring a gap (actions), the coverage that people are shown (analysis).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gap:
    """At most `seats` open seats of a service on each date (epoch days, inclusive) are accepted."""

    service: str
    first: int
    last: int
    seats: int


@dataclass(frozen=True, slots=True)
class ServiceDay:
    """One service on one date: seats required, open, and below the minimum (which are open too)."""

    service: str
    day: int
    required: float
    open_seats: int
    open_below_minimum: int


@dataclass(frozen=True, slots=True)
class Left:
    """What is left for the alarm over all dates, declared gaps taken out."""

    required: float
    open_seats: int
    open_below_minimum: int

    @property
    def coverage(self) -> float | None:
        """Coverage as the alarm sees it: a seat of a declared gap counts as filled. None where nothing is required."""
        return 1 - self.open_seats / self.required if self.required else None


def without_gaps(days: Iterable[ServiceDay], gaps: Iterable[Gap]) -> Mapping[str, Left]:
    """What is left of each service. Gaps that overlap add up; a seat beyond them is open as before."""
    declared = list(gaps)
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0, 0])
    for one in days:
        accepted = sum(gap.seats for gap in declared if gap.service == one.service and gap.first <= one.day <= gap.last)
        total = sums[one.service]
        total[0] += one.required
        total[1] += max(one.open_seats - accepted, 0)
        total[2] += max(one.open_below_minimum - accepted, 0)
    return {service: Left(required, int(seats), int(below)) for service, (required, seats, below) in sums.items()}
