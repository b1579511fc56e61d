"""Deliver what is pending: today into the in-app inbox, in the order in which it happened.

Belongs here: taking pending notices and handing them to a channel. Does not belong here: deciding
what is worth a notice (alerting, actions.evaluate_alerts).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from resilience_assets.storage import incidents
from resilience_assets.storage.database import Database


@dataclass(frozen=True)
class Delivery:
    """How many notices were pending, and how many of them this call wrote (another call may be quicker)."""

    pending: int
    written: int
    by_severity: dict[str, int]


def deliver_pending(database: Database, now: dt.datetime) -> Delivery:
    """Write every pending notice into the inbox, each exactly once, in one transaction."""
    with database.write() as connection:
        pending = incidents.pending_notices(connection)
        written = incidents.take_up(connection, pending, now)
    by_severity: dict[str, int] = {}
    for notice in pending:
        by_severity[notice.severity] = by_severity.get(notice.severity, 0) + 1
    return Delivery(len(pending), written, by_severity)


def pending(database: Database) -> list[Any]:
    """Notices not delivered yet, oldest first."""
    with database.read() as connection:
        return incidents.pending_notices(connection)


def inbox(database: Database, program: str | None = None, limit: int = 20) -> list[Any]:
    """The newest messages of the inbox, newest first."""
    with database.read() as connection:
        return incidents.inbox(connection, program, limit)
