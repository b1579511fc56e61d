"""Channels from settings, policy and environment; no secret in any text."""

from pathlib import Path

from resilience_assets.delivery.secret import Secret
from resilience_assets.resources.channels import channels, mail_server, with_environment
from resilience_assets.resources.deployment import deployment
from resilience_assets.settings import Settings

OVERLAY = """
telling:
  recipients:
    - {id: icu, channel: webhook, url_variable: ICU_URL, secret_variable: ICU_SECRETS}
    - {id: ward, channel: slack, url_variable: WARD_URL}
    - {id: empty, channel: slack, url_variable: NOT_SET}
    - {id: room, channel: teams, url_variable: ROOM_URL}
    - {id: pager, channel: pagerduty, secret_variable: PAGER_KEY}
    - {id: unset, channel: pagerduty, secret_variable: NOT_SET}
    - {id: else, channel: apprise, url_variable: ELSE_URL}
"""


def of(folder: Path, **variables: str) -> Settings:
    return Settings.from_environment({"RESILIENCE_STATE_DIR": str(folder / "state")} | variables, directory=folder)


def test_recipients_of_the_policy_find_their_variables(tmp_path, monkeypatch):
    overlay = tmp_path / "policy.yaml"
    overlay.write_text(OVERLAY)
    for name, value in {"ICU_URL": "https://icu.example.org/hush-1", "ICU_SECRETS": "whsec_a, whsec_b", "WARD_URL": "https://s.example.org/hush-2",
                        "ROOM_URL": "https://t.example.org/hush-3", "PAGER_KEY": " hush-4\n", "ELSE_URL": "json://e.example.org/hush-5"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    here = deployment(of(tmp_path, RESILIENCE_POLICY=str(overlay), RESILIENCE_OUTBOUND_ALLOW="10.0.0.1"))
    found = here.channels()
    assert (found.mail, set(found.webhooks), set(found.slack)) == (None, {"icu"}, {"ward"})
    assert found.webhooks["icu"].url == Secret("https://icu.example.org/hush-1")
    assert found.webhooks["icu"].secrets == (Secret("whsec_a"), Secret("whsec_b"))
    assert found.webhooks["icu"].allowed == ("10.0.0.1",)
    assert (found.teams["room"].url, found.teams["room"].allowed) == (Secret("https://t.example.org/hush-3"), ("10.0.0.1",))
    assert set(found.pagerduty) == {"pager"}
    assert (found.pagerduty["pager"].key, found.pagerduty["pager"].endpoint) == (Secret("hush-4"), "https://events.pagerduty.com/v2/enqueue")
    assert found.apprise["else"].url == Secret("json://e.example.org/hush-5")
    assert "hush" not in repr(found)
    assert "whsec" not in repr(found)


def test_addresses_of_the_environment_alone_are_told_by_default(tmp_path):
    settings = of(tmp_path, RESILIENCE_WEBHOOK_URL="https://a.example.org/hush", RESILIENCE_WEBHOOK_SECRETS="whsec_a",
                  RESILIENCE_SLACK_WEBHOOK_URL="https://b.example.org/hush", RESILIENCE_ALERT_RECIPIENTS="chief@example.org")  # fmt: skip
    here = deployment(settings)
    policies = here.policies()
    assert policies.telling.default_to == ("chief@example.org", "webhook", "slack")
    assert "hush" not in repr(policies.telling) + policies.text
    found = channels(settings, policies.telling, {})
    assert (set(found.webhooks), set(found.slack)) == ({"webhook"}, {"slack"})
    assert found.last_resort == (("email", "chief@example.org"), ("webhook", "webhook"), ("slack", "slack"))
    assert with_environment(policies.telling, settings) == policies.telling, "no reader twice"


def test_mail_is_off_until_it_is_on_and_encrypted_unless_told_otherwise(tmp_path):
    assert mail_server(of(tmp_path)) is None
    kinds = {}
    for port, tls in (("587", "true"), ("465", "true"), ("25", "false")):
        server = mail_server(of(tmp_path, SMTP_ENABLED="true", SMTP_PORT=port, SMTP_USE_TLS=tls, SMTP_USER="u", SMTP_PASSWORD="hush"))
        assert server is not None
        assert "hush" not in repr(server)
        kinds[port] = server.security
    assert kinds == {"587": "starttls", "465": "tls", "25": "none"}
