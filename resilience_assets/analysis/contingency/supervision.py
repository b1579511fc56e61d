"""Whether a change of places keeps the rules on supervision: so many supervisors at work for those supervised.

Belongs here: judging slot ratios before and after a few people change their post in one slot. Does not belong here:
the ratios of a roster as published (analysis.duty_hours).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.duty_hours import TOLERANCE, bound_people
from resilience_assets.analysis.work import FloatArray
from resilience_assets.domain.days import IntArray
from resilience_assets.domain.roster import BoolArray, CellArray, Roster
from resilience_assets.policy.duty import DutyPolicy, SlotRatio, matches


@dataclass(frozen=True, eq=False)
class Ratio:
    """One rule on a window of a roster: `service` [P, T] at which each person is at work (-1: none), `service_of` [Q],
    `supervisor` [P], `share` [P] of a supervisor that each person takes, `in_force` [T]."""

    service: CellArray
    service_of: IntArray
    supervisor: BoolArray
    share: FloatArray
    in_force: BoolArray


def ratios_of(window: Roster, duty: DutyPolicy) -> tuple[Ratio, ...]:
    """The active rules on supervision, for the slots of a window."""
    rules = [rule for rule in duty.rules if isinstance(rule, SlotRatio) and rule.active]
    if not rules or not window.posts:
        return ()
    service_of = np.array([post.service for post in window.posts], dtype=np.int64)
    service = np.where(window.state >= 0, service_of[np.maximum(window.state, 0)], -1).astype(np.int16)
    roles = [person.role for person in window.people]
    out = []
    for rule in rules:
        supervisor = np.array([matches(role, rule.supervisors) for role in roles], dtype=np.bool_)
        share = np.array(
            [next((one.share for one in rule.supervised if matches(role, one.roles)), 0.0) for role in roles]
        )
        share[~bound_people(window, rule) | supervisor] = 0.0
        in_force = np.array([rule.in_force(int(day)) for day in window.day_of_slot()], dtype=np.bool_)
        out.append(Ratio(service, service_of, supervisor, share, in_force))
    return tuple(out)


def ratios_hold(
    ratios: Sequence[Ratio],
    slot: int,
    away: BoolArray,
    people: npt.NDArray[np.integer],
    posts: npt.NDArray[np.integer],
) -> bool:
    """Whether no service lacks more supervisors than before once people take these posts; `away` [P] are lost."""
    for ratio in ratios:
        if not ratio.in_force[slot]:
            continue
        before = np.where(away, -1, ratio.service[:, slot])
        after = before.copy()
        after[people] = ratio.service_of[posts]
        for service in np.unique(ratio.service_of):
            if lacking(ratio, after == service) > max(0, lacking(ratio, before == service)):
                return False
    return True


def lacking(ratio: Ratio, there: BoolArray) -> int:
    """Supervisors that a service needs more than it has, [P] being who is at work there; negative: to spare."""
    needed = int(np.ceil(float(ratio.share @ there) - TOLERANCE))
    return needed - int((ratio.supervisor & there).sum())
