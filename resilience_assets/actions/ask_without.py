"""What opens if these people are out, and who may cover: a question, nothing is recorded.

Belongs here: finding the people, the roster that holds now, and asking. Does not belong here: the answer
(analysis.contingency.without), recording an absence (report_absence.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from resilience_assets.actions.people import FoundPerson, find_person
from resilience_assets.actions.program_states import ProgramState, program_states
from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets.analysis.contingency.without import Without, without
from resilience_assets.domain.days import day_text, local_day
from resilience_assets.policy import Policies
from resilience_assets.storage import versions
from resilience_assets.storage.database import Database

MOST_DAYS = 366


@dataclass(frozen=True)
class Answer:
    """Who was asked about, on which dates, and the answer; `stale` says why the roster may not be the newest."""

    people: tuple[FoundPerson, ...]
    first: int
    last: int
    found: Without
    stale: str


def ask_without(
    database: Database, policies: Policies, people: Sequence[str], *, first: int | None, last: int | None, moves: Moves,
    now: dt.datetime, program: str | None = None,
) -> Answer:  # fmt: skip
    """Ask about one or more people of one program, by id or name.

    `first` is today in the program's zone when None; `last` is the health check's horizon from there when None. Raises
    UnknownPersonError, and ValueError for people of two programs, for dates that make no sense, and without a roster.
    """
    with database.read() as connection:
        found = tuple(find_person(connection, one, program) for one in people)
    programs = sorted({one.program for one in found})
    if len(programs) != 1:
        raise ValueError(f"people of {len(programs)} programs ({', '.join(programs)}): ask about one program at a time")
    policy = policies.for_program(programs[0])
    low = first if first is not None else local_day(now, found[0].time_zone)
    high = last if last is not None else low + policy.health.horizon_days - 1
    if not low <= high < low + MOST_DAYS:
        raise ValueError(f"from {day_text(low)} to {day_text(high)} is not a stretch of 1 to {MOST_DAYS} days")
    minute = now.replace(second=0, microsecond=0)  # as every run speaks: a check of this minute must find what is frozen here
    state = _newest(database, policies, minute, programs[0])
    if state.frozen is None or state.version_id is None:
        raise ValueError(f"program {programs[0]} has no accepted roster: run `resilience import` or `resilience demo`")
    with database.read() as connection:
        roster = versions.load_rosters(connection, [state.version_id])[state.version_id][0]
    index = {person.id: p for p, person in enumerate(roster.people)}
    missing = [one.code for one in found if one.code not in index]
    if missing:
        raise ValueError(f"the roster that holds now has nobody called {', '.join(missing)}")
    stale = "" if state.frozen.accepted else "The newest roster was refused; this is of the last one that was accepted."
    asked = without(roster, policy, [index[one.code] for one in found], low, high, moves)
    return Answer(found, low, high, asked, stale)


def _newest(database: Database, policies: Policies, now: dt.datetime, program: str) -> ProgramState:
    """The program with its newest roster, frozen first where it moved."""
    state = program_states(database, now, [program])[0]
    if state.frozen is not None and state.frozen.revision >= state.revision:
        return state
    # imported only here: reading live tables needs libraries that take longer to load than the question to answer
    from resilience_assets.actions.freeze import freeze_rosters

    return freeze_rosters(database, policies, now, codes=[program])[0]
