"""Seats that are open now, and who may cover each: for messages and the morning brief.

Belongs here: finding them in the roster that holds, in words. Does not belong here: searching for covers
(analysis.contingency), what would open if somebody were out (ask_without.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from resilience_assets.actions.program_states import program_states
from resilience_assets.analysis.contingency.covers import cover_line
from resilience_assets.analysis.contingency.stand_ins import stand_ins
from resilience_assets.domain.days import date_of, day_text, local_day
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import Policies, Policy
from resilience_assets.storage import versions
from resilience_assets.storage.database import Database

FEW = 3
"""Seats whose covers a message names."""

MOST_PROGRAMS = 40
"""Programs whose rosters one evaluation of alerts loads: in a storm it may not hold its transaction for long."""


@dataclass(frozen=True, slots=True)
class ShortSeat:
    """One post in one slot with fewer people than required, and lines on who may cover, the best first."""

    day: int
    slot: str
    post: str
    service: str
    role: str
    tier: int
    filled: int
    required: int
    minimum: int
    covers: tuple[str, ...]

    @property
    def below_minimum(self) -> bool:
        """Whether fewer are there than is safe."""
        return self.filled < self.minimum


def short_seats(
    roster: Roster, policy: Policy, first: int, last: int, service: str = "", most: int | None = None
) -> list[ShortSeat]:
    """Seats open as rostered on epoch days first..last (of one service), below the minimum first, then by date and tier.

    At most `most`; covers are looked for only for those.
    """
    window = roster.window(first, last)
    filled = window.filled()
    found = []
    for post, slot in np.argwhere(filled < window.required).tolist():
        place = window.services[window.posts[post].service]
        if service in ("", place.id):
            found.append((bool(filled[post, slot] >= window.minimum[post, slot]), slot, int(place.tier), post))
    chosen = [(slot, post) for _, slot, _, post in sorted(found)[:most]]
    covers = stand_ins(roster, policy, first, last, chosen)
    out = []
    for slot, post in chosen:
        place = window.services[window.posts[post].service]
        out.append(
            ShortSeat(
                day=window.first_day + slot // window.per_day, slot=window.program.slot_types[slot % window.per_day].code,
                post=window.posts[post].id, service=place.id, role=window.posts[post].role, tier=int(place.tier),
                filled=int(filled[post, slot]), required=int(window.required[post, slot]), minimum=int(window.minimum[post, slot]),
                covers=tuple(cover_line(one) for one in covers.get((slot, post), [])),
            )
        )  # fmt: skip
    return out


def newest_roster(database: Database, program: str, now: dt.datetime) -> Roster | None:
    """The last accepted roster of a program at an instant; None where there is none."""
    states = program_states(database, now, [program])
    version_id = states[0].version_id if states else None
    if version_id is None:
        return None
    with database.read() as connection:
        return versions.load_rosters(connection, [version_id])[version_id][0]


def covers_of(database: Database, policies: Policies, now: dt.datetime) -> Callable[[str, str], Sequence[str]]:
    """Who may cover what is open in a program's (and service's) horizon, in lines; rosters are loaded when first asked for.

    For programs beyond MOST_PROGRAMS, and where it cannot be found out, the line says how to ask: a notice goes out
    in any case.
    """
    rosters: dict[str, Roster | None] = {}

    def lines(program: str, service: str) -> Sequence[str]:
        if program not in rosters and len(rosters) == MOST_PROGRAMS:
            return [f"ask for it: resilience brief --program {program}"]
        try:
            return found(program, service)
        except (ArithmeticError, LookupError, ValueError) as error:
            return [f"could not be found out ({type(error).__name__}): resilience brief --program {program}"]

    def found(program: str, service: str) -> Sequence[str]:
        if program not in rosters:
            rosters[program] = None  # once is enough where it cannot be loaded
            rosters[program] = newest_roster(database, program, now)
        roster = rosters[program]
        if roster is None:
            return []
        policy = policies.for_program(program)
        today = local_day(now, roster.program.time_zone)
        seats = short_seats(roster, policy, today, today + policy.health.horizon_days - 1, service, FEW)
        return [_line(seat) for seat in seats]

    return lines


def _line(seat: ShortSeat) -> str:
    """'Tue 2026-11-24 PM, attending on procedures: ATT-05 (free) to procedures; 96 h in 28 days'."""
    who = " | ".join(seat.covers) or "nobody within the rules"
    return f"{date_of(seat.day):%a} {day_text(seat.day)} {seat.slot}, {seat.role} on {seat.service}: {who}"
