"""PagerDuty's Events API v2: an incident of ours is one alert there, from its first notice to its last.

Belongs here: one event, its limits, which notice is which action. Does not belong here: the connection (outbound.py).

Sources: developer.pagerduty.com/docs/events-api-v2/trigger-events ("Send an Alert Event": the parameters, `summary` of at
most 1024 and `dedup_key` of at most 255 characters, what each action does; a resolve of what is not open is dropped);
developer.pagerduty.com/docs/events-api-v2/overview (202 accepted, 400 never again, 429 and 5XX later; 512 KB).
"""

from __future__ import annotations

import datetime as dt
import json
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from resilience_assets.delivery.outbound import Resolve, post, resolve
from resilience_assets.delivery.outcome import Outcome
from resilience_assets.delivery.secret import Secret
from resilience_assets.storage.outbox import CLOSING, Claim

ENDPOINT = "https://events.pagerduty.com/v2/enqueue"

MOST_SUMMARY, MOST_KEY = 1024, 255
MOST_TEXT = 10_000
"""Characters of a notice's text among the details."""

MOST_BYTES = 512_000

SEVERITIES: Mapping[str, str] = {"info": "info", "warning": "warning", "critical": "error", "emergency": "critical"}
"""Ours to theirs, step by step: theirs has four too."""

Action = Literal["trigger", "acknowledge", "resolve"]


@dataclass(frozen=True, slots=True)
class PagerDutyChannel:
    """One integration of a service; its routing key is the secret. `endpoint` is another one in tests alone."""

    key: Secret
    allowed: Collection[str] = ()
    resolve: Resolve = resolve
    context: ssl.SSLContext | None = None
    endpoint: str = ENDPOINT


def action(claim: Claim) -> Action:
    """What a notice asks for: its end resolves, so does one that opened and closed before it could be sent."""
    if claim.kind == CLOSING or claim.payload.get("kind") == "opened_and_closed":
        return "resolve"
    return "acknowledge" if claim.kind == "acknowledged" else "trigger"


def dedup_key(claim: Claim) -> str:
    """The thread of the incident that a notice belongs to; of a message without one, the message. At most 255 characters."""
    if claim.incident_id is not None:
        return f"resilience-incident-{claim.incident_id}"
    # every weekly test joins the last one, where nobody has closed that
    return "resilience-test" if claim.payload.get("test") else f"resilience-message-{claim.idem_key[:40]}"


def event(claim: Claim, key: str) -> dict[str, Any]:
    """One event for a routing key. Only a trigger says what it is about: the others need no more than its key."""
    found: dict[str, Any] = {"routing_key": key, "event_action": action(claim), "dedup_key": dedup_key(claim)}
    if found["event_action"] != "trigger":
        return found
    test = bool(claim.payload.get("test"))
    program = str(claim.payload.get("program") or "")
    about = {
        "summary": _cut(" ".join(claim.subject.split()), MOST_SUMMARY) or "Alert",
        "source": f"resilience-assets/{program}" if program else "resilience-assets",
        "severity": "info" if test else SEVERITIES.get(claim.severity, "error"),
        "timestamp": claim.created_at.isoformat(), "class": claim.kind,
        "custom_details": {"text": _cut(claim.text, MOST_TEXT), **claim.payload},
    }  # fmt: skip
    if program:
        about["group"] = program
    whole = found | {"client": "resilience-assets", "payload": about}
    if len(_json(whole)) > MOST_BYTES:
        about["custom_details"] = {"text": _cut(claim.text, MOST_TEXT), "cut": True}
    return whole


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=True, default=str).encode()


def send_pagerduty(claim: Claim, channel: PagerDutyChannel, *, now: dt.datetime, seconds: float) -> Outcome:
    """POST one row and say what became of it, within `seconds`."""
    return post(
        Secret(channel.endpoint), _json(event(claim, channel.key.reveal())), {}, seconds=seconds, now=now, allowed=channel.allowed,
        how=channel.resolve, tls=channel.context,
    )  # fmt: skip
