"""Recipients, routes and what is refused: the shipped telling, an overlay, the environment."""

import pytest
from pydantic import ValidationError

from resilience_assets.domain.scales import AlertSeverity
from resilience_assets.policy import PolicyError, load_policies
from resilience_assets.policy.routes import Flapping

OVERLAY = """
telling:
  recipients:
    - {id: chief, channel: email, address: chief@example.org, time_zone: America/New_York, quiet_hours: {begin: 22:00, end: "07:00"}, include_names: true}
    - {id: ops, channel: webhook, url_variable: OPS_WEBHOOK_URL, secret_variable: OPS_WEBHOOK_SECRET}
    - {id: room, channel: slack, url_variable: ROOM_SLACK_URL}
    - {id: gone, channel: email, address: gone@example.org, active: false}
  routes:
    - {id: fm, to: [chief, room, gone], programs: [fm]}
    - {id: grave, to: [ops, chief], severity: critical}
    - {id: seats, to: [room], rules: [coverage, n1.program.critical], programs: [ward], severity: info}
    - {id: later, to: [ops], programs: [fm], level: 2}
"""
TELLING = load_policies(OVERLAY).telling
W, C = AlertSeverity.WARNING, AlertSeverity.CRITICAL


def who(program="fm", family="coverage", rule="coverage.program.warning", severity=W, level=1, telling=TELLING):  # type: ignore[no-untyped-def]
    return [one.id for one in telling.readers(program, family, rule, severity, level)]


def test_routes_choose_by_program_rule_severity_and_level_each_reader_once():
    assert who() == ["chief", "room"]
    assert who(severity=C) == ["chief", "room", "ops"]
    assert who("ward") == ["room"]
    assert who("ward", "n1", "n1.program.critical") == ["room"]
    assert who("ward", "n1", "n1.program.warning") == []
    assert who(level=2) == ["ops"]
    assert who(level=3) == []
    assert who("", "health_check_stale", "health_check_stale", C) == ["ops", "chief"]


def test_a_bare_time_of_day_is_read_as_one():
    assert TELLING.recipient("chief").quiet_hours.begin == "22:00"
    assert TELLING.recipient("gone") is None


def test_who_is_told_of_what_no_route_speaks_of_comes_from_the_environment():
    variable = {"RESILIENCE_ALERT_RECIPIENTS": "a@example.org, b@example.org"}
    telling = load_policies(environment=variable).telling
    assert who(telling=telling) == ["a@example.org", "b@example.org"]
    assert who(severity=AlertSeverity.INFO, telling=telling) == []
    assert who(level=2, telling=telling) == []
    routed = load_policies("telling: {recipients: [{id: c, channel: email, address: c@example.org}], routes: [{id: fm, to: [c], programs: [fm]}]}", environment=variable).telling
    assert (who(telling=routed), who("ward", telling=routed)) == (["c"], ["a@example.org", "b@example.org"])
    known = load_policies("telling: {recipients: [{id: c, channel: email, address: a@example.org}]}", environment=variable).telling
    assert who(telling=known) == ["c", "b@example.org"], "a recipient of the policy keeps its quiet hours"


def test_who_is_told_decides_no_result():
    plain, told = load_policies(), load_policies(OVERLAY)
    assert plain.version_for("fm") == told.version_for("fm")
    assert plain.hash != told.hash
    assert "chief@example.org" not in told.text_for("fm")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recipients: [{id: c, channel: email, address: nobody}]", "recipients[c]: recipient c: address 'nobody' is not a mail address"),
        ("recipients: [{id: c, channel: email, address: 'a@b.org\\r\\nBcc: x@y.org'}]", "is not a mail address"),
        ("recipients: [{id: c, channel: webhook, address: https://x.org}]", "takes its URL from url_variable"),
        ("recipients: [{id: c, channel: webhook, url_variable: https://x.org/secret}]", "is not the name of an environment variable"),
        ("recipients: [{id: c, channel: pager, address: x@y.org}]", "channel"),
        ("recipients: [{id: c, channel: slack, url_variable: A, quiet_hours: {begin: '22:00', end: '07:00'}}]", "need a time_zone"),
        ("recipients: [{id: c, channel: email, address: c@y.org, time_zone: Mars/Base}]", "is not a time zone"),
        ("recipients: [{id: c, channel: email, address: c@y.org, time_zone: UTC, quiet_hours: {begin: '25:00', end: '07:00'}}]", "begin"),
        ("recipients: [{id: c, channel: email, address: c@y.org, time_zone: UTC, quiet_hours: {begin: '07:00', end: '07:00'}}]", "both 07:00"),
        ("recipients: [{id: c, channel: email, address: c@y.org}, {id: d, channel: email, address: c@y.org}]", "one reader is told once"),
        ("recipients: [{id: c, channel: email, address: c@y.org}, {id: c, channel: email, address: d@y.org}]", "c is given twice"),
        ("routes: [{id: r, to: [nobody]}]", "route r goes to 'nobody'"),
        ("routes: [{id: r, to: [], level: 4}]", "level"),
        ("escalation: {level_3_after_minutes: 10}", "must come after level 2"),
        ("repetition: {critical_minutes: 20}", "not longer than until level 3"),
        ("flapping: {low: 0.2}", "must be below high"),
        ("recipient: []", "did you mean 'recipients'"),
        ("[]", "must be a mapping"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_is_wrong(text, said):
    with pytest.raises(PolicyError, match="telling") as refused:
        load_policies(f"telling: {{{text}}}" if text != "[]" else "telling: []")
    assert said in str(refused.value)


def test_a_score_needs_three_readings_at_least():
    with pytest.raises(ValidationError):
        Flapping(readings=2, high=0.5, low=0.1, source="t")
