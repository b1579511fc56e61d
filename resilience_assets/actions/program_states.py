"""Which roster holds for each program at an instant.

Belongs here: reading that off the record. Does not belong here: freezing a roster that moved (freeze.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from resilience_assets.storage import programs, versions
from resilience_assets.storage.database import Database
from resilience_assets.storage.versions import FrozenRoster


@dataclass(frozen=True)
class ProgramState:
    """A program and the roster that holds for it: `frozen` is None where nothing was ever frozen."""

    id: int
    code: str
    name: str
    time_zone: str
    revision: int
    imported_at: dt.datetime | None
    frozen: FrozenRoster | None

    @property
    def version_id(self) -> int | None:
        """The roster version that results are computed from."""
        return self.frozen.version_id if self.frozen else None


def program_states(database: Database, as_of: dt.datetime, codes: Sequence[str] | None = None) -> list[ProgramState]:
    """All programs (or those named) with the roster that holds for each at an instant."""
    with database.read() as connection:
        frozen = {one.program_id: one for one in versions.frozen_rosters(connection, as_of)}
        return [
            ProgramState(row.id, row.code, row.name, row.time_zone, row.revision, row.imported_at, frozen.get(row.id))
            for row in programs.all_programs(connection, codes)
        ]
