"""Slack's incoming webhooks.

Belongs here: the message in Slack's blocks, its limits. Does not belong here: the connection (outbound.py).

Sources: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (`text` is what a notification shows,
`blocks` the message); docs.slack.dev/reference/block-kit/blocks/header-block (150 characters) and section-block
(3000); docs.slack.dev/messaging/formatting-message-text (&, < and > are escaped, nothing else);
docs.slack.dev/apis/web-api/rate-limits (one message a second a channel, 429 with Retry-After);
api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks (400, 403, 404, 410, 500).
"""

from __future__ import annotations

import datetime as dt
import json
import ssl
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from resilience_assets.delivery.outbound import Resolve, post, resolve
from resilience_assets.delivery.outcome import Outcome
from resilience_assets.delivery.secret import Secret
from resilience_assets.storage.outbox import Claim

MOST_HEADER, MOST_SECTION = 150, 3000
SPACING = dt.timedelta(seconds=1)
"""Between two messages to one channel."""


@dataclass(frozen=True, slots=True)
class SlackChannel:
    """One incoming webhook; its address is the secret."""

    url: Secret
    allowed: Collection[str] = ()
    resolve: Resolve = resolve
    context: ssl.SSLContext | None = None


def escaped(text: str, most: int) -> str:
    """Text as mrkdwn takes it, of at most so many characters, never cut inside an escape."""
    out: list[str] = []
    length = 0
    for char in text:
        piece = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(char, char)
        if length + len(piece) > most - 1:
            return "".join(out) + "…"
        out.append(piece)
        length += len(piece)
    return "".join(out)


def payload(claim: Claim) -> dict[str, Any]:
    """The message: its subject as a header, its text, and, on a repeat that may be one, a line that says so."""
    subject = " ".join(claim.subject.split()) or "Alert"
    header = subject if len(subject) <= MOST_HEADER else subject[: MOST_HEADER - 1] + "…"
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": header, "emoji": False}}]
    if claim.text.strip():
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": escaped(claim.text, MOST_SECTION), "verbatim": True}})
    if claim.repeat is not None:
        note = f"Perhaps a repeat of {claim.repeat:%Y-%m-%d %H:%M} UTC."
        blocks.append({"type": "context", "elements": [{"type": "plain_text", "text": note, "emoji": False}]})
    return {"text": escaped(subject, MOST_SECTION), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def send_slack(claim: Claim, channel: SlackChannel, *, now: dt.datetime, seconds: float) -> Outcome:
    """POST one row and say what became of it, within `seconds`."""
    body = json.dumps(payload(claim), ensure_ascii=True).encode()
    return post(
        channel.url, body, {}, seconds=seconds, now=now, allowed=channel.allowed, how=channel.resolve, tls=channel.context
    )
