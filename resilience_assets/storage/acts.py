"""What people do about alerts: acknowledge, silence, declare a gap.

Belongs here: writing and reading those rows. Does not belong here: what follows from them (alerting, actions),
the audit trail (audit.py). A row is ended, never deleted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from resilience_assets.storage import tables


def acknowledge(connection: Connection, incident_id: int, at: dt.datetime, by: str, note: str) -> bool:
    """Note that somebody has an open incident in hand; False where it is closed or was acknowledged already."""
    table = tables.Incident
    open_now = (table.id == incident_id, table.closed_at.is_(None), table.acknowledged_at.is_(None))
    if not connection.execute(update(table).where(*open_now).values(acknowledged_at=at)).rowcount:
        return False
    connection.execute(insert(tables.Acknowledgement), {"incident_id": incident_id, "at": at, "by": by, "note": note})
    return True


def add_silence(
    connection: Connection, *, program: str, rule: str, scope_key: str, starts_at: dt.datetime, ends_at: dt.datetime,
    author: str, reason: str, created_at: dt.datetime,
) -> int:  # fmt: skip
    """Write a silence; returns its id."""
    values = {
        "program": program, "rule": rule, "scope_key": scope_key, "starts_at": starts_at, "ends_at": ends_at,
        "author": author, "reason": reason, "created_at": created_at,
    }  # fmt: skip
    return int(connection.execute(insert(tables.Silence).returning(tables.Silence.id), values).scalar_one())


def silences(connection: Connection, now: dt.datetime) -> list[Any]:
    """Silences that hold now or later, oldest first."""
    table = tables.Silence
    return list(connection.execute(select(table).where(table.ends_at > now).order_by(table.id)))


def end_silence(connection: Connection, silence_id: int, now: dt.datetime) -> bool:
    """End a silence now; False where there is none that still holds."""
    table = tables.Silence
    return bool(connection.execute(update(table).where(table.id == silence_id, table.ends_at > now).values(ends_at=now)).rowcount)


def add_gap(
    connection: Connection, *, program_id: int, service: str, first: int, last: int, seats: int, author: str, reason: str,
    created_at: dt.datetime,
) -> int:  # fmt: skip
    """Write a declared gap; returns its id."""
    values = {
        "program_id": program_id, "service": service, "first": first, "last": last, "seats": seats, "author": author,
        "reason": reason, "created_at": created_at,
    }  # fmt: skip
    return int(connection.execute(insert(tables.DeclaredGap).returning(tables.DeclaredGap.id), values).scalar_one())


def gaps(connection: Connection, program_ids: Sequence[int] | None = None) -> list[Any]:
    """Declared gaps that were not ended, with `program` the readable id, oldest first."""
    table = tables.DeclaredGap
    query = (
        select(table, tables.Program.code.label("program"))
        .join(tables.Program, tables.Program.id == table.program_id)
        .where(table.ended_at.is_(None))
        .order_by(table.id)
    )
    if program_ids is None:
        return list(connection.execute(query))
    wanted = set(program_ids)
    return [row for row in connection.execute(query) if row.program_id in wanted]


def end_gap(connection: Connection, gap_id: int, now: dt.datetime) -> bool:
    """End a declared gap now; False where there is none that still holds."""
    table = tables.DeclaredGap
    ended = update(table).where(table.id == gap_id, table.ended_at.is_(None)).values(ended_at=now)
    return bool(connection.execute(ended).rowcount)
