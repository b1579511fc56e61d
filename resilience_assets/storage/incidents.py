"""Incidents, what happened to them, who was told, and the in-app inbox.

Belongs here: what is open, how far each rule has counted, events, tellings and notices, the inbox. Does not
belong here: when something opens or closes and who is told (alerting), which channel carries it (outbox.py),
what people do about it (acts.py). Program id 0 stands for the deployment, which the tables keep as null.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, case, delete, func, insert, select, update

from resilience_assets.storage import tables

RuleScope = tuple[str, int, str]
"""(rule id or family, program id, scope key); the key is a service's id, or '' for the whole program."""

AT_ONCE = 500
"""Ids named in one query: below the number of variables that every SQLite takes."""


# --- what is carried from one evaluation to the next -----------------------------------------------


def rule_states(connection: Connection) -> dict[RuleScope, tuple[int, int, bool]]:
    """Readings in a row beyond the trigger, beyond the clear limit, and whether the rule fires, where any holds."""
    table = tables.RuleState
    rows = connection.execute(select(table))
    return {(row.rule, row.program_id, row.scope_key): (row.over, row.under, row.firing) for row in rows}


def rule_histories(connection: Connection) -> dict[RuleScope, tuple[str, bool]]:
    """Last readings of each family that has fired lately ('0110'), and whether it flaps."""
    table = tables.RuleHistory
    return {(row.rule, row.program_id, row.scope_key): (row.recent, row.flapping) for row in connection.execute(select(table))}


def last_reading(connection: Connection, source: str) -> int:
    """The newest reading of a source that rules have taken; 0 if none."""
    table = tables.RuleCursor
    return int(connection.execute(select(table.last_id).where(table.source == source)).scalar_one_or_none() or 0)


def save_last_reading(connection: Connection, source: str, last_id: int) -> None:
    """Keep the newest reading taken."""
    connection.execute(delete(tables.RuleCursor).where(tables.RuleCursor.source == source))
    connection.execute(insert(tables.RuleCursor), {"source": source, "last_id": last_id})


def save_rule_states(connection: Connection, states: Mapping[RuleScope, tuple[int, int, bool]]) -> None:
    """Keep the counts that changed; a rule at rest is forgotten."""
    rows = [
        {"over": over, "under": under, "firing": firing} | _scope(scope)
        for scope, (over, under, firing) in states.items() if over or under or firing
    ]  # fmt: skip
    _replace(connection, tables.RuleState, states, rows)


def save_rule_histories(connection: Connection, histories: Mapping[RuleScope, tuple[str, bool]]) -> None:
    """Keep the histories that changed; a calm past is forgotten."""
    rows = [
        {"recent": recent, "flapping": flapping} | _scope(scope)
        for scope, (recent, flapping) in histories.items() if "1" in recent or flapping
    ]  # fmt: skip
    _replace(connection, tables.RuleHistory, histories, rows)


def _scope(scope: RuleScope) -> dict[str, Any]:
    return dict(zip(("rule", "program_id", "scope_key"), scope, strict=True))


def _replace(connection: Connection, table: Any, scopes: Collection[RuleScope], rows: list[dict[str, Any]]) -> None:
    for rule, program_id, key in scopes:
        connection.execute(delete(table).where(table.rule == rule, table.program_id == program_id, table.scope_key == key))
    if rows:
        connection.execute(insert(table), rows)


# --- incidents and events --------------------------------------------------------------------------


def open_incidents(connection: Connection) -> list[Any]:
    """What is open now, oldest first, with `program` the readable id and `time_zone` ('' and UTC: the deployment)."""
    return list(connection.execute(_incidents().where(tables.Incident.closed_at.is_(None))))


def find_incidents(connection: Connection, ids: Sequence[int]) -> list[Any]:
    """Incidents by id, open or closed."""
    found: list[Any] = []
    for part in _parts(ids):
        found += connection.execute(_incidents().where(tables.Incident.id.in_(part)))
    return found


def _incidents() -> Any:
    table = tables.Incident
    columns = (
        func.coalesce(tables.Program.code, "").label("program"),
        func.coalesce(tables.Program.time_zone, "UTC").label("time_zone"),
    )
    return select(table, *columns).outerjoin(tables.Program, tables.Program.id == table.program_id).order_by(table.id)


def _parts(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[low : low + AT_ONCE] for low in range(0, len(ids), AT_ONCE)]


def open_incident(connection: Connection, scope: RuleScope, severity: str, as_of: dt.datetime, value: float | None, **more: Any) -> int:
    """Open an incident; the partial unique index refuses a second open one of the same rule and scope."""
    rule, program_id, key = scope
    values = {
        "rule": rule, "program_id": program_id or None, "scope_key": key, "severity": severity, "opened_at": as_of,
        "value": value, "base_at": as_of,
    }  # fmt: skip
    return int(connection.execute(insert(tables.Incident).returning(tables.Incident.id), values | more).scalar_one())


def update_incident(connection: Connection, incident_id: int, **values: Any) -> None:
    """Change an incident."""
    connection.execute(update(tables.Incident).where(tables.Incident.id == incident_id).values(**values))


def add_event(connection: Connection, incident_id: int, values: Mapping[str, Any]) -> int:
    """Record what happened to an incident, with the next number; returns the event's id."""
    table = tables.IncidentEvent
    seq = connection.execute(select(func.max(table.seq)).where(table.incident_id == incident_id)).scalar_one() or 0
    row = {"incident_id": incident_id, "seq": seq + 1, "summary": "", "level": 0, **values}
    return int(connection.execute(insert(table).returning(table.id), row).scalar_one())


def events(connection: Connection, incident_id: int) -> list[Any]:
    """Everything that happened to an incident, in order."""
    table = tables.IncidentEvent
    return list(connection.execute(select(table).where(table.incident_id == incident_id).order_by(table.seq)))


# --- notices and who was told ----------------------------------------------------------------------


def add_notice(connection: Connection, incident_id: int | None, values: Mapping[str, Any]) -> tuple[int, int]:
    """Write the next notice of a thread (or a digest, which has none); returns (id, seq)."""
    table = tables.Notice
    seq = 1
    if incident_id is not None:
        seq += connection.execute(select(func.max(table.seq)).where(table.incident_id == incident_id)).scalar_one() or 0
    row = {"incident_id": incident_id, "seq": seq, **values}
    return int(connection.execute(insert(table).returning(table.id), row).scalar_one()), seq


def heard(connection: Connection, incident_ids: Sequence[int], held: str) -> dict[tuple[int, str], tuple[bool, bool]]:
    """By incident and reader: told of it at least once; something waits for the morning (its reason is `held`)."""
    event, telling = tables.IncidentEvent, tables.Telling
    told = func.max(case((telling.notice_id.is_not(None), 1), else_=0))
    waits = func.max(case((telling.reason == held, 1), else_=0))
    out: dict[tuple[int, str], tuple[bool, bool]] = {}
    for part in _parts(incident_ids):
        query = (
            select(event.incident_id, telling.reader, told, waits)
            .join(event, event.id == telling.event_id)
            .where(event.incident_id.in_(part))
            .group_by(event.incident_id, telling.reader)
        )
        out |= {(row[0], row[1]): (bool(row[2]), bool(row[3])) for row in connection.execute(query)}
    return out


def add_tellings(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what became of events for readers: event_id, reader, and a notice_id or a reason."""
    if rows:
        connection.execute(insert(tables.Telling), [{"notice_id": None, "reason": "", **row} for row in rows])


def tell_held(connection: Connection, incident_id: int, reader: str, notice_id: int, held: str) -> None:
    """What was held of an incident for a reader is told by this notice."""
    telling, event = tables.Telling, tables.IncidentEvent
    mine = select(event.id).where(event.incident_id == incident_id)
    connection.execute(
        update(telling)
        .where(telling.reader == reader, telling.reason == held, telling.event_id.in_(mine))
        .values(notice_id=notice_id, reason="")
    )


def settle_held(connection: Connection, ids: Sequence[int], *, notice_id: int | None = None, reason: str = "") -> None:
    """End the waiting of some tellings: told by a notice, or not, and why."""
    for part in _parts(ids):
        connection.execute(update(tables.Telling).where(tables.Telling.id.in_(part)).values(notice_id=notice_id, reason=reason))


def held_tellings(connection: Connection, held: str) -> list[Any]:
    """Everything that waits for a morning, in order, with its event, and its incident as `_incidents` gives it."""
    telling, event, incident = tables.Telling, tables.IncidentEvent, tables.Incident
    columns = (
        telling.id, telling.reader, event.kind, event.incident_id, event.severity.label("event_severity"), incident.severity,
        incident.rule, incident.scope_key, incident.opened_at, incident.closed_at, incident.acknowledged_at, incident.summary,
        func.coalesce(tables.Program.code, "").label("program"), func.coalesce(tables.Program.time_zone, "UTC").label("time_zone"),
    )  # fmt: skip
    query = (
        select(*columns)
        .join(event, event.id == telling.event_id)
        .join(incident, incident.id == event.incident_id)
        .outerjoin(tables.Program, tables.Program.id == incident.program_id)
        .where(telling.notice_id.is_(None), telling.reason == held)
        .order_by(telling.reader, event.id)
    )
    return list(connection.execute(query))


def untold_openings(connection: Connection, reasons: Sequence[str]) -> list[tuple[int, str]]:
    """(incident, reader) of open incidents that a reader was spared for one of these reasons and was never told of."""
    event, telling, incident = tables.IncidentEvent, tables.Telling, tables.Incident
    spared = func.max(case((telling.reason.in_(reasons), 1), else_=0))
    query = (
        select(event.incident_id, telling.reader)
        .join(event, event.id == telling.event_id)
        .join(incident, incident.id == event.incident_id)
        .where(incident.closed_at.is_(None), incident.acknowledged_at.is_(None))
        .group_by(event.incident_id, telling.reader)
        .having(and_(spared == 1, func.count(telling.notice_id) == 0))
        .order_by(event.incident_id, telling.reader)
    )
    return [(row[0], row[1]) for row in connection.execute(query)]


def readers_of_open(connection: Connection, thread_id: int) -> set[str]:
    """Readers who were told of an incident of a thread that is still open."""
    event, telling, incident = tables.IncidentEvent, tables.Telling, tables.Incident
    query = (
        select(telling.reader)
        .join(event, event.id == telling.event_id)
        .join(incident, incident.id == event.incident_id)
        .where(incident.thread_id == thread_id, incident.closed_at.is_(None), telling.notice_id.is_not(None))
    )
    return set(connection.execute(query.distinct()).scalars())


# --- the inbox, and what waits for a delivery ------------------------------------------------------


def add_to_inbox(connection: Connection, notice_id: int, program_id: int | None, severity: str, subject: str, body: str, now: dt.datetime) -> None:
    """Put a notice into the inbox, in the transaction of what it tells of."""
    values = {
        "notice_id": notice_id, "program_id": program_id or None, "severity": severity, "subject": subject, "body": body,
        "written_at": now,
    }  # fmt: skip
    connection.execute(insert(tables.InboxMessage), values)


def pending_notices(connection: Connection) -> list[Any]:
    """Notices that no delivery has taken up yet, oldest first, with rule, scope, program."""
    notice, incident = tables.Notice, tables.Incident
    query = (
        select(
            notice, incident.rule, incident.scope_key, incident.program_id,
            func.coalesce(tables.Program.code, "").label("program"),
        )
        .join(incident, incident.id == notice.incident_id)
        .outerjoin(tables.Program, tables.Program.id == incident.program_id)
        .where(notice.delivered_at.is_(None))
        .order_by(notice.id)
    )  # fmt: skip
    return list(connection.execute(query))


def take_up(connection: Connection, notices: Sequence[Any], now: dt.datetime) -> int:
    """Mark notices as taken up by a delivery; returns how many were new (another delivery may be quicker)."""
    table, taken = tables.Notice, 0
    for row in notices:
        mine = update(table).where(table.id == row.id, table.delivered_at.is_(None)).values(delivered_at=now)
        taken += connection.execute(mine).rowcount
    return taken


def inbox(connection: Connection, program: str | None = None, limit: int = 20) -> list[Any]:
    """The newest messages, newest first, with `program` the readable id ('' for the deployment)."""
    table = tables.InboxMessage
    query = (
        select(table, func.coalesce(tables.Program.code, "").label("program"))
        .outerjoin(tables.Program, tables.Program.id == table.program_id)
        .order_by(table.id.desc())
        .limit(limit)
    )
    if program is not None:
        query = query.where(tables.Program.code == program)
    return list(connection.execute(query))


def incidents_told(connection: Connection, notice_ids: Sequence[int]) -> dict[int, list[Any]]:
    """By notice, the incidents that it tells of in the inbox: id, when each was acknowledged, when it was closed."""
    event, telling, incident = tables.IncidentEvent, tables.Telling, tables.Incident
    out: dict[int, list[Any]] = {}
    for part in _parts(notice_ids):
        query = (
            select(telling.notice_id, incident.id, incident.acknowledged_at, incident.closed_at)
            .join(event, event.id == telling.event_id)
            .join(incident, incident.id == event.incident_id)
            .where(telling.notice_id.in_(part))
            .distinct()
            .order_by(incident.id)
        )
        for row in connection.execute(query):
            out.setdefault(row.notice_id, []).append(row)
    return out


def newest_of_kind(connection: Connection, kind: str) -> dict[int, dt.datetime]:
    """By program id, the instant of which the newest notice of a kind in its inbox speaks."""
    notice, message = tables.Notice, tables.InboxMessage
    query: Any = select(message.program_id, func.max(notice.as_of)).join(notice, notice.id == message.notice_id)
    query = query.where(notice.kind == kind, message.program_id.is_not(None)).group_by(message.program_id)
    return {row[0]: row[1] for row in connection.execute(query)}


def names_by_id(connection: Connection, program_id: int) -> dict[str, str]:
    """Readable id to name of a program's people, for readers who may see names."""
    record, person = tables.PersonRecord, tables.Person
    query = select(person.code, record.name).join(record, record.person_id == person.id).where(person.program_id == program_id)
    return {row[0]: row[1] for row in connection.execute(query.where(record.closed_batch_id.is_(None)).order_by(record.id))}


# --- what rules read besides headlines -------------------------------------------------------------


def refused_freezes(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Which of these freezes were refused."""
    table, out = tables.Freeze, set()
    for part in _parts(sorted(set(ids))):
        out |= set(connection.execute(select(table.id).where(table.id.in_(part), table.accepted.is_(False))).scalars())
    return out


def services_of_tier(connection: Connection, program_ids: Sequence[int], tier: int) -> dict[int, set[str]]:
    """Ids of the services of a tier, by program."""
    record, service = tables.ServiceRecord, tables.Service
    out: dict[int, set[str]] = {}
    for part in _parts(program_ids):
        query = select(service.program_id, service.code).join(record, record.service_id == service.id)
        query = query.where(service.program_id.in_(part), record.tier == tier, record.closed_batch_id.is_(None))
        for program_id, code in connection.execute(query):
            out.setdefault(program_id, set()).add(code)
    return out


def last_check(connection: Connection) -> dt.datetime | None:
    """When the newest health check was, else when the first program came; None where there is nothing to check."""
    newest = connection.execute(select(func.max(tables.HealthCheck.as_of))).scalar_one()
    found: dt.datetime | None = newest or connection.execute(select(func.min(tables.Program.created_at))).scalar_one()
    return found


def dead_by_endpoint(connection: Connection, since: dt.datetime) -> dict[str, tuple[int, str]]:
    """Messages given up since an instant and not delivered after all, by endpoint, with the newest reason."""
    letter, row = tables.DeadLetter, tables.OutboxRow
    query = (
        select(row.endpoint, letter.reason)
        .join(row, row.id == letter.outbox_id)
        .where(letter.died_at >= since, row.state == "dead")
        .order_by(letter.id)
    )
    out: dict[str, tuple[int, str]] = {}
    for endpoint, reason in connection.execute(query):
        out[endpoint] = (out.get(endpoint, (0, ""))[0] + 1, reason)
    return out
