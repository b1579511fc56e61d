"""Programs as they stand, without their rosters: what most questions begin with.

Belongs here: the rows of programs. Does not belong here: facts of their rosters (facts.py), frozen ones (versions.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from resilience_assets.storage import tables


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """A program as it stands: database id, readable id, revision, when it was last imported."""

    id: int
    code: str
    name: str
    time_zone: str
    revision: int
    checked_revision: int
    imported_at: Any


def all_programs(connection: Connection, codes: Sequence[str] | None = None) -> list[ProgramRow]:
    """All programs (or those named), by readable id."""
    table = tables.Program
    query = select(
        table.id, table.code, table.name, table.time_zone, table.revision, table.checked_revision, table.imported_at
    ).order_by(table.code)
    if codes is not None:
        query = query.where(table.code.in_(codes))
    return [ProgramRow(*row) for row in connection.execute(query)]
