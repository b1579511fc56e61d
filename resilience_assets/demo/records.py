"""A filled board as the record frames of a roster.

Belongs here: frames of every kind out of people, lines of demand and a board. Does not belong here:
deciding anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from resilience_assets.demo.board import Board, Line
from resilience_assets.demo.staff import Away, Qualified
from resilience_assets.domain import tables
from resilience_assets.domain.days import OPEN_END, OPEN_START
from resilience_assets.domain.nouns import Person, Tier
from resilience_assets.domain.program import Program
from resilience_assets.domain.roster import BoolArray
from resilience_assets.domain.tables import RosterTables


def people_frame(program: str, people: Sequence[Person], names: Sequence[str]) -> pd.DataFrame:
    """One row a person, the invented name beside the id."""
    rows = [
        {
            "person": p.id,
            "name": name,
            "role": p.role,
            "fte": p.fte,
            "team": p.team,
            "home_region": p.home_region,
            "starts": p.starts,
            "ends": p.ends,
        }
        for p, name in zip(people, names, strict=True)
    ]
    return _framed(program, "people", rows)


def services_frame(program: str, services: Sequence[tuple[str, str, Tier]]) -> pd.DataFrame:
    """One row a service: id, name, tier."""
    return _framed(program, "services", [{"service": s, "name": name, "tier": int(tier)} for s, name, tier in services])


def posts_frame(program: str, posts: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    """One row a post: id, service, role."""
    return _framed(program, "posts", [{"post": p, "service": s, "role": role} for p, s, role in posts])


def qualifications_frame(program: str, qualified: Sequence[Qualified]) -> pd.DataFrame:
    """One row a person and post."""
    rows = [{"person": q.person, "post": q.post, "first": q.first, "last": q.last} for q in qualified]
    return _framed(program, "qualifications", rows)


def demand_rules_frame(program: Program, lines: Sequence[Line]) -> pd.DataFrame:
    """One row a post, weekday and slot that the shift of a line covers; lines on one cell add up."""
    shifts = {shift.code: shift for shift in program.shifts}
    cells: dict[tuple[str, int, str], tuple[int, int]] = {}
    for line in lines:
        for offset in program.slots_of(shifts[line.shift]):
            for weekday in line.weekdays:
                key = (line.post, weekday, program.slot_types[offset].code)
                required, minimum = cells.get(key, (0, 0))
                cells[key] = (required + line.required, minimum + line.minimum)
    rows = [
        {
            "post": post,
            "weekday": weekday,
            "slot": slot,
            "required": need,
            "minimum": least,
            "first": OPEN_START,
            "last": OPEN_END,
        }
        for (post, weekday, slot), (need, least) in cells.items()
    ]
    return _framed(program.id, "demand_rules", rows)


def absences_frame(program: str, absences: Sequence[Away]) -> pd.DataFrame:
    """One row an absence."""
    rows = [
        {"person": a.person, "first": a.first, "last": a.last, "kind": a.kind, "approved": a.approved} for a in absences
    ]
    return _framed(program, "absences", rows)


def demand_frame(program: Program, closed: Sequence[tuple[Line, int, int]]) -> pd.DataFrame:
    """Exceptions on one date: (line, epoch day, heads required instead). Minimum never above required.

    Only for posts with one line on a cell.
    """
    shifts = {shift.code: shift for shift in program.shifts}
    rows = [
        {
            "post": line.post,
            "day": day,
            "slot": program.slot_types[offset].code,
            "required": heads,
            "minimum": min(line.minimum, heads),
        }
        for line, day, heads in closed
        for offset in program.slots_of(shifts[line.shift])
    ]
    return _framed(program.id, "demand", rows)


def assignments_frame(board: Board, rest: BoolArray) -> pd.DataFrame:
    """Every seat on the board, then the rest of idle people, without anything on an absence.

    `rest` [P, D, S] as rest_slots gives it; a slot's rest is written as the shift of its own hours.
    """
    person = np.concatenate([who for who, *_ in board.held])
    counts = [len(who) for who, *_ in board.held]
    day = np.repeat([day for _, day, _, _ in board.held], counts)
    shift = np.repeat(np.array([code for _, _, code, _ in board.held], dtype=object), counts)
    post = np.repeat(np.array([held for *_, held in board.held], dtype=object), counts)
    who, d, s = np.nonzero(rest & _idle_slots(board))
    rest_shift = np.array([_shift_of_slot(board.program, index) for index in range(rest.shape[2])], dtype=object)
    person, day = np.concatenate([person, who]), np.concatenate([day, board.first_day + d])
    shift, post = (
        np.concatenate([shift, rest_shift[s]]),
        np.concatenate([post, np.full(len(who), "REST", dtype=object)]),
    )
    present = ~(board.away | board.late)[person, day - board.first_day]
    order = np.lexsort((person, day))
    order = order[present[order]]
    ids = np.array([p.id for p in board.people], dtype=object)
    rows = pd.DataFrame({"person": ids[person[order]], "day": day[order], "shift": shift[order], "post": post[order]})
    return _framed(board.program.id, "assignments", rows)


def _idle_slots(board: Board) -> BoolArray:
    """Slots that no duty of a person covers, [P, D, S]."""
    program, shifts = board.program, board.shifts
    idle = np.ones((len(board.people), board.days, len(program.slot_types)), dtype=np.bool_)
    for who, day, code, _ in board.held:
        for offset in program.slots_of(shifts[code]):
            idle[who, day - board.first_day, offset] = False
    return idle


def _shift_of_slot(program: Program, slot: int) -> str:
    """Code of the first shift that covers just this slot of a date; ValueError when there is none."""
    for shift in program.shifts:
        if program.slots_of(shift) == (slot,):
            return shift.code
    raise ValueError(f"program {program.id}: no shift covers just the slot {program.slot_types[slot].code}")


def roster_tables(
    board: Board,
    names: Sequence[str],
    services: Sequence[tuple[str, str, Tier]],
    posts: Sequence[tuple[str, str, str]],
    lines: Sequence[Line],
    qualified: Sequence[Qualified],
    absences: Sequence[Away],
    closed: Sequence[tuple[Line, int, int]],
    rest: BoolArray,
) -> RosterTables:
    """Everything that is on file for one invented program."""
    program = board.program
    return RosterTables(
        program=program,
        people=people_frame(program.id, board.people, names),
        services=services_frame(program.id, services),
        posts=posts_frame(program.id, posts),
        qualifications=qualifications_frame(program.id, qualified),
        demand=demand_frame(program, closed),
        demand_rules=demand_rules_frame(program, lines),
        assignments=assignments_frame(board, rest),
        absences=absences_frame(program.id, absences),
        dates=(board.first_day, board.first_day + board.days - 1),
    )


def _framed(program: str, kind: str, rows: list[dict[str, Any]] | pd.DataFrame) -> pd.DataFrame:
    """The frame of a kind, with provenance that says that it was generated."""
    made = pd.DataFrame(rows)
    made["file"], made["row"], made["column"] = f"generated/{program}/{kind}", np.arange(1, len(made) + 1), ""
    return tables.frame(kind, made)
