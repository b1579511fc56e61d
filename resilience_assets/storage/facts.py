"""The live roster tables read as facts, one query a table for a batch of programs.

Belongs here: turning open rows into coded columns (domain.assembly.RosterFacts). Does not belong
here: laying them out (domain.assembly), writing them (imports.py). Only the `roster` asset, the
re-check before a change is applied, and exchange read these tables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Connection, select

from resilience_assets.domain.assembly import RosterFacts
from resilience_assets.domain.findings import Finding, Severity
from resilience_assets.domain.nouns import Person, Post, Service, Tier
from resilience_assets.domain.program import Program, Shift, SlotType
from resilience_assets.domain.roster import Absences, Qualifications
from resilience_assets.storage import bulk, tables

IntColumns = dict[str, npt.NDArray[np.int64]]


def _grouped(connection: Connection, model: Any, program_ids: Sequence[int], *columns: Any) -> dict[int, list[Any]]:
    query = select(model.program_id, *columns).where(model.program_id.in_(program_ids))
    if hasattr(model, "closed_batch_id"):
        query = query.where(model.closed_batch_id.is_(None))
    out: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(query):
        out[row[0]].append(row)
    return out


def _split(connection: Connection, model: Any, program_ids: Sequence[int], *columns: Any) -> dict[int, IntColumns]:
    """Open rows of integer columns, by program, in order of id; the row id comes as `source`."""
    query = (
        select(model.program_id, model.id.label("source"), *columns)
        .where(model.program_id.in_(program_ids), model.closed_batch_id.is_(None))
        .order_by(model.program_id, model.id)
    )
    columns_read = bulk.read_integers(connection, query)
    owner = columns_read.pop("program_id")
    out: dict[int, IntColumns] = {}
    for program_id in program_ids:
        low, high = np.searchsorted(owner, [program_id, program_id + 1])
        out[program_id] = {name: values[low:high] for name, values in columns_read.items()}
    return out


def program_of(connection: Connection, program_ids: Sequence[int]) -> dict[int, tuple[Program, list[int], list[int]]]:
    """Programs with their slots and shifts, and the database ids of these in the same order."""
    slots = _grouped(connection, tables.SlotType, program_ids, tables.SlotType)
    shifts = _grouped(connection, tables.Shift, program_ids, tables.Shift)
    pairs = _grouped(connection, tables.ForbiddenSuccession, program_ids, tables.ForbiddenSuccession)
    out = {}
    for row in connection.execute(select(tables.Program).where(tables.Program.id.in_(program_ids))):
        own_slots = sorted(slots[row.id], key=lambda slot: slot.position)
        own_shifts = sorted(shifts[row.id], key=lambda shift: shift.code)
        code_of = {shift.id: shift.code for shift in own_shifts}
        program = Program(
            row.code, row.name, row.time_zone,
            tuple(SlotType(slot.code, slot.start, slot.end) for slot in own_slots),
            tuple(Shift(shift.code, shift.start, shift.end, shift.name) for shift in own_shifts),
            tuple(sorted((code_of[pair.first_shift_id], code_of[pair.next_shift_id]) for pair in pairs[row.id])),
        )  # fmt: skip
        out[row.id] = (program, [slot.id for slot in own_slots], [shift.id for shift in own_shifts])
    return out


@dataclass(frozen=True)
class ReadFacts:
    """Facts of one program, and what had to be left out of them."""

    facts: RosterFacts
    findings: list[Finding]


def read_facts(connection: Connection, program_ids: Sequence[int]) -> dict[int, ReadFacts]:
    """Facts of a batch of programs, one query a table, coded for `domain.assembly.assemble`."""
    ids = sorted(program_ids)
    programs_read = program_of(connection, ids)
    people = _grouped(
        connection, tables.PersonRecord, ids, tables.PersonRecord.person_id, tables.PersonRecord.role, tables.PersonRecord.fte,
        tables.PersonRecord.team, tables.PersonRecord.home_region, tables.PersonRecord.starts, tables.PersonRecord.ends,
    )  # fmt: skip
    services = _grouped(connection, tables.ServiceRecord, ids, tables.ServiceRecord.service_id, tables.ServiceRecord.name, tables.ServiceRecord.tier)
    posts = _grouped(connection, tables.PostRecord, ids, tables.PostRecord.post_id, tables.PostRecord.service_id, tables.PostRecord.role)
    codes = {
        model: {row.id: row.code for row in connection.execute(select(model.id, model.code).where(model.program_id.in_(ids)))}
        for model in (tables.Person, tables.Service, tables.Post)
    }
    held = _split(connection, tables.Qualification, ids, *_columns(tables.Qualification, "person_id", "post_id", "first", "last"))
    assigned = _split(connection, tables.Assignment, ids, *_columns(tables.Assignment, "person_id", "day", "shift_id", "cell"))
    demand = _split(connection, tables.Demand, ids, *_columns(tables.Demand, "post_id", "day", "slot_id", "required", "minimum"))
    rules = _split(
        connection, tables.DemandRule, ids,
        *_columns(tables.DemandRule, "post_id", "weekday", "slot_id", "required", "minimum", "first", "last"),
    )  # fmt: skip
    absences = _grouped(connection, tables.Absence, ids, *_columns(tables.Absence, "id", "person_id", "first", "last", "kind", "approved"))
    reported = reported_absences(connection, ids)
    out: dict[int, ReadFacts] = {}
    for program_id in ids:
        program, slot_ids, shift_ids = programs_read[program_id]
        own_people = sorted(people[program_id], key=lambda row: codes[tables.Person][row.person_id])
        own_services = sorted(services[program_id], key=lambda row: codes[tables.Service][row.service_id])
        own_posts = sorted(posts[program_id], key=lambda row: codes[tables.Post][row.post_id])
        person_ids = [row.person_id for row in own_people]
        post_ids = [row.post_id for row in own_posts]
        service_index = {row.service_id: i for i, row in enumerate(own_services)}
        coder = _Coder(person_ids, post_ids, slot_ids, shift_ids)
        read = RosterFacts(
            program=program,
            people=tuple(
                Person(codes[tables.Person][r.person_id], r.role, r.fte, r.team, r.home_region, r.starts, r.ends) for r in own_people
            ),
            services=tuple(Service(codes[tables.Service][r.service_id], r.name, Tier(r.tier)) for r in own_services),
            posts=tuple(Post(codes[tables.Post][r.post_id], service_index[r.service_id], r.role) for r in own_posts),
            qualifications=coder.qualifications(held[program_id]),
            absences=coder.absences(absences[program_id], reported[program_id]),
            assignments=coder.assignments(assigned[program_id]),
            demand=coder.demand(demand[program_id]),
            demand_rules=coder.demand(rules[program_id]),
        )
        out[program_id] = ReadFacts(read, coder.findings)
    return out


def _columns(model: Any, *names: str) -> list[Any]:
    return [getattr(model, name) for name in names]


class _Coder:
    """Database ids of one program to positions; rows that name a closed person or post are left out."""

    def __init__(self, people: list[int], posts: list[int], slots: list[int], shifts: list[int]) -> None:
        self.tables = {"person": people, "post": posts, "slot": slots, "shift": shifts}
        self.findings: list[Finding] = []

    def _code(self, noun: str, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        table = self.tables[noun]
        return np.asarray(pd.Index(table, dtype=np.int64).get_indexer(pd.Index(ids)), dtype=np.int64) if ids.size else ids

    def _coded(self, rows: IntColumns, *nouns: str) -> IntColumns:
        out = dict(rows)
        known = np.ones(rows["source"].size, dtype=np.bool_)
        for noun in nouns:
            out[noun] = self._code(noun, out.pop(f"{noun}_id"))
            known &= out[noun] >= 0
        return self._only(known, out)

    def _only(self, known: npt.NDArray[np.bool_], rows: IntColumns) -> IntColumns:
        """Rows of people and posts that still have a record; the others are left out and reported."""
        if known.all():
            return rows
        reason = f"{int((~known).sum())} rows name a person, post, shift or slot that the program no longer has"
        self.findings.append(Finding(Severity.ERROR, "unknown_id", reason))
        return {name: values[known] for name, values in rows.items()}

    def qualifications(self, rows: IntColumns) -> Qualifications:
        c = self._coded(rows, "person", "post")
        return Qualifications(
            c["person"].astype(np.int32), c["post"].astype(np.int16), c["first"].astype(np.int32), c["last"].astype(np.int32)
        )

    def assignments(self, rows: IntColumns) -> IntColumns:
        coded = self._coded(rows, "person", "shift")
        held = coded["cell"] > 0
        cell = coded["cell"].copy()
        cell[held] = self._code("post", coded["cell"][held])
        keep = ~held | (cell >= 0)
        coded["cell"] = cell
        return self._only(keep, coded)

    def demand(self, rows: IntColumns) -> IntColumns:
        return self._coded(rows, "post", "slot")

    def absences(self, rows: list[Any], reported: list[Any]) -> Absences:
        position = {person_id: i for i, person_id in enumerate(self.tables["person"])}
        kept = [
            (position[r.person_id], r.first, r.last, r.kind, bool(r.approved), False, r.id) for r in rows if r.person_id in position
        ] + [(position[r.person_id], r.first, r.last, r.kind, True, True, r.id) for r in reported if r.person_id in position]
        kept.sort()
        columns = list(zip(*kept, strict=True)) or [()] * 7
        return Absences(
            np.array(columns[0], dtype=np.int32), np.array(columns[1], dtype=np.int32), np.array(columns[2], dtype=np.int32),
            tuple(columns[3]), np.array(columns[4], dtype=np.bool_), np.array(columns[5], dtype=np.bool_),
            np.array(columns[6], dtype=np.int64),
        )  # fmt: skip


def reported_absences(connection: Connection, program_ids: Sequence[int]) -> dict[int, list[Any]]:
    """Absences reported here and not yet in the source, by program."""
    table = tables.ReportedAbsence
    out: dict[int, list[Any]] = defaultdict(list)
    query = select(table).where(table.program_id.in_(program_ids), table.state == "open").order_by(table.id)
    for row in connection.execute(query):
        out[row.program_id].append(row)
    return out
