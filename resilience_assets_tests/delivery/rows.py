"""Rows to deliver, a clock to set, and a dispatcher at a pace for tests.

Belongs here: made-up notices. Does not belong here: expectations.
"""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

from sqlalchemy import insert

from resilience_assets.delivery.channels import Channels
from resilience_assets.delivery.dispatcher import Dispatcher, Pace
from resilience_assets.delivery.email import MailServer
from resilience_assets.delivery.secret import Secret
from resilience_assets.delivery.slack import SlackChannel
from resilience_assets.delivery.webhook import Webhook
from resilience_assets.storage import outbox, tables
from resilience_assets.storage.database import Database
from resilience_assets.storage.outbox import Claim, Outgoing
from resilience_assets_tests.delivery.peers import Mailbox, Receiver
from resilience_assets_tests.storage.headlines import add_program

NOW = dt.datetime(2026, 9, 4, 6, 0, tzinfo=dt.UTC)
SECRET = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
OLD_SECRET = Secret("whsec_" + "b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkISE=")
QUICK = Pace(lease=3.0, seconds=1.5, poll=0.05, merge=0.5, watchdog=1.0, patience=0.0)


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: dt.datetime = NOW) -> None:
        self.now = now
        self._lock = threading.Lock()

    def __call__(self) -> dt.datetime:
        return self.now

    def forward(self, **length: float) -> None:
        with self._lock:
            self.now += dt.timedelta(**length)


def incidents(database: Database, count: int = 1, rule: str = "coverage") -> list[int]:
    """Incidents of a program, each of a service of its own; returns their ids."""
    program = add_program(database, f"p-{rule}-{count}")
    with database.write() as connection:
        out = []
        for number in range(count):
            values = incident_values(program, rule, f"s{number}")
            query = insert(tables.Incident).values(values).returning(tables.Incident.id)
            out.append(int(connection.execute(query).scalar_one()))
            event = {
                "incident_id": out[-1], "seq": 1, "kind": "opened", "severity": "warning", "as_of": NOW, "at": NOW, "summary": "",
                "level": 1, "origin": f"{rule}/{out[-1]}",
            }  # fmt: skip
            event_id = connection.execute(insert(tables.IncidentEvent).values(event).returning(tables.IncidentEvent.id)).scalar_one()
            connection.execute(insert(tables.Telling).values(event_id=event_id, reader="inbox", reason="not told"))
    return out


def incident_values(program: int, rule: str, key: str) -> dict[str, Any]:
    """Every column of an incident that must have a value."""
    given: dict[str, Any] = {
        "rule": rule, "program_id": program, "scope_key": key, "severity": "warning", "opened_at": NOW, "value": 0.8,
    }  # fmt: skip
    for column in tables.Incident.__table__.columns:
        if column.name not in given and not column.nullable and not column.primary_key and column.default is None:
            plain: dict[type, Any] = {int: 0, str: "", bool: False, float: 0.0, dict: {}}
            given[column.name] = NOW if "Date" in type(column.type).__name__ else plain[column.type.python_type]
    return given


def notice(incident: int | None, seq: int = 1, channel: Any = "email", recipient: str = "chief@example.org", **more: Any) -> Outgoing:
    """A plain notice."""
    kind = more.pop("kind", "opened" if seq == 1 else "raised")
    subject = more.pop("subject", f"[warning] ICU: coverage 0.80 ({incident}/{seq})")
    plain: dict[str, Any] = {"severity": "warning", "text": f"Coverage of ICU is 0.80.\nNotice {incident}/{seq}."}
    return Outgoing(incident, seq, channel, recipient, kind=kind, subject=subject, **(plain | more))


def enqueue(database: Database, *rows: Outgoing, now: dt.datetime = NOW) -> int:
    with database.write() as connection:
        return outbox.enqueue(connection, rows, now)


def claimed(row: Outgoing, **more: Any) -> Claim:
    """The claim of a row that no database knows."""
    plain: dict[str, Any] = {
        "id": 1, "epoch": 1, "by": "me", "n": 1, "tries": 1, "idem_key": row.idem_key, "thread": None, "created_at": NOW,
        "incident_id": row.incident_id, "seq": row.seq, "channel": row.channel, "recipient": row.recipient,
        "endpoint": row.endpoint, "severity": row.severity, "kind": row.kind, "subject": row.subject, "text": row.text,
        "html": row.html, "payload": row.payload, "repeat": None, "failures": 0,
    }  # fmt: skip
    return Claim(**(plain | more))


def mail_to(box: Mailbox | int, **more: Any) -> MailServer:
    port = box if isinstance(box, int) else box.port
    return MailServer("127.0.0.1", port, more.pop("security", "none"), "resilience@example.org", "Roster resilience", **more)


def channels(box: Mailbox | int | None = None, web: Receiver | None = None, **more: Any) -> Channels:
    """Mail to a box, webhook 'ops' and Slack 'ward' to a receiver."""
    webhooks = {"ops": Webhook(Secret(web.url("ok")), (SECRET,), web.listed)} if web else {}
    slack = {"ward": SlackChannel(Secret(web.url("ok/slack")), web.listed)} if web else {}
    plain: dict[str, Any] = {"mail": mail_to(box) if box is not None else None, "webhooks": webhooks, "slack": slack}
    if web:
        plain["for_urls"] = Webhook(Secret(), (), web.listed)
    return Channels(**(plain | more))


def dispatcher(database: Database, chans: Channels, clock: Any = None, pace: Pace = QUICK, name: str | None = None) -> Dispatcher:
    return Dispatcher(database, chans, clock or SetClock(), pace, name)


def states(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return outbox.counts(connection)


def rows(database: Database, table: Any = tables.OutboxRow) -> list[Any]:
    from sqlalchemy import select

    with database.read() as connection:
        return list(connection.execute(select(table).order_by(table.id)))
