"""Redundancy: how many people a service can lose at its worst slot and still hold its safe minimum.

Belongs here: heads beyond the minimum, and where they are fewest. Does not belong here: whose loss
breaks what, and moving people between services (contingency).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from resilience_assets.domain import states
from resilience_assets.domain.days import day_text
from resilience_assets.domain.roster import BoolArray, Roster
from resilience_assets.domain.scales import Redundancy
from resilience_assets.policy.model import Policy

Counts = npt.NDArray[np.int64]

MOST_POSTS = 6
"""Up to so many posts with a minimum, every group of posts of a service is looked at (63 groups)."""


@dataclass(frozen=True, slots=True)
class ServiceRedundancy:
    """Redundancy of one service over a horizon.

    `spare` is the heads beyond the minimum at the worst slot, `present` and `minimum` the figures
    there, `posts` the posts that are short or nearest to it; `day` (epoch day) and `slot` (code)
    say where, the earliest of equals. `call_in_spare` and `call_in_level` also count people who are
    off and could be called in. None and UNKNOWN where the service never has a minimum.
    """

    service: str
    tier: int
    level: Redundancy
    spare: int | None
    present: int | None
    minimum: int | None
    day: int | None
    slot: str
    posts: tuple[str, ...]
    call_in_level: Redundancy
    call_in_spare: int | None
    slots_judged: int

    @property
    def where(self) -> str:
        """'2025-03-04 NIGHT', or '' for a service that is not judged."""
        return "" if self.day is None else f"{day_text(self.day)} {self.slot}"


def redundancy(roster: Roster, policy: Policy, first_day: int, last_day: int) -> list[ServiceRedundancy]:
    """Redundancy of each service on epoch days first_day..last_day, in order of the roster.

    A person is there for a service in a slot when qualified that day and at work at one of its posts,
    or free (at work, not needed); people at work elsewhere are not counted. For every group of posts
    of the service, the people qualified for any of them are counted against the sum of their
    minima; the smallest surplus is the number of people that may be lost, whoever they are (Hall's
    marriage theorem), so an attending and a resident do not stand in for each other. Slots without
    a minimum are not judged.
    """
    window = roster.window(first_day, last_day)
    found: list[ServiceRedundancy] = []
    for index, service in enumerate(window.services):
        posts = [q for q, post in enumerate(window.posts) if post.service == index]
        posts = [q for q in posts if window.minimum[q].any()]
        if not posts or not window.days:
            found.append(_unjudged(service.id, int(service.tier)))
            continue
        found.append(_judged(window, policy, index, posts))
    return found


def _unjudged(service: str, tier: int) -> ServiceRedundancy:
    unknown = Redundancy.UNKNOWN
    return ServiceRedundancy(service, tier, unknown, None, None, None, None, "", (), unknown, None, 0)


def _judged(window: Roster, policy: Policy, service: int, posts: list[int]) -> ServiceRedundancy:
    state = window.state
    of_service = np.array([post.service == service for post in window.posts], dtype=np.bool_)
    there = (state == states.FREE) | ((state >= 0) & of_service[np.maximum(state, 0)])
    off = state == states.OFF
    groups = _groups(posts)
    present = np.zeros((len(groups), window.slots), dtype=np.int64)
    callable_too = np.zeros_like(present)
    for low, high, mask in window.qualification_periods():
        able = np.array([mask[:, list(group)].any(axis=1) for group in groups])
        present[:, low:high] = _count(able, there[:, low:high])
        callable_too[:, low:high] = _count(able, off[:, low:high])
    minimum = np.array([window.minimum[list(group)].sum(axis=0, dtype=np.int64) for group in groups])
    spare = present - minimum
    # a group in which nobody is asked for says nothing
    spare = np.where(minimum > 0, spare, np.iinfo(np.int64).max)
    judged = (minimum > 0).any(axis=0)
    slot = int(np.argmin(spare.min(axis=0)))
    group = int(np.argmin(spare[:, slot]))
    call_in = int(np.where(minimum > 0, spare + callable_too, np.iinfo(np.int64).max).min())
    least = int(spare[group, slot])
    return ServiceRedundancy(
        service=window.services[service].id,
        tier=int(window.services[service].tier),
        level=policy.redundancy.level(least),
        spare=least,
        present=int(present[group, slot]),
        minimum=int(minimum[group, slot]),
        day=window.first_day + slot // window.per_day,
        slot=window.program.slot_types[slot % window.per_day].code,
        posts=tuple(window.posts[q].id for q in groups[group] if window.minimum[q, slot] > 0),
        call_in_level=policy.redundancy.level(call_in),
        call_in_spare=call_in,
        slots_judged=int(judged.sum()),
    )


def _groups(posts: list[int]) -> list[tuple[int, ...]]:
    """Groups of posts to look at, small ones first; single posts, pairs and all of them when there are many."""
    sizes: Any = range(1, len(posts) + 1) if len(posts) <= MOST_POSTS else (1, 2, len(posts))
    return [group for size in sizes for group in combinations(posts, size)]


def _count(able: BoolArray, cells: BoolArray) -> Counts:
    """How many able people [G, P] are in the cells [P, n], [G, n]. float32 is exact to 16 million heads."""
    return np.asarray(able.astype(np.float32) @ cells.astype(np.float32), dtype=np.int64)
