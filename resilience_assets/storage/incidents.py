"""Incidents, the notices to be told of them, and the in-app inbox.

Belongs here: what is open, how far each rule has counted, what is pending, what was delivered. Does
not belong here: when something opens or closes (alerting), which channel carries it (actions).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from resilience_assets.storage import tables

RuleScope = tuple[str, int, str]
"""(rule id, program id, scope key); the key is a service's id, or '' for the whole program."""


def rule_states(connection: Connection) -> dict[RuleScope, tuple[int, bool]]:
    """Readings beyond the trigger in a row, and whether the rule fires, where either holds."""
    table = tables.RuleState
    return {(row.rule, row.program_id, row.scope_key): (row.over, row.firing) for row in connection.execute(select(table))}


def last_reading(connection: Connection, source: str) -> int:
    """The newest reading of a source table that rules have taken; 0 if none."""
    table = tables.RuleCursor
    return int(connection.execute(select(table.last_id).where(table.source == source)).scalar_one_or_none() or 0)


def save_rule_states(connection: Connection, states: dict[RuleScope, tuple[int, bool]], source: str, last_id: int) -> None:
    """Keep the counts that changed (a rule at rest is forgotten) and the newest reading taken."""
    table = tables.RuleState
    for (rule, program_id, key), (over, firing) in states.items():
        here = (table.rule == rule, table.program_id == program_id, table.scope_key == key)
        connection.execute(delete(table).where(*here))
        if over or firing:
            values = {"rule": rule, "program_id": program_id, "scope_key": key, "over": over, "firing": firing}
            connection.execute(insert(table), values)
    connection.execute(delete(tables.RuleCursor).where(tables.RuleCursor.source == source))
    connection.execute(insert(tables.RuleCursor), {"source": source, "last_id": last_id})


def open_incidents(connection: Connection) -> list[Any]:
    """What is open now, with `program` the readable id, oldest first."""
    table = tables.Incident
    query = (
        select(table, tables.Program.code.label("program"))
        .join(tables.Program, tables.Program.id == table.program_id)
        .where(table.closed_at.is_(None))
        .order_by(table.id)
    )
    return list(connection.execute(query))


def open_incident(
    connection: Connection, scope: RuleScope, severity: str, as_of: dt.datetime, value: float | None
) -> int:
    """Open an incident; the partial unique index refuses a second open one of the same rule and scope."""
    rule, program_id, key = scope
    values = {"rule": rule, "program_id": program_id, "scope_key": key, "severity": severity, "opened_at": as_of, "value": value}
    return int(connection.execute(insert(tables.Incident).returning(tables.Incident.id), values).scalar_one())


def update_incident(connection: Connection, incident_id: int, **values: Any) -> None:
    """Change an incident's severity, value or closing instant."""
    connection.execute(update(tables.Incident).where(tables.Incident.id == incident_id).values(**values))


def add_notice(connection: Connection, incident_id: int, values: dict[str, Any]) -> None:
    """Queue the next notice of an incident in the same transaction as what it tells of."""
    table = tables.Notice
    seq = connection.execute(select(func.max(table.seq)).where(table.incident_id == incident_id)).scalar_one() or 0
    connection.execute(insert(table), {"incident_id": incident_id, "seq": seq + 1, **values})


def pending_notices(connection: Connection) -> list[Any]:
    """Notices not delivered yet, oldest first, with rule, scope, program."""
    notice, incident = tables.Notice, tables.Incident
    query = (
        select(notice, incident.rule, incident.scope_key, incident.program_id, tables.Program.code.label("program"))
        .join(incident, incident.id == notice.incident_id)
        .join(tables.Program, tables.Program.id == incident.program_id)
        .where(notice.delivered_at.is_(None))
        .order_by(notice.id)
    )
    return list(connection.execute(query))


def write_inbox(connection: Connection, notices: Sequence[Any], now: dt.datetime) -> int:
    """Put notices into the inbox and mark them delivered; returns how many were new."""
    if not notices:
        return 0
    written = 0
    for row in notices:
        claimed = connection.execute(
            update(tables.Notice).where(tables.Notice.id == row.id, tables.Notice.delivered_at.is_(None)).values(delivered_at=now)
        )
        if claimed.rowcount:
            values = {
                "notice_id": row.id, "program_id": row.program_id, "severity": row.severity,
                "subject": row.subject, "body": row.body, "written_at": now,
            }  # fmt: skip
            connection.execute(insert(tables.InboxMessage), values)
            written += 1
    return written


def inbox(connection: Connection, program: str | None = None, limit: int = 20) -> list[Any]:
    """The newest messages, newest first, with `program` the readable id."""
    table = tables.InboxMessage
    query = (
        select(table, tables.Program.code.label("program"))
        .join(tables.Program, tables.Program.id == table.program_id)
        .order_by(table.id.desc())
        .limit(limit)
    )
    if program is not None:
        query = query.where(tables.Program.code == program)
    return list(connection.execute(query))
