"""A webhook by the Standard Webhooks specification: JSON, signed, the same id at every attempt.

Belongs here: body and headers of one POST. Does not belong here: the signature itself (signature.py), which
addresses are allowed (outbound.py).
"""

from __future__ import annotations

import datetime as dt
import json
import ssl
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from resilience_assets.delivery import signature
from resilience_assets.delivery.outbound import Resolve, post, resolve
from resilience_assets.delivery.outcome import Outcome
from resilience_assets.delivery.secret import Secret
from resilience_assets.storage.outbox import Claim

MOST_BYTES = 20_000
"""Length of a body that the specification recommends not to pass."""

RAW = "raw"
"""Kind of a row whose payload is the whole body, as somebody gave it."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One receiver. Several secrets sign at once while one is replaced by the next; none signs nothing.

    `allowed` names hosts ('host' or 'host:port') that may be inside, without https and on any port.
    """

    url: Secret
    secrets: tuple[Secret, ...] = ()
    allowed: Collection[str] = ()
    resolve: Resolve = resolve
    context: ssl.SSLContext | None = None


def body(claim: Claim) -> bytes | None:
    """What is posted; None when it is too long. Of a notice, what is too long is left out and said to be."""
    if claim.kind == RAW:
        raw = _json(dict(claim.payload))
        return raw if len(raw) <= MOST_BYTES else None
    data = {
        "incident": claim.incident_id, "seq": claim.seq, "kind": claim.kind, "severity": claim.severity,
        "subject": claim.subject[:300], **claim.payload,
    }  # fmt: skip
    whole = {"type": f"resilience.alert.{claim.kind}", "timestamp": claim.created_at.isoformat(), "data": data}
    raw = _json(whole)
    if len(raw) > MOST_BYTES:
        kept = ("incident", "seq", "kind", "severity", "subject")
        raw = _json(whole | {"data": {name: data[name] for name in kept} | {"cut": True}})
    return raw


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=True, separators=(",", ":"), default=str).encode()


def webhook_id(claim: Claim) -> str:
    """The receiver's key to see a repeat by."""
    return f"msg_{claim.idem_key[:40]}"


def send_webhook(claim: Claim, webhook: Webhook, *, now: dt.datetime, seconds: float) -> Outcome:
    """POST one row and say what became of it, within `seconds`."""
    content = body(claim)
    if content is None:
        return Outcome("permanent", error=f"the body is longer than {MOST_BYTES} bytes")
    try:
        signed = signature.headers(webhook.secrets, webhook_id(claim), now, content)
    except ValueError:
        return Outcome("permanent", error="the webhook's secret is not one: whsec_ and base64")
    return post(
        webhook.url, content, signed, seconds=seconds, now=now, allowed=webhook.allowed, how=webhook.resolve,
        tls=webhook.context,
    )  # fmt: skip
