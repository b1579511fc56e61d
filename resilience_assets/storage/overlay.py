"""The overlay: absences reported here and not yet in the source.

Belongs here: adding, ending and finding reported absences, and setting them against what a source
says. Does not belong here: what an import does about a contradiction (actions.import_roster).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, insert, select, update

from resilience_assets.storage import tables


@dataclass(frozen=True, slots=True)
class Reported:
    """A reported absence as people speak of it: person by readable id, epoch days, state."""

    id: int
    program: str
    person: str
    first: int
    last: int
    kind: str
    state: str
    reported_at: dt.datetime
    reported_by: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A source that has somebody at work on a date on which they were reported away here."""

    absence: Reported
    day: int
    shift: str
    post: str
    file: str
    row: int
    column: str


def report_absence(
    connection: Connection, program_id: int, person_id: int, first: int, last: int, kind: str, now: dt.datetime, by: str
) -> int:
    """Add one open absence to the overlay; the same one again is found, not doubled. Returns its id."""
    table = tables.ReportedAbsence
    same = connection.execute(
        select(table.id).where(
            table.program_id == program_id, table.person_id == person_id, table.first == first, table.last == last,
            table.kind == kind, table.state == "open",
        )
    ).scalar_one_or_none()  # fmt: skip
    if same is not None:
        return same
    values = {
        "program_id": program_id, "person_id": person_id, "first": first, "last": last, "kind": kind, "state": "open",
        "reported_at": now, "reported_by": by[:200],
    }  # fmt: skip
    return int(connection.execute(insert(table).returning(table.id), values).scalar_one())


def end_absences(
    connection: Connection, absence_ids: Sequence[int], state: str, now: dt.datetime, by: str, batch_id: int | None = None
) -> None:
    """End open absences of the overlay as 'in source', 'overruled' or 'undone'."""
    table = tables.ReportedAbsence
    values = {"state": state, "ended_at": now, "ended_by": by[:200], "ended_batch_id": batch_id}
    connection.execute(update(table).where(table.id.in_(absence_ids), table.state == "open").values(**values))


def open_absences(connection: Connection, program_id: int | None = None, person_id: int | None = None) -> list[Reported]:
    """Absences not yet in the source, oldest first."""
    table = tables.ReportedAbsence
    query = (
        select(table, tables.Program.code.label("program"), tables.Person.code.label("person"))
        .join(tables.Program, tables.Program.id == table.program_id)
        .join(tables.Person, tables.Person.id == table.person_id)
        .where(table.state == "open")
        .order_by(table.id)
    )
    if program_id is not None:
        query = query.where(table.program_id == program_id)
    if person_id is not None:
        query = query.where(table.person_id == person_id)
    return [
        Reported(r.id, r.program, r.person, r.first, r.last, r.kind, r.state, r.reported_at, r.reported_by)
        for r in connection.execute(query)
    ]


def contradictions(reported: Sequence[Reported], assignments: pd.DataFrame | None) -> list[Contradiction]:
    """Rows of a source's assignments that have a reported person at work on a reported date.

    FREE, REST and UNKNOWN are no contradiction: nobody relies on a seat that they do not fill.
    """
    if assignments is None or not reported:
        return []
    at_work = assignments[~assignments["post"].isin(["FREE", "REST", "UNKNOWN"])]
    out: list[Contradiction] = []
    by_person = dict(tuple(at_work[at_work["person"].isin([one.person for one in reported])].groupby("person")))
    for absence in reported:
        rows: Any = by_person.get(absence.person)
        if rows is None:
            continue
        hit = rows[(rows["day"] >= absence.first) & (rows["day"] <= absence.last)]
        out += [
            Contradiction(absence, int(r.day), r.shift, r.post, r.file, int(r.row), r.column) for r in hit.itertuples(index=False)
        ]
    return out


def confirmed(reported: Sequence[Reported], absences: pd.DataFrame | None) -> list[Reported]:
    """Reported absences that a source's approved absences cover on every date."""
    if absences is None or not len(absences):
        return []
    out = []
    approved = absences[absences["approved"].astype(bool)]
    for one in reported:
        own = approved[approved["person"] == one.person]
        days = np.arange(one.first, one.last + 1)
        covered = np.zeros(days.size, dtype=np.bool_)
        for first, last in zip(own["first"], own["last"], strict=True):
            covered |= (days >= first) & (days <= last)
        if covered.all():
            out.append(one)
    return out
