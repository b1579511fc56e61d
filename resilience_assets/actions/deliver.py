"""Deliver what waits: take up new notices, send what is due of the outbox.

Belongs here: one delivery from beginning to end, what the inbox holds. Does not belong here: deciding what is
worth a notice (alerting, actions.evaluate_alerts), how a message is sent (delivery).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resilience_assets.delivery.channels import Channels
from resilience_assets.delivery.dispatcher import Dispatcher, Pace, drain
from resilience_assets.storage import incidents, outbox
from resilience_assets.storage.database import Database

SECONDS = 240.0
"""How long one delivery sends before it leaves the rest to the next."""


@dataclass(frozen=True)
class Delivery:
    """How many notices were pending, how many of them this call took up (another call may be quicker), and attempts
    to send by outcome."""

    pending: int
    written: int
    by_severity: dict[str, int]
    attempts: Mapping[str, int] = field(default_factory=dict)


def deliver_pending(
    database: Database, now: dt.datetime, channels: Channels | None = None, clock: Callable[[], dt.datetime] | None = None,
    *, pace: Pace | None = None, seconds: float = SECONDS,
) -> Delivery:  # fmt: skip
    """Take up every pending notice, each exactly once, then send over `channels` until nothing is due for a while.

    Without `channels` nothing is sent: the inbox has everything already. `clock` gives the time while it sends.
    """
    with database.write() as connection:
        pending = incidents.pending_notices(connection)
        written = incidents.take_up(connection, pending, now)
    by_severity = dict(Counter(notice.severity for notice in pending))
    if channels is None:
        return Delivery(len(pending), written, by_severity)
    sent = drain(Dispatcher(database, channels, clock or (lambda: now), pace), seconds=seconds)
    return Delivery(len(pending), written, by_severity, dict(sent.outcomes))


def deliver_message(
    database: Database, message_id: int, channels: Channels, clock: Callable[[], dt.datetime], *, pace: Pace | None = None
) -> dict[str, int]:
    """Send the rows of one message now; returns rows by state, none where it has no reader outside the inbox.

    ValueError for a message that is not there.
    """
    with database.read() as connection:
        if outbox.message(connection, message_id) is None:
            raise ValueError(f"there is no message {message_id} to send")
    drain(Dispatcher(database, channels, clock, pace), seconds=SECONDS, message_id=message_id)
    with database.read() as connection:
        return dict(Counter(row.state for row in outbox.message_rows(connection, message_id)))


def whereabouts(database: Database, message_id: int) -> list[dict[str, Any]]:
    """How each row of a message stands: its channel, its state, the reason where it was given up or is off."""
    with database.read() as connection:
        rows = outbox.message_rows(connection, message_id)
    return [{"channel": row.channel, "state": row.state, "reason": row.reason or ""} for row in rows]


def pending(database: Database) -> list[Any]:
    """Notices that no delivery has taken up yet, oldest first."""
    with database.read() as connection:
        return incidents.pending_notices(connection)


@dataclass(frozen=True, slots=True)
class Told:
    """An incident that a message of the inbox tells of: its number (what `ack` needs) and how it stands now."""

    incident: int
    stands: str


def told(database: Database, notice_ids: Sequence[int]) -> dict[int, list[Told]]:
    """By notice, the incidents that it tells of: 'open', 'in hand' (acknowledged) or 'over'."""
    with database.read() as connection:
        found = incidents.incidents_told(connection, notice_ids)
    return {notice: [Told(row.id, _stands(row)) for row in rows] for notice, rows in found.items()}


def _stands(row: Any) -> str:
    if row.closed_at is not None:
        return "over"
    return "open" if row.acknowledged_at is None else "in hand"


def inbox(database: Database, program: str | None = None, limit: int = 20) -> list[Any]:
    """The newest messages of the inbox, newest first."""
    with database.read() as connection:
        return incidents.inbox(connection, program, limit)
