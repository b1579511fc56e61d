"""The audit trail: who did what, when; each row carries the hash of the one before it.

Belongs here: appending a row, verifying the chain. Does not belong here: the acts themselves (actions). The
database refuses to change or delete a row (migrations).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, text

from resilience_assets.storage import tables

GENESIS = "0" * 64
"""What the first row takes for the hash of the one before it."""

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('audit', 0))"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many rows hold, the hash of the newest of them, and the id of the first that does not (None: all hold)."""

    rows: int
    head: str
    broken: int | None


def append(
    connection: Connection, at: dt.datetime, who: str, what: str, subject: str, detail: Mapping[str, Any] | None = None
) -> str:
    """Add a row in the transaction of the act itself; returns its hash."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(_LOCK))  # two acts at once would take the same row for the last
    table = tables.AuditEvent
    before = connection.execute(select(table.hash).order_by(table.id.desc()).limit(1)).scalar_one_or_none() or GENESIS
    values = {"at": at, "who": who[:200], "what": what, "subject": subject[:300], "detail": dict(detail or {})}
    found = _hash(before, values)
    connection.execute(insert(table), values | {"previous_hash": before, "hash": found})
    return found


def _hash(before: str, values: Mapping[str, Any]) -> str:
    """sha256 over the hash before and the row as canonical JSON."""
    row = {name: values[name] for name in ("who", "what", "subject", "detail")}
    row["at"] = values["at"].astimezone(dt.UTC).isoformat(timespec="microseconds")
    canonical = json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{before}\n{canonical}".encode()).hexdigest()


def verify(connection: Connection) -> Verdict:
    """Follow the chain from its first row; a changed, removed or inserted row breaks it where it stands."""
    before, rows = GENESIS, 0
    for row in connection.execute(select(tables.AuditEvent).order_by(tables.AuditEvent.id)):
        if row.previous_hash != before or row.hash != _hash(before, row._asdict()):
            return Verdict(rows, before, row.id)
        before, rows = row.hash, rows + 1
    return Verdict(rows, before, None)


def newest(connection: Connection, limit: int = 50) -> list[Any]:
    """The newest rows, newest first."""
    return list(connection.execute(select(tables.AuditEvent).order_by(tables.AuditEvent.id.desc()).limit(limit)))
