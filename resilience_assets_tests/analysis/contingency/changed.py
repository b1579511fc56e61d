"""A roster with a shift added, written into its cells, for the tests of this room.

Belongs here: changing a roster cell by cell. Does not belong here: any judgement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from resilience_assets.domain import states
from resilience_assets.domain.roster import Roster


def with_shift(roster: Roster, person: int, day: int, kind: int, post: int) -> Roster:
    """The roster with a shift that begins on a date (from the first on file) added for a person, at a post.

    Unchanged where the person works a shift that contains it; shifts inside it give way to it.
    """
    program, per_day = roster.program, roster.per_day
    new = program.shifts[kind]
    begin, end = day * 1440 + new.start, day * 1440 + new.end
    state, shift, starts = roster.state.copy(), roster.shift.copy(), roster.starts.copy()
    kept: set[int] = set()
    for t in np.flatnonzero(starts[person] & (state[person] != states.ABSENT)).tolist():
        own, first = program.shifts[shift[person, t]], t // per_day * 1440
        cells = [t // per_day * per_day + offset for offset in program.slots_of(own)]
        if first + own.start <= begin and first + own.end >= end:
            return roster
        if first + own.start >= begin and first + own.end <= end:
            starts[person, t] = False
        else:
            kept |= {cell for cell in cells if cell < roster.slots}
    new_cells = [day * per_day + offset for offset in program.slots_of(new)]
    for n, t in enumerate(new_cells):
        if t < roster.slots and (n == 0 or t not in kept):
            shift[person, t], starts[person, t] = kind, n == 0
            if state[person, t] in (states.OFF, states.FREE):
                state[person, t] = post
    return replace(roster, state=state, planned=state, shift=shift, starts=starts)


def with_moves(roster: Roster, slot: int, moves: Sequence[tuple[int, int, int, int]]) -> Roster:
    """The roster with people moved in a slot: (person, post, first date of the post's shift, the shift)."""
    for person, post, day, kind in moves:
        roster = with_shift(roster, person, day, kind, post)
        state = roster.state.copy()
        state[person, slot] = post
        roster = replace(roster, state=state, planned=state)
    return roster
