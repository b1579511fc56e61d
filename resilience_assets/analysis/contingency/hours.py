"""Duty hours: do the losses that a slot by slot view finds harmless stay so when hours over weeks are limited?

Belongs here: the question for today, for every person and for chosen pairs, and the answer in words. Does not belong
here: the caps as slots (hour_blocks.py), the flow (hour_flow.py).

Slot by slot, anyone legal may step in, again and again. Over weeks the hours of those who step in run out.
Here all slots are seated together, nobody beyond the caps on hours taken in fixed ISO weeks and blocks of them. It
is a necessary condition of the rolling caps, so every figure is a lower bound of what the rolling rules leave open:
"worse by n" means at least n, "holds" that fixed weeks give no reason for more. It costs milliseconds (all
single losses of 300 people some tens of them), so it is asked of every program and not only of those that look
short-staffed. Where no cap can be reached in any of these blocks (`binds` false), "holds" needs no flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from resilience_assets.analysis.contingency.hour_blocks import blocks_of
from resilience_assets.analysis.contingency.hour_flow import NO_CAP, Ints, seat_within
from resilience_assets.analysis.contingency.labels import Demand, Labels
from resilience_assets.analysis.contingency.masks import Masks
from resilience_assets.domain.roster import Roster
from resilience_assets.policy.model import Policy


@dataclass(frozen=True, eq=False)
class HoursCheck:
    """Seats open over all slots together, without limits on hours and within them; P people, N pairs.

    - `binds`: whether anybody can reach a cap in a block; if not, both figures are the same throughout.
    - `deficit`, `deficit_within`: with nobody lost.
    - `lost`, `lost_within` [P]: seats more open when each person is lost.
    - `pairs` [N, 2] people; `pair_lost`, `pair_lost_within` [N].

    All figures `within` are lower bounds for rolling caps (see the module).
    """

    binds: bool
    deficit: int
    deficit_within: int
    lost: Ints
    lost_within: Ints
    pairs: Ints
    pair_lost: Ints
    pair_lost_within: Ints

    @property
    def worse_by(self) -> int:
        """Seats that limits on hours open today, at least."""
        return self.deficit_within - self.deficit

    @property
    def people_worse_by(self) -> Ints:
        """Seats that limits on hours open when each person is lost, at least; those of today included. [P]."""
        return self.worse_by + self.lost_within - self.lost

    @property
    def pairs_worse_by(self) -> Ints:
        """Seats that limits on hours open when each pair is lost, at least; those of today included. [N]."""
        return self.worse_by + self.pair_lost_within - self.pair_lost

    def people_columns(self, ids: list[str]) -> dict[str, list[Any]]:
        """A row for each person: `seats` lost without and within limits on hours, and what they add, in words."""
        return {
            "person": list(ids),
            "seats": self.lost.tolist(),
            "seats_within_hours": self.lost_within.tolist(),
            "duty_hours": [answer(n) for n in self.people_worse_by.tolist()],
        }

    def pairs_columns(self, ids: list[str]) -> dict[str, list[Any]]:
        """The same for each pair."""
        return {
            "first": [ids[p] for p in self.pairs[:, 0].tolist()],
            "second": [ids[q] for q in self.pairs[:, 1].tolist()],
            "seats": self.pair_lost.tolist(),
            "seats_within_hours": self.pair_lost_within.tolist(),
            "duty_hours": [answer(n) for n in self.pairs_worse_by.tolist()],
        }


def answer(worse_by: int) -> str:
    """As shown to people."""
    return f"duty hours: worse by {worse_by}" if worse_by > 0 else "duty hours: holds"


def hours_check(
    roster: Roster, policy: Policy, first_day: int, last_day: int,
    masks: Masks, demand: Demand, found: Labels, pairs: Ints | None = None,
) -> HoursCheck:  # fmt: skip
    """Ask whether hours hold on epoch days first_day..last_day of a roster that holds its history too.

    `masks`, `demand` [T, Q] and the labels `found` (of `Moves.FULL`) are those of the same dates; `pairs` [N, 2]
    are pairs of people to ask for, such as the worst ones.
    """
    chosen = np.zeros((0, 2), dtype=np.int64) if pairs is None else np.ascontiguousarray(pairs, dtype=np.int64)
    lost = found.slots_lost
    pair_lost = np.array([found.pair(int(p), int(q))[0] for p, q in chosen], dtype=np.int64)
    deficit = int(found.deficit.sum())
    blocks = blocks_of(roster, masks, demand, policy.duty, first_day, last_day)
    if (blocks.most == NO_CAP).all():
        return HoursCheck(False, deficit, deficit, lost, lost, chosen, pair_lost, pair_lost)
    within = seat_within(masks, demand, blocks)
    return HoursCheck(
        binds=True,
        deficit=deficit,
        deficit_within=int(within.deficit.sum()),
        lost=lost,
        lost_within=within.losses(np.arange(lost.size)[:, None]),
        pairs=chosen,
        pair_lost=pair_lost,
        pair_lost_within=within.losses(chosen),
    )
