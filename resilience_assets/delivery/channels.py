"""The channels of a deployment, and the way from a row to the one that carries it.

Belongs here: which channels there are and who stands at their other end. Does not belong here: reading the
environment (resources), the channels themselves (email.py, webhook.py, slack.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from resilience_assets.delivery.email import MailServer, send_mail
from resilience_assets.delivery.outcome import Outcome
from resilience_assets.delivery.secret import Secret
from resilience_assets.delivery.slack import SPACING, SlackChannel, send_slack
from resilience_assets.delivery.webhook import Webhook, send_webhook
from resilience_assets.storage.outbox import Channel, Claim

PACING: Mapping[str, dt.timedelta] = {"slack": SPACING}
"""The least time between two messages to one endpoint, by channel."""


@dataclass(frozen=True, slots=True)
class Channels:
    """What a deployment can send over; `mail` is None while mail is off.

    `webhooks` and `slack` are by the name that a row's recipient gives. `for_urls` signs and guards a webhook whose
    recipient is an address. `last_resort` is who gets what could not be delivered over another channel.
    """

    mail: MailServer | None = None
    webhooks: Mapping[str, Webhook] = field(default_factory=dict)
    slack: Mapping[str, SlackChannel] = field(default_factory=dict)
    for_urls: Webhook = field(default_factory=lambda: Webhook(Secret()))
    last_resort: tuple[tuple[Channel, str], ...] = ()

    def off(self, channel: Channel, recipient: str) -> str | None:
        """Why a reader cannot be reached at all as things are set; None where they can."""
        if channel == "email":
            return None if self.mail is not None else "mail is off (SMTP_ENABLED)"
        known = self.webhooks if channel == "webhook" else self.slack
        if recipient in known or (channel == "webhook" and _is_url(recipient)):
            return None
        return f"no {channel} of this name has an address"

    def address(self, claim: Claim) -> str:
        """A hash of where a row goes, to tell whether the address behind a name was changed."""
        if claim.channel == "email":
            return Secret(f"{self.mail.host}:{self.mail.port}" if self.mail else "").fingerprint()
        return self._url(claim).fingerprint()

    def _url(self, claim: Claim) -> Secret:
        known: Mapping[str, Webhook | SlackChannel] = self.webhooks if claim.channel == "webhook" else self.slack
        found = known.get(claim.recipient)
        return found.url if found is not None else Secret(claim.recipient)

    def send(self, claim: Claim, now: dt.datetime, seconds: float) -> Outcome:
        """One attempt. Raises only what is a fault of ours."""
        if claim.channel == "email":
            if self.mail is None:
                raise ValueError("mail is off: ask off() before sending")
            return send_mail(claim, self.mail, now=now, seconds=seconds)
        if claim.channel == "slack":
            return send_slack(claim, self.slack[claim.recipient], now=now, seconds=seconds)
        webhook = self.webhooks.get(claim.recipient)
        if webhook is None:
            ours = self.for_urls
            webhook = Webhook(Secret(claim.recipient), ours.secrets, ours.allowed, ours.resolve, ours.context)
        return send_webhook(claim, webhook, now=now, seconds=seconds)


def _is_url(text: str) -> bool:
    return text.startswith(("https://", "http://"))
