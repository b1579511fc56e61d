"""What the sensors ask: what is pending, what is unchecked, what lies in the drop folder.

Belongs here: short questions that are answered within a second. Does not belong here: doing
anything about the answer (jobs).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resilience_assets.actions.import_apart import DONE, REFUSED
from resilience_assets.actions.program_states import program_states
from resilience_assets.policy import Policies
from resilience_assets.storage import incidents, outbox, programs, results
from resilience_assets.storage.database import Database

A_NIGHT = dt.timedelta(hours=26)
"""A deep dive older than this is one that a night left out."""
NOT_ROSTERS = {"mapping.yaml"}


@dataclass(frozen=True)
class ThresholdWatch:
    """Pending notices, one sentence on what is watched and how it stands, and how many messages are due to be sent."""

    pending: list[Any]
    sentence: str
    due: int = 0


def threshold_watch(database: Database, policies: Policies, now: dt.datetime | None = None) -> ThresholdWatch:
    """Notices that wait, the worst coverage beside its limit, and messages that are due at `now` (a retry, a held one)."""
    with database.read() as connection:
        due = outbox.due(connection, now) if now is not None else 0
        pending = incidents.pending_notices(connection)
        headlines = results.newest_headlines(connection)
        open_count = len(incidents.open_incidents(connection))
    measured = [row for row in headlines if row.coverage is not None]
    end = f"{len(pending)} notices pending, {open_count} incidents open"
    if not measured:
        return ThresholdWatch(pending, f"nothing measured yet; {end}", due)
    worst = min(measured, key=lambda row: row.coverage)
    limit = max(
        (rule.trigger for rule in policies.for_program(worst.program).alert_rules
         if rule.active and rule.measure == "coverage" and rule.scope == "program"),
        default=None,
    )  # fmt: skip
    warns = f", warns below {limit:g}" if limit is not None else ""
    return ThresholdWatch(pending, f"worst coverage {worst.coverage:.2f} ({worst.program}){warns}; {end}", due)


def unchecked_programs(database: Database) -> list[str]:
    """Programs with a revision that no scheduled or clicked health check has seen."""
    with database.read() as connection:
        return [row.code for row in programs.all_programs(connection) if row.revision > row.checked_revision]


@dataclass(frozen=True, slots=True)
class DropFile:
    """A file or folder put into DROP/PROGRAM/; `look` changes while it is still being written."""

    path: Path
    program: str
    look: str

    @property
    def key(self) -> str:
        """Its place below the drop folder."""
        return f"{self.program}/{self.path.name}"


def drop_files(folder: Path) -> list[DropFile]:
    """What lies in the program folders of the drop folder, oldest first; links and hidden names are left alone."""
    found: list[tuple[float, DropFile]] = []
    if not folder.is_dir():
        return []
    for program in sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()):
        for path in program.iterdir():
            if path.name in NOT_ROSTERS | {DONE, REFUSED} or path.name.startswith((".", "~")) or path.is_symlink():
                continue
            parts = [path] if path.is_file() else sorted(inner for inner in path.rglob("*") if inner.is_file())
            stats = [part.stat() for part in parts]
            look = f"{len(stats)}:{sum(s.st_size for s in stats)}:{max((s.st_mtime_ns for s in stats), default=0)}"
            newest = max((s.st_mtime for s in stats), default=0.0)
            found.append((newest, DropFile(path, program.name, look)))
    return [file for _, file in sorted(found, key=lambda item: (item[0], item[1].key))]


def programs_without_deep_dive(database: Database, now: dt.datetime) -> list[str]:
    """Readable ids of programs with an accepted roster whose newest deep dive is missing, or older than a night and its run."""
    states = [state for state in program_states(database, now) if state.version_id is not None]
    with database.read() as connection:
        newest = results.newest_computed(connection, results.DEEP_DIVE)
    return [state.code for state in states if state.id not in newest or now - newest[state.id] > A_NIGHT]
