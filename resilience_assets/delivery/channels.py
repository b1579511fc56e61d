"""The channels of a deployment, and the way from a row to the one that carries it.

Belongs here: which channels there are and who stands at their other end. Does not belong here: reading the
environment (resources), the channels themselves (email.py, webhook.py, slack.py, teams.py, pagerduty.py, apprise.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from resilience_assets.delivery import apprise, slack, teams
from resilience_assets.delivery.apprise import AppriseChannel, send_apprise
from resilience_assets.delivery.email import MailServer, send_mail
from resilience_assets.delivery.outcome import Outcome
from resilience_assets.delivery.pagerduty import PagerDutyChannel, send_pagerduty
from resilience_assets.delivery.secret import Secret
from resilience_assets.delivery.slack import SlackChannel, send_slack
from resilience_assets.delivery.teams import TeamsChannel, send_teams
from resilience_assets.delivery.webhook import Webhook, send_webhook
from resilience_assets.storage.outbox import Channel, Claim

PACING: Mapping[str, dt.timedelta] = {"slack": slack.SPACING, "teams": teams.SPACING}
"""The least time between two messages to one endpoint, by channel."""


@dataclass(frozen=True, slots=True)
class Channels:
    """What a deployment can send over; `mail` is None while mail is off.

    All but `mail` are by the name that a row's recipient gives. `for_urls` signs and guards a webhook whose
    recipient is an address. `last_resort` is who gets what could not be delivered over another channel.
    """

    mail: MailServer | None = None
    webhooks: Mapping[str, Webhook] = field(default_factory=dict)
    slack: Mapping[str, SlackChannel] = field(default_factory=dict)
    for_urls: Webhook = field(default_factory=lambda: Webhook(Secret()))
    last_resort: tuple[tuple[Channel, str], ...] = ()
    teams: Mapping[str, TeamsChannel] = field(default_factory=dict)
    pagerduty: Mapping[str, PagerDutyChannel] = field(default_factory=dict)
    apprise: Mapping[str, AppriseChannel] = field(default_factory=dict)

    def off(self, channel: Channel, recipient: str) -> str | None:
        """Why a reader cannot be reached at all as things are set; None where they can."""
        if channel == "email":
            return None if self.mail is not None else "mail is off (SMTP_ENABLED)"
        if recipient not in self._named(channel) and not (channel == "webhook" and _is_url(recipient)):
            return f"no {channel} of this name has {'a routing key' if channel == 'pagerduty' else 'an address'}"
        return apprise.MISSING if channel == "apprise" and not apprise.installed() else None

    def _named(self, channel: Channel) -> Mapping[str, Webhook | SlackChannel | TeamsChannel | PagerDutyChannel | AppriseChannel]:
        if channel == "slack":
            return self.slack
        if channel == "teams":
            return self.teams
        if channel == "pagerduty":
            return self.pagerduty
        return self.apprise if channel == "apprise" else self.webhooks

    def address(self, claim: Claim) -> str:
        """A hash of where a row goes, to tell whether the address behind a name was changed."""
        if claim.channel == "email":
            return Secret(f"{self.mail.host}:{self.mail.port}" if self.mail else "").fingerprint()
        return self._url(claim).fingerprint()

    def _url(self, claim: Claim) -> Secret:
        found = self._named(claim.channel).get(claim.recipient)
        if found is None:
            return Secret(claim.recipient)
        return found.key if isinstance(found, PagerDutyChannel) else found.url

    def send(self, claim: Claim, now: dt.datetime, seconds: float) -> Outcome:
        """One attempt. Raises only what is a fault of ours."""
        if claim.channel == "email":
            if self.mail is None:
                raise ValueError("mail is off: ask off() before sending")
            return send_mail(claim, self.mail, now=now, seconds=seconds)
        if claim.channel == "slack":
            return send_slack(claim, self.slack[claim.recipient], now=now, seconds=seconds)
        if claim.channel == "teams":
            return send_teams(claim, self.teams[claim.recipient], now=now, seconds=seconds)
        if claim.channel == "pagerduty":
            return send_pagerduty(claim, self.pagerduty[claim.recipient], now=now, seconds=seconds)
        if claim.channel == "apprise":
            return send_apprise(claim, self.apprise[claim.recipient], now=now, seconds=seconds)
        return self._send_webhook(claim, now, seconds)

    def _send_webhook(self, claim: Claim, now: dt.datetime, seconds: float) -> Outcome:
        webhook = self.webhooks.get(claim.recipient)
        if webhook is None:
            ours = self.for_urls
            webhook = Webhook(Secret(claim.recipient), ours.secrets, ours.allowed, ours.resolve, ours.context)
        return send_webhook(claim, webhook, now=now, seconds=seconds)


def _is_url(text: str) -> bool:
    return text.startswith(("https://", "http://"))
