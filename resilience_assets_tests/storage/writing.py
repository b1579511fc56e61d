"""A small source, and writing one straight through the store, without the use case around it.

Belongs here: rows to build on. Does not belong here: expectations.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from resilience_assets.domain.assembly import assemble
from resilience_assets.domain.days import OPEN_END, OPEN_START
from resilience_assets.domain.fingerprint import fingerprint
from resilience_assets.domain.program import DEFAULT_SHIFTS, DEFAULT_SLOT_TYPES, Program
from resilience_assets.domain.roster import Roster
from resilience_assets.domain.tables import RosterTables, frame
from resilience_assets.storage import facts, imports, programs, versions
from resilience_assets.storage.database import Database
from resilience_assets.storage.imports import KindCount

FIRST = 20_700
"""An epoch day, 2026-09-04."""
NOW = dt.datetime(2026, 9, 4, 6, 0, tzinfo=dt.UTC)
PROGRAM = Program("fm", "Family medicine", "America/New_York", DEFAULT_SLOT_TYPES, DEFAULT_SHIFTS, (("NIGHT", "AM"),))


def person(code: str, **values: Any) -> dict[str, Any]:
    """A row of people."""
    plain = {"name": f"Name of {code}", "role": "MD", "fte": 1.0, "team": "", "home_region": "", "starts": OPEN_START, "ends": OPEN_END}
    return plain | {"person": code} | values


def works(code: str, day: int, shift: str = "AM", post: str = "icu/MD", **values: Any) -> dict[str, Any]:
    """A row of assignments; `day` counts from FIRST."""
    return {"person": code, "day": FIRST + day, "shift": shift, "post": post, "file": "assignments.csv", "row": 2 + day} | values


def needs(day: int, required: int = 1, minimum: int = 1, slot: str = "AM", post: str = "icu/MD") -> dict[str, Any]:
    """A row of demand; `day` counts from FIRST."""
    return {"post": post, "day": FIRST + day, "slot": slot, "required": required, "minimum": minimum, "file": "demand.csv", "row": 2 + day}


def away(code: str, first: int, last: int, kind: str = "leave", approved: bool = True) -> dict[str, Any]:
    """A row of absences; dates count from FIRST."""
    return {"person": code, "first": FIRST + first, "last": FIRST + last, "kind": kind, "approved": approved, "file": "absences.csv", "row": 2}


def may(code: str, post: str = "icu/MD", first: int = OPEN_START, last: int = OPEN_END) -> dict[str, Any]:
    """A row of qualifications."""
    return {"person": code, "post": post, "first": first, "last": last}


def source(program: Program | None = PROGRAM, dates: tuple[int, int] | None = None, **kinds: list[dict[str, Any]]) -> RosterTables:
    """A source that speaks of just these kinds."""
    return RosterTables(program=program, dates=dates, **{kind: frame(kind, rows) for kind, rows in kinds.items()})


def sample() -> RosterTables:
    """A and B may work at the ICU, C in the clinic too; five dates of demand, A works them all."""
    return source(
        people=[person(code) for code in "ABC"],
        services=[{"service": "icu", "name": "ICU", "tier": 1}, {"service": "clinic", "name": "Clinic", "tier": 3}],
        posts=[{"post": "icu/MD", "service": "icu", "role": "MD"}, {"post": "clinic/MD", "service": "clinic", "role": "MD"}],
        qualifications=[may("A"), may("B"), may("C"), may("C", "clinic/MD", FIRST, FIRST + 30)],
        demand=[needs(day) for day in range(5)],
        demand_rules=[{"post": "clinic/MD", "weekday": 0, "slot": "PM", "required": 1, "minimum": 0, "first": OPEN_START, "last": OPEN_END}],
        assignments=[works("A", day) for day in range(5)],
        absences=[away("B", 1, 2)],
    )  # fmt: skip


def only(tables: RosterTables, *kinds: str) -> RosterTables:
    """The same source with just these kinds in it."""
    return RosterTables(program=tables.program, **{kind: getattr(tables, kind) for kind in kinds})


def write(database: Database, tables: RosterTables, *, remove: bool = False, code: str = "fm") -> dict[str, KindCount]:
    """Write a source as one batch and raise the revision; returns what happened to each kind."""
    with database.write() as connection:
        program = replace(tables.program or PROGRAM, id=code)
        program_id, _ = imports.define_program(connection, program, NOW)
        batch_id, files = imports.open_batch(
            connection, program_id, "csv", "set.zip", "hash", NOW, "tester", ("assignments.csv", "demand.csv", "absences.csv", "people.csv")
        )
        imports.add_identities(connection, program_id, tables)
        ids = imports.identities(connection, program_id)
        counts = {
            kind: imports.replace_kind(connection, program_id, kind, part, ids, batch_id, files, tables.dates, remove)
            for kind, part in tables.kinds().items()
        }
        imports.raise_revision(connection, program_id, NOW)
    return counts


def read(database: Database, code: str = "fm") -> Roster:
    """The roster as the open rows say."""
    with database.read() as connection:
        row = programs.all_programs(connection, [code])[0]
        return assemble(facts.read_facts(connection, [row.id])[row.id].facts)[0]


def freeze(database: Database, at: dt.datetime, *, accept: bool = True, code: str = "fm") -> int | None:
    """Store what the open rows say as a version (or as refused), looked at at an instant; returns the version's id."""
    roster = read(database, code)
    print_ = fingerprint(roster)
    with database.write() as connection:
        row = programs.all_programs(connection, [code])[0]
        version_id = versions.store_version(connection, row.id, roster, print_, at) if accept else None
        versions.store_freeze(connection, row.id, row.revision, at, version_id, print_.content, [] if accept else [{"rule": "r"}])
    return version_id
