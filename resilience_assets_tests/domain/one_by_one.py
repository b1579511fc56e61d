"""The roster laid out the slow way: one row after the other, into dicts. The oracle of the arrays.

Belongs here: a second, plain reading of what the frames mean, sharing no code with domain.assembly.
Does not belong here: anything fast.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace

from resilience_assets.domain import states
from resilience_assets.domain.program import Program
from resilience_assets.domain.tables import COLUMNS, RosterTables, frame
from resilience_assets_tests.domain.test_program import slots_one_by_one

Cell = tuple[str, int, int]
"""(person or post, epoch day, position of the slot in the day)."""


@dataclass
class Plain:
    """Everything by cell; a cell that is not there is off (people) or nothing (demand)."""

    first: int = 0
    last: int = -1
    planned: dict[Cell, str] = field(default_factory=dict)
    shift: dict[Cell, str] = field(default_factory=dict)
    starts: set[Cell] = field(default_factory=set)
    source: dict[Cell, int] = field(default_factory=dict)
    twice: list[tuple[Cell, int, int]] = field(default_factory=list)
    demand: dict[Cell, tuple[int, int, int]] = field(default_factory=dict)
    away: set[tuple[str, int]] = field(default_factory=set)
    filled: dict[Cell, int] = field(default_factory=dict)


def lay_out(tables: RosterTables) -> Plain:
    """The same roster as `roster_from_tables`, by loops over rows."""
    program = tables.program
    assert program is not None
    tables = replace(tables, **{kind: frame(kind, []) for kind in COLUMNS if getattr(tables, kind) is None})
    out = Plain()
    days = [int(day) for part in (tables.assignments, tables.demand) for day in part["day"]]
    if days:
        out.first, out.last = min(days), max(days)
    _assignments(out, tables, program)
    _demand(out, tables, program)
    for row in tables.absences.to_dict("records"):
        if row["approved"]:
            out.away |= {(row["person"], day) for day in range(out.first, out.last + 1) if row["first"] <= day <= row["last"]}
    for row in tables.people.to_dict("records"):
        out.away |= {(row["person"], day) for day in range(out.first, out.last + 1) if not row["starts"] <= day <= row["ends"]}
    _filled(out, tables)
    return out


def _assignments(out: Plain, tables: RosterTables, program: Program) -> None:
    shift_of = {shift.code: shift for shift in program.shifts}
    per_day = len(program.slot_types)
    for number, row in enumerate(tables.assignments.to_dict("records"), start=1):
        for place, offset in enumerate(slots_one_by_one(program.slot_types, shift_of[row["shift"]])):
            cell = row["person"], row["day"] + offset // per_day, offset % per_day
            if cell[1] > out.last:
                continue
            if cell in out.planned:
                out.twice.append((cell, out.source[cell], number))
                continue
            out.planned[cell], out.shift[cell], out.source[cell] = row["post"], row["shift"], number
            if place == 0:
                out.starts.add(cell)


def _demand(out: Plain, tables: RosterTables, program: Program) -> None:
    position = {slot.code: i for i, slot in enumerate(program.slot_types)}
    for number, row in enumerate(tables.demand_rules.to_dict("records"), start=1):
        for day in range(out.first, out.last + 1):
            weekday = (dt.date(1970, 1, 1) + dt.timedelta(days=day)).weekday()
            if weekday == row["weekday"] and row["first"] <= day <= row["last"]:
                out.demand[row["post"], day, position[row["slot"]]] = row["required"], row["minimum"], -number
    for number, row in enumerate(tables.demand.to_dict("records"), start=1):
        out.demand[row["post"], row["day"], position[row["slot"]]] = row["required"], row["minimum"], number


def _filled(out: Plain, tables: RosterTables) -> None:
    may = tables.qualifications.to_dict("records")
    for (person, day, slot), post in out.planned.items():
        if post in states.RESERVED or (person, day) in out.away:
            continue
        if any(row["person"] == person and row["post"] == post and row["first"] <= day <= row["last"] for row in may):
            out.filled[post, day, slot] = out.filled.get((post, day, slot), 0) + 1
