"""The weekly test: one message to each thing that can fail, and an alert for what does."""

import datetime as dt

from resilience_assets.actions.canary import readers, send_canary
from resilience_assets.actions.deliver import deliver_message, inbox, whereabouts
from resilience_assets.actions.evaluate_alerts import evaluate_alerts
from resilience_assets.policy import load_policies
from resilience_assets.storage import incidents, ledger
from resilience_assets_tests.delivery.peers import mail_server, receiver
from resilience_assets_tests.delivery.rows import NOW, QUICK, SetClock, channels, rows

POLICIES = load_policies("""
telling:
  recipients:
    - {id: first, channel: email, address: first@example.org}
    - {id: chief, channel: email, address: chief@example.org, time_zone: UTC, quiet_hours: {begin: "05:00", end: "07:00"}}
    - {id: desk, channel: email, address: desk@example.org}
    - {id: gone, channel: email, address: gone@example.org, active: false}
    - {id: ops, channel: webhook, url_variable: OPS_URL}
    - {id: ward, channel: slack, url_variable: WARD_URL}
  default_to: [chief, desk]
""")
NIGHT, DAY = NOW, NOW + dt.timedelta(hours=6)
"""06:00 and 12:00 in UTC."""


def test_one_reader_for_each_thing_that_can_fail_and_for_mail_whoever_is_awake():
    assert [one.id for one in readers(POLICIES.telling, DAY)] == ["chief", "ops", "ward"]
    assert [one.id for one in readers(POLICIES.telling, NIGHT)] == ["desk", "ops", "ward"]
    assert readers(load_policies().telling, DAY) == []


def test_it_says_that_it_is_a_test_and_arrives_over_every_channel(database):
    message = send_canary(database, POLICIES, now=DAY, by="a test")
    with mail_server() as box, receiver() as web:
        assert deliver_message(database, message, channels(box, web), SetClock(DAY), pace=QUICK) == {"sent": 3}
    assert box.to == ["chief@example.org"]
    assert box.mails[0]["Subject"] == "[test] Alerts reach you over this channel"
    assert all(b"[test]" in one.body for one in web.got)
    (told,) = inbox(database)
    assert (told.program, told.severity, told.body.split(".")[0]) == ("", "info", "Weekly test of alerts: sent to mail, ops, ward")
    evaluate_alerts(database, POLICIES, DAY + dt.timedelta(minutes=1), source="clock")
    with database.read() as connection:
        assert incidents.open_incidents(connection) == []
    assert ledger.breaches(database) == {}


def test_a_channel_that_fails_opens_an_alert_by_the_usual_road(database):
    message = send_canary(database, POLICIES, now=DAY, by="a test")
    with mail_server() as box, receiver() as web:
        box.replies["chief@example.org"] = "550 no such user"
        deliver_message(database, message, channels(box, web), SetClock(DAY), pace=QUICK)
    states = {row["channel"]: (row["state"], row["reason"]) for row in whereabouts(database, message)}
    assert states == {"email": ("dead", "550 refused"), "webhook": ("sent", ""), "slack": ("sent", "")}
    evaluate_alerts(database, POLICIES, DAY + dt.timedelta(minutes=1), source="clock")
    with database.read() as connection:
        assert [(row.rule, row.scope_key) for row in incidents.open_incidents(connection)] == [("delivery_failed", "email")]


def test_a_channel_without_an_address_is_found(database):
    message = send_canary(database, POLICIES, now=DAY, by="a test")
    with mail_server() as box, receiver() as web:
        deliver_message(database, message, channels(box, web, slack={}), SetClock(DAY), pace=QUICK)
    assert [row["reason"] for row in whereabouts(database, message) if row["channel"] == "slack"] == ["no slack of this name has an address"]


def test_nobody_is_woken_by_a_test(database):
    quiet = load_policies("""
telling: {recipients: [{id: chief, channel: email, address: chief@example.org, time_zone: UTC, quiet_hours: {begin: "05:00", end: "07:00"}}]}
""")
    send_canary(database, quiet, now=NIGHT, by="a test")
    assert [row.next_at for row in rows(database)] == [NIGHT + dt.timedelta(hours=1)]


def test_without_any_channel_the_inbox_says_so(database):
    message = send_canary(database, load_policies(), now=DAY, by="a test")
    assert deliver_message(database, message, channels(), SetClock(DAY), pace=QUICK) == {}
    assert "no channel is set up" in inbox(database)[0].body
