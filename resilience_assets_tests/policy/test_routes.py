"""Recipients, routes and what is refused: the shipped telling, an overlay, the environment."""

import datetime as dt

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


def test_a_pager_is_told_of_alerts_and_gets_no_morning_brief():
    overlay = """
telling:
  recipients:
    - {id: pager, channel: pagerduty, secret_variable: PAGER_KEY}
    - {id: room, channel: teams, url_variable: ROOM_URL}
  routes:
    - {id: all, to: [pager, room]}
"""
    telling = load_policies(overlay).telling
    assert who(telling=telling) == ["pager", "room"]
    assert [one.id for one in telling.brief_readers("fm")] == ["room"]
    named = load_policies(overlay + "    - {id: brief, to: [pager], rules: [morning_brief]}\n").telling
    assert named.brief_readers("fm") == []


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
        ("recipients: [{id: c, channel: teams, address: https://x.org}]", "teams takes its URL from url_variable"),
        ("recipients: [{id: c, channel: teams, url_variable: A, secret_variable: B}]", "teams has no secret_variable"),
        ("recipients: [{id: c, channel: apprise, url_variable: json://x.org/secret}]", "is not the name of an environment variable"),
        ("recipients: [{id: c, channel: apprise, url_variable: A, secret_variable: B}]", "apprise has no secret_variable"),
        ("recipients: [{id: c, channel: pagerduty, address: x}]", "pagerduty takes its routing key from secret_variable"),
        ("recipients: [{id: c, channel: pagerduty}]", "'' is not the name of an environment variable"),
        ("recipients: [{id: c, channel: pagerduty, url_variable: A, secret_variable: B}]", "it goes to events.pagerduty.com"),
        ("recipients: [{id: c, channel: pagerduty, secret_variable: A, time_zone: UTC, quiet_hours: {begin: '22:00', end: '07:00'}}]", "its own schedules"),
        ("recipients: [{id: c, channel: pagerduty, secret_variable: A}, {id: d, channel: pagerduty, secret_variable: A}]", "one reader is told once"),
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


def briefed(program, overlay="", **environment):  # type: ignore[no-untyped-def]
    return [one.id for one in load_policies(overlay, environment=environment).telling.brief_readers(program)]


PEOPLE = "{id: a, channel: email, address: a@example.org}, {id: b, channel: email, address: b@example.org}, {id: c, channel: email, address: c@example.org, active: false}"


@pytest.mark.parametrize(
    ("telling", "fm", "ward"),
    [
        ("default_to: [a]", ["a"], ["a"]),
        ("default_to: [a], brief_to: [b, c]", ["b"], ["b"]),
        ("default_to: [a], routes: [{id: r, to: [b], programs: [fm]}]", ["b"], ["a"]),
        ("default_to: [a], routes: [{id: r, to: [b], programs: [fm], severity: critical}]", [], ["a"]),
        ("default_to: [a], routes: [{id: r, to: [b], rules: [delivery_failed]}]", ["a"], ["a"]),
        ("brief_to: [a], routes: [{id: r, to: [b, b], programs: [fm], rules: [morning_brief], severity: emergency}]", ["b"], ["a"]),
        ("brief_to: [a], routes: [{id: r, to: [b], rules: [morning_brief], active: false}]", ["a"], ["a"]),
    ],
)
def test_the_brief_goes_to_whom_a_route_names_else_to_its_own_list_else_to_whoever_is_told(telling, fm, ward):
    overlay = f"telling: {{recipients: [{PEOPLE}], {telling}}}"
    assert (briefed("fm", overlay), briefed("ward", overlay)) == (fm, ward)


def test_the_brief_of_a_deployment_without_policy_goes_to_the_addresses_of_the_environment():
    assert briefed("fm", RESILIENCE_ALERT_RECIPIENTS="x@example.org") == ["x@example.org"]
    with pytest.raises(PolicyError, match="brief_to goes to 'nobody'"):
        load_policies("telling: {brief_to: [nobody]}")


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-10T02:30:20+00:00", "2026-03-10T11:00:00+00:00"),  # 22:30 in New York; 07:00 there
        ("2026-03-08T04:59:59+00:00", "2026-03-08T11:00:00+00:00"),  # the night of 23 hours
        ("2026-11-01T05:30:00+00:00", "2026-11-01T12:00:00+00:00"),  # 01:30, for the first time
        ("2026-03-10T12:00:00+00:00", None),
    ],
)
def test_quiet_hours_are_over_at_the_readers_own_morning(now, until):
    found = TELLING.recipient("chief").quiet_until(dt.datetime.fromisoformat(now))
    assert found == (dt.datetime.fromisoformat(until) if until else None)
    assert TELLING.recipient("ops").quiet_until(dt.datetime.fromisoformat(now)) is None
