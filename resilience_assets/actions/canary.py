"""The canary: a test message over every channel, so that a broken one is found before it is needed.

Belongs here: choosing its readers, writing its rows. Does not belong here: sending (delivery), the alert about a
channel that fails: its dead letter is read as any other (alert_readings.py).
"""

from __future__ import annotations

import datetime as dt

from resilience_assets.policy import Policies, Recipient
from resilience_assets.policy.routes import Telling
from resilience_assets.storage import incidents, outbox
from resilience_assets.storage.database import Database
from resilience_assets.storage.outbox import Outgoing

KIND = "canary"
LEVEL = "warning"
"""The mildest severity at which a message that cannot be delivered opens an alert."""

SUBJECT = "[test] Alerts reach you over this channel"
BODY = (
    "This is a test: nothing is wrong and nothing is to be done.\n"
    "It goes over every channel once a week. Where it does not arrive, alerts would not either: tell whoever runs this."
)


def readers(telling: Telling, now: dt.datetime) -> list[Recipient]:
    """One reader for each thing that can fail as a whole: the mail server, every webhook, every Slack channel.

    For mail it is whoever is told by default and not in quiet hours, else the first that there is.
    """
    active = [one for one in telling.recipients if one.active]
    ranked = sorted(active, key=lambda one: (one.id not in telling.default_to, one.is_quiet(now)))
    mail = [one for one in ranked if one.channel == "email"][:1]
    return [*mail, *(one for one in active if one.channel != "email")]


def send_canary(database: Database, policies: Policies, *, now: dt.datetime, by: str) -> int:
    """Write a test message to one reader of each channel, and into the inbox; returns the message's id.

    A reader in quiet hours gets it when they are over.
    """
    found = readers(policies.telling, now)
    with database.write() as connection:
        values = {"kind": KIND, "as_of": now, "severity": "info", "subject": SUBJECT, "body": _report(found), "delivered_at": now}
        notice_id, _ = incidents.add_notice(connection, None, values)
        incidents.add_to_inbox(connection, notice_id, None, "info", SUBJECT, _report(found), now)
        message_id = outbox.add_message(connection, now, by, kind=KIND, level=LEVEL, subject=SUBJECT, text=BODY)
        outbox.enqueue(connection, [_outgoing(one, message_id, now) for one in found], now)
    return message_id


def _report(found: list[Recipient]) -> str:
    """What the inbox says of it: where it went, by the ids of the policy."""
    where = ", ".join(one.id if one.channel != "email" else "mail" for one in found)
    if not found:
        return "Weekly test of alerts: no channel is set up, so the inbox is all there is (RESILIENCE_ALERT_RECIPIENTS, or the policy)."
    return f"Weekly test of alerts: sent to {where}. A channel that fails opens an alert of its own."


def _outgoing(reader: Recipient, message_id: int, now: dt.datetime) -> Outgoing:
    return Outgoing(
        None, 0, reader.channel, reader.address or reader.id, LEVEL, KIND, SUBJECT, BODY, payload={"test": True},
        not_before=reader.quiet_until(now), message_id=message_id,
    )  # fmt: skip
