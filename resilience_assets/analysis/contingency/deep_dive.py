"""The deep dive into a contingency report: what takes longer, and is asked once a night.

Belongs here: asking all of it of one report, and the advice that follows. Does not belong here: each analysis (its
own module), storing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from resilience_assets.analysis.cascade import CriticalPoint, critical_points, loads_of
from resilience_assets.analysis.centrality import Centrality, centrality
from resilience_assets.analysis.contingency.bits import Words, bits_of
from resilience_assets.analysis.contingency.groups import GroupLoss, group_losses, groups_of
from resilience_assets.analysis.contingency.hours import HoursCheck, hours_check
from resilience_assets.analysis.contingency.labels import Counts
from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets.analysis.contingency.probability import (
    AbsenceRates,
    Floats,
    absence_rates,
    riskiest_pairs,
    unannounced_on,
)
from resilience_assets.analysis.contingency.report import Contingency, phase_of
from resilience_assets.analysis.contingency.training import Training, legal_if_qualified, training
from resilience_assets.analysis.contingency.worst import Worst, curve
from resilience_assets.analysis.phase_risk import PhaseRiskReading
from resilience_assets.analysis.utilization import utilization
from resilience_assets.domain.roster import BoolArray, Roster
from resilience_assets.domain.scales import PhaseRisk
from resilience_assets.policy.model import Policy

MOST_LOSSES = 4
CRITICAL_PEOPLE = 5
"""People who are named as the most critical."""


@dataclass(frozen=True, eq=False)
class DeepDive:
    """The answers for the window of a report; people, posts and slots are its indices.

    `worst` for 1, 2, .. people; `training` among people whose role holds the post already; `risky_pairs` [N, 2]
    with `risky_seats` [N] expected to open; `critical` the people whose loss does most harm, the gravest first.
    """

    worst: tuple[Worst, ...]
    training: Training
    groups: tuple[GroupLoss, ...]
    hours: HoursCheck
    rates: AbsenceRates
    risky_pairs: Counts
    risky_seats: Floats
    centrality: Centrality
    cascade: tuple[CriticalPoint, ...]
    phase: PhaseRiskReading
    critical: tuple[int, ...]


def deep_dive(roster: Roster, policy: Policy, found: Contingency, first_day: int, last_day: int) -> DeepDive:
    """Dive into the report `found` of epoch days first_day..last_day of a roster that holds its history too."""
    masks, demand, full = found.masks, found.demand, found.minimum[Moves.FULL]
    rates = absence_rates(roster, policy.absence, first_day)
    pairs, seats = riskiest_pairs(unannounced_on(found.window, rates.rate), full)
    tiers = np.array([found.window.services[post.service].tier for post in found.window.posts], dtype=np.int64)
    return DeepDive(
        worst=curve(masks, Moves.FULL, demand, MOST_LOSSES),
        training=training(masks, Moves.FULL, demand, trainable(roster, policy, first_day, last_day), tiers),
        groups=group_losses(masks, Moves.FULL, demand, groups_of(roster)),
        hours=hours_check(roster, policy, first_day, last_day, masks, demand, full, found.pairs.worst_by_seats[:, 2:]),
        rates=rates,
        risky_pairs=pairs,
        risky_seats=seats,
        centrality=centrality(found.window, full.slots_lost),
        cascade=tuple(critical_points(loads_of(found.window, policy), full.slots_lost, policy)),
        phase=phase_of(found, utilization(roster, policy, first_day, last_day).of_program(), policy),
        critical=most_critical(found),
    )


def trainable(roster: Roster, policy: Policy, first_day: int, last_day: int) -> Words:
    """Posts that each person could hold in each slot after training, [T, P, W]: legal, and held by the person's role.

    A post that nobody of a role is qualified for on any of these dates is no matter of training for it: a resident
    is not trained to be an attending.
    """
    legal = legal_if_qualified(roster, policy.duty, first_day, last_day)
    held = bits_of(held_by_role(roster.window(first_day, last_day)), legal.shape[2])
    return np.ascontiguousarray(legal & held[None])


def held_by_role(window: Roster) -> BoolArray:
    """Whether somebody of the person's role is qualified for the post on any date of the window, [P, Q]."""
    able = np.zeros((len(window.people), len(window.posts)), dtype=np.bool_)
    for _, _, mask in window.qualification_periods():
        able |= mask
    roles = np.array([person.role for person in window.people])
    out = np.zeros_like(able)
    for role in sorted(set(roles.tolist())):
        out[roles == role] = able[roles == role].any(axis=0)
    return out


def most_critical(found: Contingency, most: int = CRITICAL_PEOPLE) -> tuple[int, ...]:
    """People whose loss opens a seat with anyone moved; of equal harm those who are harder to replace with less moving."""
    harm = [found.minimum[moves].slots_lost for moves in (Moves.STATIC, Moves.DIRECT, Moves.CALL_IN, Moves.FULL)]
    order = np.lexsort([np.arange(harm[0].size), *[-one for one in harm]])
    return tuple(int(p) for p in order[:most] if harm[-1][p] > 0)


def advice(found: Contingency, dive: DeepDive) -> list[str]:
    """What to do, the most urgent first, in plain sentences with readable ids."""
    people, posts = [one.id for one in found.window.people], [one.id for one in found.window.posts]
    out = []
    if found.demand.any() and not (found.window.planned >= 0).any():
        out.append("Publish the roster: nobody is planned for any seat of these dates")
    if found.open_seats():
        out.append(f"Fill what is open now: {found.open_seats()} seat-slots below the minimum stay open however people are moved")
    if dive.critical:
        named = ", ".join(people[p] for p in dive.critical)
        out.append(f"A single loss breaks the roster: arrange a stand-in for {named}")
    for one in dive.training.best:
        gain = one.before.seats - one.after.seats
        if one.before.open > one.after.open:
            out.append(f"Train {people[one.person]} for {posts[one.post]}: seats open now {one.before.open} -> {one.after.open}")
        elif gain > 0:
            out.append(f"Train {people[one.person]} for {posts[one.post]}: harm of single losses {one.before.seats} -> {one.after.seats} seat-slots")
    if dive.hours.worse_by > 0:
        out.append(f"Duty hours leave {dive.hours.worse_by} more seat-slots open than a look at single slots tells: spread the work")
    if dive.phase.level in (PhaseRisk.HIGH, PhaseRisk.CRITICAL):
        out.append(f"Take on no more work: phase risk is {dive.phase.level.text} ({'; '.join(dive.phase.reasons)})")
    if not out and found.n1_pass is not False and found.n2_pass is False:
        out.append("Any one person may be lost, some two may not: keep the listed pairs apart in leave and call")
    return out
