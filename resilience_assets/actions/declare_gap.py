"""Declare a gap: seats known to be open and accepted; the alarm leaves them out, the figure does not. Audited.

Belongs here: declaring and ending one. Does not belong here: what it does to the alarm (alerting.gaps).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Connection

from resilience_assets.domain.days import day_text
from resilience_assets.storage import acts, audit, imports, programs, results
from resilience_assets.storage.database import Database

MOST_DAYS = 366


def declare_gap(
    database: Database, *, program: str, service: str, first: int, last: int, now: dt.datetime, by: str, reason: str,
    seats: int | None = None,
) -> tuple[int, int]:  # fmt: skip
    """Declare that up to `seats` seats a date (slots count each) of a service may be open; returns (id, seats).

    Without `seats` as many as are open now on the worst of these dates. It holds from the next check on.
    ValueError for an unknown program or service, dates that make no sense, no reason, or nothing open.
    """
    if not reason.strip():
        raise ValueError("a declared gap needs a reason")
    if not first <= last < first + MOST_DAYS:
        raise ValueError(f"from {day_text(first)} to {day_text(last)} is not a stretch of 1 to {MOST_DAYS} days")
    if seats is not None and seats < 1:
        raise ValueError(f"{seats} seats is no gap")
    with database.write(alone="alerts") as connection:
        found = programs.all_programs(connection, [program])
        if not found:
            known = ", ".join(row.code for row in programs.all_programs(connection)) or "none yet"
            raise ValueError(f"program {program!r} is not known (known: {known})")
        services = imports.known_codes(connection, found[0].id)["service"]
        if service not in services:
            raise ValueError(f"{program} has no service {service!r}; known are {', '.join(sorted(services)) or 'none'}")
        seats = seats if seats is not None else _open_now(connection, program, service, first, last)
        if not seats:
            raise ValueError(f"no seat of {service} is open from {day_text(first)} to {day_text(last)} now: say how many with --seats")
        id = acts.add_gap(
            connection, program_id=found[0].id, service=service, first=first, last=last, seats=seats, author=by,
            reason=reason.strip(), created_at=now,
        )  # fmt: skip
        detail = {
            "program": program, "service": service, "from": day_text(first), "to": day_text(last), "seats": seats,
            "reason": reason.strip(),
        }  # fmt: skip
        audit.append(connection, now, by, "declare gap", f"gap {id}", detail)
    return id, seats


def _open_now(connection: Connection, program: str, service: str, first: int, last: int) -> int:
    """The most seats of a service that are open on one of these dates, by the newest figures."""
    rows = results.newest_headlines(connection, [program])
    if not rows or rows[0].utilization_id is None:
        return 0
    days = results.service_days(connection, [rows[0].utilization_id])
    return max((row.open_seats for row in days if row.key == service and first <= row.day <= last), default=0)


def end_gap(database: Database, id: int, *, now: dt.datetime, by: str) -> None:
    """End a declared gap now; ValueError where none of this number still holds."""
    with database.write(alone="alerts") as connection:
        if not acts.end_gap(connection, id, now):
            raise ValueError(f"no declared gap {id} holds (any more): see `resilience gap --list`")
        audit.append(connection, now, by, "end gap", f"gap {id}")


def gaps(database: Database, program: str | None = None) -> list[Any]:
    """Declared gaps that hold, oldest first."""
    with database.read() as connection:
        return [row for row in acts.gaps(connection) if program in (None, row.program)]
