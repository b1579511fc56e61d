"""Messages apart from any incident: what is written, and that it goes out over the outbox."""

import datetime as dt
import json
import math

import pytest

from resilience_assets.actions.deliver import deliver_message, deliver_pending, inbox
from resilience_assets.actions.send import send_email, send_resilience_alert, send_webhook
from resilience_assets.policy import load_policies
from resilience_assets.storage import ledger, outbox, tables
from resilience_assets_tests.delivery.peers import mail_server, receiver
from resilience_assets_tests.delivery.rows import NOW, QUICK, SetClock, channels, rows

BY = "a test"
OVERLAY = """
telling:
  recipients:
    - {id: ops, channel: webhook, url_variable: OPS_URL}
    - {id: ward, channel: slack, url_variable: WARD_URL}
  default_to: [ops, ward]
"""


def policies():  # type: ignore[no-untyped-def]
    return load_policies(OVERLAY, "moderate", {"RESILIENCE_ALERT_RECIPIENTS": "chief@example.org"})


def test_a_mail_goes_to_each_reader_once(database):
    with mail_server() as box:
        message = send_email(database, ["a@example.org", "b@example.org", "a@example.org"], "Hello", "text", "<p>text</p>", now=NOW, by=BY)
        other = send_email(database, "c@example.org", "Other", "text", now=NOW, by=BY)
        assert deliver_message(database, message, channels(box), SetClock(), pace=QUICK) == {"sent": 2}
        assert sorted(box.to) == ["a@example.org", "b@example.org"], "only the rows of this message"
        assert deliver_pending(database, NOW, channels(box), pace=QUICK).attempts == {"sent": 1}
        assert deliver_message(database, other, channels(box), SetClock(), pace=QUICK) == {"sent": 1}
    assert len(box.mails) == 3
    assert ledger.breaches(database) == {}


def test_a_payload_is_posted_as_it_is(database):
    with receiver() as web:
        message = send_webhook(database, web.url("ok/x"), {"a": [1, None]}, now=NOW, by=BY)
        assert deliver_message(database, message, channels(None, web), SetClock(), pace=QUICK) == {"sent": 1}
        named = send_webhook(database, "ops", {"b": 2}, now=NOW, by=BY)
        assert deliver_message(database, named, channels(None, web), SetClock(), pace=QUICK) == {"sent": 1}
    assert [json.loads(one.body) for one in web.got] == [{"a": [1, None]}, {"b": 2}]
    assert ["webhook-signature" in one.headers for one in web.got] == [False, True]


def test_an_address_inside_is_not_posted_to(database):
    with receiver() as web:
        message = send_webhook(database, web.url(), {}, now=NOW, by=BY)
        assert deliver_message(database, message, channels(), SetClock(), pace=QUICK) == {"dead": 1}
        assert web.got == []
    [row] = rows(database)
    assert row.reason == "blocked: not https, and not on the allow-list"
    assert web.url() not in row.endpoint


@pytest.mark.parametrize(
    ("level", "expected"),
    [("info", {"webhook", "slack"}), ("warning", {"webhook", "slack", "email"}), ("emergency", {"webhook", "slack", "email"})],
)
def test_an_alert_is_in_the_inbox_at_once_and_goes_by_level(database, level, expected):
    message = send_resilience_alert(database, policies(), level, "Snow:\nroads closed", {"from": "06:00"}, now=NOW, by=BY)
    [found] = inbox(database)
    assert (found.severity, found.subject, found.body) == (level, f"[{level}] Snow: roads closed", "Snow:\nroads closed\nfrom: 06:00")
    assert {row.channel for row in rows(database)} == expected
    with mail_server() as box, receiver() as web:
        assert deliver_message(database, message, channels(box, web), SetClock(), pace=QUICK) == {"sent": len(expected)}
        assert len(web.got) == 2
    assert ledger.breaches(database) == {}


def test_an_alert_that_cannot_be_mailed_goes_another_way_and_a_letter_does_not(database):
    with mail_server() as box, receiver() as web:
        box.replies["chief@example.org"] = "550 no such user"
        chans = channels(box, web, last_resort=(("webhook", "extra"), ("email", "chief@example.org")), webhooks={})
        send_resilience_alert(database, load_policies("", "moderate", {"RESILIENCE_ALERT_RECIPIENTS": "chief@example.org"}), "critical", "Snow", now=NOW, by=BY)
        send_email(database, "chief@example.org", "private", "text", now=NOW, by=BY)
        deliver_pending(database, NOW, chans, pace=QUICK)
    rerouted = [row for row in rows(database) if row.rerouted_from is not None]
    assert [(row.channel, row.recipient, row.kind) for row in rerouted] == [("webhook", "extra", "alert")]


@pytest.mark.parametrize(
    "call",
    [
        lambda db: send_email(db, [], "s", "b", now=NOW, by=BY), lambda db: send_email(db, "chief", "s", "b", now=NOW, by=BY),
        lambda db: send_email(db, "a@example.org\nBcc: b@example.org", "s", "b", now=NOW, by=BY),
        lambda db: send_email(db, "a@example.org", "s\r\nBcc: x", "b", now=NOW, by=BY),
        lambda db: send_email(db, "a@example.org", " ", "b", now=NOW, by=BY),
        lambda db: send_webhook(db, "ftp://x", {}, now=NOW, by=BY), lambda db: send_webhook(db, "https://u:p@x/", {}, now=NOW, by=BY),
        lambda db: send_webhook(db, "https://x", {"a": math.inf}, now=NOW, by=BY),
        lambda db: send_webhook(db, "https://x", {"a": {1}}, now=NOW, by=BY),
        lambda db: send_webhook(db, "https://x", {"a": "x" * 20_000}, now=NOW, by=BY),
        lambda db: send_resilience_alert(db, policies(), "loud", "m", now=NOW, by=BY),
        lambda db: send_resilience_alert(db, policies(), "info", " \n ", now=NOW, by=BY),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_refused_and_nothing_is_written(sqlite_database, call):
    with pytest.raises(ValueError):
        call(sqlite_database)
    assert rows(sqlite_database, tables.Message) == rows(sqlite_database) == []


def test_a_message_that_is_not_there_is_named(sqlite_database):
    with pytest.raises(ValueError, match="no message 7"):
        deliver_message(sqlite_database, 7, channels(), SetClock())


def test_a_held_row_waits_for_its_instant(database):
    from resilience_assets_tests.delivery.rows import enqueue, notice

    enqueue(database, notice(None, message_id=None, seq=9, not_before=NOW + dt.timedelta(hours=1)))
    with database.read() as connection:
        assert (outbox.due(connection, NOW), outbox.due(connection, NOW + dt.timedelta(hours=1))) == (0, 1)
        assert outbox.next_due(connection) == NOW + dt.timedelta(hours=1)
