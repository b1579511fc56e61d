"""`resilience send`: a message that no alert rule asked for.

Belongs here: the commands, what is printed of a delivery. Does not belong here: writing a message (actions.send,
actions.canary), sending (delivery).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from resilience_assets.cli.errors import Failed, Refused, debug_option

if TYPE_CHECKING:
    from resilience_assets.resources.deployment import Deployment

LEVELS = ("info", "warning", "critical", "emergency")


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The switches that all of these commands have."""
    command = click.option("--json", "as_json", is_flag=True, help="Print what became of it as JSON.")(command)
    return click.option("--queue", is_flag=True, help="Write it into the outbox and leave sending to whoever delivers alerts.")(command)


@click.group()
def send() -> None:
    """Send a mail, a payload, an alert or a test over the outbox; it is tried again until it arrives or is given up."""


@send.command()
@click.option("--to", "readers", metavar="ADDRESS", multiple=True, required=True, help="A reader; may be repeated.")
@click.option("--subject", required=True, help="One line.")
@click.option("--html", type=click.File(encoding="utf-8"), help="File with the same text as HTML.")
@click.argument("body", metavar="BODY|-")
@_common
@debug_option
def email(readers: tuple[str, ...], subject: str, html: Any, body: str, queue: bool, as_json: bool) -> None:
    """Send BODY (- reads standard input) by mail."""
    from resilience_assets.actions.send import send_email
    from resilience_assets.resources.deployment import deployment, who

    here = deployment()
    text = sys.stdin.read() if body == "-" else body
    message = send_email(here.database, readers, subject, text, html.read() if html else None, now=here.clock.now(), by=who())
    _deliver(here, message, queue=queue, as_json=as_json)


@send.command()
@click.argument("url")
@click.argument("payload", metavar="PAYLOAD.json|-", type=click.File(encoding="utf-8"))
@_common
@debug_option
def webhook(url: str, payload: Any, queue: bool, as_json: bool) -> None:
    """Post a JSON object to URL, or to the webhook of this name in the policy."""
    from resilience_assets.actions.send import send_webhook
    from resilience_assets.resources.deployment import deployment, who

    try:
        content = json.load(payload)
    except ValueError as error:
        raise Refused(f"{payload.name} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise Refused(f'{payload.name} holds no JSON object such as {{"text": "..."}}')
    here = deployment()
    message = send_webhook(here.database, url, content, now=here.clock.now(), by=who())
    _deliver(here, message, queue=queue, as_json=as_json)


@send.command()
@click.argument("level", type=click.Choice(LEVELS))
@click.argument("message")
@click.option("--detail", "details", metavar="NAME=VALUE", multiple=True, help="A line below the message; may be repeated.")
@_common
@debug_option
def alert(level: Any, message: str, details: tuple[str, ...], queue: bool, as_json: bool) -> None:
    """Tell MESSAGE to whoever is told by default: in the inbox always, by mail from warning on."""
    from resilience_assets.actions.send import send_resilience_alert
    from resilience_assets.resources.deployment import deployment, who

    pairs = dict(_pair(one) for one in details)
    here = deployment()
    id = send_resilience_alert(here.database, here.policies(), level, message, pairs, now=here.clock.now(), by=who())
    _deliver(here, id, queue=queue, as_json=as_json)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise Refused(f"--detail {text!r} is not NAME=VALUE")
    return name.strip(), value.strip()


@send.command()
@_common
@debug_option
def canary(queue: bool, as_json: bool) -> None:
    """Send a test to one reader of each channel, as every Monday: mail, every webhook, every Slack channel."""
    from resilience_assets.actions.canary import send_canary
    from resilience_assets.resources.deployment import deployment, who

    here = deployment()
    message = send_canary(here.database, here.policies(), now=here.clock.now(), by=who())
    _deliver(here, message, queue=queue, as_json=as_json)


def _deliver(here: Deployment, message_id: int, *, queue: bool, as_json: bool) -> None:
    """Deliver one message unless it is to wait, and say what became of it; exit code 1 where a reader is not reached."""
    from resilience_assets.actions.deliver import deliver_message, whereabouts
    from resilience_assets.cli.terminal import counted, emit_json

    if not queue:
        deliver_message(here.database, message_id, here.channels(), here.clock.now)
    rows = whereabouts(here.database, message_id)
    if as_json:
        emit_json({"message_id": message_id, "rows": rows})
    else:
        click.echo(f"Message {message_id}: " + ("the inbox has it; nobody outside it is told" if not rows else f"{counted(len(rows), 'reader')}"))
        for row in rows:
            click.echo(f"  {row['channel']}: {_said(row, queue=queue)}")
    lost = [f"{row['channel']}: {row['reason']}" for row in rows if row["state"] in ("dead", "cancelled")]
    if lost:
        raise Failed("not every reader is reached: " + "; ".join(lost))


def _said(row: dict[str, Any], *, queue: bool) -> str:
    if row["state"] == "pending":
        return "waits in the outbox" if queue else "not yet; it is tried again, see that `resilience dev` or `resilience dispatch` runs"
    return str(row["state"]) + (f" ({row['reason']})" if row["reason"] else "")
