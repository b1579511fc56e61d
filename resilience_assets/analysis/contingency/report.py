"""The contingency report of a roster: open seats now, every person, every pair, the thinnest slots.

Belongs here: asking the kernel all questions of a window, and its answers in the words of the product, as
flat columns. Does not belong here: the kernel (the other modules), storing, names of people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.added_shift import added_shifts
from resilience_assets.analysis.contingency.bits import members_of
from resilience_assets.analysis.contingency.chains import Chains, chains
from resilience_assets.analysis.contingency.dominators import ESSENTIAL
from resilience_assets.analysis.contingency.holders import sole_holder_slots
from resilience_assets.analysis.contingency.labels import Counts, Demand, Labels, deficits, labels
from resilience_assets.analysis.contingency.margin import NO_DEMAND, Margin, margin
from resilience_assets.analysis.contingency.masks import Masks, Moves, masks_of
from resilience_assets.analysis.contingency.pairs import Pairs, pairs
from resilience_assets.analysis.contingency.seating import UNSEATED
from resilience_assets.analysis.phase_risk import PhaseRiskReading, phase_risk, risk_measures
from resilience_assets.domain.roster import Roster
from resilience_assets.policy.model import Policy


@dataclass(frozen=True, eq=False)
class TierLoss:
    """What is lost of the tiers up to one, all others paused: `deficit` [T] now, `slots_lost` [P] by each person."""

    deficit: Counts
    slots_lost: Counts


@dataclass(frozen=True, eq=False)
class Contingency:
    """The answers for one window; T slots, P people. See the modules for what each means.

    `minimum` and `required` hold the labels by who may move, against the safe minimum (the deficit of a
    report) and the heads required (the second figure). `tiers` are those with a minimum in the window, the
    most protected first; `by_tier` [moves][tier] counts the minima of tiers up to that one. `margin`, `pairs`,
    `chains` and `sole_slots` [P] are against the minimum with anyone moved. The horizon begins with `first_day`, and
    `missing_days` of it are not on file; `unqualified` cells hold people at posts for which they are not qualified:
    they fill no seat.
    """

    window: Roster
    first_day: int
    missing_days: int
    masks: Masks
    minimum: Mapping[Moves, Labels]
    required: Mapping[Moves, Labels]
    tiers: tuple[int, ...]
    by_tier: Mapping[Moves, Mapping[int, TierLoss]]
    margin: Margin
    pairs: Pairs
    chains: Chains
    sole_slots: Counts
    unqualified: int

    def open_seats(self, moves: Moves = Moves.FULL) -> int:
        """Seat-slots below the minimum that stay open today, with nobody lost."""
        return int(self.minimum[moves].deficit.sum())

    def passes(self, losses: int, moves: Moves = Moves.FULL, days: int | None = None) -> bool | None:
        """Whether any so many people (1 or 2) may be lost in any slot and no minimum is left open.

        Of all dates of the horizon, or of its first `days`. False with a seat open today, and where nobody at all is
        seated: an empty schedule is no plan, even if enough people could be called in. None where nothing is asked for,
        or where all that is on file passes and some of these dates are not on file.
        """
        found, asked = self.minimum[moves], self.window.minimum
        slots = self.slots_within(days)
        if ((found.deficit[:slots] > 0) | (found.survives[:slots] < losses)).any():
            return False
        if asked[:, :slots].any() and not self.window.filled()[:, :slots].any():
            return False
        missing = self.missing_days if days is None else days - slots // self.window.per_day
        return True if asked[:, :slots].any() and not missing else None

    def slots_within(self, days: int | None) -> int:
        """How many slots of the window are on the first `days` dates of the horizon: fewer where some are not on file."""
        if days is None:
            return self.window.slots
        dates = self.first_day + days - self.window.first_day
        return min(max(0, dates), self.window.days) * self.window.per_day

    @property
    def n1_pass(self) -> bool | None:
        """Whether any one person may be lost (`passes`)."""
        return self.passes(1)

    @property
    def n2_pass(self) -> bool | None:
        """Whether any two people may be lost (`passes`)."""
        return self.passes(2)

    @property
    def demand(self) -> Demand:
        """The safe minimum with the posts of a slot side by side, [T, Q]."""
        return _by_slot(self.window.minimum)

    def loss(self, people: list[int], moves: Moves = Moves.FULL) -> Counts:
        """Seats more open in each slot when these people are lost, [T]: any set, by seating anew."""
        return deficits(self.masks, moves, self.demand, people) - self.minimum[moves].deficit

    def thinnest(self, most: int = 10) -> list[int]:
        """Slots that the fewest losses break, the earliest of equals first; only slots with a minimum."""
        order = np.argsort(self.margin.slack, kind="stable")
        return [int(t) for t in order[:most] if self.margin.slack[t] != NO_DEMAND]

    def people_columns(self, moves: Moves = Moves.FULL) -> dict[str, list[Any]]:
        """The loss of each person in flat form, a row a person in their order.

        `slots_lost` against the minimum, `slots_lost_required` against what is required, `tier_n` against
        the minima of tiers up to n (None where no tier up to n has any). `worst_day`, `worst_slot`: where
        most seats are then open (`worst_deficit`), None where the loss opens none. `posts_lost`: where
        the person is seated when it does. `sole_slots`: slots in which nobody else may hold some post.
        `people_moved`: the most who must move for the loss to be made good, with anyone moved, where it can be.
        """
        found = self.minimum[moves]
        return {
            "person": [person.id for person in self.window.people],
            "slots_lost": found.slots_lost.tolist(),
            "slots_lost_required": self.required[moves].slots_lost.tolist(),
            **self._worst(found),
            "posts_lost": self._posts(found.posts_lost),
            "sole_slots": self.sole_slots.tolist(),
            "people_moved": self.chains.length.tolist(),
            **self._tier_columns(moves),
        }

    def slots_columns(self) -> dict[str, list[Any]]:
        """Each slot in flat form: seats open now by who may move, `losses` that break it (k*), and where.

        `losses` is None without a minimum, and at `margin.most` + 1 it means so many or more. The witness:
        `thin_posts`, the `thin_people` who may hold one of them, `spare` of them beyond the seats.
        """
        slots = self.window.slots
        codes = [slot.code for slot in self.window.program.slot_types]
        out: dict[str, list[Any]] = {
            "day": self.window.day_of_slot().tolist(),
            "slot": [codes[t % self.window.per_day] for t in range(slots)],
        }
        for moves in Moves:
            out[f"open_{moves.name.lower()}"] = self.minimum[moves].deficit.tolist()
            out[f"open_required_{moves.name.lower()}"] = self.required[moves].deficit.tolist()
        known = (self.margin.slack < self.margin.most).tolist()
        out["losses"] = [None if k == NO_DEMAND else k for k in self.margin.losses.tolist()]
        out["thin_posts"] = self._posts(self.margin.posts)
        out["thin_people"] = _where(known, self.margin.people)
        out["spare"] = _where(known, self.margin.slack)
        return out

    def pairs_columns(self) -> dict[str, list[Any]]:
        """The worst pairs in flat form, by seats: `seats`, `slots`, and how many seats `more` than one by one."""
        ids = [person.id for person in self.window.people]
        lost = self.minimum[Moves.FULL].slots_lost
        rows = self.pairs.worst_by_seats.tolist()
        return {
            "first": [ids[p] for _, _, p, _ in rows],
            "second": [ids[q] for _, _, _, q in rows],
            "seats": [seats for seats, *_ in rows],
            "slots": [slots for _, slots, _, _ in rows],
            "more": [seats - int(lost[p] + lost[q]) for seats, _, p, q in rows],
        }

    def _posts(self, sets: npt.NDArray[np.uint64]) -> list[list[str]]:
        ids = [post.id for post in self.window.posts]
        return [[ids[q] for q in np.flatnonzero(row)] for row in members_of(sets, len(ids))]

    def _worst(self, found: Labels) -> dict[str, list[Any]]:
        """Day, slot and deficit of the slot with most seats open when each person is lost, the earliest of equals."""
        people = len(self.window.people)
        if not self.window.slots:
            return {name: [None] * people for name in ("worst_day", "worst_slot", "worst_deficit")}
        after = np.where(found.label == ESSENTIAL, found.deficit[:, None] + 1, 0)
        slot = after.argmax(axis=0)
        deficit = after[slot, np.arange(people)]
        days, codes = self.window.day_of_slot(), [one.code for one in self.window.program.slot_types]
        lost = (deficit > 0).tolist()
        return {
            "worst_day": _where(lost, days[slot]),
            "worst_slot": [
                codes[t % self.window.per_day] if some else None for t, some in zip(slot, lost, strict=True)
            ],
            "worst_deficit": _where(lost, deficit),
        }

    def _tier_columns(self, moves: Moves) -> dict[str, list[Any]]:
        out: dict[str, list[Any]] = {}
        values: list[Any] = [None] * len(self.window.people)
        for tier in range(1, 8):
            if tier in self.tiers:
                values = self.by_tier[moves][tier].slots_lost.tolist()
            out[f"tier_{tier}"] = values
        return out


def contingency(roster: Roster, policy: Policy, first_day: int, last_day: int, most_pairs: int = 20) -> Contingency:
    """Contingency of a roster (with its history) on epoch days first_day..last_day (inclusive).

    Nobody takes a post whose shift would break rest, a succession or, as the one shift added, a cap over weeks.

    ValueError where the program has more posts than the kernel takes.
    """
    window = roster.window(first_day, last_day)
    rested = masks_of(roster, policy.duty, first_day, last_day)
    masks = added_shifts(roster, policy.duty, first_day, last_day).within_rules(rested)
    minimum, required = _by_slot(window.minimum), _by_slot(window.required)
    against_minimum = {moves: labels(masks, moves, minimum) for moves in Moves}
    tier_of_post = np.array([window.services[post.service].tier for post in window.posts], dtype=np.int64)
    asked = window.minimum.any(axis=1)
    tiers = tuple(sorted({int(tier) for tier in tier_of_post[asked]}))
    return Contingency(
        window=window,
        first_day=first_day,
        missing_days=max(0, last_day - first_day + 1) - window.days,
        masks=masks,
        minimum=against_minimum,
        required={moves: labels(masks, moves, required) for moves in Moves},
        tiers=tiers,
        by_tier={
            moves: {tier: _tier_loss(masks, moves, minimum, tier_of_post <= tier) for tier in tiers} for moves in Moves
        },
        margin=margin(masks, Moves.FULL, minimum),
        pairs=pairs(against_minimum[Moves.FULL], most_pairs),
        chains=chains(masks, Moves.FULL, minimum),
        sole_slots=sole_holder_slots(masks, Moves.FULL, minimum),
        unqualified=int((masks.place == UNSEATED).sum()),
    )


def phase_of(found: Contingency, utilization: float | None, policy: Policy, days: int | None = None) -> PhaseRiskReading:
    """Phase risk of a report, of all its dates or of its first `days`; `utilization` is of the same dates."""
    slots = found.slots_within(days)
    full = found.minimum[Moves.FULL]
    harmful = found.pairs.harmful
    if slots < found.window.slots:
        full = full.between(0, slots)
        harmful = pairs(full, 0).harmful
    measures = risk_measures(full, harmful, found.margin.losses[:slots], found.window.minimum[:, :slots], utilization)
    return phase_risk(measures, policy)


def _tier_loss(masks: Masks, moves: Moves, minimum: Demand, kept: npt.NDArray[np.bool_]) -> TierLoss:
    found = labels(masks, moves, np.where(kept, minimum, 0).astype(np.int16))
    return TierLoss(found.deficit, found.slots_lost)


def _by_slot(demand: npt.NDArray[np.int16]) -> Demand:
    """Demand [Q, T] with the posts of a slot side by side, [T, Q]."""
    return np.ascontiguousarray(demand.T)


def _where(known: list[bool], values: npt.NDArray[Any]) -> list[Any]:
    """Values as a list, None where they are not known."""
    return [value if one else None for one, value in zip(known, values.tolist(), strict=True)]
