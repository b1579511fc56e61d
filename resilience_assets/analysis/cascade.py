"""Cascade: people take over the work of those who are lost, until somebody has too much and is lost too.

Belongs here: the simulation, the loads it begins with, the points where it is worth simulating. Does not belong here:
what can be re-deployed slot by slot (contingency); limits (policy).

The model is coarse on purpose: work is counted over the whole window, by post, in slots. All work of a post whose
people are lost is shared equally by the people left who are qualified for it; what nobody is qualified for is
left undone. Somebody left fails when the load is above `overload` times what the person can sustain, and then the
work is shared anew. What a person can sustain is the larger of the own load and a full share (the mean load of
those who work, a full-time person, times the own full-time share), at the safe load of the policy: a person who is idle
today can take a full share like everybody else.

The more people are lost at first, the more are lost at each step, for each has more to take over from more
people among fewer: so a larger loss never leaves more work done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.labels import Counts
from resilience_assets.domain.roster import BoolArray, Roster
from resilience_assets.policy.model import Policy

FloatArray = npt.NDArray[np.float64]

ROUNDING = 1e-9
"""So much above a limit is rounding."""


@dataclass(frozen=True, eq=False)
class Loads:
    """Who works how much, P people and Q posts: `load` [P, Q] and `sustainable` [P] in slots, `qualified` [P, Q]."""

    load: FloatArray
    qualified: BoolArray
    sustainable: FloatArray


@dataclass(frozen=True, slots=True)
class Cascade:
    """What follows from a loss. People are indices.

    `steps` are those who fail, step by step, beyond the `lost`; `coverage` is the share of the work that is done
    in the end, None where there was none.
    """

    lost: tuple[int, ...]
    steps: tuple[tuple[int, ...], ...]
    coverage: float | None
    catastrophic: bool | None

    @property
    def length(self) -> int:
        """Steps in which somebody fails; 0 for a loss that the others can carry."""
        return len(self.steps)

    @property
    def failed(self) -> int:
        """How many people fail beyond those who are lost."""
        return sum(len(step) for step in self.steps)


@dataclass(frozen=True, slots=True)
class CriticalPoint:
    """A person whose loss was simulated: `slots_lost` by re-deployment slot by slot, and what the cascade does.

    `risk` is critical if catastrophic, high if others fail or work is left undone, medium if a seat is opened by the
    loss, and low if none of these.
    """

    person: int
    slots_lost: int
    cascade: Cascade
    risk: str


def loads_of(window: Roster, policy: Policy) -> Loads:
    """Loads of a window: slots in which a present person holds a post; qualified is who is so on any of its dates."""
    people, posts = len(window.people), len(window.posts)
    load = np.zeros((people, posts))
    person, slot = np.nonzero(window.state >= 0)
    np.add.at(load, (person, window.state[person, slot]), 1.0)
    qualified = np.zeros((people, posts), dtype=np.bool_)
    for _, _, mask in window.qualification_periods():
        qualified |= mask
    fte = np.array([person.fte for person in window.people], dtype=np.float64)
    return Loads(load, qualified, sustainable(load.sum(axis=1), fte, policy))


def sustainable(load: FloatArray, fte: FloatArray, policy: Policy) -> FloatArray:
    """Slots that each person can sustain, [P], from loads [P] and full-time shares [P] (see the module)."""
    at_work = load > 0
    full_share = load.sum() / fte[at_work].sum() if at_work.any() else 0.0
    return np.asarray(np.maximum(load, full_share * fte) / policy.utilization.orange, dtype=np.float64)


def cascade(loads: Loads, lost: Sequence[int], policy: Policy) -> Cascade:
    """Simulate the loss of these people (indices)."""
    people, total = loads.load.shape[0], float(loads.load.sum())
    left = np.ones(people, dtype=np.bool_)
    left[list(lost)] = False
    most = policy.cascade.overload * loads.sustainable * (1 + ROUNDING)
    steps: list[tuple[int, ...]] = []
    while True:
        carried = _carried(loads, left)
        # the own load alone is never too much: it is at most what can be sustained, and the limit is above that
        failing = np.flatnonzero(left & (carried > most))
        if not failing.size:
            break
        steps.append(tuple(failing.tolist()))
        left[failing] = False
    coverage = float(carried[left].sum() / total) if total else None
    if coverage is not None:
        coverage = min(1.0, round(coverage, 9))
    catastrophic = None if coverage is None else coverage < policy.cascade.catastrophic_below
    return Cascade(tuple(sorted(lost)), tuple(steps), coverage, catastrophic)


def _carried(loads: Loads, left: BoolArray) -> FloatArray:
    """Work of each person when all work of those who are lost is shared, [P]; 0 for the lost."""
    own = np.where(left[:, None], loads.load, 0.0)
    open_work = loads.load.sum(axis=0) - own.sum(axis=0)
    able = loads.qualified & left[:, None]
    heads = able.sum(axis=0)
    share = np.where(heads > 0, open_work / np.maximum(heads, 1), 0.0)
    return np.asarray(own.sum(axis=1) + able @ share, dtype=np.float64)


def critical_points(loads: Loads, slots_lost: Counts, policy: Policy, most: int = 10) -> list[CriticalPoint]:
    """Simulate the loss of the `most` people with the largest true damage, `slots_lost` [P] (the report's).

    The busier of equals first, then the first. A roster in which all can be spared gives points of risk low.
    """
    order = np.lexsort((-loads.load.sum(axis=1), -slots_lost))[:most]
    out = []
    for person in order.tolist():
        found = cascade(loads, [person], policy)
        out.append(CriticalPoint(person, int(slots_lost[person]), found, _risk(found, int(slots_lost[person]))))
    return out


def _risk(found: Cascade, slots_lost: int) -> str:
    if found.catastrophic:
        return "critical"
    if found.length or (found.coverage is not None and found.coverage < 1):
        return "high"
    return "medium" if slots_lost else "low"
