"""Who may take seats that are open already: the best covers of each, in readable lines.

Belongs here: covers of seats that somebody has left or nobody holds. Does not belong here: what the loss of somebody who
is there would open (without.py), searching for covers (covers.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from resilience_assets.analysis.contingency.added_shift import added_shifts
from resilience_assets.analysis.contingency.covers import BEST_THREE, covers_of_seats
from resilience_assets.analysis.contingency.labels import Demand
from resilience_assets.analysis.contingency.masks import Moves, masks_of
from resilience_assets.domain.roster import Roster
from resilience_assets.policy.model import Policy

Seat = tuple[int, int]
"""A seat: slot of the window, index of the post."""


def stand_ins(
    roster: Roster, policy: Policy, first_day: int, last_day: int, seats: Sequence[Seat],
    moves: Moves = Moves.FULL, most: int = BEST_THREE,
) -> dict[Seat, list[dict[str, Any]]]:  # fmt: skip
    """The best covers of seats on epoch days first_day..last_day, at most `most` each, a dictionary a cover.

    The roster holds its history too. A seat below its minimum may be taken by somebody whose own post keeps its
    minimum; a seat above the minimum only where all posts keep as many as are there, up to what they require.
    """
    if not seats:
        return {}
    window = roster.window(first_day, last_day)
    masks, added = masks_of(roster, policy.duty, first_day, last_day), added_shifts(roster, policy.duty, first_day, last_day)
    filled = window.filled()
    needed = [seat for seat in seats if filled[seat[1], seat[0]] < window.minimum[seat[1], seat[0]]]
    wanted = [seat for seat in seats if seat not in set(needed)]
    out: dict[Seat, list[dict[str, Any]]] = defaultdict(list)
    # who is there now stays there for a seat that is only wished for
    kept = np.minimum(filled, window.required).astype(np.int16)
    for some, demand in ((needed, window.minimum), (wanted, np.maximum(kept, window.minimum))):
        for seat, cover in _covers(added, masks, moves, np.ascontiguousarray(demand.T), some, most):
            out[seat].append(cover)
    return dict(out)


def _covers(
    added: Any, masks: Any, moves: Moves, demand: Demand, seats: Sequence[Seat], most: int
) -> list[tuple[Seat, dict[str, Any]]]:
    if not seats:
        return []
    slot, post = (np.array(column, dtype=np.int64) for column in zip(*sorted(seats), strict=True))
    found = covers_of_seats(added, masks, moves, demand, slot, post, most)
    columns = found.columns()
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return list(zip(zip(found.slot.tolist(), found.post.tolist(), strict=True), rows, strict=True))
