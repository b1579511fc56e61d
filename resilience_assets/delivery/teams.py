"""Microsoft Teams: an Adaptive Card for the URL of a workflow.

Belongs here: the card, its limit. Does not belong here: the connection (outbound.py).

Sources: learn.microsoft.com, "Create incoming webhooks with Workflows for Microsoft Teams" and "Create and send
messages" (Workflows take Adaptive Cards only; `type` is "message", `attachments` hold `contentType`, `contentUrl` and
`content`); learn.microsoft.com/adaptive-cards/schema-explorer: rich-text-block and text-run (both since version 1.2;
"Markdown is not supported"); learn.microsoft.com/connectors/teams, known issues (a card of more than about 28 KB is
refused after the workflow has said 202, so less is sent: others found 21 KB to be the end).

Every line is a TextRun, which shows what it is given: no name or reason in a notice can become a link or a picture.
"""

from __future__ import annotations

import datetime as dt
import json
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from resilience_assets.delivery.outbound import Resolve, post, resolve
from resilience_assets.delivery.outcome import Outcome
from resilience_assets.delivery.secret import Secret
from resilience_assets.storage.outbox import CLOSING, Claim

MOST_BYTES = 20_000
"""Of a whole message as it is posted."""

MOST_SUBJECT, MOST_LINE = 300, 1000
"""Characters of the heading and of one line."""

SPACING = dt.timedelta(seconds=1)
"""Between two messages to one workflow."""

COLOURS: Mapping[str, str] = {"info": "default", "warning": "warning", "critical": "attention", "emergency": "attention"}
"""The heading's colour by severity; what is over is "good"."""

REST = "There is more: resilience inbox"


@dataclass(frozen=True, slots=True)
class TeamsChannel:
    """One workflow; its address is the secret."""

    url: Secret
    allowed: Collection[str] = ()
    resolve: Resolve = resolve
    context: ssl.SSLContext | None = None


def payload(claim: Claim) -> dict[str, Any]:
    """The message: its subject as a heading, its text line by line as far as it fits, and a line on a repeat."""
    subject = _cut(" ".join(claim.subject.split()), MOST_SUBJECT) or "Alert"
    colour = "good" if claim.kind == CLOSING else COLOURS.get(claim.severity, "default")
    last = [_line(f"Perhaps a repeat of {claim.repeat:%Y-%m-%d %H:%M} UTC.", isSubtle=True)] if claim.repeat is not None else []
    body = [_line(subject, size="large", weight="bolder", color=colour)]
    left = MOST_BYTES - len(_json(_message([*body, _line(REST), *last])))
    apart = True
    for text in claim.text.splitlines():
        if not text.strip():
            apart = True
            continue
        block = _line(_cut(text.rstrip(), MOST_LINE)) | {"spacing": "medium" if apart else "none"}
        left -= len(_json(block)) + 2
        if left < 0:
            body.append(_line(REST))
            break
        body.append(block)
        apart = False
    return _message([*body, *last])


def _message(body: list[dict[str, Any]]) -> dict[str, Any]:
    card = {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.2", "body": body}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _line(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=True).encode()


def send_teams(claim: Claim, channel: TeamsChannel, *, now: dt.datetime, seconds: float) -> Outcome:
    """POST one row and say what became of it, within `seconds`."""
    return post(
        channel.url, _json(payload(claim)), {}, seconds=seconds, now=now, allowed=channel.allowed, how=channel.resolve,
        tls=channel.context,
    )  # fmt: skip
