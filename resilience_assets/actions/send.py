"""Send one message apart from any incident, over the same outbox as alerts.

Belongs here: checking what is given and writing its rows; a message is delivered by whoever delivers alerts.
Does not belong here: alerts of rules (evaluate_alerts), sending itself (delivery).
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from resilience_assets.domain.scales import AlertSeverity
from resilience_assets.policy import Policies, Recipient
from resilience_assets.storage import incidents, outbox
from resilience_assets.storage.database import Database
from resilience_assets.storage.outbox import Channel, Outgoing

LETTER, RAW = outbox.ADDRESSED
ALERT = "alert"

MOST_PAYLOAD = 20_000
"""Bytes of a webhook's body: what Standard Webhooks recommends not to pass."""

_ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+")
Level = Literal["info", "warning", "critical", "emergency"]


def send_email(
    database: Database, to: str | Sequence[str], subject: str, body: str, html: str | None = None, *,
    now: dt.datetime, by: str,
) -> int:  # fmt: skip
    """Write a mail to one or several readers into the outbox, a row each; returns the message's id.

    ValueError for an address that is none, or a subject of several lines.
    """
    readers = [to] if isinstance(to, str) else list(dict.fromkeys(to))
    if not readers:
        raise ValueError("a mail needs a reader: give an address")
    for reader in readers:
        if not _ADDRESS.fullmatch(reader):
            raise ValueError(f"{reader!r} is not a mail address")
    if not subject.strip() or any(ord(char) < 32 for char in subject):
        raise ValueError("the subject of a mail is one line of text")
    rows: list[tuple[Channel, str]] = [("email", reader) for reader in readers]
    return _write(database, rows, LETTER, "info", subject, body, html, {}, now, by)


def send_webhook(database: Database, url: str, payload: Mapping[str, Any], *, now: dt.datetime, by: str) -> int:
    """Write a POST of `payload` as JSON to an address, or to a webhook's name in the policy; returns the message's id.

    ValueError for an address that is none, or a payload that is no JSON or longer than receivers take.
    """
    name = re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", url)
    if not name and not re.fullmatch(r"https?://[^\s/@?#]+([/?#]\S*)?", url):
        raise ValueError("a webhook is an https address, or the name of one in the policy")
    try:
        length = len(json.dumps(dict(payload), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(f"the payload is not JSON: {error}") from None
    if length > MOST_PAYLOAD:
        raise ValueError(f"the payload is {length} bytes long; receivers take {MOST_PAYLOAD}")
    return _write(database, [("webhook", url)], RAW, "info", "webhook", "", None, payload, now, by)


def send_resilience_alert(
    database: Database, policies: Policies, level: Level, message: str, details: Mapping[str, Any] | None = None, *,
    now: dt.datetime, by: str,
) -> int:  # fmt: skip
    """Tell of something that no rule watches; returns the message's id.

    It is in the inbox at once, goes by mail from warning on, and to webhooks and Slack at every level: to the
    readers whom the policy tells by default. ValueError for an unknown level or an empty message.
    """
    if level not in outbox.SEVERITIES:
        raise ValueError(f"level {level!r} is not one of {', '.join(outbox.SEVERITIES)}")
    first = " ".join(message.split())
    if not first:
        raise ValueError("an alert needs a message")
    lines = [f"{name}: {value}" for name, value in (details or {}).items()]
    subject, body = f"[{level}] {first}"[:300], "\n".join([message.strip(), *lines])
    found = [policies.telling.recipient(id) for id in policies.telling.default_to]
    readers = [(one.channel, one.address or one.id) for one in found if one is not None and _told(one, level)]
    payload = {"message": message.strip(), "details": dict(details or {})}
    with database.write() as connection:
        values = {
            "kind": ALERT, "as_of": now, "severity": level, "subject": subject, "body": body, "delivered_at": now,
        }  # fmt: skip
        notice_id, _ = incidents.add_notice(connection, None, values)
        incidents.add_to_inbox(connection, notice_id, None, level, subject, body, now)
        return _rows(connection, readers, ALERT, level, subject, body, None, payload, now, by)


def _told(reader: Recipient, level: Level) -> bool:
    return reader.channel != "email" or AlertSeverity[level.upper()] >= AlertSeverity.WARNING


def _write(database: Database, readers: Sequence[tuple[Channel, str]], *rest: Any) -> int:
    with database.write() as connection:
        return _rows(connection, readers, *rest)


def _rows(
    connection: Any, readers: Sequence[tuple[Channel, str]], kind: str, level: str, subject: str, text: str,
    html: str | None, payload: Mapping[str, Any], now: dt.datetime, by: str,
) -> int:  # fmt: skip
    message_id = outbox.add_message(connection, now, by, kind=kind, level=level, subject=subject, text=text)
    rows = [
        Outgoing(None, 0, channel, reader, level, kind, subject, text, html, payload, message_id=message_id)
        for channel, reader in readers
    ]
    outbox.enqueue(connection, rows, now)
    return message_id
