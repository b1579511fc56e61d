"""The channels of a deployment, made from its settings, its policy and the environment.

Belongs here: which variable holds whose address and secret. Does not belong here: sending (delivery), who is told
of what (policy). Secrets are wrapped here and are plain text nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from resilience_assets.delivery.apprise import AppriseChannel
from resilience_assets.delivery.channels import Channels
from resilience_assets.delivery.email import MailServer
from resilience_assets.delivery.pagerduty import PagerDutyChannel
from resilience_assets.delivery.secret import Secret
from resilience_assets.delivery.slack import SlackChannel
from resilience_assets.delivery.teams import TeamsChannel
from resilience_assets.delivery.webhook import Webhook
from resilience_assets.policy.routes import Recipient, Telling
from resilience_assets.settings import Settings
from resilience_assets.storage.outbox import Channel

BY_ENVIRONMENT: Mapping[str, tuple[Literal["webhook", "slack"], str, str]] = {
    "webhook": ("webhook", "RESILIENCE_WEBHOOK_URL", "RESILIENCE_WEBHOOK_SECRETS"),
    "slack": ("slack", "RESILIENCE_SLACK_WEBHOOK_URL", ""),
}
"""Recipients that need no policy: by id, their channel and the variables of their address and secrets."""

IMPLICIT_TLS_PORT = 465


def with_environment(telling: Telling, settings: Settings) -> Telling:
    """The policy's readers, and those whose address is in the environment alone, who are told by default."""
    set_here = {"webhook": settings.webhook_url, "slack": settings.slack_webhook_url}
    known = {one.id for one in telling.recipients} | {one.url_variable for one in telling.recipients}
    more = [
        Recipient(id=id, channel=channel, url_variable=url, secret_variable=secrets)
        for id, (channel, url, secrets) in BY_ENVIRONMENT.items()
        if set_here[id].get_secret_value() and id not in known and url not in known
    ]
    if not more:
        return telling
    told = (*telling.default_to, *(one.id for one in more))
    return telling.model_copy(update={"recipients": (*telling.recipients, *more), "default_to": told})


def channels(settings: Settings, telling: Telling, environment: Mapping[str, str]) -> Channels:
    """What the deployment can send over. A recipient whose variable is empty is left out: its messages are given up
    with that reason, and told another way."""
    values = dict(environment) | {
        "RESILIENCE_WEBHOOK_URL": settings.webhook_url.get_secret_value(),
        "RESILIENCE_WEBHOOK_SECRETS": settings.webhook_secrets.get_secret_value(),
        "RESILIENCE_SLACK_WEBHOOK_URL": settings.slack_webhook_url.get_secret_value(),
    }
    allowed = settings.outbound_allow
    webhooks: dict[str, Webhook] = {}
    slack: dict[str, SlackChannel] = {}
    teams: dict[str, TeamsChannel] = {}
    pagers: dict[str, PagerDutyChannel] = {}
    others: dict[str, AppriseChannel] = {}
    for one in telling.recipients:
        url = Secret(values.get(one.secret_variable if one.channel == "pagerduty" else one.url_variable, "").strip())
        if not url or one.channel == "email":
            continue
        if one.channel == "webhook":
            webhooks[one.id] = Webhook(url, _secrets(values.get(one.secret_variable, "")), allowed)
        elif one.channel == "slack":
            slack[one.id] = SlackChannel(url, allowed)
        elif one.channel == "teams":
            teams[one.id] = TeamsChannel(url, allowed)
        elif one.channel == "pagerduty":
            pagers[one.id] = PagerDutyChannel(url, allowed)
        else:
            others[one.id] = AppriseChannel(url)
    return Channels(
        mail_server(settings), webhooks, slack, Webhook(Secret(), (), allowed), _last_resort(telling), teams, pagers, others
    )


def _secrets(text: str) -> tuple[Secret, ...]:
    return tuple(Secret(part) for part in text.replace(",", " ").split())


def mail_server(settings: Settings) -> MailServer | None:
    """Where mail is handed over; None while mail is off."""
    if not settings.smtp_enabled:
        return None
    security: Literal["starttls", "tls", "none"] = "none"
    if settings.smtp_use_tls:
        security = "tls" if settings.smtp_port == IMPLICIT_TLS_PORT else "starttls"
    return MailServer(
        settings.smtp_host, settings.smtp_port, security, settings.smtp_from_email, settings.smtp_from_name,
        settings.smtp_user, Secret(settings.smtp_password.get_secret_value()),
    )  # fmt: skip


def _last_resort(telling: Telling) -> tuple[tuple[Channel, str], ...]:
    """Who is told by default gets what could not be told to somebody else."""
    found = [telling.recipient(id) for id in telling.default_to]
    return tuple((one.channel, one.address or one.id) for one in found if one is not None)
