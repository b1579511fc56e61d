"""The signature of a webhook, as Standard Webhooks has it.

Belongs here: headers of one attempt, and checking them. Does not belong here: sending.
Source: Standard Webhooks specification 1.0 (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md):
HMAC-SHA256 over "id.timestamp.body", base64, prefixed "v1,"; several signatures are separated by a blank.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
from collections.abc import Sequence

from resilience_assets.delivery.secret import Secret

PREFIX = "whsec_"
LEAST_BYTES, MOST_BYTES = 24, 64
"""Length of a key by the specification."""


def key_of(secret: Secret) -> bytes:
    """The key in a secret such as whsec_C2FtcGxl...; ValueError without the secret's text where there is none."""
    text = secret.reveal().removeprefix(PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"a webhook secret is {PREFIX} and {LEAST_BYTES} to {MOST_BYTES} bytes in base64")
    return key


def sign(secret: Secret, webhook_id: str, timestamp: int, body: bytes) -> str:
    """One signature: 'v1,...'."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()


def headers(secrets: Sequence[Secret], webhook_id: str, at: dt.datetime, body: bytes) -> dict[str, str]:
    """The three headers of one attempt at `at`; no signature without a secret, several while one is replaced."""
    timestamp = int(at.timestamp())
    out = {"webhook-id": webhook_id, "webhook-timestamp": str(timestamp)}
    if secrets:
        out["webhook-signature"] = " ".join(sign(secret, webhook_id, timestamp, body) for secret in secrets)
    return out
