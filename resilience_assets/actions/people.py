"""Finding the person whom somebody means, by readable id or by name.

Belongs here: resolving what was typed to one person, or saying why not. Does not belong here:
showing names to readers who may not see them (the caller prints the id).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from resilience_assets.storage import tables


class UnknownPersonError(ValueError):
    """Nobody, or more than one, is called so; the message says who might be meant."""


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """One person of one program."""

    id: int
    code: str
    name: str
    program_id: int
    program: str
    time_zone: str


def find_person(
    connection: Connection, text: str, program: str | None = None, *, gone: bool = False, names: bool = True
) -> FoundPerson:
    """The one person with this readable id, else this name, else a name that contains it (any case).

    `gone` finds those as well whom the roster has no more; without `names` nobody is found by name.
    Raises UnknownPersonError with the nearest ids when nobody or more than one fits.
    """
    people = _everybody(connection, program, gone)
    wanted = text.strip().casefold()
    for fits in (
        [one for one in people if one.code.casefold() == wanted],
        [one for one in people if names and one.name.casefold() == wanted],
        [one for one in people if names and wanted and wanted in one.name.casefold()],
    ):
        if len(fits) == 1:
            return fits[0]
        if fits:
            shown = ", ".join(f"{one.code} in {one.program}" for one in fits[:8])
            raise UnknownPersonError(f"{text!r} may be any of {len(fits)}: {shown}; give the id, and --program where it is needed")
    near = difflib.get_close_matches(text.upper(), [one.code for one in people], n=3, cutoff=0.5)
    where = f"program {program}" if program else "any program"
    meant = f"; did you mean {', '.join(near)}?" if near else ""
    if not names:
        # the text may be a name, and what refuses it is on record
        raise UnknownPersonError(f"nobody in {where} has this id{meant}; give the readable id, a name has no place in a run")
    raise UnknownPersonError(f"nobody in {where} has the id or name {text!r}{meant}")


def _everybody(connection: Connection, program: str | None, gone: bool) -> list[FoundPerson]:
    record: Any = tables.PersonRecord
    query = (
        select(
            tables.Person.id, tables.Person.code, record.name, tables.Program.id.label("program_id"),
            tables.Program.code.label("program"), tables.Program.time_zone,
        )
        .join(record, record.person_id == tables.Person.id)
        .join(tables.Program, tables.Program.id == tables.Person.program_id)
        .order_by(tables.Program.code, tables.Person.code, record.id)
    )  # fmt: skip
    if not gone:
        query = query.where(record.closed_batch_id.is_(None))
    if program is not None:
        query = query.where(tables.Program.code == program)
    # of several records of somebody the newest tells the name
    return list({row.id: FoundPerson(*row) for row in connection.execute(query)}.values())
