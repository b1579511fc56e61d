"""Every person and every pair of many programs in one call.

Belongs here: going through programs with working arrays that are made once a size. Does not belong here: loading
programs, one program's report.

Most programs are small: making arrays anew for each would take longer than a part of the answers. What is known of
one program never depends on another one.
"""

from __future__ import annotations

from collections.abc import Sequence

from resilience_assets.analysis.contingency.labels import Demand, Labels, labels, labels_of_whole
from resilience_assets.analysis.contingency.masks import Masks, Moves, movable
from resilience_assets.analysis.contingency.seating import Seating, empty_seating


def fleet(masks: Sequence[Masks], demands: Sequence[Demand], moves: Moves) -> list[Labels]:
    """The labels of each program against its demand [T, Q]; ValueError unless there is one demand for each program."""
    if len(masks) != len(demands):
        raise ValueError(f"{len(masks)} programs and {len(demands)} demands: give one demand for each program")
    codes = movable(moves)
    made: dict[tuple[int, int, int], Seating] = {}
    out: list[Labels] = []
    for one, demand in zip(masks, demands, strict=True):
        if one.parts:
            out.append(labels(one, moves, demand))
            continue
        size = one.place.shape[1], demand.shape[1], one.words
        if size not in made:
            made[size] = empty_seating(*size)
        out.append(labels_of_whole(one, codes, demand, made[size]))
    return out
