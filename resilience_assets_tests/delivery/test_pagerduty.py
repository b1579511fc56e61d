"""PagerDuty's events against their documentation.

Sources: developer.pagerduty.com/docs/events-api-v2/trigger-events, "Send an Alert Event": POST to
https://events.pagerduty.com/v2/enqueue; routing_key and event_action (trigger, acknowledge, resolve) required; dedup_key at
most 255 characters; payload.summary (at most 1024), payload.source, payload.severity (critical, error, warning, info)
required; timestamp, component, group, class, custom_details (an object) not; acknowledge and resolve need routing_key and
dedup_key alone; developer.pagerduty.com/docs/events-api-v2/overview: 512 KB, 202 accepted, 400 not again, 429 and 5XX later.
"""

import datetime as dt
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.delivery.channels import Channels
from resilience_assets.delivery.dispatcher import drain
from resilience_assets.delivery.pagerduty import PagerDutyChannel, action, dedup_key, event, send_pagerduty
from resilience_assets.delivery.secret import Secret
from resilience_assets.storage import outbox
from resilience_assets_tests.delivery.peers import receiver
from resilience_assets_tests.delivery.rows import (
    NOW,
    channels,
    claimed,
    dispatcher,
    enqueue,
    incidents,
    notice,
    rows,
    states,
)

KEY = "0123456789abcdef0123456789hush00"


def follows_the_documentation(sent: dict[str, Any]) -> None:
    assert sent["routing_key"] == KEY
    assert sent["event_action"] in {"trigger", "acknowledge", "resolve"}
    assert 1 <= len(sent["dedup_key"]) <= 255
    if sent["event_action"] != "trigger":
        assert set(sent) == {"routing_key", "event_action", "dedup_key"}
        return
    assert set(sent) == {"routing_key", "event_action", "dedup_key", "client", "payload"}
    about = sent["payload"]
    assert {"summary", "source", "severity"} <= set(about) <= {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}
    assert 1 <= len(about["summary"]) <= 1024
    assert about["source"]
    assert about["severity"] in {"critical", "error", "warning", "info"}
    assert dt.datetime.fromisoformat(about["timestamp"]).tzinfo is not None
    assert isinstance(about["custom_details"], dict)
    assert len(json.dumps(sent).encode()) <= 512 * 1024


@given(
    st.text(max_size=2000), st.text(max_size=12_000), st.sampled_from(["info", "warning", "critical", "emergency"]),
    st.sampled_from(["opened", "raised", "changed", "digest", "canary", "closed", "acknowledged"]), st.none() | st.integers(1, 2**62),
    st.dictionaries(st.text(max_size=9), st.text(max_size=9)),
)  # fmt: skip
def test_every_notice_makes_an_event_as_documented(subject, text, severity, kind, incident, payload):
    row = notice(incident, channel="pagerduty", recipient="pager", subject=subject, text=text, severity=severity, kind=kind, payload=payload)
    sent = event(claimed(row), KEY)
    json.dumps(sent)
    follows_the_documentation(sent)


def test_what_it_looks_like():
    row = notice(7, channel="pagerduty", recipient="pager", subject="[critical] ICU: one nurse", text="Call.", severity="critical",
                 payload={"program": "icu", "alerts": [{"incident": 7}]})  # fmt: skip
    assert event(claimed(row), KEY) == {
        "routing_key": KEY, "event_action": "trigger", "dedup_key": "resilience-incident-7", "client": "resilience-assets",
        "payload": {
            "summary": "[critical] ICU: one nurse", "source": "resilience-assets/icu", "severity": "error", "group": "icu",
            "timestamp": "2026-09-04T06:00:00+00:00", "class": "opened",
            "custom_details": {"text": "Call.", "program": "icu", "alerts": [{"incident": 7}]},
        },
    }  # fmt: skip
    assert event(claimed(notice(7, 2, kind="closed")), KEY) == {
        "routing_key": KEY, "event_action": "resolve", "dedup_key": "resilience-incident-7",
    }  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs"), [("info", "info"), ("warning", "warning"), ("critical", "error"), ("emergency", "critical")])
def test_each_severity_of_ours_is_one_of_theirs(ours, theirs):
    assert event(claimed(notice(1, severity=ours)), KEY)["payload"]["severity"] == theirs


def test_one_key_from_the_first_notice_to_the_end_and_one_for_all_tests():
    thread = [claimed(notice(7, 1)), claimed(notice(7, 2)), claimed(notice(7, 3, kind="closed"))]
    assert {dedup_key(one) for one in thread} == {"resilience-incident-7"}
    assert [action(one) for one in thread] == ["trigger", "trigger", "resolve"]
    assert action(claimed(notice(7, 2, kind="digest", payload={"kind": "opened_and_closed"}))) == "resolve", "nobody is paged for what is over"
    assert action(claimed(notice(7, 2, kind="acknowledged"))) == "acknowledge"
    letters = {dedup_key(claimed(notice(None, message_id=number))) for number in (1, 2)}
    assert len(letters) == 2
    tests = [claimed(notice(None, message_id=number, kind="canary", payload={"test": True})) for number in (1, 2)]
    assert {dedup_key(one) for one in tests} == {"resilience-test"}
    assert event(tests[0], KEY)["payload"]["severity"] == "info"


def test_details_that_are_too_long_are_left_out():
    sent = event(claimed(notice(1, payload={"alerts": ["x" * 1000] * 600})), KEY)
    follows_the_documentation(sent)
    assert sent["payload"]["custom_details"]["cut"] is True


def test_202_is_sent_400_is_not_tried_again_429_is_and_the_key_shows_nowhere(caplog):
    caplog.set_level(logging.DEBUG)
    with receiver() as web:
        outcomes = {}
        for path in ("400", "429/60", "500", "307", "202"):
            channel = PagerDutyChannel(Secret(KEY), web.listed, endpoint=web.url(path))
            outcomes[path[:3]] = send_pagerduty(claimed(notice(1, channel="pagerduty")), channel, now=NOW, seconds=5)
    kinds = {"400": "permanent", "429": "temporary", "500": "temporary", "307": "permanent", "202": "sent"}
    assert {code: one.kind for code, one in outcomes.items()} == kinds
    assert web.got[-1].headers["content-type"] == "application/json"
    follows_the_documentation(json.loads(web.got[-1].body))
    assert "hush" not in repr(outcomes) + repr(channel) + caplog.text


def test_it_goes_to_pagerduty_on_https_alone_and_not_inside():
    asked = []

    def lead_inside(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    outcome = send_pagerduty(claimed(notice(1)), PagerDutyChannel(Secret(KEY), resolve=lead_inside), now=NOW, seconds=5)
    assert (outcome.kind, outcome.error) == ("permanent", "blocked: not a public address")
    assert asked == [("events.pagerduty.com", 443)]


def pager(web: Any) -> Channels:
    return channels(pagerduty={"pager": PagerDutyChannel(Secret(KEY), web.listed, endpoint=web.url("202"))})


def test_the_dispatcher_opens_and_resolves_one_alert(database):
    [incident] = incidents(database)
    with receiver() as web:
        working = dispatcher(database, pager(web))
        for seq, kind in ((1, "opened"), (2, "raised"), (3, "closed")):
            enqueue(database, notice(incident, seq, "pagerduty", "pager", kind=kind))
            drain(working, seconds=10)
    assert states(database)["sent"] == 3
    sent = [json.loads(one.body) for one in web.got]
    assert [one["event_action"] for one in sent] == ["trigger", "trigger", "resolve"]
    assert {one["dedup_key"] for one in sent} == {f"resilience-incident-{incident}"}
    assert KEY not in str([vars(row) if hasattr(row, "__dict__") else tuple(row) for row in rows(database)])


def test_notices_that_waited_long_are_not_merged_for_then_no_end_would_arrive(database):
    first, second = incidents(database, 2)
    enqueue(database, *(notice(one, 1, channel, who) for one in (first, second) for channel, who in (("pagerduty", "pager"), ("slack", "ward"))))
    with database.write() as connection:
        outbox.merge(connection, NOW + dt.timedelta(hours=9), dt.timedelta(hours=1))
    assert sorted((row.channel, row.kind) for row in rows(database) if row.state == "pending") == [
        ("pagerduty", "opened"), ("pagerduty", "opened"), ("slack", "digest"),
    ]  # fmt: skip


def test_without_a_key_it_is_off_and_says_so():
    assert Channels().off("pagerduty", "pager") == "no pagerduty of this name has a routing key"
    known = Channels(pagerduty={"pager": PagerDutyChannel(Secret(KEY))})
    assert known.off("pagerduty", "pager") is None
    assert known.address(claimed(notice(1, channel="pagerduty", recipient="pager"))) == Secret(KEY).fingerprint()
