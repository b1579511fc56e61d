"""The outbox: what is to be told to whom over which channel, until it is sent, dead or cancelled.

Belongs here: writing rows, claiming and settling them, order, holding, digests, how endpoints stand. Does not
belong here: talking to a peer and what its answer means (delivery), who is told of what (alerting, policy).

A row is claimed for the length of a lease by one worker; each claim raises the row's epoch, and only the newest
claim may settle it. Rows of one incident for one reader go out in the order of `seq`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, and_, case, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from resilience_assets.storage import tables

Channel = Literal["email", "webhook", "slack", "teams", "pagerduty", "apprise"]

UNMERGED: tuple[Channel, ...] = ("pagerduty",)
"""Channels that keep incidents by a key: each notice goes on its own, for in a digest no end of one would be seen."""

SEVERITIES = ("info", "warning", "critical", "emergency")
"""From the mildest to the gravest; the gravest is claimed first."""

FURTHEST = dt.timedelta(hours=24)
"""Nothing is ever due later than this from now: what is, was written by a clock that was wrong."""

CLOSING = "closed"
"""Kind of the row that tells that an incident is over."""

DIGEST = "digest"
"""Kind of a row that tells others in their place."""

LENIENT = 5
"""Failures of an endpoint in a row from which on it is tried by one worker at a time, after a pause."""

ADDRESSED = ("letter", "raw")
"""Kinds that somebody wrote to one reader: they go to no other when they cannot be delivered."""

_row = tables.OutboxRow
_endpoint = tables.Endpoint


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One notice for one reader, to be enqueued in the transaction of what it tells of.

    `recipient` is a mail address for `email`, else the name of an endpoint in the settings (or an https address).
    `not_before` holds the row until that instant (quiet hours); several rows held for one reader are told as one
    digest when they come due. `payload` is what machines read. A second row of the same incident, seq, channel
    and recipient is ignored; without an incident, `message_id` takes its place.
    """

    incident_id: int | None
    seq: int
    channel: Channel
    recipient: str
    severity: str
    kind: str
    subject: str
    text: str
    html: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    not_before: dt.datetime | None = None
    message_id: int | None = None

    @property
    def idem_key(self) -> str:
        """What makes it the same notice, wherever it is written twice."""
        return _key(self.incident_id if self.incident_id is not None else f"message {self.message_id}",
                    self.seq, self.channel, self.recipient)  # fmt: skip

    @property
    def endpoint(self) -> str:
        """What fails as a whole: the mail server, or one receiver (an address is a secret, so its hash)."""
        if self.channel == "email":
            return "email"
        plain = self.recipient if "/" not in self.recipient else hashlib.sha256(self.recipient.encode()).hexdigest()[:32]
        return f"{self.channel}:{plain}"[:80]


def _key(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def enqueue(connection: Connection, rows: Sequence[Outgoing], now: dt.datetime) -> int:
    """Write rows; returns how many are new. Each row already there is left as it is.

    A closing row whose reader was never yet tried with the opening cancels both, and one digest row tells that it
    opened and closed. Readers who were told by another way round because theirs failed get the closing too.
    """
    written = 0
    for row in [*rows, *_also_told(connection, rows)]:
        written += _insert(connection, row, now) is not None
        if row.kind == CLOSING and row.incident_id is not None:
            _opened_and_closed(connection, row, now)
    return written


def _insert(connection: Connection, row: Outgoing, now: dt.datetime, **more: Any) -> int | None:
    """The new row's id; None when the same notice is there already."""
    _known_endpoint(connection, row.endpoint)
    values = {
        "idem_key": row.idem_key, "incident_id": row.incident_id, "message_id": row.message_id, "seq": row.seq,
        "channel": row.channel, "recipient": row.recipient, "endpoint": row.endpoint, "severity": row.severity,
        "kind": row.kind, "subject": row.subject, "text": row.text, "html": row.html, "payload": dict(row.payload),
        "held": row.not_before is not None, "created_at": now, "next_at": max(row.not_before or now, now),
        "state": "pending", "attempts": 0, "forgiven": 0, "lease_epoch": 0,
    }  # fmt: skip
    statement = _insert_new(connection, _row).values(values | more).returning(_row.id)
    found: int | None = connection.execute(statement).scalar_one_or_none()
    return found


def _insert_new(connection: Connection, table: Any) -> Any:
    """An insert that leaves a row with the same key as it is."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing()


def _known_endpoint(connection: Connection, name: str) -> None:
    connection.execute(_insert_new(connection, _endpoint).values(name=name, failures=0))


def _also_told(connection: Connection, rows: Sequence[Outgoing]) -> list[Outgoing]:
    """Closing rows for readers who got an incident's notices because another reader's could not be delivered."""
    closing = {row.incident_id: row for row in rows if row.kind == CLOSING and row.incident_id is not None}
    if not closing:
        return []
    query = select(_row.incident_id, _row.channel, _row.recipient).where(
        _row.incident_id.in_(closing), _row.rerouted_from.is_not(None)
    )
    out = []
    for found in connection.execute(query.distinct()):
        row = closing[found.incident_id]
        out.append(
            Outgoing(row.incident_id, row.seq, found.channel, found.recipient, row.severity, row.kind, row.subject,
                     row.text, row.html, row.payload, row.not_before)
        )  # fmt: skip
    return out


# --- digests: one row in the place of several ------------------------------------------------------


def _opened_and_closed(connection: Connection, closing: Outgoing, now: dt.datetime) -> None:
    """Replace the rows of an incident that no reader was ever tried with by one that tells the whole of it."""
    reader = (_row.incident_id == closing.incident_id, _row.channel == closing.channel, _row.recipient == closing.recipient)
    rows = list(connection.execute(select(_row).where(*reader).order_by(_row.seq)))
    told = [row for row in rows if row.attempts or row.state == "sent" or row.state == "dead"]
    waiting = [row for row in rows if row.state == "pending" and row.seq <= closing.seq]
    if told or len(waiting) < 2:
        return
    first = waiting[0]
    text = f"Opened and closed before this could be sent.\n\n{first.text}\n\n{closing.text}"
    payload = dict(closing.payload) | {"kind": "opened_and_closed"}
    digest = Outgoing(closing.incident_id, closing.seq, closing.channel, closing.recipient, first.severity, DIGEST,
                      closing.subject, text, None, payload, max(row.next_at for row in waiting))  # fmt: skip
    _replace(connection, digest, waiting, "opened and closed before it was sent", now, held=any(row.held for row in waiting))


def _replace(
    connection: Connection, digest: Outgoing, rows: Sequence[Any], reason: str, now: dt.datetime, *, held: bool
) -> None:
    key = _key("digest", *sorted(row.idem_key for row in rows))
    digest_id = _insert(connection, digest, now, idem_key=key, held=held)
    if digest_id is None:
        raise RuntimeError(f"digest {key} is there already, but rows that it replaces are still pending")
    connection.execute(
        update(_row)
        .where(_row.id.in_([row.id for row in rows]))
        .values(state="cancelled", reason=reason, digest_id=digest_id, settled_at=now, lease_until=None, lease_by=None)
    )


def merge(connection: Connection, now: dt.datetime, age_limit: dt.timedelta) -> int:
    """Digests for readers with several rows that were held till now, or that waited too long; returns how many.

    A row of an incident that a digest tells of goes into it however young it is, so that nothing overtakes it.
    """
    free = and_(_row.state == "pending", or_(_row.lease_until.is_(None), _row.lease_until <= now))
    ripe = or_(and_(_row.held, _row.next_at <= now, _row.attempts == 0), _row.created_at <= now - age_limit)
    reader = (_row.channel, _row.recipient)
    readers = connection.execute(
        select(*reader).where(free, ripe, _row.kind != DIGEST, _row.channel.not_in(UNMERGED)).group_by(*reader).having(func.count() > 1)
    ).all()
    for channel, recipient in readers:
        rows = list(connection.execute(
            _locked(connection, select(_row).where(free, _row.channel == channel, _row.recipient == recipient).order_by(_row.id))
        ))  # fmt: skip
        old = [row for row in rows if row.kind != DIGEST and _ripe(row, now, age_limit)]
        incidents = {row.incident_id for row in old if row.incident_id is not None}
        chosen = [row for row in rows if row in old or (row.incident_id in incidents and row.kind != DIGEST)]
        if len(chosen) > 1:
            _replace(connection, _digest(chosen), chosen, "told in a digest", now, held=False)
    return len(readers)


def _ripe(row: Any, now: dt.datetime, age_limit: dt.timedelta) -> bool:
    return (row.held and row.next_at <= now and row.attempts == 0) or row.created_at <= now - age_limit


LISTED = 100
"""Notices that a digest names one by one; of the others it gives the number."""


def _digest(rows: Sequence[Any]) -> Outgoing:
    severity = max((row.severity for row in rows), key=SEVERITIES.index)
    lines = [f"- {row.created_at:%Y-%m-%d %H:%M} UTC  {row.subject[:300]}" for row in rows[:LISTED]]
    lines += [f"- and {len(rows) - LISTED} more: resilience inbox"] if len(rows) > LISTED else []
    items = [
        {"incident": row.incident_id, "seq": row.seq, "kind": row.kind, "severity": row.severity, "subject": row.subject[:100]}
        for row in rows[:LISTED]
    ]  # fmt: skip
    return Outgoing(
        None, 0, rows[0].channel, rows[0].recipient, severity, DIGEST, f"[{severity}] {len(rows)} alerts that waited",
        "These alerts waited to be sent; how things stand now: resilience status\n\n" + "\n".join(lines), None,
        {"kind": "digest", "count": len(rows), "items": items},
    )  # fmt: skip


def _locked(connection: Connection, query: Any) -> Any:
    """The query, with its rows locked and others' locked rows left out, where the database knows such a thing."""
    return query if connection.dialect.name == "sqlite" else query.with_for_update(of=_row, skip_locked=True)


# --- claiming and settling -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Claim:
    """A row that one worker may send now: `n` is the number of this attempt, `tries` counts since the last redelivery.

    `repeat` holds the instant of an attempt of which nobody knows whether it arrived; `thread` is the key of the
    first notice that this reader got of the incident.
    """

    id: int
    epoch: int
    by: str
    n: int
    tries: int
    idem_key: str
    thread: str | None
    incident_id: int | None
    seq: int
    channel: Channel
    recipient: str
    endpoint: str
    severity: str
    kind: str
    subject: str
    text: str
    html: str | None
    payload: Mapping[str, Any]
    created_at: dt.datetime
    repeat: dt.datetime | None
    failures: int


def due(connection: Connection, now: dt.datetime) -> int:
    """How many rows could be tried now; what waits behind an earlier notice is not counted."""
    head = _heads()
    return int(connection.execute(_ready(select(func.count()).select_from(head), head, now)).scalar_one())


def next_due(connection: Connection, message_id: int | None = None) -> dt.datetime | None:
    """When the next row comes due that no earlier one holds up; None when nothing waits."""
    head = _heads()
    query = select(head.c.next_at, head.c.lease_until, _endpoint.not_before).join(_endpoint, _endpoint.name == head.c.endpoint)
    query = query.where(head.c.seq == head.c.first)
    if message_id is not None:
        query = query.where(head.c.message_id == message_id)
    found = [max(instant for instant in row if instant is not None) for row in connection.execute(query)]
    return min(found, default=None)


def _heads() -> Any:
    """Pending rows, each with the `first` seq that is still to go to its reader of its incident.

    A window, for it is one pass: a correlated look for an earlier row is one over all rows for each row, where
    the database has no statistics yet.
    """
    reader = (func.coalesce(_row.incident_id, -_row.id), _row.channel, _row.recipient)
    names = ("id", "seq", "next_at", "lease_until", "endpoint", "severity", "message_id")
    columns = [getattr(_row, name) for name in names]
    first = func.min(_row.seq).over(partition_by=reader).label("first")
    return select(*columns, first).where(_row.state == "pending").subquery()


def _ready(query: Any, head: Any, now: dt.datetime) -> Any:
    return query.join(_endpoint, _endpoint.name == head.c.endpoint).where(
        head.c.seq == head.c.first, head.c.next_at <= now, or_(head.c.lease_until.is_(None), head.c.lease_until <= now),
        or_(_endpoint.not_before.is_(None), _endpoint.not_before <= now),
    )  # fmt: skip


CANDIDATES = 50
"""Rows looked at to lock one that nobody else has locked: more than there are workers."""


def claim(
    connection: Connection, now: dt.datetime, by: str, lease: dt.timedelta, *, busy: Collection[str] = (),
    message_id: int | None = None, spacing: Mapping[str, dt.timedelta] | None = None, probe: dt.timedelta | None = None,
) -> Claim | None:  # fmt: skip
    """Claim the gravest row that is due, or None. `busy` endpoints are left out; `spacing` is by channel the
    least time between two messages to one endpoint.

    A row whose lease ran out was tried by a worker that is gone: that attempt is marked ambiguous. An endpoint that
    failed `LENIENT` times in a row is tried by one worker at a time: for `probe` (the length of an attempt, so that
    a worker that dies holds it up no longer than that) others leave it alone.
    """
    row = _lock_one(connection, _candidates(connection, now, busy, message_id), now)
    if row is None:
        return None
    pause = (spacing or {}).get(row.channel)
    if row.failures >= LENIENT:
        pause = max(probe or lease, pause or dt.timedelta(0))
    if pause is not None:
        until = now + pause
        free = or_(_endpoint.not_before.is_(None), _endpoint.not_before <= now)
        taken = update(_endpoint).where(_endpoint.name == row.endpoint, free).values(not_before=until)
        if not connection.execute(taken).rowcount:
            return None
    return _take(connection, row, now, by, lease)


def _candidates(connection: Connection, now: dt.datetime, busy: Collection[str], message_id: int | None) -> list[int]:
    """Ids of rows that are due, the gravest first."""
    head = _heads()
    rank = case({name: place for place, name in enumerate(SEVERITIES)}, value=head.c.severity, else_=0)
    query = _ready(select(head.c.id), head, now).order_by(rank.desc(), head.c.next_at, head.c.id).limit(CANDIDATES)
    if busy:
        query = query.where(head.c.endpoint.not_in(busy))
    if message_id is not None:
        query = query.where(head.c.message_id == message_id)
    return list(connection.execute(query).scalars())


def _lock_one(connection: Connection, ids: Sequence[int], now: dt.datetime) -> Any:
    """The first of these rows that is still free and that no other worker is claiming; None when none is."""
    if not ids:
        return None
    free = (_row.state == "pending", or_(_row.lease_until.is_(None), _row.lease_until <= now))
    order = case({id: place for place, id in enumerate(ids)}, value=_row.id)
    query = select(_row, _endpoint.failures).join(_endpoint, _endpoint.name == _row.endpoint)
    return connection.execute(_locked(connection, query.where(_row.id.in_(ids), *free).order_by(order).limit(1))).one_or_none()


def _take(connection: Connection, row: Any, now: dt.datetime, by: str, lease: dt.timedelta) -> Claim:
    attempt = tables.DeliveryAttempt
    n, epoch = row.attempts + 1, row.lease_epoch + 1
    unsettled = update(attempt).where(attempt.outbox_id == row.id, attempt.outcome.is_(None))
    connection.execute(unsettled.values(outcome="ambiguous", error_class="WorkerGone", ended_at=now))
    leased = {"lease_by": by, "lease_until": now + lease, "lease_epoch": epoch, "attempts": n}
    connection.execute(update(_row).where(_row.id == row.id).values(leased))
    last = connection.execute(
        select(attempt.started_at, attempt.outcome).where(attempt.outbox_id == row.id).order_by(attempt.n.desc()).limit(1)
    ).one_or_none()
    connection.execute(insert(attempt), {"outbox_id": row.id, "n": n, "by": by, "started_at": now})
    repeat = last.started_at if last is not None and last.outcome == "ambiguous" else None
    names = (
        "id", "idem_key", "incident_id", "seq", "channel", "recipient", "endpoint", "severity", "kind", "subject",
        "text", "html", "payload", "created_at", "failures",
    )  # fmt: skip
    return Claim(
        **{name: getattr(row, name) for name in names}, epoch=epoch, by=by, n=n, tries=n - row.forgiven,
        thread=_thread(connection, row), repeat=repeat,
    )  # fmt: skip


def _thread(connection: Connection, row: Any) -> str | None:
    """Key of the first notice of the incident that this reader was sent."""
    if row.incident_id is None:
        return None
    query = select(_row.idem_key).where(
        _row.incident_id == row.incident_id, _row.channel == row.channel, _row.recipient == row.recipient,
        _row.state == "sent", _row.id != row.id,
    )  # fmt: skip
    found: str | None = connection.execute(query.order_by(_row.seq).limit(1)).scalar_one_or_none()
    return found


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a claim: the attempt's outcome, and the row's state with the next try or the reason."""

    outcome: Literal["sent", "temporary", "permanent", "ambiguous"]
    state: Literal["sent", "pending", "dead", "cancelled"]
    code: int | None = None
    error_class: str | None = None
    next_at: dt.datetime | None = None
    reason: str | None = None


def settle(
    connection: Connection, claimed: Claim, settlement: Settlement, now: dt.datetime,
    reroute: Sequence[tuple[Channel, str]] = (),
) -> bool:  # fmt: skip
    """Write what became of a claim; False, and nothing written, when a later claim has taken the row over.

    A dead row of at least a warning leaves a dead letter, and goes to the readers in `reroute` over other channels.
    """
    done = settlement.state != "pending"
    values: dict[str, Any] = {"state": settlement.state, "lease_until": None, "lease_by": None, "reason": settlement.reason}
    values |= {"settled_at": now} if done else {"next_at": settlement.next_at or now}
    mine = (_row.id == claimed.id, _row.lease_by == claimed.by, _row.lease_epoch == claimed.epoch, _row.state == "pending")
    if not connection.execute(update(_row).where(*mine).values(values)).rowcount:
        return False
    attempt = tables.DeliveryAttempt
    connection.execute(
        update(attempt)
        .where(attempt.outbox_id == claimed.id, attempt.n == claimed.n)
        .values(outcome=settlement.outcome, ended_at=now, code=settlement.code, error_class=settlement.error_class)
    )
    if settlement.state == "dead":
        _bury(connection, claimed, settlement.reason or "", now, reroute)
    return True


def _bury(
    connection: Connection, dead: Claim, reason: str, now: dt.datetime, reroute: Sequence[tuple[Channel, str]]
) -> None:
    if SEVERITIES.index(dead.severity) < SEVERITIES.index("warning"):
        return
    letter = {
        "outbox_id": dead.id, "incident_id": dead.incident_id, "channel": dead.channel, "severity": dead.severity,
        "reason": reason, "died_at": now,
    }  # fmt: skip
    connection.execute(insert(tables.DeadLetter), letter)
    message_id = connection.execute(select(_row.message_id).where(_row.id == dead.id)).scalar_one()
    if dead.kind in ADDRESSED:
        return
    for channel, recipient in reroute:
        if channel != dead.channel:
            row = Outgoing(dead.incident_id, dead.seq, channel, recipient, dead.severity, dead.kind, dead.subject,
                           dead.text, dead.html, dead.payload, message_id=message_id)  # fmt: skip
            _insert(connection, row, now, rerouted_from=dead.id)


def dead_letters(connection: Connection, after: int = 0) -> list[Any]:
    """Dead letters with an id above `after`, oldest first, with the program's id where an incident has one."""
    letter, incident = tables.DeadLetter, tables.Incident
    query = select(letter, incident.program_id, incident.rule).outerjoin(incident, incident.id == letter.incident_id)
    return list(connection.execute(query.where(letter.id > after).order_by(letter.id)))


def redeliver(connection: Connection, outbox_id: int, now: dt.datetime) -> bool:
    """Make a dead row due again, with all its tries; False where there is no such dead row."""
    values = {"state": "pending", "reason": None, "settled_at": None, "next_at": now, "forgiven": _row.attempts}
    changed = connection.execute(update(_row).where(_row.id == outbox_id, _row.state == "dead").values(values))
    if changed.rowcount:
        endpoint = select(_row.endpoint).where(_row.id == outbox_id).scalar_subquery()
        connection.execute(update(_endpoint).where(_endpoint.name == endpoint).values(
            disabled_at=None, failures=0, not_before=None))  # fmt: skip
    return bool(changed.rowcount)


# --- endpoints, clocks, figures --------------------------------------------------------------------


def endpoint(connection: Connection, name: str) -> Any:
    """How an endpoint stands; None for one that no row was ever written for."""
    return connection.execute(select(_endpoint).where(_endpoint.name == name)).one_or_none()


def note_endpoint(connection: Connection, name: str, **values: Any) -> None:
    """Change how an endpoint stands."""
    _known_endpoint(connection, name)
    connection.execute(update(_endpoint).where(_endpoint.name == name).values(**values))


def fail_endpoint(connection: Connection, name: str, *, stalled: bool = False) -> int:
    """Count one more failure in a row; returns how many there are. One that cost time counts as `LENIENT` at least."""
    more = _endpoint.failures + 1
    count = case((more < LENIENT, LENIENT), else_=more) if stalled else more
    counted = update(_endpoint).where(_endpoint.name == name).values(failures=count)
    return int(connection.execute(counted.returning(_endpoint.failures)).scalar_one())


def clamp(connection: Connection, now: dt.datetime, lease: dt.timedelta) -> int:
    """Repair what a clock that was ahead has written: too late next tries, leases and pauses end now."""
    far = now + FURTHEST
    repaired = connection.execute(
        update(_row).where(_row.state == "pending", _row.next_at > far).values(next_at=now)
    ).rowcount  # fmt: skip
    repaired += connection.execute(
        update(_row).where(_row.state == "pending", _row.lease_until > now + 2 * lease).values(lease_until=now)
    ).rowcount  # fmt: skip
    repaired += connection.execute(update(_endpoint).where(_endpoint.not_before > far).values(not_before=now)).rowcount
    return int(repaired)


def counts(connection: Connection) -> dict[str, int]:
    """Rows by state."""
    query = select(_row.state, func.count()).group_by(_row.state)
    return {state: int(count) for state, count in connection.execute(query)}


def pending_rows(connection: Connection, limit: int = 1000) -> list[Any]:
    """Rows that wait, the earliest due first."""
    return list(connection.execute(select(_row).where(_row.state == "pending").order_by(_row.next_at, _row.id).limit(limit)))


def add_message(connection: Connection, now: dt.datetime, by: str, *, kind: str, level: str, subject: str, text: str) -> int:
    """Write a message apart from any incident; returns its id."""
    values = {"kind": kind, "level": level, "subject": subject, "text": text, "created_by": by, "created_at": now}
    return int(connection.execute(insert(tables.Message).returning(tables.Message.id), values).scalar_one())


def message(connection: Connection, message_id: int) -> Any:
    """A message apart from any incident; None where there is none of this id."""
    return connection.execute(select(tables.Message).where(tables.Message.id == message_id)).one_or_none()


def message_rows(connection: Connection, message_id: int) -> list[Any]:
    """The outbox rows that carry a message."""
    return list(connection.execute(select(_row).where(_row.message_id == message_id).order_by(_row.id)))


# --- heartbeats ------------------------------------------------------------------------------------


def beat(connection: Connection, name: str, now: dt.datetime) -> None:
    """Note that a process is alive."""
    table = tables.Heartbeat
    connection.execute(_insert_new(connection, table).values(name=name, at=now))
    connection.execute(update(table).where(table.name == name).values(at=now))


def heartbeats(connection: Connection) -> dict[str, dt.datetime]:
    """When each process last said so."""
    return {row.name: row.at for row in connection.execute(select(tables.Heartbeat))}
